/** The fields of a rule, read of an event. */
import type { CanonicalEvent } from '../schemas/event.ts';
import type { FieldName } from './fields.ts';
import type { Lookup } from './match.ts';
import { asItCame, decoded, type Form, spaced } from './uri.ts';

const readers: Readonly<Record<FieldName, (event: CanonicalEvent) => string | number | null>> = {
  http_request_method: (event) => event.http_request_method,
  http_response_status_code: (event) => event.http_response_status_code,
  server_address: (event) => event.server_address,
  client_address: (event) => event.client_address,
  user_agent_original: (event) => event.user_agent_original,
  referer_host: (event) => event.attributes['referer_host'] ?? '',
  url_path: (event) => event.url_path,
  uri: (event) => uriOf(event, asItCame),
  url: (event) => event.server_address + uriOf(event, asItCame),
  uri_d: (event) => uriOf(event, decoded),
  uri_sql: (event) => uriOf(event, spaced),
};

export const fieldOf = (event: CanonicalEvent, field: FieldName): string | number | null => readers[field](event);

/** Each field is worked out once. */
export function lookupOf(event: CanonicalEvent): Lookup {
  const known = new Map<FieldName, string | number | null>();
  return (field) => {
    let value = known.get(field);
    if (value === undefined) {
      value = fieldOf(event, field);
      known.set(field, value);
    }
    return value;
  };
}

/** Fields that are a form of the path, a question mark and the same form of the query: no form reaches over the mark. */
export const uriForms: Partial<Readonly<Record<FieldName, Form>>> = { uri: asItCame, uri_d: decoded, uri_sql: spaced };

/** Without a query there is no question mark, or no path would end as a rule says. */
function uriOf({ url_path: path, url_query: query }: CanonicalEvent, form: Form): string {
  return query === '' ? form(path) : `${form(path)}?${form(query)}`;
}
