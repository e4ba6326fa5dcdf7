/**
 * The way of a record, as a list. Here, per message: unwrap, recognise, map, redact, enrich; then per range of a partition:
 * batch (batch.ts) and write (write.ts). What cannot be read is named, never lost; what is no request is counted.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { PurposeKey } from '../core/keys.ts';
import { loadKinds } from '../core/kinds.ts';
import { type CanonicalEvent, emptyEvent } from '../schemas/event.ts';
import type { Decoder } from './decoder.ts';
import { assertElementSize, maxElementBytes, textOf } from './element-size.ts';
import { enrich, keyedHashes } from './enrich.ts';
import type { Gateway } from './gateway.ts';
import { createRecognisers, type Element } from './recognise.ts';
import { redact } from './redact.ts';
import { rejectionOf } from './rejection.ts';
import { createOrigins, type Origin, type SourceOptions } from './source.ts';
import { isGzip, unwrap } from './unwrap.ts';

export interface DecoderOptions extends SourceOptions {
  readonly gateways: ReadonlyMap<string, Gateway>;
  /** Query parameters whose values are kept. */
  readonly allowedQueryKeys: ReadonlySet<string>;
  readonly pseudonyms: PurposeKey;
  /** Version of the product: another version may read the same record otherwise. */
  readonly version: string;
}

export const loadGateways = (): Promise<ReadonlyMap<string, Gateway>> => loadKinds<Gateway>(join(import.meta.dirname, 'gateways'));

export function createDecoder(options: DecoderOptions): Decoder {
  const recogniserOf = createRecognisers(options.gateways);
  const originOf = createOrigins(options);
  const pseudonym = keyedHashes(options.pseudonyms);
  /** Format of the element at hand, for its dead letter. */
  let detected = '';

  /** The event, or why the element is no request. @throws ReadFailure */
  function read(element: Element, origin: Origin, receivedAt: number): CanonicalEvent | string {
    detected = element.format;
    const why = element.skips();
    if (why !== '') return why;
    const event = emptyEvent();
    element.read(event, origin.settings);
    if (event.gateway_name === '') event.gateway_name = origin.gateway;
    event.source_format = element.format;
    event.tenant = origin.tenantOf(element.value);
    redact(event, options.allowedQueryKeys);
    enrich(event, receivedAt, pseudonym);
    return event;
  }

  return {
    normaliser: normaliserOf(options),
    decode(message, topic, receivedAt, sink) {
      const { offset, value } = message;
      if (value === null) return sink.skipped(offset, 0, 'a tombstone');
      const origin = originOf(message, topic);
      let elements: readonly Element[];
      try {
        elements = unwrap(value, { recogniser: recogniserOf(origin.format), columns: origin.columns, attributes: origin.attributes });
      } catch (error) {
        const tenant = origin.tenantOrDefault(null);
        return sink.rejected(rejectionOf(error, { offset, index: 0, tenant, text: value, detectedFormat: '' }));
      }
      const isAlone = elements.length === 1;
      // Nothing alone is larger than its message, unless that was opened.
      const isSmall = isAlone && value.length <= maxElementBytes && !isGzip(value);
      for (const [index, element] of elements.entries()) {
        try {
          if (!isSmall) assertElementSize(element);
          const event = read(element, origin, receivedAt);
          if (typeof event === 'string') sink.skipped(offset, index, event);
          else sink.event(event, offset, index);
        } catch (error) {
          const tenant = origin.tenantOrDefault(element.value);
          const written = isAlone ? null : textOf(element);
          const text = written === null ? value : Buffer.from(written);
          sink.rejected(rejectionOf(error, { offset, index, tenant, text, detectedFormat: detected }));
        }
      }
    },
  };
}

/** Everything that decides how a record is read, as one short word that stands beside every row. */
function normaliserOf({
  version,
  gateways,
  allowedQueryKeys,
  sources,
  defaultTenant,
  intakeTopic,
  pseudonyms: { id },
}: DecoderOptions): string {
  const settings = [version, [...gateways.keys()], [...allowedQueryKeys].toSorted(), sources, defaultTenant, intakeTopic, id];
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 12);
}
