/** Reads messages: opened, recognised, mapped, redacted; what cannot be read is named. For the pipeline and `recognise`. */
import { createHash } from 'node:crypto';
import { type PurposeKey, keyedHash } from '../core/keys.ts';
import { isObject } from '../core/fields.ts';
import { type CanonicalEvent, emptyEvent, type Outcome } from '../schemas/event.ts';
import type { Decoder, DecodeSink } from './decoder.ts';
import { type Gateway, ReadFailure } from './gateway.ts';
import type { LogMessage } from './log.ts';

export interface DecoderOptions {
  readonly defaultTenant: string;
  readonly intakeTopic: string;
  readonly pseudonyms: PurposeKey;
  readonly gateways: ReadonlyMap<string, Gateway>;
  readonly allowedQueryKeys: ReadonlySet<string>;
  readonly version: string;
}

const maxBytes = 16 * 1024 * 1024;
const maxElements = 10_000;
const maxElementBytes = 1024 * 1024;
const oldest = Date.UTC(2000, 0, 1) * 1000;
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);
const utf8 = new TextDecoder('utf-8', { fatal: true });

export function createDecoder(options: DecoderOptions): Decoder {
  const { pseudonyms, version, allowedQueryKeys, intakeTopic, defaultTenant } = options;
  const ordered = [...options.gateways].toSorted(([, a], [, b]) => a.order - b.order);
  const settings = JSON.stringify([version, pseudonyms.id, [...allowedQueryKeys].toSorted(), ordered.map(([name]) => name)]);
  const normaliser = createHash('sha256').update(settings).digest('hex').slice(0, 12);

  const readElement = (element: unknown, format: string | undefined): [CanonicalEvent | string, string] => {
    if (!isObject(element)) throw new ReadFailure('UNKNOWN_FORMAT', '', 'Expected a JSON object');
    const found = ordered.find(([name, kind]) => (format === undefined ? kind.recognises(element) : name === format));
    if (found === undefined) throw new ReadFailure('UNKNOWN_FORMAT', '', 'No known record format was recognised');
    const [name, gateway] = found;
    const why = gateway.skips(element);
    if (why !== '') return [why, name];
    const event = emptyEvent();
    gateway.read(element, event);
    event.source_format = name;
    return [event, name];
  };

  return {
    normaliser,
    decode(message, topic, receivedAt, sink) {
      if (message.value === null) return sink.skipped(message.offset, 0, 'tombstone');
      const isIntake = topic === intakeTopic;
      const tenant = (isIntake && message.headers['gatetrail-tenant']) || defaultTenant;
      const format = isIntake ? message.headers['gatetrail-format'] : undefined;
      let elements: readonly unknown[];
      try {
        elements = open(message.value);
      } catch (error) {
        return reject(sink, message, { index: 0, tenant, bytes: message.value, error });
      }
      for (const [index, element] of elements.entries()) {
        const bytes = elements.length === 1 ? message.value : Buffer.from(JSON.stringify(element));
        try {
          if (bytes.length > maxElementBytes) throw new ReadFailure('TOO_LARGE', '', `Expected at most ${maxElementBytes} bytes`);
          const [read] = readElement(element, format);
          if (typeof read === 'string') sink.skipped(message.offset, index, read);
          else {
            finish(read, { tenant, receivedAt, pseudonyms, allowedQueryKeys });
            sink.event(read, message.offset, index);
          }
        } catch (error) {
          reject(sink, message, { index, tenant, bytes, error });
        }
      }
    },
  };
}

/** @throws ReadFailure */
function open(value: Buffer): readonly unknown[] {
  if (value.length > maxBytes) throw new ReadFailure('TOO_LARGE', '', `Expected at most ${maxBytes} bytes`);
  if (value[0] === 0) throw new ReadFailure('SCHEMA_REGISTRY_UNSUPPORTED', '', 'Confluent framing is not read');
  let text: string;
  try {
    text = utf8.decode(value);
  } catch {
    throw new ReadFailure('BAD_ENCODING', '', 'Expected UTF-8');
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new ReadFailure('BAD_JSON', '', 'Expected a JSON document');
  }
  const elements = Array.isArray(document) ? document : [document];
  if (elements.length > maxElements) throw new ReadFailure('TOO_MANY_ELEMENTS', '', `Expected at most ${maxElements} elements`);
  return elements;
}

interface Refused {
  readonly index: number;
  readonly tenant: string;
  readonly bytes: Buffer;
  readonly error: unknown;
}

/** The excerpt stays empty: what could not be read cannot be redacted with certainty. */
function reject(sink: DecodeSink, message: LogMessage, { index, tenant, bytes, error }: Refused): void {
  const failure = error instanceof ReadFailure ? error : new ReadFailure('BAD_FIELD', '', 'A field could not be read');
  sink.rejected({
    offset: message.offset,
    index,
    tenant,
    code: failure.code,
    path: failure.path,
    message: failure.message,
    detectedFormat: '',
    excerpt: '',
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
}

interface Finishing extends Pick<DecoderOptions, 'pseudonyms' | 'allowedQueryKeys'> {
  readonly tenant: string;
  readonly receivedAt: number;
}

function finish(event: CanonicalEvent, { tenant, receivedAt, pseudonyms, allowedQueryKeys }: Finishing): void {
  event.tenant = tenant;
  const arrived = receivedAt * 1000;
  if (event.timestamp > arrived + 300_000_000 || event.timestamp < oldest) {
    event.attributes = { ...event.attributes, original_timestamp: String(event.timestamp) };
    event.timestamp = arrived;
    event.time_source = 'ingest';
  }
  if (event.http_request_method !== '' && !methods.has(event.http_request_method)) {
    event.http_request_method_original = event.http_request_method;
    event.http_request_method = '_OTHER';
  }
  event.url_query = redactQuery(event.url_query, allowedQueryKeys);
  event.outcome = outcomeOf(event.http_response_status_code);
  const person = event.consumer_id || event.consumer_name || event.credential_id || event.credential_hash || event.client_address;
  event.subject = person === '' ? '' : keyedHash(pseudonyms, person, 16);
}

function redactQuery(query: string, allowed: ReadonlySet<string>): string {
  if (query === '') return '';
  return query
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 || allowed.has(pair.slice(0, at)) ? pair : `${pair.slice(0, at)}=REDACTED`;
    })
    .join('&');
}

function outcomeOf(status: number | null): Outcome {
  if (status === null) return 'unknown';
  if (status === 401 || status === 403 || status === 407) return 'auth_failure';
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'server_error';
  return status >= 400 ? 'client_error' : 'success';
}
