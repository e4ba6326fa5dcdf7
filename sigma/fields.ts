/** The taxonomy: what each field of a rule reads of a request. */

/** What a rule can look at, under the names of the event; the forms of the URI are told apart in `request.ts`. */
export type FieldName =
  | 'http_request_method'
  | 'http_response_status_code'
  | 'server_address'
  | 'client_address'
  | 'user_agent_original'
  | 'referer_host'
  | 'url_path'
  | 'uri'
  | 'url'
  | 'uri_d'
  | 'uri_sql';

/** Public rules take the query for the whole URI: most of those that ask for it hold paths. */
export const fieldNames: Readonly<Record<string, FieldName>> = {
  'cs-method': 'http_request_method',
  'sc-status': 'http_response_status_code',
  'cs-host': 'server_address',
  'r-dns': 'server_address',
  'c-ip': 'client_address',
  'c-useragent': 'user_agent_original',
  'cs-user-agent': 'user_agent_original',
  'cs-referer': 'referer_host',
  'cs-uri-stem': 'url_path',
  'cs-uri': 'uri',
  'cs-uri-query': 'uri',
  'c-uri-query': 'uri',
  'c-uri': 'url',
  uri_d: 'uri_d',
  uri_sql: 'uri_sql',
};

/** Where a word that is bound to no field is looked for. */
export const keywordFields: readonly FieldName[] = ['http_request_method', 'uri', 'uri_d', 'user_agent_original', 'referer_host'];

/** Fields of the Sigma taxonomy that no gateway's record holds. */
export const notLogged: readonly string[] = ['cs-cookie', 'client_header_names', 'id.resp_h', 'mime_types'];
