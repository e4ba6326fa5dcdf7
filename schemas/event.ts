/**
 * The canonical event: one HTTP exchange seen at one gateway. Names follow OpenTelemetry with dots turned into
 * underscores; the same names stand in the table `events`, in the format `gatetrail` and in exports.
 * In memory an absent text is '', an absent number null.
 */

export type TimeSource = 'start' | 'end_minus_duration' | 'end' | 'ingest';
export type Outcome = 'success' | 'client_error' | 'auth_failure' | 'rate_limited' | 'server_error' | 'aborted' | 'unknown';

/** As the catalogue had it for the time of the request; sunset: its date had passed; undocumented: the catalogue does not know it. */
export type Lifecycle = 'active' | 'deprecated' | 'sunset' | 'undocumented';

export const timeSources = ['start', 'end_minus_duration', 'end', 'ingest'] as const satisfies readonly TimeSource[];
export const outcomes = [
  'success',
  'client_error',
  'auth_failure',
  'rate_limited',
  'server_error',
  'aborted',
  'unknown',
] as const satisfies readonly Outcome[];

/** Made by `emptyEvent` alone, so that `placeOf` holds for each. */
export interface CanonicalEvent {
  /** Start of the request, microseconds since the epoch (a safe integer until 2255). */
  timestamp: number;
  time_source: TimeSource;
  tenant: string;
  gateway_kind: string;
  gateway_name: string;
  source_format: string;
  http_request_method: string;
  http_request_method_original: string;
  url_scheme: string;
  server_address: string;
  url_path: string;
  url_query: string;
  http_route: string;
  gateway_route_id: string;
  gateway_route_name: string;
  gateway_service_id: string;
  gateway_service_name: string;
  api_id: string;
  api_name: string;
  api_version: string;
  operation_id: string;
  http_response_status_code: number | null;
  upstream_status_code: number | null;
  upstream_attempts: number | null;
  outcome: Outcome;
  error_type: string;
  duration_ms: number | null;
  upstream_duration_ms: number | null;
  gateway_duration_ms: number | null;
  http_request_size: number | null;
  http_response_size: number | null;
  http_request_body_size: number | null;
  http_response_body_size: number | null;
  /** IPv4 or IPv6 as text, valid, without port or zone; '' when absent. */
  client_address: string;
  network_peer_address: string;
  forwarded_for: string;
  consumer_id: string;
  consumer_name: string;
  consumer_group: string;
  credential_id: string;
  credential_hash: string;
  auth_type: string;
  user_agent_original: string;
  network_protocol_version: string;
  tls_protocol_version: string;
  tls_cipher: string;
  request_id: string;
  trace_id: string;
  span_id: string;
  signals: string[];
  attributes: Record<string, string>;
  /** Pseudonym of the person or application: 16 hex digits, or ''. */
  subject: string;
  /** '' while no catalogue is loaded. */
  lifecycle: Lifecycle | '';
  /** Seconds since the epoch. */
  sunset_at: number | null;
  collection: string;
  data_classes: readonly string[];
  client_country: string;
  client_asn: string;
}

/** Worked out by enrichment, never taken from input. */
export const enrichedFields = [
  'subject',
  'lifecycle',
  'sunset_at',
  'collection',
  'data_classes',
  'client_country',
  'client_asn',
] as const satisfies readonly (keyof CanonicalEvent)[];

interface Field {
  /** Type of the column in `events`. */
  readonly column: string;
  /** Meaning, unit and range. */
  readonly meaning: string;
}

const text = (meaning: string): Field => ({ column: 'String', meaning });
const low = (meaning: string): Field => ({ column: 'LowCardinality(String)', meaning });
const status = (meaning: string): Field => ({ column: 'Nullable(UInt16)', meaning });
const milliseconds = (meaning: string): Field => ({ column: 'Nullable(Float64)', meaning: `${meaning}, milliseconds` });
const bytes = (meaning: string): Field => ({ column: 'Nullable(UInt64)', meaning: `${meaning}, bytes` });
const address = (meaning: string): Field => ({ column: 'Nullable(IPv6)', meaning: `${meaning}; IPv4 is stored v4-mapped` });
const choice = (values: readonly string[], meaning: string): Field => ({
  column: `Enum8(${values.map((value, index) => `'${value}' = ${index + 1}`).join(', ')})`,
  meaning,
});

/** Every canonical field with its column, in the order of the table. A test compares it with the migrations. */
export const eventFields = {
  timestamp: {
    column: "DateTime64(6, 'UTC')",
    meaning: 'Start of the request; clamped to arrival when the clock of the gateway was wrong',
  },
  time_source: choice(timeSources, 'How timestamp was found; ingest: clamped to the arrival time'),
  tenant: low('Whose traffic it is; by configuration, never because a record says so'),
  gateway_kind: low('Kind of gateway, for instance kong'),
  gateway_name: low('Name of the gateway as configured for its source'),
  source_format: low('Record format it was read as'),
  http_request_method: low('A known HTTP method, or _OTHER'),
  http_request_method_original: text('The method as it came, only beside _OTHER'),
  url_scheme: low('http or https'),
  server_address: low('Host that was asked for, without port'),
  url_path: text('Path without query'),
  url_query: text('Query: keys, and the values of allow-listed keys; other values read REDACTED'),
  http_route: low('Route template: of the gateway, else of the catalogue, else worked out from the path (attribute route_source says so)'),
  gateway_route_id: low('Route object of the gateway, its id'),
  gateway_route_name: low('Route object of the gateway, its name'),
  gateway_service_id: low('Service object of the gateway, its id'),
  gateway_service_name: low('Service object of the gateway, its name'),
  api_id: low('API, its id'),
  api_name: low('API, its name: as the gateway has it, else as the catalogue does; id, version and operation likewise'),
  api_version: low('API, its version'),
  operation_id: low('Operation of the API'),
  http_response_status_code: status('Status sent to the client; absent when none was sent'),
  upstream_status_code: status('Status of the upstream, of its last attempt'),
  upstream_attempts: { column: 'Nullable(UInt8)', meaning: 'Number of attempts at upstreams' },
  outcome: choice(outcomes, 'One word for how it ended'),
  error_type: low('What the gateway says went wrong'),
  duration_ms: milliseconds('Total duration'),
  upstream_duration_ms: milliseconds('Duration of the upstream'),
  gateway_duration_ms: milliseconds('Duration inside the gateway'),
  http_request_size: bytes('Request on the wire'),
  http_response_size: bytes('Response on the wire'),
  http_request_body_size: bytes('Body of the request'),
  http_response_body_size: bytes('Body of the response'),
  client_address: address('Client as the gateway decided'),
  network_peer_address: address('TCP peer of the gateway'),
  forwarded_for: text('Forwarded list as it came, at most 512 bytes'),
  consumer_id: text('Application, consumer or user, its id'),
  consumer_name: text('Application, consumer or user, its name'),
  consumer_group: text('Group of the consumer'),
  credential_id: text('Id of the credential that is safe to store'),
  credential_hash: text('Keyed hash of a raw key, where only that was given'),
  auth_type: low('key, oauth, jwt, basic or mtls'),
  user_agent_original: text('User agent'),
  network_protocol_version: low('Version of HTTP'),
  tls_protocol_version: low('Version of TLS'),
  tls_cipher: low('Cipher of TLS'),
  request_id: text('Id that the gateway gave the request; data, never identity'),
  trace_id: text('Trace id, lower-case hex'),
  span_id: text('Span id, lower-case hex'),
  signals: { column: 'Array(LowCardinality(String))', meaning: 'Classes found in the raw record before redaction, such as sql-injection' },
  attributes: { column: 'Map(LowCardinality(String), String)', meaning: 'Allow-listed rest of the record, at most 8 KiB' },
  subject: text('Pseudonym of the person or application: keyed hash, 16 hex digits'),
  lifecycle: low('Of the API at the time of the request: active, deprecated, sunset, undocumented; empty without a catalogue'),
  sunset_at: { column: "Nullable(DateTime('UTC'))", meaning: 'When the version of the API goes, or has gone' },
  collection: low('Collection of the API, from the catalogue'),
  data_classes: {
    column: 'Array(LowCardinality(String))',
    meaning: 'Classes of data that the API serves, from the catalogue: pii, phi, chd',
  },
  client_country: low('Country of client_address, two letters of ISO 3166'),
  client_asn: low('Autonomous system of client_address, for instance AS64500'),
} as const satisfies Record<keyof CanonicalEvent, Field>;

/** Columns that storage adds: where the event came from, and what makes a stored part describe itself. */
export const storageFields = {
  received_at: { column: "DateTime64(3, 'UTC')", meaning: 'Arrival: one constant per batch, from its claim' },
  source_epoch: { column: 'UInt16', meaning: 'Rises when a topic was made anew' },
  topic: low('Topic'),
  kafka_partition: { column: 'UInt32', meaning: 'Partition' },
  kafka_offset: { column: 'UInt64', meaning: 'Offset' },
  message_index: { column: 'UInt32', meaning: 'Index of the record inside its message' },
  replay: { column: 'UInt16', meaning: '0, or the number of the replay that read it again' },
  attempt: { column: 'UInt8', meaning: 'Suffix of the token it was stored under' },
  batch_events: { column: 'UInt32', meaning: 'Events of the batch; 0: a marker, no event' },
  normaliser: low('Which reader made it: version, settings, key id'),
} as const satisfies Record<string, Field>;

const none: readonly string[] = Object.freeze([]);

/** An event with nothing in it yet; readers fill what their format gives. */
export function emptyEvent(): CanonicalEvent {
  return {
    timestamp: 0,
    time_source: 'start',
    tenant: '',
    gateway_kind: '',
    gateway_name: '',
    source_format: '',
    http_request_method: '',
    http_request_method_original: '',
    url_scheme: '',
    server_address: '',
    url_path: '',
    url_query: '',
    http_route: '',
    gateway_route_id: '',
    gateway_route_name: '',
    gateway_service_id: '',
    gateway_service_name: '',
    api_id: '',
    api_name: '',
    api_version: '',
    operation_id: '',
    http_response_status_code: null,
    upstream_status_code: null,
    upstream_attempts: null,
    outcome: 'unknown',
    error_type: '',
    duration_ms: null,
    upstream_duration_ms: null,
    gateway_duration_ms: null,
    http_request_size: null,
    http_response_size: null,
    http_request_body_size: null,
    http_response_body_size: null,
    client_address: '',
    network_peer_address: '',
    forwarded_for: '',
    consumer_id: '',
    consumer_name: '',
    consumer_group: '',
    credential_id: '',
    credential_hash: '',
    auth_type: '',
    user_agent_original: '',
    network_protocol_version: '',
    tls_protocol_version: '',
    tls_cipher: '',
    request_id: '',
    trace_id: '',
    span_id: '',
    signals: [],
    attributes: {},
    subject: '',
    lifecycle: '',
    sunset_at: null,
    collection: '',
    data_classes: none,
    client_country: '',
    client_asn: '',
  };
}

const places = Object.keys(emptyEvent());

/** Where `Object.values` of an event has a field: to go through many, values by place cost a quarter of values by a name that varies. */
export const placeOf = (name: keyof CanonicalEvent): number => places.indexOf(name);
