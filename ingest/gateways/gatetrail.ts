/** The canonical event itself, as anyone may produce it and `recognise --events` prints it. Layout: schemas/record.schema.json. */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, isObject, type Json, listOf, objectOf, own, statusOf, textOf } from '../../core/fields.ts';
import { type CanonicalEvent, emptyEvent, enrichedFields, outcomes, timeSources } from '../../schemas/event.ts';
import type { Gateway, JsonFormat } from '../gateway.ts';
import { isoMicros } from '../times.ts';

type TextName = { [Name in keyof CanonicalEvent]: string extends CanonicalEvent[Name] ? Name : never }[keyof CanonicalEvent];

/** What storage and enrichment say is never taken from input; addresses are read by their own rule. */
const notFromInput: readonly string[] = ['tenant', 'source_format', ...enrichedFields, 'client_address', 'network_peer_address'];
const textNames = (Object.entries(emptyEvent()) as [keyof CanonicalEvent, unknown][])
  .filter(([name, value]) => value === '' && !notFromInput.includes(name))
  .map(([name]) => name as TextName); // '' stands in the texts alone

const format: JsonFormat = {
  order: 0,
  test: 'texts `timestamp` and `gateway_kind`, and no object among `request`, `response`',
  recognises: (record) =>
    typeof record['timestamp'] === 'string' &&
    typeof record['gateway_kind'] === 'string' &&
    !isObject(record['request']) &&
    !isObject(record['response']),
  skips: () => '',
  read(record, event, source) {
    event.timestamp = isoMicros(record['timestamp'], '$.timestamp');
    event.time_source = oneOf(timeSources, textOf(record['time_source']), 'start');
    for (const name of textNames) event[name] = textOf(own(record, name));
    // Of a producer that does not hash, or has a key of its own for it.
    if (event.credential_hash !== '') event.credential_hash = source.hashKey(event.credential_hash);
    event.trace_id = event.trace_id.toLowerCase();
    event.span_id = event.span_id.toLowerCase();
    moveQuery(event);
    event.client_address = readAddress(textOf(record['client_address']));
    event.network_peer_address = readAddress(textOf(record['network_peer_address']));
    event.http_response_status_code = statusOf(record['http_response_status_code']);
    event.upstream_status_code = statusOf(record['upstream_status_code']);
    event.upstream_attempts = countOf(record['upstream_attempts'], 255);
    for (const name of ['duration_ms', 'upstream_duration_ms', 'gateway_duration_ms'] as const) event[name] = durationOf(own(record, name));
    for (const name of ['http_request_size', 'http_response_size', 'http_request_body_size', 'http_response_body_size'] as const)
      event[name] = countOf(own(record, name));
    if (event.http_response_status_code === null) event.outcome = oneOf(outcomes, textOf(record['outcome']), 'unknown');
    event.signals = listOf(record['signals']).filter((signal): signal is string => typeof signal === 'string' && isClass.test(signal));
    event.attributes = texts(objectOf(record['attributes']));
  },
};
const gateway: Gateway = { json: format };
export default gateway;

/** A class has a short name of words; whatever else stands there is text of a request. */
const isClass = /^[a-z]{1,20}(?:-[a-z]{1,20}){0,4}$/;

function oneOf<Value extends string>(values: readonly Value[], text: string, otherwise: NoInfer<Value>): Value {
  return values.find((value) => value === text) ?? otherwise;
}

/** A producer that leaves the query in the path shows its values: they are redacted in the query alone. */
function moveQuery(event: CanonicalEvent): void {
  const mark = event.url_path.indexOf('?');
  if (mark < 0) return;
  event.url_query = [event.url_path.slice(mark + 1), event.url_query].filter((part) => part !== '').join('&');
  event.url_path = event.url_path.slice(0, mark);
}

function texts(map: Json): Record<string, string> {
  return Object.fromEntries(Object.keys(map).map((key) => [key, textOf(own(map, key))]));
}
