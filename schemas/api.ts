// Generated from schemas/api.graphql by npm run codegen: change the schema, not this file.
export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
export type EntireFieldWrapper<T> = T | ((args: never) => T | Promise<T>);
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string };
  String: { input: string; output: string };
  Boolean: { input: boolean; output: boolean };
  Int: { input: number; output: number };
  Float: { input: number; output: number };
  DateTime: { input: number; output: number };
  Duration: { input: string; output: string };
  SafeInt: { input: number; output: number };
  IPAddress: { input: string; output: string };
  JSONObject: { input: Readonly<Record<string, unknown>>; output: Readonly<Record<string, unknown>> };
};

export type Query = {
  readonly auditEvents?: EntireFieldWrapper<Maybe<AuditEventConnection>>;
  readonly auditEvent?: EntireFieldWrapper<Maybe<AuditEvent>>;
  readonly facets?: EntireFieldWrapper<Maybe<ReadonlyArray<Facet>>>;
  readonly metrics?: EntireFieldWrapper<Maybe<MetricTable>>;
  readonly timeSeries?: EntireFieldWrapper<Maybe<TimeSeries>>;
  readonly alerts?: EntireFieldWrapper<Maybe<AlertConnection>>;
  readonly alert?: EntireFieldWrapper<Maybe<Alert>>;
  readonly alertRules?: EntireFieldWrapper<Maybe<ReadonlyArray<AlertRule>>>;
  readonly completeness?: EntireFieldWrapper<Maybe<CompletenessReport>>;
  readonly deadLetters?: EntireFieldWrapper<Maybe<DeadLetterConnection>>;
  readonly pipeline?: EntireFieldWrapper<Maybe<PipelineStatus>>;
  readonly catalogue?: EntireFieldWrapper<Maybe<Catalogue>>;
  readonly limits: EntireFieldWrapper<Limits>;
  readonly me: EntireFieldWrapper<Caller>;
  readonly version: EntireFieldWrapper<Scalars['String']['output']>;
};

export type QueryAuditEventsArgs = {
  range: TimeRange;
  filter?: InputMaybe<AuditEventFilter>;
  order?: InputMaybe<SortOrder>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
};

export type QueryAuditEventArgs = {
  id: Scalars['ID']['input'];
};

export type QueryFacetsArgs = {
  range: TimeRange;
  filter?: InputMaybe<AuditEventFilter>;
  dimensions: ReadonlyArray<Dimension>;
  limit?: InputMaybe<Scalars['Int']['input']>;
};

export type QueryMetricsArgs = {
  range: TimeRange;
  filter?: InputMaybe<AuditEventFilter>;
  groupBy?: InputMaybe<ReadonlyArray<Dimension>>;
  orderBy?: InputMaybe<MetricOrder>;
  limit?: InputMaybe<Scalars['Int']['input']>;
};

export type QueryTimeSeriesArgs = {
  range: TimeRange;
  filter?: InputMaybe<AuditEventFilter>;
  interval?: InputMaybe<Scalars['Duration']['input']>;
  timeZone?: InputMaybe<Scalars['String']['input']>;
  groupBy?: InputMaybe<ReadonlyArray<Dimension>>;
  orderBy?: InputMaybe<MetricOrder>;
  limit?: InputMaybe<Scalars['Int']['input']>;
};

export type QueryAlertsArgs = {
  range?: InputMaybe<TimeRange>;
  filter?: InputMaybe<AlertFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
};

export type QueryAlertArgs = {
  id: Scalars['ID']['input'];
};

export type QueryAlertRulesArgs = {
  filter?: InputMaybe<RuleFilter>;
};

export type QueryCompletenessArgs = {
  range: TimeRange;
};

export type QueryDeadLettersArgs = {
  range: TimeRange;
  filter?: InputMaybe<DeadLetterFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
};

export type Mutation = {
  readonly acknowledgeAlert?: EntireFieldWrapper<Maybe<AlertPayload>>;
  readonly replayDeadLetters?: EntireFieldWrapper<Maybe<ReplayPayload>>;
  readonly createApiKey?: EntireFieldWrapper<Maybe<ApiKeyPayload>>;
  readonly revokeApiKey?: EntireFieldWrapper<Maybe<ApiKeyPayload>>;
};

export type MutationAcknowledgeAlertArgs = {
  id: Scalars['ID']['input'];
  note?: InputMaybe<Scalars['String']['input']>;
};

export type MutationReplayDeadLettersArgs = {
  range: TimeRange;
  filter?: InputMaybe<DeadLetterFilter>;
  dryRun?: InputMaybe<Scalars['Boolean']['input']>;
};

export type MutationCreateApiKeyArgs = {
  input: ApiKeyInput;
};

export type MutationRevokeApiKeyArgs = {
  id: Scalars['ID']['input'];
};

export type SortOrder = 'NEWEST_FIRST' | 'OLDEST_FIRST';

export type TimeRange =
  | { readonly absolute: AbsoluteRange; readonly relative?: never }
  | { readonly absolute?: never; readonly relative: Scalars['Duration']['input'] };

export type AbsoluteRange = {
  readonly from: Scalars['DateTime']['input'];
  readonly to: Scalars['DateTime']['input'];
};

export type ResolvedRange = {
  readonly from: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly to: EntireFieldWrapper<Scalars['DateTime']['output']>;
};

export type AuditEventFilter = {
  readonly and?: InputMaybe<ReadonlyArray<AuditEventFilter>>;
  readonly or?: InputMaybe<ReadonlyArray<AuditEventFilter>>;
  readonly not?: InputMaybe<AuditEventFilter>;
  readonly search?: InputMaybe<Scalars['String']['input']>;
  readonly id?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
  readonly tenant?: InputMaybe<StringMatch>;
  readonly gateway?: InputMaybe<StringMatch>;
  readonly gatewayKind?: InputMaybe<StringMatch>;
  readonly topic?: InputMaybe<StringMatch>;
  readonly method?: InputMaybe<StringMatch>;
  readonly scheme?: InputMaybe<StringMatch>;
  readonly host?: InputMaybe<StringMatch>;
  readonly path?: InputMaybe<StringMatch>;
  readonly route?: InputMaybe<StringMatch>;
  readonly operation?: InputMaybe<StringMatch>;
  readonly service?: InputMaybe<StringMatch>;
  readonly api?: InputMaybe<StringMatch>;
  readonly apiVersion?: InputMaybe<StringMatch>;
  readonly collection?: InputMaybe<StringMatch>;
  readonly lifecycle?: InputMaybe<ReadonlyArray<Lifecycle>>;
  readonly dataClass?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  readonly status?: InputMaybe<IntMatch>;
  readonly upstreamStatus?: InputMaybe<IntMatch>;
  readonly outcome?: InputMaybe<ReadonlyArray<Outcome>>;
  readonly errorType?: InputMaybe<StringMatch>;
  readonly consumer?: InputMaybe<StringMatch>;
  readonly consumerGroup?: InputMaybe<StringMatch>;
  readonly credential?: InputMaybe<StringMatch>;
  readonly authType?: InputMaybe<StringMatch>;
  readonly clientAddress?: InputMaybe<AddressMatch>;
  readonly country?: InputMaybe<StringMatch>;
  readonly asn?: InputMaybe<StringMatch>;
  readonly userAgent?: InputMaybe<StringMatch>;
  readonly userAgentFamily?: InputMaybe<StringMatch>;
  readonly tlsVersion?: InputMaybe<StringMatch>;
  readonly signal?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  readonly requestId?: InputMaybe<StringMatch>;
  readonly traceId?: InputMaybe<StringMatch>;
  readonly durationMs?: InputMaybe<FloatMatch>;
  readonly upstreamDurationMs?: InputMaybe<FloatMatch>;
  readonly requestBytes?: InputMaybe<IntMatch>;
  readonly responseBytes?: InputMaybe<IntMatch>;
};

export type StringMatch = {
  readonly eq?: InputMaybe<Scalars['String']['input']>;
  readonly ne?: InputMaybe<Scalars['String']['input']>;
  readonly in?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  readonly notIn?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  readonly startsWith?: InputMaybe<Scalars['String']['input']>;
  readonly endsWith?: InputMaybe<Scalars['String']['input']>;
  readonly contains?: InputMaybe<Scalars['String']['input']>;
  readonly matches?: InputMaybe<Scalars['String']['input']>;
  readonly exists?: InputMaybe<Scalars['Boolean']['input']>;
};

export type IntMatch = {
  readonly eq?: InputMaybe<Scalars['SafeInt']['input']>;
  readonly ne?: InputMaybe<Scalars['SafeInt']['input']>;
  readonly in?: InputMaybe<ReadonlyArray<Scalars['SafeInt']['input']>>;
  readonly notIn?: InputMaybe<ReadonlyArray<Scalars['SafeInt']['input']>>;
  readonly gte?: InputMaybe<Scalars['SafeInt']['input']>;
  readonly gt?: InputMaybe<Scalars['SafeInt']['input']>;
  readonly lte?: InputMaybe<Scalars['SafeInt']['input']>;
  readonly lt?: InputMaybe<Scalars['SafeInt']['input']>;
  readonly exists?: InputMaybe<Scalars['Boolean']['input']>;
};

export type FloatMatch = {
  readonly gte?: InputMaybe<Scalars['Float']['input']>;
  readonly gt?: InputMaybe<Scalars['Float']['input']>;
  readonly lte?: InputMaybe<Scalars['Float']['input']>;
  readonly lt?: InputMaybe<Scalars['Float']['input']>;
  readonly exists?: InputMaybe<Scalars['Boolean']['input']>;
};

export type AddressMatch = {
  readonly in?: InputMaybe<ReadonlyArray<Scalars['IPAddress']['input']>>;
  readonly notIn?: InputMaybe<ReadonlyArray<Scalars['IPAddress']['input']>>;
  readonly exists?: InputMaybe<Scalars['Boolean']['input']>;
};

export type Outcome = 'SUCCESS' | 'CLIENT_ERROR' | 'AUTH_FAILURE' | 'RATE_LIMITED' | 'SERVER_ERROR' | 'ABORTED' | 'UNKNOWN';

export type Lifecycle = 'ACTIVE' | 'DEPRECATED' | 'SUNSET' | 'UNDOCUMENTED';

export type TimeSource = 'START' | 'END_MINUS_DURATION' | 'END' | 'INGEST';

export type AuditEvent = {
  readonly id: EntireFieldWrapper<Scalars['ID']['output']>;
  readonly timestamp: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly timeSource: EntireFieldWrapper<TimeSource>;
  readonly receivedAt: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly tenant: EntireFieldWrapper<Scalars['String']['output']>;
  readonly gateway: EntireFieldWrapper<Gateway>;
  readonly request: EntireFieldWrapper<HttpRequest>;
  readonly response: EntireFieldWrapper<HttpResponse>;
  readonly outcome: EntireFieldWrapper<Outcome>;
  readonly errorType?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly durationMs?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly upstreamDurationMs?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly gatewayDurationMs?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly client: EntireFieldWrapper<Client>;
  readonly principal: EntireFieldWrapper<Principal>;
  readonly api: EntireFieldWrapper<Api>;
  readonly signals: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
  readonly requestId?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly traceId?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly spanId?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly attributes?: EntireFieldWrapper<Maybe<Scalars['JSONObject']['output']>>;
  readonly position?: EntireFieldWrapper<Maybe<Position>>;
  readonly redactedFields: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
  readonly alerts?: EntireFieldWrapper<Maybe<ReadonlyArray<Alert>>>;
};

export type AuditEventAlertsArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
};

export type Gateway = {
  readonly kind: EntireFieldWrapper<Scalars['String']['output']>;
  readonly name?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly format: EntireFieldWrapper<Scalars['String']['output']>;
  readonly routeId?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly routeName?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly serviceId?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly serviceName?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
};

export type HttpRequest = {
  readonly method?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly methodOriginal?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly scheme?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly host?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly path?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly query?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly route?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly bytes?: EntireFieldWrapper<Maybe<Scalars['SafeInt']['output']>>;
  readonly bodyBytes?: EntireFieldWrapper<Maybe<Scalars['SafeInt']['output']>>;
  readonly userAgent?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly userAgentFamily?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly protocol?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly tlsVersion?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly tlsCipher?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
};

export type HttpResponse = {
  readonly status?: EntireFieldWrapper<Maybe<Scalars['Int']['output']>>;
  readonly upstreamStatus?: EntireFieldWrapper<Maybe<Scalars['Int']['output']>>;
  readonly upstreamAttempts?: EntireFieldWrapper<Maybe<Scalars['Int']['output']>>;
  readonly bytes?: EntireFieldWrapper<Maybe<Scalars['SafeInt']['output']>>;
  readonly bodyBytes?: EntireFieldWrapper<Maybe<Scalars['SafeInt']['output']>>;
};

export type Client = {
  readonly address?: EntireFieldWrapper<Maybe<Scalars['IPAddress']['output']>>;
  readonly peerAddress?: EntireFieldWrapper<Maybe<Scalars['IPAddress']['output']>>;
  readonly forwardedFor?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly country?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly asn?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
};

export type Principal = {
  readonly consumerId?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly consumerName?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly consumerGroup?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly credentialId?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly credentialHash?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly authType?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
};

export type Api = {
  readonly id?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly name?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly version?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly operation?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly lifecycle?: EntireFieldWrapper<Maybe<Lifecycle>>;
  readonly sunsetAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly collection?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly dataClasses: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
};

export type Position = {
  readonly topic: EntireFieldWrapper<Scalars['String']['output']>;
  readonly sourceEpoch: EntireFieldWrapper<Scalars['Int']['output']>;
  readonly partition: EntireFieldWrapper<Scalars['Int']['output']>;
  readonly offset: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly index: EntireFieldWrapper<Scalars['Int']['output']>;
};

export type AuditEventConnection = {
  readonly edges: EntireFieldWrapper<ReadonlyArray<AuditEventEdge>>;
  readonly nodes: EntireFieldWrapper<ReadonlyArray<AuditEvent>>;
  readonly pageInfo: EntireFieldWrapper<PageInfo>;
  readonly totalCount?: EntireFieldWrapper<Maybe<Count>>;
  readonly resolvedRange: EntireFieldWrapper<ResolvedRange>;
  readonly freshness: EntireFieldWrapper<Freshness>;
};

export type AuditEventConnectionTotalCountArgs = {
  upTo?: InputMaybe<Scalars['Int']['input']>;
};

export type AuditEventEdge = {
  readonly cursor: EntireFieldWrapper<Scalars['String']['output']>;
  readonly node: EntireFieldWrapper<AuditEvent>;
};

export type PageInfo = {
  readonly hasNextPage: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly hasPreviousPage: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly startCursor?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly endCursor?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
};

export type Count = {
  readonly value: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly relation: EntireFieldWrapper<CountRelation>;
};

export type CountRelation = 'EXACT' | 'AT_LEAST';

export type Freshness = {
  readonly watermark?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly lagSeconds?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
};

export type Facet = {
  readonly dimension: EntireFieldWrapper<Dimension>;
  readonly values: EntireFieldWrapper<ReadonlyArray<FacetValue>>;
  readonly otherCount: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly redacted: EntireFieldWrapper<Scalars['Boolean']['output']>;
};

export type FacetValue = {
  readonly value?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly count: EntireFieldWrapper<Scalars['SafeInt']['output']>;
};

export type Dimension =
  | 'TENANT'
  | 'GATEWAY'
  | 'GATEWAY_KIND'
  | 'TOPIC'
  | 'METHOD'
  | 'SCHEME'
  | 'HOST'
  | 'PATH'
  | 'ROUTE'
  | 'OPERATION'
  | 'SERVICE'
  | 'API'
  | 'API_VERSION'
  | 'COLLECTION'
  | 'LIFECYCLE'
  | 'DATA_CLASS'
  | 'STATUS'
  | 'STATUS_CLASS'
  | 'UPSTREAM_STATUS'
  | 'OUTCOME'
  | 'ERROR_TYPE'
  | 'CONSUMER'
  | 'CONSUMER_GROUP'
  | 'CREDENTIAL'
  | 'AUTH_TYPE'
  | 'CLIENT_ADDRESS'
  | 'COUNTRY'
  | 'ASN'
  | 'USER_AGENT'
  | 'USER_AGENT_FAMILY'
  | 'TLS_VERSION'
  | 'SIGNAL';

export type MetricOrder = {
  readonly by: MetricField;
  readonly direction?: InputMaybe<SortDirection>;
  readonly byChange?: InputMaybe<Scalars['Boolean']['input']>;
};

export type SortDirection = 'ASC' | 'DESC';

export type MetricField =
  | 'REQUESTS'
  | 'CLIENT_ERRORS'
  | 'CLIENT_ERROR_RATE'
  | 'SERVER_ERRORS'
  | 'ERROR_RATE'
  | 'AUTH_FAILURES'
  | 'RATE_LIMITED'
  | 'ABORTED'
  | 'P50'
  | 'P90'
  | 'P95'
  | 'P99'
  | 'MEAN'
  | 'MAX'
  | 'UPSTREAM_P95'
  | 'GATEWAY_P95'
  | 'UPSTREAM_SUM'
  | 'REQUEST_BYTES'
  | 'RESPONSE_BYTES'
  | 'CONSUMERS'
  | 'CLIENTS'
  | 'FIRST_SEEN'
  | 'LAST_SEEN';

export type MetricSource = 'EVENTS' | 'MINUTES' | 'HOURS';

export type MetricTable = {
  readonly rows: EntireFieldWrapper<ReadonlyArray<MetricRow>>;
  readonly otherRows: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly other?: EntireFieldWrapper<Maybe<MetricValues>>;
  readonly total: EntireFieldWrapper<MetricValues>;
  readonly resolvedRange: EntireFieldWrapper<ResolvedRange>;
  readonly comparedRange?: EntireFieldWrapper<Maybe<ResolvedRange>>;
  readonly redactedDimensions: EntireFieldWrapper<ReadonlyArray<Dimension>>;
  readonly source: EntireFieldWrapper<MetricSource>;
  readonly freshness: EntireFieldWrapper<Freshness>;
};

export type MetricRow = {
  readonly dimensions: EntireFieldWrapper<ReadonlyArray<DimensionValue>>;
  readonly values: EntireFieldWrapper<MetricValues>;
  readonly compared?: EntireFieldWrapper<Maybe<MetricValues>>;
};

export type DimensionValue = {
  readonly dimension: EntireFieldWrapper<Dimension>;
  readonly value?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
};

export type MetricValues = {
  readonly requests: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly requestsPerSecond: EntireFieldWrapper<Scalars['Float']['output']>;
  readonly clientErrors: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly serverErrors: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly authFailures: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly rateLimited: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly aborted: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly errorRate?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly clientErrorRate?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly latency: EntireFieldWrapper<Quantiles>;
  readonly upstreamLatency: EntireFieldWrapper<Quantiles>;
  readonly gatewayLatency: EntireFieldWrapper<Quantiles>;
  readonly within: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly requestBytes: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly responseBytes: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly consumers: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly clients: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly distinct: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly firstSeenAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly lastSeenAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
};

export type MetricValuesWithinArgs = {
  ms: Scalars['Float']['input'];
};

export type MetricValuesDistinctArgs = {
  of: Dimension;
};

export type Quantiles = {
  readonly p50?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly p90?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly p95?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly p99?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly quantile?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly max?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly mean?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly sum?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly samples: EntireFieldWrapper<Scalars['SafeInt']['output']>;
};

export type QuantilesQuantileArgs = {
  level: Scalars['Float']['input'];
};

export type TimeSeries = {
  readonly interval: EntireFieldWrapper<Scalars['Duration']['output']>;
  readonly series: EntireFieldWrapper<ReadonlyArray<Series>>;
  readonly other?: EntireFieldWrapper<Maybe<Series>>;
  readonly resolvedRange: EntireFieldWrapper<ResolvedRange>;
  readonly comparedRange?: EntireFieldWrapper<Maybe<ResolvedRange>>;
  readonly redactedDimensions: EntireFieldWrapper<ReadonlyArray<Dimension>>;
  readonly source: EntireFieldWrapper<MetricSource>;
  readonly freshness: EntireFieldWrapper<Freshness>;
};

export type Series = {
  readonly dimensions: EntireFieldWrapper<ReadonlyArray<DimensionValue>>;
  readonly total: EntireFieldWrapper<MetricValues>;
  readonly points: EntireFieldWrapper<ReadonlyArray<Point>>;
};

export type Point = {
  readonly at: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly isPartial: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly values: EntireFieldWrapper<MetricValues>;
  readonly compared?: EntireFieldWrapper<Maybe<MetricValues>>;
};

export type Alert = {
  readonly id: EntireFieldWrapper<Scalars['ID']['output']>;
  readonly fingerprint: EntireFieldWrapper<Scalars['String']['output']>;
  readonly tenant: EntireFieldWrapper<Scalars['String']['output']>;
  readonly rule: EntireFieldWrapper<AlertRule>;
  readonly ruleVersion: EntireFieldWrapper<Scalars['String']['output']>;
  readonly state: EntireFieldWrapper<AlertState>;
  readonly severity: EntireFieldWrapper<Severity>;
  readonly title: EntireFieldWrapper<Scalars['String']['output']>;
  readonly summary: EntireFieldWrapper<Scalars['String']['output']>;
  readonly subject: EntireFieldWrapper<ReadonlyArray<Label>>;
  readonly startedAt: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly firedAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly lastSeenAt: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly resolvedAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly measure: EntireFieldWrapper<Scalars['String']['output']>;
  readonly value?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly threshold?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly baseline?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly eventCount: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly evidence?: EntireFieldWrapper<Maybe<ReadonlyArray<AuditEvent>>>;
  readonly eventFilter: EntireFieldWrapper<Scalars['JSONObject']['output']>;
  readonly eventRange: EntireFieldWrapper<ResolvedRange>;
  readonly timeline?: EntireFieldWrapper<Maybe<ReadonlyArray<AlertTransition>>>;
  readonly notifications?: EntireFieldWrapper<Maybe<ReadonlyArray<Notification>>>;
  readonly acknowledgedBy?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly acknowledgedAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly escalatesAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly silencedBy?: EntireFieldWrapper<Maybe<Silence>>;
  readonly inhibitedBy?: EntireFieldWrapper<Maybe<Alert>>;
  readonly verdict?: EntireFieldWrapper<Maybe<Verdict>>;
};

export type AlertEvidenceArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
};

export type AlertTimelineArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
};

export type AlertNotificationsArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
};

export type Label = {
  readonly name: EntireFieldWrapper<Scalars['String']['output']>;
  readonly value: EntireFieldWrapper<Scalars['String']['output']>;
};

export type AlertState = 'PENDING' | 'FIRING' | 'ACKNOWLEDGED' | 'RESOLVED' | 'INACTIVE';

export type Severity = 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL';

export type Verdict = 'TRUE_POSITIVE' | 'FALSE_POSITIVE' | 'EXPECTED';

export type AlertTransition = {
  readonly at: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly kind: EntireFieldWrapper<AlertChange>;
  readonly from?: EntireFieldWrapper<Maybe<AlertState>>;
  readonly to: EntireFieldWrapper<AlertState>;
  readonly reason: EntireFieldWrapper<Scalars['String']['output']>;
  readonly actor?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly note?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
};

export type AlertChange =
  | 'OPENED'
  | 'FIRED'
  | 'ACKNOWLEDGED'
  | 'UNACKNOWLEDGED'
  | 'NOTED'
  | 'ESCALATED'
  | 'SILENCED'
  | 'UNSILENCED'
  | 'INHIBITED'
  | 'UNINHIBITED'
  | 'DAMPED'
  | 'RESOLVED'
  | 'CLOSED'
  | 'LAPSED';

export type Notification = {
  readonly id: EntireFieldWrapper<Scalars['ID']['output']>;
  readonly kind: EntireFieldWrapper<NotificationKind>;
  readonly alert?: EntireFieldWrapper<Maybe<Alert>>;
  readonly channel: EntireFieldWrapper<Scalars['String']['output']>;
  readonly recipient?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly status: EntireFieldWrapper<NotificationStatus>;
  readonly queuedAt: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly sentAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly attempts: EntireFieldWrapper<Scalars['Int']['output']>;
  readonly nextAttemptAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly messageId?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly lastError?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly reason?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly silence?: EntireFieldWrapper<Maybe<Silence>>;
};

export type NotificationKind = 'FIRING' | 'REPEAT' | 'ESCALATION' | 'RESOLVED' | 'SILENCE' | 'DIGEST' | 'REPORT' | 'REVIEW' | 'TEST';

export type NotificationStatus =
  'QUEUED' | 'SENT' | 'RETRYING' | 'FAILED' | 'HELD_FOR_DIGEST' | 'SILENCED' | 'INHIBITED' | 'GROUPED' | 'DAMPED';

export type AlertConnection = {
  readonly edges: EntireFieldWrapper<ReadonlyArray<AlertEdge>>;
  readonly nodes: EntireFieldWrapper<ReadonlyArray<Alert>>;
  readonly pageInfo: EntireFieldWrapper<PageInfo>;
  readonly totalCount?: EntireFieldWrapper<Maybe<Count>>;
};

export type AlertConnectionTotalCountArgs = {
  upTo?: InputMaybe<Scalars['Int']['input']>;
};

export type AlertEdge = {
  readonly cursor: EntireFieldWrapper<Scalars['String']['output']>;
  readonly node: EntireFieldWrapper<Alert>;
};

export type AlertFilter = {
  readonly states?: InputMaybe<ReadonlyArray<AlertState>>;
  readonly severities?: InputMaybe<ReadonlyArray<Severity>>;
  readonly ruleIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
  readonly fingerprints?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  readonly matchers?: InputMaybe<ReadonlyArray<MatcherInput>>;
  readonly verdicts?: InputMaybe<ReadonlyArray<Verdict>>;
  readonly silenced?: InputMaybe<Scalars['Boolean']['input']>;
  readonly inhibited?: InputMaybe<Scalars['Boolean']['input']>;
  readonly search?: InputMaybe<Scalars['String']['input']>;
};

export type MatcherInput = {
  readonly name: Scalars['String']['input'];
  readonly value: Scalars['String']['input'];
  readonly operator?: InputMaybe<MatchOperator>;
};

export type Matcher = {
  readonly name: EntireFieldWrapper<Scalars['String']['output']>;
  readonly value: EntireFieldWrapper<Scalars['String']['output']>;
  readonly operator: EntireFieldWrapper<MatchOperator>;
};

export type MatchOperator = 'EQUALS' | 'NOT_EQUALS' | 'MATCHES' | 'NOT_MATCHES';

export type AlertRule = {
  readonly id: EntireFieldWrapper<Scalars['ID']['output']>;
  readonly title: EntireFieldWrapper<Scalars['String']['output']>;
  readonly description?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly kind: EntireFieldWrapper<RuleKind>;
  readonly severity: EntireFieldWrapper<Severity>;
  readonly status: EntireFieldWrapper<Scalars['String']['output']>;
  readonly enabled: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly tags: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
  readonly references: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
  readonly falsePositives: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
  readonly source: EntireFieldWrapper<Scalars['String']['output']>;
  readonly author?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly owner?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly version: EntireFieldWrapper<Scalars['String']['output']>;
  readonly document?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly lastFiredAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly health?: EntireFieldWrapper<Maybe<RuleHealth>>;
};

export type RuleKind = 'DETECTION' | 'CORRELATION' | 'ANOMALY';

export type RuleState = 'OK' | 'LEARNING' | 'LAGGING' | 'FAILING' | 'NO_DATA' | 'BLIND';

export type RuleHealth = {
  readonly state: EntireFieldWrapper<RuleState>;
  readonly detail?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly missingFields: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
  readonly lastEvaluatedTo?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly lagSeconds?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly lastDurationMs?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
};

export type RuleFilter = {
  readonly kinds?: InputMaybe<ReadonlyArray<RuleKind>>;
  readonly enabled?: InputMaybe<Scalars['Boolean']['input']>;
  readonly states?: InputMaybe<ReadonlyArray<RuleState>>;
  readonly search?: InputMaybe<Scalars['String']['input']>;
};

export type Silence = {
  readonly id: EntireFieldWrapper<Scalars['ID']['output']>;
  readonly matchers: EntireFieldWrapper<ReadonlyArray<Matcher>>;
  readonly alert?: EntireFieldWrapper<Maybe<Alert>>;
  readonly startsAt: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly endsAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly untilResolved: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly schedule?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly duration?: EntireFieldWrapper<Maybe<Scalars['Duration']['output']>>;
  readonly timeZone?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly reason: EntireFieldWrapper<Scalars['String']['output']>;
  readonly createdBy: EntireFieldWrapper<Scalars['String']['output']>;
  readonly needsApproval: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly approvedBy?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly endedBy?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly active: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly held: EntireFieldWrapper<Scalars['SafeInt']['output']>;
};

export type CompletenessReport = {
  readonly resolvedRange: EntireFieldWrapper<ResolvedRange>;
  readonly partitions: EntireFieldWrapper<ReadonlyArray<PartitionCompleteness>>;
  readonly sources?: EntireFieldWrapper<Maybe<ReadonlyArray<SourceStatus>>>;
  readonly complete: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly statement: EntireFieldWrapper<Scalars['String']['output']>;
};

export type PartitionCompleteness = {
  readonly topic: EntireFieldWrapper<Scalars['String']['output']>;
  readonly sourceEpoch: EntireFieldWrapper<Scalars['Int']['output']>;
  readonly partition: EntireFieldWrapper<Scalars['Int']['output']>;
  readonly firstOffset?: EntireFieldWrapper<Maybe<Scalars['SafeInt']['output']>>;
  readonly lastOffset?: EntireFieldWrapper<Maybe<Scalars['SafeInt']['output']>>;
  readonly messages: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly records: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly events: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly rejected: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly skipped: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly pruned: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly gaps: EntireFieldWrapper<ReadonlyArray<OffsetGap>>;
};

export type OffsetGap = {
  readonly from: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly to: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly reason: EntireFieldWrapper<GapReason>;
  readonly note?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly detectedAt: EntireFieldWrapper<Scalars['DateTime']['output']>;
};

export type GapReason = 'RETENTION_OVERRUN' | 'COMPACTION' | 'TRANSACTION_MARKER' | 'OPERATOR_RESET' | 'UNEXPLAINED';

export type SourceStatus = {
  readonly tenant: EntireFieldWrapper<Scalars['String']['output']>;
  readonly gateway?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly kind: EntireFieldWrapper<Scalars['String']['output']>;
  readonly format: EntireFieldWrapper<Scalars['String']['output']>;
  readonly topic: EntireFieldWrapper<Scalars['String']['output']>;
  readonly events: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly firstSeenAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly lastSeenAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly silent: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly clockSkewMs?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
  readonly drifted: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly missingFields: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
};

export type DeadLetter = {
  readonly id: EntireFieldWrapper<Scalars['ID']['output']>;
  readonly receivedAt: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly tenant?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly position: EntireFieldWrapper<Position>;
  readonly code: EntireFieldWrapper<Scalars['String']['output']>;
  readonly path?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly message: EntireFieldWrapper<Scalars['String']['output']>;
  readonly detectedFormat?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly excerpt: EntireFieldWrapper<Scalars['String']['output']>;
  readonly bytes: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly sha256: EntireFieldWrapper<Scalars['String']['output']>;
  readonly replayable: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly replayedAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
};

export type DeadLetterConnection = {
  readonly edges: EntireFieldWrapper<ReadonlyArray<DeadLetterEdge>>;
  readonly nodes: EntireFieldWrapper<ReadonlyArray<DeadLetter>>;
  readonly pageInfo: EntireFieldWrapper<PageInfo>;
  readonly totalCount?: EntireFieldWrapper<Maybe<Count>>;
  readonly codes?: EntireFieldWrapper<Maybe<ReadonlyArray<FacetValue>>>;
};

export type DeadLetterConnectionTotalCountArgs = {
  upTo?: InputMaybe<Scalars['Int']['input']>;
};

export type DeadLetterEdge = {
  readonly cursor: EntireFieldWrapper<Scalars['String']['output']>;
  readonly node: EntireFieldWrapper<DeadLetter>;
};

export type DeadLetterFilter = {
  readonly ids?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
  readonly codes?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  readonly topics?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  readonly replayed?: InputMaybe<Scalars['Boolean']['input']>;
};

export type PipelineStatus = {
  readonly ready: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly reasons: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
  readonly freshness: EntireFieldWrapper<Freshness>;
  readonly partitions: EntireFieldWrapper<ReadonlyArray<PartitionLag>>;
  readonly jobs: EntireFieldWrapper<ReadonlyArray<JobStatus>>;
  readonly storage?: EntireFieldWrapper<Maybe<StorageStatus>>;
  readonly outboxDepth: EntireFieldWrapper<Scalars['SafeInt']['output']>;
};

export type PartitionLag = {
  readonly topic: EntireFieldWrapper<Scalars['String']['output']>;
  readonly sourceEpoch: EntireFieldWrapper<Scalars['Int']['output']>;
  readonly partition: EntireFieldWrapper<Scalars['Int']['output']>;
  readonly storedOffset?: EntireFieldWrapper<Maybe<Scalars['SafeInt']['output']>>;
  readonly endOffset?: EntireFieldWrapper<Maybe<Scalars['SafeInt']['output']>>;
  readonly lagRecords?: EntireFieldWrapper<Maybe<Scalars['SafeInt']['output']>>;
  readonly lagSeconds?: EntireFieldWrapper<Maybe<Scalars['Float']['output']>>;
};

export type JobStatus = {
  readonly name: EntireFieldWrapper<Scalars['String']['output']>;
  readonly schedule: EntireFieldWrapper<Scalars['String']['output']>;
  readonly lastStartedAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly lastSucceededAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly lastError?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly nextAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
};

export type StorageStatus = {
  readonly events: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly bytes: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly freeBytes?: EntireFieldWrapper<Maybe<Scalars['SafeInt']['output']>>;
  readonly oldest?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly newest?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly parts: EntireFieldWrapper<Scalars['SafeInt']['output']>;
};

export type Limits = {
  readonly retention: EntireFieldWrapper<Scalars['Duration']['output']>;
  readonly oldest: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly maxRange: EntireFieldWrapper<Scalars['Duration']['output']>;
  readonly maxBacktestRange: EntireFieldWrapper<Scalars['Duration']['output']>;
  readonly maxPageSize: EntireFieldWrapper<Scalars['Int']['output']>;
  readonly maxGroups: EntireFieldWrapper<Scalars['Int']['output']>;
  readonly maxPoints: EntireFieldWrapper<Scalars['Int']['output']>;
  readonly queriesPerMinute: EntireFieldWrapper<Scalars['Int']['output']>;
  readonly maxExportRows: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly exportFormats: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
};

export type Role = 'VIEWER' | 'ANALYST' | 'AUDITOR' | 'OPERATOR' | 'ADMIN' | 'INGEST';

export type Caller = {
  readonly name: EntireFieldWrapper<Scalars['String']['output']>;
  readonly roles: EntireFieldWrapper<ReadonlyArray<Role>>;
  readonly tenants: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
  readonly scopes: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
  readonly grants: EntireFieldWrapper<Grants>;
};

export type Grants = {
  readonly apis?: EntireFieldWrapper<Maybe<ReadonlyArray<Scalars['String']['output']>>>;
  readonly collections?: EntireFieldWrapper<Maybe<ReadonlyArray<Scalars['String']['output']>>>;
  readonly dataClasses?: EntireFieldWrapper<Maybe<ReadonlyArray<Scalars['String']['output']>>>;
  readonly lookback?: EntireFieldWrapper<Maybe<Scalars['Duration']['output']>>;
  readonly networks?: EntireFieldWrapper<Maybe<ReadonlyArray<Scalars['IPAddress']['output']>>>;
};

export type GrantsInput = {
  readonly apis?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  readonly collections?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  readonly dataClasses?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  readonly lookback?: InputMaybe<Scalars['Duration']['input']>;
  readonly networks?: InputMaybe<ReadonlyArray<Scalars['IPAddress']['input']>>;
};

export type ApiKeyInput = {
  readonly name: Scalars['String']['input'];
  readonly roles: ReadonlyArray<Role>;
  readonly tenants?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  readonly grants?: InputMaybe<GrantsInput>;
  readonly expiresAt?: InputMaybe<Scalars['DateTime']['input']>;
};

export type ApiKey = {
  readonly id: EntireFieldWrapper<Scalars['ID']['output']>;
  readonly name: EntireFieldWrapper<Scalars['String']['output']>;
  readonly prefix: EntireFieldWrapper<Scalars['String']['output']>;
  readonly roles: EntireFieldWrapper<ReadonlyArray<Role>>;
  readonly tenants: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
  readonly grants: EntireFieldWrapper<Grants>;
  readonly createdBy: EntireFieldWrapper<Scalars['String']['output']>;
  readonly createdAt: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly expiresAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly lastUsedAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly revokedAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
};

export type UserError = {
  readonly field?: EntireFieldWrapper<Maybe<ReadonlyArray<Scalars['String']['output']>>>;
  readonly code: EntireFieldWrapper<Scalars['String']['output']>;
  readonly message: EntireFieldWrapper<Scalars['String']['output']>;
};

export type ReplayPayload = {
  readonly matched: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly replayed: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly rejectedAgain: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly userErrors: EntireFieldWrapper<ReadonlyArray<UserError>>;
};

export type AlertPayload = {
  readonly alert?: EntireFieldWrapper<Maybe<Alert>>;
  readonly userErrors: EntireFieldWrapper<ReadonlyArray<UserError>>;
};

export type ApiKeyPayload = {
  readonly apiKey?: EntireFieldWrapper<Maybe<ApiKey>>;
  readonly secret?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly userErrors: EntireFieldWrapper<ReadonlyArray<UserError>>;
};

export type Catalogue = {
  readonly loadedAt: EntireFieldWrapper<Scalars['DateTime']['output']>;
  readonly apis: EntireFieldWrapper<ReadonlyArray<CatalogueApi>>;
  readonly consumers?: EntireFieldWrapper<Maybe<CatalogueConsumerConnection>>;
  readonly collections: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
};

export type CatalogueConsumersArgs = {
  search?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
};

export type CatalogueApi = {
  readonly name: EntireFieldWrapper<Scalars['String']['output']>;
  readonly version: EntireFieldWrapper<Scalars['String']['output']>;
  readonly lifecycle: EntireFieldWrapper<Lifecycle>;
  readonly sunsetAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly collection?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly owner?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly dataClasses: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
  readonly routes: EntireFieldWrapper<ReadonlyArray<CatalogueRoute>>;
};

export type CatalogueRoute = {
  readonly method: EntireFieldWrapper<Scalars['String']['output']>;
  readonly template: EntireFieldWrapper<Scalars['String']['output']>;
  readonly operation?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly deprecated: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly secured: EntireFieldWrapper<Scalars['Boolean']['output']>;
  readonly tags: EntireFieldWrapper<ReadonlyArray<Scalars['String']['output']>>;
  readonly lastSeenAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
};

export type CatalogueConsumer = {
  readonly name: EntireFieldWrapper<Scalars['String']['output']>;
  readonly kind?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly plan?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly owner?: EntireFieldWrapper<Maybe<Scalars['String']['output']>>;
  readonly lastSeenAt?: EntireFieldWrapper<Maybe<Scalars['DateTime']['output']>>;
  readonly limits?: EntireFieldWrapper<Maybe<ReadonlyArray<ConsumerLimit>>>;
};

export type CatalogueConsumerLimitsArgs = {
  range?: InputMaybe<TimeRange>;
};

export type CatalogueConsumerConnection = {
  readonly edges: EntireFieldWrapper<ReadonlyArray<CatalogueConsumerEdge>>;
  readonly nodes: EntireFieldWrapper<ReadonlyArray<CatalogueConsumer>>;
  readonly pageInfo: EntireFieldWrapper<PageInfo>;
};

export type CatalogueConsumerEdge = {
  readonly cursor: EntireFieldWrapper<Scalars['String']['output']>;
  readonly node: EntireFieldWrapper<CatalogueConsumer>;
};

export type ConsumerLimit = {
  readonly requests: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly per: EntireFieldWrapper<Scalars['Duration']['output']>;
  readonly used: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly peak: EntireFieldWrapper<Scalars['SafeInt']['output']>;
  readonly breaches: EntireFieldWrapper<Scalars['SafeInt']['output']>;
};
