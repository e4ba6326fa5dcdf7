// Generated from schemas/api.graphql by npm run codegen: change the schema, not this file.
import type * as Types from '../schemas/api.ts';
import type { GraphQLResolveInfo, GraphQLScalarType, GraphQLScalarTypeConfig } from 'graphql';
import type { EventView } from './event-view.ts';
import type { AlertRecord } from '../storage/alert-search.ts';
import type { Values } from './figures.ts';
import type { Spread } from './quantiles.ts';
import type { ReadContext } from './guard.ts';
export type Omit<T, K extends keyof T> = Pick<T, Exclude<keyof T, K>>;
export type RequireFields<T, K extends keyof T> = Omit<T, K> & { [P in K]-?: T[P] };

export type ResolverTypeWrapper<T> = Promise<T> | T;

export type ResolverWithResolve<TResult, TParent, TContext, TArgs> = {
  resolve: ResolverFn<TResult, TParent, TContext, TArgs>;
};
export type Resolver<
  TResult,
  TParent = Record<PropertyKey, never>,
  TContext = Record<PropertyKey, never>,
  TArgs = Record<PropertyKey, never>,
> = ResolverFn<TResult, TParent, TContext, TArgs> | ResolverWithResolve<TResult, TParent, TContext, TArgs>;

export type ResolverFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo,
) => Promise<TResult> | TResult;

export type SubscriptionSubscribeFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo,
) => AsyncIterable<TResult> | Promise<AsyncIterable<TResult>>;

export type SubscriptionResolveFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo,
) => TResult | Promise<TResult>;

export interface SubscriptionSubscriberObject<TResult, TKey extends string, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<{ [key in TKey]: TResult }, TParent, TContext, TArgs>;
  resolve?: SubscriptionResolveFn<TResult, { [key in TKey]: TResult }, TContext, TArgs>;
}

export interface SubscriptionResolverObject<TResult, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<any, TParent, TContext, TArgs>;
  resolve: SubscriptionResolveFn<TResult, any, TContext, TArgs>;
}

export type SubscriptionObject<TResult, TKey extends string, TParent, TContext, TArgs> =
  SubscriptionSubscriberObject<TResult, TKey, TParent, TContext, TArgs> | SubscriptionResolverObject<TResult, TParent, TContext, TArgs>;

export type SubscriptionResolver<
  TResult,
  TKey extends string,
  TParent = Record<PropertyKey, never>,
  TContext = Record<PropertyKey, never>,
  TArgs = Record<PropertyKey, never>,
> =
  | ((...args: any[]) => SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>)
  | SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>;

export type TypeResolveFn<TTypes, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (
  parent: TParent,
  context: TContext,
  info: GraphQLResolveInfo,
) => Types.Maybe<TTypes> | Promise<Types.Maybe<TTypes>>;

export type IsTypeOfResolverFn<T = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (
  obj: T,
  context: TContext,
  info: GraphQLResolveInfo,
) => boolean | Promise<boolean>;

export type NextResolverFn<T> = () => Promise<T>;

export type DirectiveResolverFn<
  TResult = Record<PropertyKey, never>,
  TParent = Record<PropertyKey, never>,
  TContext = Record<PropertyKey, never>,
  TArgs = Record<PropertyKey, never>,
> = (
  next: NextResolverFn<TResult>,
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo,
) => TResult | Promise<TResult>;

/** Mapping between all available schema types and the resolvers types */
export type ResolversTypes = {
  DateTime: ResolverTypeWrapper<Types.Scalars['DateTime']['output']>;
  Duration: ResolverTypeWrapper<Types.Scalars['Duration']['output']>;
  SafeInt: ResolverTypeWrapper<Types.Scalars['SafeInt']['output']>;
  IPAddress: ResolverTypeWrapper<Types.Scalars['IPAddress']['output']>;
  JSONObject: ResolverTypeWrapper<Types.Scalars['JSONObject']['output']>;
  Query: ResolverTypeWrapper<Record<PropertyKey, never>>;
  Int: ResolverTypeWrapper<Types.Scalars['Int']['output']>;
  String: ResolverTypeWrapper<Types.Scalars['String']['output']>;
  ID: ResolverTypeWrapper<Types.Scalars['ID']['output']>;
  Mutation: ResolverTypeWrapper<Record<PropertyKey, never>>;
  Boolean: ResolverTypeWrapper<Types.Scalars['Boolean']['output']>;
  SortOrder: Types.SortOrder;
  TimeRange: Types.TimeRange;
  AbsoluteRange: Types.AbsoluteRange;
  ResolvedRange: ResolverTypeWrapper<Types.ResolvedRange>;
  AuditEventFilter: Types.AuditEventFilter;
  StringMatch: Types.StringMatch;
  IntMatch: Types.IntMatch;
  FloatMatch: Types.FloatMatch;
  Float: ResolverTypeWrapper<Types.Scalars['Float']['output']>;
  AddressMatch: Types.AddressMatch;
  Outcome: Types.Outcome;
  Lifecycle: Types.Lifecycle;
  TimeSource: Types.TimeSource;
  AuditEvent: ResolverTypeWrapper<EventView>;
  Gateway: ResolverTypeWrapper<Types.Gateway>;
  HttpRequest: ResolverTypeWrapper<Types.HttpRequest>;
  HttpResponse: ResolverTypeWrapper<Types.HttpResponse>;
  Client: ResolverTypeWrapper<Types.Client>;
  Principal: ResolverTypeWrapper<Types.Principal>;
  Api: ResolverTypeWrapper<Types.Api>;
  Position: ResolverTypeWrapper<Types.Position>;
  AuditEventConnection: ResolverTypeWrapper<
    Omit<Types.AuditEventConnection, 'edges' | 'nodes'> & {
      edges: ReadonlyArray<ResolversTypes['AuditEventEdge']>;
      nodes: ReadonlyArray<ResolversTypes['AuditEvent']>;
    }
  >;
  AuditEventEdge: ResolverTypeWrapper<Omit<Types.AuditEventEdge, 'node'> & { node: ResolversTypes['AuditEvent'] }>;
  PageInfo: ResolverTypeWrapper<Types.PageInfo>;
  Count: ResolverTypeWrapper<Types.Count>;
  CountRelation: Types.CountRelation;
  Freshness: ResolverTypeWrapper<Types.Freshness>;
  Facet: ResolverTypeWrapper<Types.Facet>;
  FacetValue: ResolverTypeWrapper<Types.FacetValue>;
  Dimension: Types.Dimension;
  MetricOrder: Types.MetricOrder;
  SortDirection: Types.SortDirection;
  MetricField: Types.MetricField;
  MetricSource: Types.MetricSource;
  MetricTable: ResolverTypeWrapper<
    Omit<Types.MetricTable, 'rows' | 'other' | 'total'> & {
      rows: ReadonlyArray<ResolversTypes['MetricRow']>;
      other?: Types.Maybe<ResolversTypes['MetricValues']>;
      total: ResolversTypes['MetricValues'];
    }
  >;
  MetricRow: ResolverTypeWrapper<
    Omit<Types.MetricRow, 'values' | 'compared'> & {
      values: ResolversTypes['MetricValues'];
      compared?: Types.Maybe<ResolversTypes['MetricValues']>;
    }
  >;
  DimensionValue: ResolverTypeWrapper<Types.DimensionValue>;
  MetricValues: ResolverTypeWrapper<Values>;
  Quantiles: ResolverTypeWrapper<Spread>;
  TimeSeries: ResolverTypeWrapper<
    Omit<Types.TimeSeries, 'series' | 'other'> & {
      series: ReadonlyArray<ResolversTypes['Series']>;
      other?: Types.Maybe<ResolversTypes['Series']>;
    }
  >;
  Series: ResolverTypeWrapper<
    Omit<Types.Series, 'total' | 'points'> & { total: ResolversTypes['MetricValues']; points: ReadonlyArray<ResolversTypes['Point']> }
  >;
  Point: ResolverTypeWrapper<
    Omit<Types.Point, 'values' | 'compared'> & {
      values: ResolversTypes['MetricValues'];
      compared?: Types.Maybe<ResolversTypes['MetricValues']>;
    }
  >;
  Alert: ResolverTypeWrapper<AlertRecord>;
  Label: ResolverTypeWrapper<Types.Label>;
  AlertState: Types.AlertState;
  Severity: Types.Severity;
  Verdict: Types.Verdict;
  AlertTransition: ResolverTypeWrapper<Types.AlertTransition>;
  AlertChange: Types.AlertChange;
  Notification: ResolverTypeWrapper<
    Omit<Types.Notification, 'alert' | 'silence'> & {
      alert?: Types.Maybe<ResolversTypes['Alert']>;
      silence?: Types.Maybe<ResolversTypes['Silence']>;
    }
  >;
  NotificationKind: Types.NotificationKind;
  NotificationStatus: Types.NotificationStatus;
  AlertConnection: ResolverTypeWrapper<
    Omit<Types.AlertConnection, 'edges' | 'nodes'> & {
      edges: ReadonlyArray<ResolversTypes['AlertEdge']>;
      nodes: ReadonlyArray<ResolversTypes['Alert']>;
    }
  >;
  AlertEdge: ResolverTypeWrapper<Omit<Types.AlertEdge, 'node'> & { node: ResolversTypes['Alert'] }>;
  AlertFilter: Types.AlertFilter;
  MatcherInput: Types.MatcherInput;
  Matcher: ResolverTypeWrapper<Types.Matcher>;
  MatchOperator: Types.MatchOperator;
  AlertRule: ResolverTypeWrapper<Types.AlertRule>;
  RuleKind: Types.RuleKind;
  RuleState: Types.RuleState;
  RuleHealth: ResolverTypeWrapper<Types.RuleHealth>;
  RuleFilter: Types.RuleFilter;
  Silence: ResolverTypeWrapper<Omit<Types.Silence, 'alert'> & { alert?: Types.Maybe<ResolversTypes['Alert']> }>;
  CompletenessReport: ResolverTypeWrapper<Types.CompletenessReport>;
  PartitionCompleteness: ResolverTypeWrapper<Types.PartitionCompleteness>;
  OffsetGap: ResolverTypeWrapper<Types.OffsetGap>;
  GapReason: Types.GapReason;
  SourceStatus: ResolverTypeWrapper<Types.SourceStatus>;
  DeadLetter: ResolverTypeWrapper<Types.DeadLetter>;
  DeadLetterConnection: ResolverTypeWrapper<Types.DeadLetterConnection>;
  DeadLetterEdge: ResolverTypeWrapper<Types.DeadLetterEdge>;
  DeadLetterFilter: Types.DeadLetterFilter;
  PipelineStatus: ResolverTypeWrapper<Types.PipelineStatus>;
  PartitionLag: ResolverTypeWrapper<Types.PartitionLag>;
  JobStatus: ResolverTypeWrapper<Types.JobStatus>;
  StorageStatus: ResolverTypeWrapper<Types.StorageStatus>;
  Limits: ResolverTypeWrapper<Types.Limits>;
  Role: Types.Role;
  Caller: ResolverTypeWrapper<Types.Caller>;
  Grants: ResolverTypeWrapper<Types.Grants>;
  GrantsInput: Types.GrantsInput;
  ApiKeyInput: Types.ApiKeyInput;
  ApiKey: ResolverTypeWrapper<Types.ApiKey>;
  UserError: ResolverTypeWrapper<Types.UserError>;
  ReplayPayload: ResolverTypeWrapper<Types.ReplayPayload>;
  AlertPayload: ResolverTypeWrapper<Omit<Types.AlertPayload, 'alert'> & { alert?: Types.Maybe<ResolversTypes['Alert']> }>;
  ApiKeyPayload: ResolverTypeWrapper<Types.ApiKeyPayload>;
  Catalogue: ResolverTypeWrapper<Types.Catalogue>;
  CatalogueApi: ResolverTypeWrapper<Types.CatalogueApi>;
  CatalogueRoute: ResolverTypeWrapper<Types.CatalogueRoute>;
  CatalogueConsumer: ResolverTypeWrapper<Types.CatalogueConsumer>;
  CatalogueConsumerConnection: ResolverTypeWrapper<Types.CatalogueConsumerConnection>;
  CatalogueConsumerEdge: ResolverTypeWrapper<Types.CatalogueConsumerEdge>;
  ConsumerLimit: ResolverTypeWrapper<Types.ConsumerLimit>;
};

/** Mapping between all available schema types and the resolvers parents */
export type ResolversParentTypes = {
  DateTime: Types.Scalars['DateTime']['output'];
  Duration: Types.Scalars['Duration']['output'];
  SafeInt: Types.Scalars['SafeInt']['output'];
  IPAddress: Types.Scalars['IPAddress']['output'];
  JSONObject: Types.Scalars['JSONObject']['output'];
  Query: Record<PropertyKey, never>;
  Int: Types.Scalars['Int']['output'];
  String: Types.Scalars['String']['output'];
  ID: Types.Scalars['ID']['output'];
  Mutation: Record<PropertyKey, never>;
  Boolean: Types.Scalars['Boolean']['output'];
  TimeRange: Types.TimeRange;
  AbsoluteRange: Types.AbsoluteRange;
  ResolvedRange: Types.ResolvedRange;
  AuditEventFilter: Types.AuditEventFilter;
  StringMatch: Types.StringMatch;
  IntMatch: Types.IntMatch;
  FloatMatch: Types.FloatMatch;
  Float: Types.Scalars['Float']['output'];
  AddressMatch: Types.AddressMatch;
  AuditEvent: EventView;
  Gateway: Types.Gateway;
  HttpRequest: Types.HttpRequest;
  HttpResponse: Types.HttpResponse;
  Client: Types.Client;
  Principal: Types.Principal;
  Api: Types.Api;
  Position: Types.Position;
  AuditEventConnection: Omit<Types.AuditEventConnection, 'edges' | 'nodes'> & {
    edges: ReadonlyArray<ResolversParentTypes['AuditEventEdge']>;
    nodes: ReadonlyArray<ResolversParentTypes['AuditEvent']>;
  };
  AuditEventEdge: Omit<Types.AuditEventEdge, 'node'> & { node: ResolversParentTypes['AuditEvent'] };
  PageInfo: Types.PageInfo;
  Count: Types.Count;
  Freshness: Types.Freshness;
  Facet: Types.Facet;
  FacetValue: Types.FacetValue;
  MetricOrder: Types.MetricOrder;
  MetricTable: Omit<Types.MetricTable, 'rows' | 'other' | 'total'> & {
    rows: ReadonlyArray<ResolversParentTypes['MetricRow']>;
    other?: Types.Maybe<ResolversParentTypes['MetricValues']>;
    total: ResolversParentTypes['MetricValues'];
  };
  MetricRow: Omit<Types.MetricRow, 'values' | 'compared'> & {
    values: ResolversParentTypes['MetricValues'];
    compared?: Types.Maybe<ResolversParentTypes['MetricValues']>;
  };
  DimensionValue: Types.DimensionValue;
  MetricValues: Values;
  Quantiles: Spread;
  TimeSeries: Omit<Types.TimeSeries, 'series' | 'other'> & {
    series: ReadonlyArray<ResolversParentTypes['Series']>;
    other?: Types.Maybe<ResolversParentTypes['Series']>;
  };
  Series: Omit<Types.Series, 'total' | 'points'> & {
    total: ResolversParentTypes['MetricValues'];
    points: ReadonlyArray<ResolversParentTypes['Point']>;
  };
  Point: Omit<Types.Point, 'values' | 'compared'> & {
    values: ResolversParentTypes['MetricValues'];
    compared?: Types.Maybe<ResolversParentTypes['MetricValues']>;
  };
  Alert: AlertRecord;
  Label: Types.Label;
  AlertTransition: Types.AlertTransition;
  Notification: Omit<Types.Notification, 'alert' | 'silence'> & {
    alert?: Types.Maybe<ResolversParentTypes['Alert']>;
    silence?: Types.Maybe<ResolversParentTypes['Silence']>;
  };
  AlertConnection: Omit<Types.AlertConnection, 'edges' | 'nodes'> & {
    edges: ReadonlyArray<ResolversParentTypes['AlertEdge']>;
    nodes: ReadonlyArray<ResolversParentTypes['Alert']>;
  };
  AlertEdge: Omit<Types.AlertEdge, 'node'> & { node: ResolversParentTypes['Alert'] };
  AlertFilter: Types.AlertFilter;
  MatcherInput: Types.MatcherInput;
  Matcher: Types.Matcher;
  AlertRule: Types.AlertRule;
  RuleHealth: Types.RuleHealth;
  RuleFilter: Types.RuleFilter;
  Silence: Omit<Types.Silence, 'alert'> & { alert?: Types.Maybe<ResolversParentTypes['Alert']> };
  CompletenessReport: Types.CompletenessReport;
  PartitionCompleteness: Types.PartitionCompleteness;
  OffsetGap: Types.OffsetGap;
  SourceStatus: Types.SourceStatus;
  DeadLetter: Types.DeadLetter;
  DeadLetterConnection: Types.DeadLetterConnection;
  DeadLetterEdge: Types.DeadLetterEdge;
  DeadLetterFilter: Types.DeadLetterFilter;
  PipelineStatus: Types.PipelineStatus;
  PartitionLag: Types.PartitionLag;
  JobStatus: Types.JobStatus;
  StorageStatus: Types.StorageStatus;
  Limits: Types.Limits;
  Caller: Types.Caller;
  Grants: Types.Grants;
  GrantsInput: Types.GrantsInput;
  ApiKeyInput: Types.ApiKeyInput;
  ApiKey: Types.ApiKey;
  UserError: Types.UserError;
  ReplayPayload: Types.ReplayPayload;
  AlertPayload: Omit<Types.AlertPayload, 'alert'> & { alert?: Types.Maybe<ResolversParentTypes['Alert']> };
  ApiKeyPayload: Types.ApiKeyPayload;
  Catalogue: Types.Catalogue;
  CatalogueApi: Types.CatalogueApi;
  CatalogueRoute: Types.CatalogueRoute;
  CatalogueConsumer: Types.CatalogueConsumer;
  CatalogueConsumerConnection: Types.CatalogueConsumerConnection;
  CatalogueConsumerEdge: Types.CatalogueConsumerEdge;
  ConsumerLimit: Types.ConsumerLimit;
};

export interface DateTimeScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['DateTime'], any> {
  name: 'DateTime';
}

export interface DurationScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['Duration'], any> {
  name: 'Duration';
}

export interface SafeIntScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['SafeInt'], any> {
  name: 'SafeInt';
}

export interface IpAddressScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['IPAddress'], any> {
  name: 'IPAddress';
}

export interface JsonObjectScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['JSONObject'], any> {
  name: 'JSONObject';
}

export type QueryResolvers<ContextType = ReadContext, ParentType extends ResolversParentTypes['Query'] = ResolversParentTypes['Query']> = {
  auditEvents?: Resolver<
    Types.Maybe<ResolversTypes['AuditEventConnection']>,
    ParentType,
    ContextType,
    RequireFields<Types.QueryAuditEventsArgs, 'range' | 'order'>
  >;
  auditEvent?: Resolver<Types.Maybe<ResolversTypes['AuditEvent']>, ParentType, ContextType, RequireFields<Types.QueryAuditEventArgs, 'id'>>;
  facets?: Resolver<
    Types.Maybe<ReadonlyArray<ResolversTypes['Facet']>>,
    ParentType,
    ContextType,
    RequireFields<Types.QueryFacetsArgs, 'range' | 'dimensions' | 'limit'>
  >;
  metrics?: Resolver<
    Types.Maybe<ResolversTypes['MetricTable']>,
    ParentType,
    ContextType,
    RequireFields<Types.QueryMetricsArgs, 'range' | 'groupBy' | 'limit'>
  >;
  timeSeries?: Resolver<
    Types.Maybe<ResolversTypes['TimeSeries']>,
    ParentType,
    ContextType,
    RequireFields<Types.QueryTimeSeriesArgs, 'range' | 'timeZone' | 'groupBy' | 'limit'>
  >;
  alerts?: Resolver<Types.Maybe<ResolversTypes['AlertConnection']>, ParentType, ContextType, Partial<Types.QueryAlertsArgs>>;
  alert?: Resolver<Types.Maybe<ResolversTypes['Alert']>, ParentType, ContextType, RequireFields<Types.QueryAlertArgs, 'id'>>;
  alertRules?: Resolver<
    Types.Maybe<ReadonlyArray<ResolversTypes['AlertRule']>>,
    ParentType,
    ContextType,
    Partial<Types.QueryAlertRulesArgs>
  >;
  completeness?: Resolver<
    Types.Maybe<ResolversTypes['CompletenessReport']>,
    ParentType,
    ContextType,
    RequireFields<Types.QueryCompletenessArgs, 'range'>
  >;
  deadLetters?: Resolver<
    Types.Maybe<ResolversTypes['DeadLetterConnection']>,
    ParentType,
    ContextType,
    RequireFields<Types.QueryDeadLettersArgs, 'range'>
  >;
  pipeline?: Resolver<Types.Maybe<ResolversTypes['PipelineStatus']>, ParentType, ContextType>;
  catalogue?: Resolver<Types.Maybe<ResolversTypes['Catalogue']>, ParentType, ContextType>;
  limits?: Resolver<ResolversTypes['Limits'], ParentType, ContextType>;
  me?: Resolver<ResolversTypes['Caller'], ParentType, ContextType>;
  version?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type MutationResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Mutation'] = ResolversParentTypes['Mutation'],
> = {
  acknowledgeAlert?: Resolver<
    Types.Maybe<ResolversTypes['AlertPayload']>,
    ParentType,
    ContextType,
    RequireFields<Types.MutationAcknowledgeAlertArgs, 'id'>
  >;
  replayDeadLetters?: Resolver<
    Types.Maybe<ResolversTypes['ReplayPayload']>,
    ParentType,
    ContextType,
    RequireFields<Types.MutationReplayDeadLettersArgs, 'range' | 'dryRun'>
  >;
  createApiKey?: Resolver<
    Types.Maybe<ResolversTypes['ApiKeyPayload']>,
    ParentType,
    ContextType,
    RequireFields<Types.MutationCreateApiKeyArgs, 'input'>
  >;
  revokeApiKey?: Resolver<
    Types.Maybe<ResolversTypes['ApiKeyPayload']>,
    ParentType,
    ContextType,
    RequireFields<Types.MutationRevokeApiKeyArgs, 'id'>
  >;
};

export type ResolvedRangeResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['ResolvedRange'] = ResolversParentTypes['ResolvedRange'],
> = {
  from?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  to?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
};

export type AuditEventResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['AuditEvent'] = ResolversParentTypes['AuditEvent'],
> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  timestamp?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  timeSource?: Resolver<ResolversTypes['TimeSource'], ParentType, ContextType>;
  receivedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  tenant?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  gateway?: Resolver<ResolversTypes['Gateway'], ParentType, ContextType>;
  request?: Resolver<ResolversTypes['HttpRequest'], ParentType, ContextType>;
  response?: Resolver<ResolversTypes['HttpResponse'], ParentType, ContextType>;
  outcome?: Resolver<ResolversTypes['Outcome'], ParentType, ContextType>;
  errorType?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  durationMs?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  upstreamDurationMs?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  gatewayDurationMs?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  client?: Resolver<ResolversTypes['Client'], ParentType, ContextType>;
  principal?: Resolver<ResolversTypes['Principal'], ParentType, ContextType>;
  api?: Resolver<ResolversTypes['Api'], ParentType, ContextType>;
  signals?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  requestId?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  traceId?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  spanId?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  attributes?: Resolver<Types.Maybe<ResolversTypes['JSONObject']>, ParentType, ContextType>;
  position?: Resolver<Types.Maybe<ResolversTypes['Position']>, ParentType, ContextType>;
  redactedFields?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  alerts?: Resolver<
    Types.Maybe<ReadonlyArray<ResolversTypes['Alert']>>,
    ParentType,
    ContextType,
    RequireFields<Types.AuditEventAlertsArgs, 'first'>
  >;
};

export type GatewayResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Gateway'] = ResolversParentTypes['Gateway'],
> = {
  kind?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  name?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  format?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  routeId?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  routeName?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  serviceId?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  serviceName?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type HttpRequestResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['HttpRequest'] = ResolversParentTypes['HttpRequest'],
> = {
  method?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  methodOriginal?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  scheme?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  host?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  path?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  query?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  route?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  bytes?: Resolver<Types.Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
  bodyBytes?: Resolver<Types.Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
  userAgent?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  userAgentFamily?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  protocol?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  tlsVersion?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  tlsCipher?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type HttpResponseResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['HttpResponse'] = ResolversParentTypes['HttpResponse'],
> = {
  status?: Resolver<Types.Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  upstreamStatus?: Resolver<Types.Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  upstreamAttempts?: Resolver<Types.Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  bytes?: Resolver<Types.Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
  bodyBytes?: Resolver<Types.Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
};

export type ClientResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Client'] = ResolversParentTypes['Client'],
> = {
  address?: Resolver<Types.Maybe<ResolversTypes['IPAddress']>, ParentType, ContextType>;
  peerAddress?: Resolver<Types.Maybe<ResolversTypes['IPAddress']>, ParentType, ContextType>;
  forwardedFor?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  country?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  asn?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type PrincipalResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Principal'] = ResolversParentTypes['Principal'],
> = {
  consumerId?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  consumerName?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  consumerGroup?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  credentialId?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  credentialHash?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  authType?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type ApiResolvers<ContextType = ReadContext, ParentType extends ResolversParentTypes['Api'] = ResolversParentTypes['Api']> = {
  id?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  name?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  version?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  operation?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  lifecycle?: Resolver<Types.Maybe<ResolversTypes['Lifecycle']>, ParentType, ContextType>;
  sunsetAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  collection?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  dataClasses?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
};

export type PositionResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Position'] = ResolversParentTypes['Position'],
> = {
  topic?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  sourceEpoch?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  partition?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  offset?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  index?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type AuditEventConnectionResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['AuditEventConnection'] = ResolversParentTypes['AuditEventConnection'],
> = {
  edges?: Resolver<ReadonlyArray<ResolversTypes['AuditEventEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['AuditEvent']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<
    Types.Maybe<ResolversTypes['Count']>,
    ParentType,
    ContextType,
    RequireFields<Types.AuditEventConnectionTotalCountArgs, 'upTo'>
  >;
  resolvedRange?: Resolver<ResolversTypes['ResolvedRange'], ParentType, ContextType>;
  freshness?: Resolver<ResolversTypes['Freshness'], ParentType, ContextType>;
};

export type AuditEventEdgeResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['AuditEventEdge'] = ResolversParentTypes['AuditEventEdge'],
> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['AuditEvent'], ParentType, ContextType>;
};

export type PageInfoResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['PageInfo'] = ResolversParentTypes['PageInfo'],
> = {
  hasNextPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  hasPreviousPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  startCursor?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  endCursor?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type CountResolvers<ContextType = ReadContext, ParentType extends ResolversParentTypes['Count'] = ResolversParentTypes['Count']> = {
  value?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  relation?: Resolver<ResolversTypes['CountRelation'], ParentType, ContextType>;
};

export type FreshnessResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Freshness'] = ResolversParentTypes['Freshness'],
> = {
  watermark?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  lagSeconds?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
};

export type FacetResolvers<ContextType = ReadContext, ParentType extends ResolversParentTypes['Facet'] = ResolversParentTypes['Facet']> = {
  dimension?: Resolver<ResolversTypes['Dimension'], ParentType, ContextType>;
  values?: Resolver<ReadonlyArray<ResolversTypes['FacetValue']>, ParentType, ContextType>;
  otherCount?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  redacted?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
};

export type FacetValueResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['FacetValue'] = ResolversParentTypes['FacetValue'],
> = {
  value?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  count?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
};

export type MetricTableResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['MetricTable'] = ResolversParentTypes['MetricTable'],
> = {
  rows?: Resolver<ReadonlyArray<ResolversTypes['MetricRow']>, ParentType, ContextType>;
  otherRows?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  other?: Resolver<Types.Maybe<ResolversTypes['MetricValues']>, ParentType, ContextType>;
  total?: Resolver<ResolversTypes['MetricValues'], ParentType, ContextType>;
  resolvedRange?: Resolver<ResolversTypes['ResolvedRange'], ParentType, ContextType>;
  comparedRange?: Resolver<Types.Maybe<ResolversTypes['ResolvedRange']>, ParentType, ContextType>;
  redactedDimensions?: Resolver<ReadonlyArray<ResolversTypes['Dimension']>, ParentType, ContextType>;
  source?: Resolver<ResolversTypes['MetricSource'], ParentType, ContextType>;
  freshness?: Resolver<ResolversTypes['Freshness'], ParentType, ContextType>;
};

export type MetricRowResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['MetricRow'] = ResolversParentTypes['MetricRow'],
> = {
  dimensions?: Resolver<ReadonlyArray<ResolversTypes['DimensionValue']>, ParentType, ContextType>;
  values?: Resolver<ResolversTypes['MetricValues'], ParentType, ContextType>;
  compared?: Resolver<Types.Maybe<ResolversTypes['MetricValues']>, ParentType, ContextType>;
};

export type DimensionValueResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['DimensionValue'] = ResolversParentTypes['DimensionValue'],
> = {
  dimension?: Resolver<ResolversTypes['Dimension'], ParentType, ContextType>;
  value?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type MetricValuesResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['MetricValues'] = ResolversParentTypes['MetricValues'],
> = {
  requests?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  requestsPerSecond?: Resolver<ResolversTypes['Float'], ParentType, ContextType>;
  clientErrors?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  serverErrors?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  authFailures?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  rateLimited?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  aborted?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  errorRate?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  clientErrorRate?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  latency?: Resolver<ResolversTypes['Quantiles'], ParentType, ContextType>;
  upstreamLatency?: Resolver<ResolversTypes['Quantiles'], ParentType, ContextType>;
  gatewayLatency?: Resolver<ResolversTypes['Quantiles'], ParentType, ContextType>;
  within?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType, RequireFields<Types.MetricValuesWithinArgs, 'ms'>>;
  requestBytes?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  responseBytes?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  consumers?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  clients?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  distinct?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType, RequireFields<Types.MetricValuesDistinctArgs, 'of'>>;
  firstSeenAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  lastSeenAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
};

export type QuantilesResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Quantiles'] = ResolversParentTypes['Quantiles'],
> = {
  p50?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  p90?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  p95?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  p99?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  quantile?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType, RequireFields<Types.QuantilesQuantileArgs, 'level'>>;
  max?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  mean?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  sum?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  samples?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
};

export type TimeSeriesResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['TimeSeries'] = ResolversParentTypes['TimeSeries'],
> = {
  interval?: Resolver<ResolversTypes['Duration'], ParentType, ContextType>;
  series?: Resolver<ReadonlyArray<ResolversTypes['Series']>, ParentType, ContextType>;
  other?: Resolver<Types.Maybe<ResolversTypes['Series']>, ParentType, ContextType>;
  resolvedRange?: Resolver<ResolversTypes['ResolvedRange'], ParentType, ContextType>;
  comparedRange?: Resolver<Types.Maybe<ResolversTypes['ResolvedRange']>, ParentType, ContextType>;
  redactedDimensions?: Resolver<ReadonlyArray<ResolversTypes['Dimension']>, ParentType, ContextType>;
  source?: Resolver<ResolversTypes['MetricSource'], ParentType, ContextType>;
  freshness?: Resolver<ResolversTypes['Freshness'], ParentType, ContextType>;
};

export type SeriesResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Series'] = ResolversParentTypes['Series'],
> = {
  dimensions?: Resolver<ReadonlyArray<ResolversTypes['DimensionValue']>, ParentType, ContextType>;
  total?: Resolver<ResolversTypes['MetricValues'], ParentType, ContextType>;
  points?: Resolver<ReadonlyArray<ResolversTypes['Point']>, ParentType, ContextType>;
};

export type PointResolvers<ContextType = ReadContext, ParentType extends ResolversParentTypes['Point'] = ResolversParentTypes['Point']> = {
  at?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  isPartial?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  values?: Resolver<ResolversTypes['MetricValues'], ParentType, ContextType>;
  compared?: Resolver<Types.Maybe<ResolversTypes['MetricValues']>, ParentType, ContextType>;
};

export type AlertResolvers<ContextType = ReadContext, ParentType extends ResolversParentTypes['Alert'] = ResolversParentTypes['Alert']> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  fingerprint?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  tenant?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  rule?: Resolver<ResolversTypes['AlertRule'], ParentType, ContextType>;
  ruleVersion?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  state?: Resolver<ResolversTypes['AlertState'], ParentType, ContextType>;
  severity?: Resolver<ResolversTypes['Severity'], ParentType, ContextType>;
  title?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  summary?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  subject?: Resolver<ReadonlyArray<ResolversTypes['Label']>, ParentType, ContextType>;
  startedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  firedAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  lastSeenAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  resolvedAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  measure?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  value?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  threshold?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  baseline?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  eventCount?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  evidence?: Resolver<
    Types.Maybe<ReadonlyArray<ResolversTypes['AuditEvent']>>,
    ParentType,
    ContextType,
    RequireFields<Types.AlertEvidenceArgs, 'first'>
  >;
  eventFilter?: Resolver<ResolversTypes['JSONObject'], ParentType, ContextType>;
  eventRange?: Resolver<ResolversTypes['ResolvedRange'], ParentType, ContextType>;
  timeline?: Resolver<
    Types.Maybe<ReadonlyArray<ResolversTypes['AlertTransition']>>,
    ParentType,
    ContextType,
    RequireFields<Types.AlertTimelineArgs, 'first'>
  >;
  notifications?: Resolver<
    Types.Maybe<ReadonlyArray<ResolversTypes['Notification']>>,
    ParentType,
    ContextType,
    RequireFields<Types.AlertNotificationsArgs, 'first'>
  >;
  acknowledgedBy?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  acknowledgedAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  escalatesAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  silencedBy?: Resolver<Types.Maybe<ResolversTypes['Silence']>, ParentType, ContextType>;
  inhibitedBy?: Resolver<Types.Maybe<ResolversTypes['Alert']>, ParentType, ContextType>;
  verdict?: Resolver<Types.Maybe<ResolversTypes['Verdict']>, ParentType, ContextType>;
};

export type LabelResolvers<ContextType = ReadContext, ParentType extends ResolversParentTypes['Label'] = ResolversParentTypes['Label']> = {
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  value?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type AlertTransitionResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['AlertTransition'] = ResolversParentTypes['AlertTransition'],
> = {
  at?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  kind?: Resolver<ResolversTypes['AlertChange'], ParentType, ContextType>;
  from?: Resolver<Types.Maybe<ResolversTypes['AlertState']>, ParentType, ContextType>;
  to?: Resolver<ResolversTypes['AlertState'], ParentType, ContextType>;
  reason?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  actor?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  note?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type NotificationResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Notification'] = ResolversParentTypes['Notification'],
> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  kind?: Resolver<ResolversTypes['NotificationKind'], ParentType, ContextType>;
  alert?: Resolver<Types.Maybe<ResolversTypes['Alert']>, ParentType, ContextType>;
  channel?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  recipient?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  status?: Resolver<ResolversTypes['NotificationStatus'], ParentType, ContextType>;
  queuedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  sentAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  attempts?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  nextAttemptAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  messageId?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  lastError?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  reason?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  silence?: Resolver<Types.Maybe<ResolversTypes['Silence']>, ParentType, ContextType>;
};

export type AlertConnectionResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['AlertConnection'] = ResolversParentTypes['AlertConnection'],
> = {
  edges?: Resolver<ReadonlyArray<ResolversTypes['AlertEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['Alert']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<
    Types.Maybe<ResolversTypes['Count']>,
    ParentType,
    ContextType,
    RequireFields<Types.AlertConnectionTotalCountArgs, 'upTo'>
  >;
};

export type AlertEdgeResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['AlertEdge'] = ResolversParentTypes['AlertEdge'],
> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Alert'], ParentType, ContextType>;
};

export type MatcherResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Matcher'] = ResolversParentTypes['Matcher'],
> = {
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  value?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  operator?: Resolver<ResolversTypes['MatchOperator'], ParentType, ContextType>;
};

export type AlertRuleResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['AlertRule'] = ResolversParentTypes['AlertRule'],
> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  title?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  description?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  kind?: Resolver<ResolversTypes['RuleKind'], ParentType, ContextType>;
  severity?: Resolver<ResolversTypes['Severity'], ParentType, ContextType>;
  status?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  enabled?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  tags?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  references?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  falsePositives?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  source?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  author?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  owner?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  version?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  document?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  lastFiredAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  health?: Resolver<Types.Maybe<ResolversTypes['RuleHealth']>, ParentType, ContextType>;
};

export type RuleHealthResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['RuleHealth'] = ResolversParentTypes['RuleHealth'],
> = {
  state?: Resolver<ResolversTypes['RuleState'], ParentType, ContextType>;
  detail?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  missingFields?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  lastEvaluatedTo?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  lagSeconds?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  lastDurationMs?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
};

export type SilenceResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Silence'] = ResolversParentTypes['Silence'],
> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  matchers?: Resolver<ReadonlyArray<ResolversTypes['Matcher']>, ParentType, ContextType>;
  alert?: Resolver<Types.Maybe<ResolversTypes['Alert']>, ParentType, ContextType>;
  startsAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  endsAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  untilResolved?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  schedule?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  duration?: Resolver<Types.Maybe<ResolversTypes['Duration']>, ParentType, ContextType>;
  timeZone?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  reason?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  createdBy?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  needsApproval?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  approvedBy?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  endedBy?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  active?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  held?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
};

export type CompletenessReportResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['CompletenessReport'] = ResolversParentTypes['CompletenessReport'],
> = {
  resolvedRange?: Resolver<ResolversTypes['ResolvedRange'], ParentType, ContextType>;
  partitions?: Resolver<ReadonlyArray<ResolversTypes['PartitionCompleteness']>, ParentType, ContextType>;
  sources?: Resolver<Types.Maybe<ReadonlyArray<ResolversTypes['SourceStatus']>>, ParentType, ContextType>;
  complete?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  statement?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type PartitionCompletenessResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['PartitionCompleteness'] = ResolversParentTypes['PartitionCompleteness'],
> = {
  topic?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  sourceEpoch?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  partition?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  firstOffset?: Resolver<Types.Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
  lastOffset?: Resolver<Types.Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
  messages?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  records?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  events?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  rejected?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  skipped?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  pruned?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  gaps?: Resolver<ReadonlyArray<ResolversTypes['OffsetGap']>, ParentType, ContextType>;
};

export type OffsetGapResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['OffsetGap'] = ResolversParentTypes['OffsetGap'],
> = {
  from?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  to?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  reason?: Resolver<ResolversTypes['GapReason'], ParentType, ContextType>;
  note?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  detectedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
};

export type SourceStatusResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['SourceStatus'] = ResolversParentTypes['SourceStatus'],
> = {
  tenant?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  gateway?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  kind?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  format?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  topic?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  events?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  firstSeenAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  lastSeenAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  silent?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  clockSkewMs?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  drifted?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  missingFields?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
};

export type DeadLetterResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['DeadLetter'] = ResolversParentTypes['DeadLetter'],
> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  receivedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  tenant?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  position?: Resolver<ResolversTypes['Position'], ParentType, ContextType>;
  code?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  path?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  message?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  detectedFormat?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  excerpt?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  bytes?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  sha256?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  replayable?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  replayedAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
};

export type DeadLetterConnectionResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['DeadLetterConnection'] = ResolversParentTypes['DeadLetterConnection'],
> = {
  edges?: Resolver<ReadonlyArray<ResolversTypes['DeadLetterEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['DeadLetter']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<
    Types.Maybe<ResolversTypes['Count']>,
    ParentType,
    ContextType,
    RequireFields<Types.DeadLetterConnectionTotalCountArgs, 'upTo'>
  >;
  codes?: Resolver<Types.Maybe<ReadonlyArray<ResolversTypes['FacetValue']>>, ParentType, ContextType>;
};

export type DeadLetterEdgeResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['DeadLetterEdge'] = ResolversParentTypes['DeadLetterEdge'],
> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['DeadLetter'], ParentType, ContextType>;
};

export type PipelineStatusResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['PipelineStatus'] = ResolversParentTypes['PipelineStatus'],
> = {
  ready?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  reasons?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  freshness?: Resolver<ResolversTypes['Freshness'], ParentType, ContextType>;
  partitions?: Resolver<ReadonlyArray<ResolversTypes['PartitionLag']>, ParentType, ContextType>;
  jobs?: Resolver<ReadonlyArray<ResolversTypes['JobStatus']>, ParentType, ContextType>;
  storage?: Resolver<Types.Maybe<ResolversTypes['StorageStatus']>, ParentType, ContextType>;
  outboxDepth?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
};

export type PartitionLagResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['PartitionLag'] = ResolversParentTypes['PartitionLag'],
> = {
  topic?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  sourceEpoch?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  partition?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  storedOffset?: Resolver<Types.Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
  endOffset?: Resolver<Types.Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
  lagRecords?: Resolver<Types.Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
  lagSeconds?: Resolver<Types.Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
};

export type JobStatusResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['JobStatus'] = ResolversParentTypes['JobStatus'],
> = {
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  schedule?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  lastStartedAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  lastSucceededAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  lastError?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  nextAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
};

export type StorageStatusResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['StorageStatus'] = ResolversParentTypes['StorageStatus'],
> = {
  events?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  bytes?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  freeBytes?: Resolver<Types.Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
  oldest?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  newest?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  parts?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
};

export type LimitsResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Limits'] = ResolversParentTypes['Limits'],
> = {
  retention?: Resolver<ResolversTypes['Duration'], ParentType, ContextType>;
  oldest?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  maxRange?: Resolver<ResolversTypes['Duration'], ParentType, ContextType>;
  maxBacktestRange?: Resolver<ResolversTypes['Duration'], ParentType, ContextType>;
  maxPageSize?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  maxGroups?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  maxPoints?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  queriesPerMinute?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  maxExportRows?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  exportFormats?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
};

export type CallerResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Caller'] = ResolversParentTypes['Caller'],
> = {
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  roles?: Resolver<ReadonlyArray<ResolversTypes['Role']>, ParentType, ContextType>;
  tenants?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  scopes?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  grants?: Resolver<ResolversTypes['Grants'], ParentType, ContextType>;
};

export type GrantsResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Grants'] = ResolversParentTypes['Grants'],
> = {
  apis?: Resolver<Types.Maybe<ReadonlyArray<ResolversTypes['String']>>, ParentType, ContextType>;
  collections?: Resolver<Types.Maybe<ReadonlyArray<ResolversTypes['String']>>, ParentType, ContextType>;
  dataClasses?: Resolver<Types.Maybe<ReadonlyArray<ResolversTypes['String']>>, ParentType, ContextType>;
  lookback?: Resolver<Types.Maybe<ResolversTypes['Duration']>, ParentType, ContextType>;
  networks?: Resolver<Types.Maybe<ReadonlyArray<ResolversTypes['IPAddress']>>, ParentType, ContextType>;
};

export type ApiKeyResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['ApiKey'] = ResolversParentTypes['ApiKey'],
> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  prefix?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  roles?: Resolver<ReadonlyArray<ResolversTypes['Role']>, ParentType, ContextType>;
  tenants?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  grants?: Resolver<ResolversTypes['Grants'], ParentType, ContextType>;
  createdBy?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  createdAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  expiresAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  lastUsedAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  revokedAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
};

export type UserErrorResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['UserError'] = ResolversParentTypes['UserError'],
> = {
  field?: Resolver<Types.Maybe<ReadonlyArray<ResolversTypes['String']>>, ParentType, ContextType>;
  code?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  message?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type ReplayPayloadResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['ReplayPayload'] = ResolversParentTypes['ReplayPayload'],
> = {
  matched?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  replayed?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  rejectedAgain?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  userErrors?: Resolver<ReadonlyArray<ResolversTypes['UserError']>, ParentType, ContextType>;
};

export type AlertPayloadResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['AlertPayload'] = ResolversParentTypes['AlertPayload'],
> = {
  alert?: Resolver<Types.Maybe<ResolversTypes['Alert']>, ParentType, ContextType>;
  userErrors?: Resolver<ReadonlyArray<ResolversTypes['UserError']>, ParentType, ContextType>;
};

export type ApiKeyPayloadResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['ApiKeyPayload'] = ResolversParentTypes['ApiKeyPayload'],
> = {
  apiKey?: Resolver<Types.Maybe<ResolversTypes['ApiKey']>, ParentType, ContextType>;
  secret?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  userErrors?: Resolver<ReadonlyArray<ResolversTypes['UserError']>, ParentType, ContextType>;
};

export type CatalogueResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['Catalogue'] = ResolversParentTypes['Catalogue'],
> = {
  loadedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  apis?: Resolver<ReadonlyArray<ResolversTypes['CatalogueApi']>, ParentType, ContextType>;
  consumers?: Resolver<
    Types.Maybe<ResolversTypes['CatalogueConsumerConnection']>,
    ParentType,
    ContextType,
    Partial<Types.CatalogueConsumersArgs>
  >;
  collections?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
};

export type CatalogueApiResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['CatalogueApi'] = ResolversParentTypes['CatalogueApi'],
> = {
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  version?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  lifecycle?: Resolver<ResolversTypes['Lifecycle'], ParentType, ContextType>;
  sunsetAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  collection?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  owner?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  dataClasses?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  routes?: Resolver<ReadonlyArray<ResolversTypes['CatalogueRoute']>, ParentType, ContextType>;
};

export type CatalogueRouteResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['CatalogueRoute'] = ResolversParentTypes['CatalogueRoute'],
> = {
  method?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  template?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  operation?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  deprecated?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  secured?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  tags?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
  lastSeenAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
};

export type CatalogueConsumerResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['CatalogueConsumer'] = ResolversParentTypes['CatalogueConsumer'],
> = {
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  kind?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  plan?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  owner?: Resolver<Types.Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  lastSeenAt?: Resolver<Types.Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  limits?: Resolver<
    Types.Maybe<ReadonlyArray<ResolversTypes['ConsumerLimit']>>,
    ParentType,
    ContextType,
    Partial<Types.CatalogueConsumerLimitsArgs>
  >;
};

export type CatalogueConsumerConnectionResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['CatalogueConsumerConnection'] = ResolversParentTypes['CatalogueConsumerConnection'],
> = {
  edges?: Resolver<ReadonlyArray<ResolversTypes['CatalogueConsumerEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['CatalogueConsumer']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type CatalogueConsumerEdgeResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['CatalogueConsumerEdge'] = ResolversParentTypes['CatalogueConsumerEdge'],
> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['CatalogueConsumer'], ParentType, ContextType>;
};

export type ConsumerLimitResolvers<
  ContextType = ReadContext,
  ParentType extends ResolversParentTypes['ConsumerLimit'] = ResolversParentTypes['ConsumerLimit'],
> = {
  requests?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  per?: Resolver<ResolversTypes['Duration'], ParentType, ContextType>;
  used?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  peak?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  breaches?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
};

export type Resolvers<ContextType = ReadContext> = {
  DateTime?: GraphQLScalarType;
  Duration?: GraphQLScalarType;
  SafeInt?: GraphQLScalarType;
  IPAddress?: GraphQLScalarType;
  JSONObject?: GraphQLScalarType;
  Query?: QueryResolvers<ContextType>;
  Mutation?: MutationResolvers<ContextType>;
  ResolvedRange?: ResolvedRangeResolvers<ContextType>;
  AuditEvent?: AuditEventResolvers<ContextType>;
  Gateway?: GatewayResolvers<ContextType>;
  HttpRequest?: HttpRequestResolvers<ContextType>;
  HttpResponse?: HttpResponseResolvers<ContextType>;
  Client?: ClientResolvers<ContextType>;
  Principal?: PrincipalResolvers<ContextType>;
  Api?: ApiResolvers<ContextType>;
  Position?: PositionResolvers<ContextType>;
  AuditEventConnection?: AuditEventConnectionResolvers<ContextType>;
  AuditEventEdge?: AuditEventEdgeResolvers<ContextType>;
  PageInfo?: PageInfoResolvers<ContextType>;
  Count?: CountResolvers<ContextType>;
  Freshness?: FreshnessResolvers<ContextType>;
  Facet?: FacetResolvers<ContextType>;
  FacetValue?: FacetValueResolvers<ContextType>;
  MetricTable?: MetricTableResolvers<ContextType>;
  MetricRow?: MetricRowResolvers<ContextType>;
  DimensionValue?: DimensionValueResolvers<ContextType>;
  MetricValues?: MetricValuesResolvers<ContextType>;
  Quantiles?: QuantilesResolvers<ContextType>;
  TimeSeries?: TimeSeriesResolvers<ContextType>;
  Series?: SeriesResolvers<ContextType>;
  Point?: PointResolvers<ContextType>;
  Alert?: AlertResolvers<ContextType>;
  Label?: LabelResolvers<ContextType>;
  AlertTransition?: AlertTransitionResolvers<ContextType>;
  Notification?: NotificationResolvers<ContextType>;
  AlertConnection?: AlertConnectionResolvers<ContextType>;
  AlertEdge?: AlertEdgeResolvers<ContextType>;
  Matcher?: MatcherResolvers<ContextType>;
  AlertRule?: AlertRuleResolvers<ContextType>;
  RuleHealth?: RuleHealthResolvers<ContextType>;
  Silence?: SilenceResolvers<ContextType>;
  CompletenessReport?: CompletenessReportResolvers<ContextType>;
  PartitionCompleteness?: PartitionCompletenessResolvers<ContextType>;
  OffsetGap?: OffsetGapResolvers<ContextType>;
  SourceStatus?: SourceStatusResolvers<ContextType>;
  DeadLetter?: DeadLetterResolvers<ContextType>;
  DeadLetterConnection?: DeadLetterConnectionResolvers<ContextType>;
  DeadLetterEdge?: DeadLetterEdgeResolvers<ContextType>;
  PipelineStatus?: PipelineStatusResolvers<ContextType>;
  PartitionLag?: PartitionLagResolvers<ContextType>;
  JobStatus?: JobStatusResolvers<ContextType>;
  StorageStatus?: StorageStatusResolvers<ContextType>;
  Limits?: LimitsResolvers<ContextType>;
  Caller?: CallerResolvers<ContextType>;
  Grants?: GrantsResolvers<ContextType>;
  ApiKey?: ApiKeyResolvers<ContextType>;
  UserError?: UserErrorResolvers<ContextType>;
  ReplayPayload?: ReplayPayloadResolvers<ContextType>;
  AlertPayload?: AlertPayloadResolvers<ContextType>;
  ApiKeyPayload?: ApiKeyPayloadResolvers<ContextType>;
  Catalogue?: CatalogueResolvers<ContextType>;
  CatalogueApi?: CatalogueApiResolvers<ContextType>;
  CatalogueRoute?: CatalogueRouteResolvers<ContextType>;
  CatalogueConsumer?: CatalogueConsumerResolvers<ContextType>;
  CatalogueConsumerConnection?: CatalogueConsumerConnectionResolvers<ContextType>;
  CatalogueConsumerEdge?: CatalogueConsumerEdgeResolvers<ContextType>;
  ConsumerLimit?: ConsumerLimitResolvers<ContextType>;
};
