// The fields of the canonical event as a person thinks of them, and what it means for detections when a gateway does not give them.

export const groups = {
  Time: ['timestamp'],
  Request: [
    'http_request_method',
    'url_path',
    'url_query',
    'server_address',
    'url_scheme',
    'user_agent_original',
    'network_protocol_version',
    'tls_protocol_version',
    'tls_cipher',
  ],
  Response: ['http_response_status_code', 'upstream_status_code', 'upstream_attempts', 'error_type'],
  'Who called': ['consumer_id', 'consumer_name', 'consumer_group', 'credential_id', 'credential_hash', 'auth_type'],
  Addresses: ['client_address', 'network_peer_address', 'forwarded_for'],
  'Route, service, API': [
    'http_route',
    'gateway_route_id',
    'gateway_route_name',
    'gateway_service_id',
    'gateway_service_name',
    'api_id',
    'api_name',
    'api_version',
    'operation_id',
  ],
  Durations: ['duration_ms', 'upstream_duration_ms', 'gateway_duration_ms'],
  Sizes: ['http_request_size', 'http_response_size', 'http_request_body_size', 'http_response_body_size'],
  Ids: ['request_id', 'trace_id', 'span_id'],
};

/** Of every event, whatever a record says: of the source, of recognition, or worked out. */
export const ours = [
  'time_source',
  'tenant',
  'gateway_kind',
  'gateway_name',
  'source_format',
  'http_request_method_original',
  'outcome',
  'signals',
  'attributes',
  'subject',
  'lifecycle',
  'sunset_at',
  'collection',
  'data_classes',
  'client_country',
  'client_asn',
];

/** What detections ask for most, for the table of all gateways: one of the fields will do. */
export const asked = {
  status: ['http_response_status_code'],
  client: ['client_address'],
  consumer: ['consumer_id', 'consumer_name', 'consumer_group'],
  credential: ['credential_id', 'credential_hash'],
  route: ['http_route', 'gateway_route_id', 'gateway_route_name', 'operation_id'],
  duration: ['duration_ms'],
  sizes: ['http_response_size', 'http_response_body_size'],
  'user agent': ['user_agent_original'],
};

/**
 * In this order on a page: `never` is said where none of the fields is ever given, `some` where the best of them is given in some
 * records alone, and both only where one of `beside` is given.
 */
const rules = [
  {
    fields: ['http_response_status_code'],
    never: 'No status: auth failures, exceeded limits and errors cannot be seen.',
  },
  {
    fields: ['consumer_id', 'consumer_name', 'consumer_group', 'credential_id', 'credential_hash'],
    never:
      'Neither consumer nor credential: rate breaches and stolen keys can be told by client address alone; the built-in rate breach, which counts by `consumer_name`, sees none of it.',
    some: 'Consumer or credential in some records alone: the others count by client address.',
  },
  {
    fields: ['consumer_name'],
    beside: ['consumer_id', 'consumer_group', 'credential_id', 'credential_hash'],
    never: 'No name of a consumer: the built-in rate breach, which counts by `consumer_name`, sees none of it.',
  },
  {
    fields: ['client_address'],
    never: 'No client address: password guessing from one address, places and blocked networks cannot be told.',
    some: 'The client address is missing in many records: what is counted by address is counted too low.',
  },
  {
    fields: ['network_peer_address', 'forwarded_for'],
    beside: ['client_address'],
    never: 'Neither the TCP peer nor the forwarded list: whether the client address was forged by a header cannot be checked afterwards.',
  },
  {
    fields: ['http_route', 'gateway_route_id', 'gateway_route_name', 'operation_id'],
    never: 'No route: it is inferred from the path, so calls of an unknown route are told by their status only.',
    some: 'No route in many records: there it is inferred from the path.',
  },
  {
    fields: ['duration_ms'],
    never: 'No duration: slow requests cannot be seen.',
    some: 'A duration in some records alone: percentiles of latency are of those.',
  },
  {
    fields: ['upstream_duration_ms'],
    beside: ['duration_ms'],
    never: 'No duration of the upstream: a slow gateway and a slow upstream look the same.',
  },
  {
    fields: ['upstream_status_code', 'error_type'],
    never: 'Neither a status of the upstream nor an error: what the gateway refused and what the upstream refused look the same.',
  },
  {
    fields: ['http_response_size', 'http_response_body_size'],
    never: 'No size of responses: exfiltration by volume cannot be seen.',
  },
  {
    fields: ['http_request_size', 'http_request_body_size'],
    never: 'No size of requests: large uploads cannot be seen.',
  },
  {
    fields: ['url_query'],
    never: 'No query: attacks and credentials in it leave no signal.',
  },
  {
    fields: ['server_address'],
    never: 'No host: requests to several hosts behind one gateway look the same.',
  },
  {
    fields: ['user_agent_original'],
    never: 'No user agent: crawlers, scanners and versions of clients cannot be told.',
    some: 'A user agent in some records alone: crawlers, scanners and versions of clients can be told of those.',
  },
  {
    fields: ['request_id', 'trace_id'],
    never: 'Neither request id nor trace id: a request cannot be followed into other logs.',
  },
];

const times = {
  start: 'the start',
  end_minus_duration: 'the end less the duration',
  end: 'the end',
};

/** How the time is found, in words. */
export const timeOf = ({ timeSources }) => timeSources.map((source) => times[source]).join(', or ');

const rank = { never: 0, some: 1, most: 2 };

/** The best that is given of the fields. */
export const bestOf = (given, fields) => fields.map((field) => given[field]).reduce((a, b) => (rank[b] > rank[a] ? b : a));

/** What a detection has to know, most important first. */
export function consequencesOf({ given, timeSources }) {
  const said = rules
    .filter(({ beside }) => beside === undefined || bestOf(given, beside) !== 'never')
    .flatMap(({ fields, ...sentences }) => sentences[bestOf(given, fields)] ?? []);
  return [...said, ...timesSaid(timeSources)];
}

function timesSaid(sources) {
  if (!sources.includes('end')) return [];
  const which = sources.length === 1 ? 'The time is the end' : 'Where there is no duration the time is the end';
  return [`${which}: a request may count in a later window than it began in, by as long as it took.`];
}
