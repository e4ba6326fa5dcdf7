/** The canonical event itself, as anyone may produce it and `recognise --events` prints it. Layout: schemas/record.schema.json. */
import { readAddress } from '../../core/address.ts';
import { countAt, durationAt, isObject, type Json, listAt, objectAt, own, statusAt, textAt } from '../../core/fields.ts';
import { type CanonicalEvent, emptyEvent, outcomes, timeSources } from '../../schemas/event.ts';
import { isoMicros, type JsonGateway } from '../gateway.ts';

type TextName = { [Name in keyof CanonicalEvent]: string extends CanonicalEvent[Name] ? Name : never }[keyof CanonicalEvent];

/** What storage and enrichment say is never taken from input; addresses are read by their own rule. */
const notFromInput: readonly string[] = ['tenant', 'source_format', 'subject', 'client_address', 'network_peer_address'];
const textNames = (Object.entries(emptyEvent()) as [keyof CanonicalEvent, unknown][])
  .filter(([name, value]) => value === '' && !notFromInput.includes(name))
  .map(([name]) => name as TextName); // '' stands in the texts alone

const gatetrail: JsonGateway = {
  form: 'json',
  order: 0,
  recognises: (record) =>
    typeof own(record, 'timestamp') === 'string' &&
    typeof own(record, 'gateway_kind') === 'string' &&
    !isObject(own(record, 'request')) &&
    !isObject(own(record, 'response')),
  skips: () => '',
  read(record, event) {
    event.timestamp = isoMicros(own(record, 'timestamp'), '$.timestamp');
    event.time_source = oneOf(timeSources, textAt(record, 'time_source'), 'start');
    for (const name of textNames) event[name] = textAt(record, name);
    event.trace_id = event.trace_id.toLowerCase();
    event.span_id = event.span_id.toLowerCase();
    moveQuery(event);
    event.client_address = readAddress(textAt(record, 'client_address'));
    event.network_peer_address = readAddress(textAt(record, 'network_peer_address'));
    event.http_response_status_code = statusAt(record, 'http_response_status_code');
    event.upstream_status_code = statusAt(record, 'upstream_status_code');
    event.upstream_attempts = countAt(record, 'upstream_attempts', 255);
    for (const name of ['duration_ms', 'upstream_duration_ms', 'gateway_duration_ms'] as const) event[name] = durationAt(record, name);
    for (const name of ['http_request_size', 'http_response_size', 'http_request_body_size', 'http_response_body_size'] as const)
      event[name] = countAt(record, name);
    event.outcome = oneOf(outcomes, textAt(record, 'outcome'), 'unknown');
    event.signals = listAt(record, 'signals').filter((signal): signal is string => typeof signal === 'string');
    event.attributes = texts(objectAt(record, 'attributes'));
  },
};
export default gatetrail;

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
  return Object.fromEntries(Object.keys(map).map((key) => [key, textAt(map, key)]));
}
