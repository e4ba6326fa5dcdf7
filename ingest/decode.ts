/** From a message to canonical events, step by step: unwrap, recognise, map, redact, enrich. What cannot be read is named, never lost. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { loadKinds } from '../core/kinds.ts';
import type { PurposeKey } from '../core/keys.ts';
import { type CanonicalEvent, emptyEvent } from '../schemas/event.ts';
import type { Decoder, DecodeSink } from './decoder.ts';
import { enrich, pseudonyms } from './enrich.ts';
import { type Gateway, ReadFailure } from './gateway.ts';
import type { LogMessage } from './log.ts';
import { createRecogniser } from './recognise.ts';
import { maskedExcerpt, redact } from './redact.ts';
import { createOrigins, type Origin, type SourceOptions } from './source.ts';
import { type Element, unwrap } from './unwrap.ts';

export interface DecoderOptions extends SourceOptions {
  readonly gateways: ReadonlyMap<string, Gateway>;
  /** Query parameters whose values are kept. */
  readonly allowedQueryKeys: ReadonlySet<string>;
  readonly pseudonyms: PurposeKey;
  /** Version of the product: another version may read the same record otherwise. */
  readonly version: string;
}

export const loadGateways = (): Promise<ReadonlyMap<string, Gateway>> => loadKinds<Gateway>(join(import.meta.dirname, 'gateways'));

const maxElementBytes = 1024 * 1024;

export function createDecoder(options: DecoderOptions): Decoder {
  const recognise = createRecogniser(options.gateways);
  const originOf = createOrigins(options);
  const pseudonym = pseudonyms(options.pseudonyms);
  let detected = '';

  /** The event, or why the element is no request. @throws ReadFailure */
  function read(element: Element, origin: Origin, receivedAt: number): CanonicalEvent | string {
    detected = '';
    const recognised = recognise(element, origin.format);
    detected = recognised.format;
    const why = recognised.skips();
    if (why !== '') return why;
    const event = emptyEvent();
    recognised.read(event);
    if (event.gateway_name === '') event.gateway_name = origin.gateway;
    event.source_format = recognised.format;
    event.tenant = origin.tenantOf('json' in element ? element.json : null);
    redact(event, options.allowedQueryKeys);
    enrich(event, receivedAt, pseudonym);
    return event;
  }

  return {
    normaliser: normaliserOf(options),
    decode(message, topic, receivedAt, sink) {
      if (message.value === null) return sink.skipped(message.offset, 0, 'a tombstone');
      detected = '';
      let elements: Element[];
      let origin: Origin;
      try {
        origin = originOf(message, topic);
        elements = unwrap(message.value);
      } catch (error) {
        return reject(sink, { message, index: 0, tenant: options.defaultTenant, text: message.value, error, detected });
      }
      for (let index = 0; index < elements.length; index += 1) {
        const element = elements[index] as Element; // an index of the list
        try {
          if (elements.length > 1 || message.value.length > maxElementBytes) assertSize(element);
          const event = read(element, origin, receivedAt);
          if (typeof event === 'string') sink.skipped(message.offset, index, event);
          else sink.event(event, message.offset, index);
        } catch (error) {
          const tenant = tenantOrDefault(origin, element, options.defaultTenant);
          reject(sink, { message, index, tenant, text: elements.length === 1 ? message.value : textOf(element), error, detected });
        }
      }
    },
  };
}

/** Everything that decides how a record is read, as one short word that stands beside every row. */
function normaliserOf(options: DecoderOptions): string {
  const { version, gateways, allowedQueryKeys, sources, defaultTenant, intakeTopic } = options;
  const settings = [
    version,
    [...gateways.keys()],
    [...allowedQueryKeys].toSorted(),
    sources,
    defaultTenant,
    intakeTopic,
    options.pseudonyms.id,
  ];
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 12);
}

function assertSize(element: Element): void {
  // A text of this many units has at least as many bytes; only near the limit they are counted.
  const text = 'text' in element ? element.text : null;
  const bytes = text === null ? roughBytes(element) : Buffer.byteLength(text);
  if (bytes > maxElementBytes)
    throw new ReadFailure('TOO_LARGE', '', `expected an element of at most ${maxElementBytes} bytes, ${bytes} came`);
}

/** Bytes as JSON; most elements are far below the limit, which their own keys and texts show without writing them out. */
function roughBytes(element: Element): number {
  const value = 'json' in element ? element.json : null;
  return mayBeLarge(value, maxElementBytes / 8) <= 0 ? Buffer.byteLength(JSON.stringify(value)) : 0;
}

/** What is left of `budget` units after the texts of a value; 0 or less when it may be large. */
function mayBeLarge(value: unknown, budget: number): number {
  if (typeof value === 'string') return budget - value.length;
  if (typeof value !== 'object' || value === null) return budget - 8;
  let left = budget;
  for (const key of Object.keys(value)) {
    left = mayBeLarge((value as Record<string, unknown>)[key], left - key.length);
    if (left <= 0) return 0;
  }
  return left;
}

function textOf(element: Element): Buffer {
  return Buffer.from('text' in element ? element.text : JSON.stringify(element.json));
}

function tenantOrDefault(origin: Origin, element: Element, defaultTenant: string): string {
  try {
    return origin.tenantOf('json' in element ? element.json : null);
  } catch {
    return defaultTenant;
  }
}

interface Refused {
  readonly message: LogMessage;
  readonly index: number;
  readonly tenant: string;
  readonly text: Buffer;
  readonly error: unknown;
  readonly detected: string;
}

function reject(sink: DecodeSink, { message, index, tenant, text, error, detected }: Refused): void {
  // A reader that fails otherwise met something that its author did not think of: data all the same.
  const failure =
    error instanceof ReadFailure
      ? error
      : new ReadFailure('BAD_FIELD', '', 'a field has a value that the reader of this format cannot take');
  sink.rejected({
    offset: message.offset,
    index,
    tenant,
    code: failure.code,
    path: failure.path,
    message: failure.message,
    detectedFormat: detected,
    excerpt: maskedExcerpt(text.subarray(0, 8192).toString()),
    bytes: text.length,
    sha256: createHash('sha256').update(text).digest('hex'),
  });
}
