/**
 * The way of a record, as a list. Here, per message: unwrap, recognise, map, locate, signals, redact, enrich, stamp; then per range of
 * a partition: batch (batch.ts) and write (write.ts). What cannot be read is named, never lost; what is no request is counted.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { PurposeKey } from '../core/keys.ts';
import { loadKinds } from '../core/kinds.ts';
import { type Catalogue, emptyCatalogue } from '../schemas/catalogue.ts';
import { type CanonicalEvent, emptyEvent } from '../schemas/event.ts';
import type { IntakeRule } from '../sigma/intake-rule.ts';
import { partHashes } from './credentials.ts';
import type { Decoder } from './decoder.ts';
import type { OnElement } from './drift.ts';
import { assertElementSize, maxElementBytes, textOf } from './element-size.ts';
import { enrich, keyedHashes } from './enrich.ts';
import type { Gateway } from './gateway.ts';
import type { Geo } from './geo.ts';
import { isGzip } from './message-bytes.ts';
import { createRecognisers, type Element } from './recognise.ts';
import { createRedaction, type RedactionOptions } from './redact.ts';
import { rejectionOf } from './rejection.ts';
import { createSignals } from './signals.ts';
import { createOrigins, type Origin, type SourceOptions } from './source.ts';
import { createStamp } from './stamp.ts';
import { unwrap } from './unwrap.ts';

export interface DecoderOptions extends SourceOptions, RedactionOptions {
  readonly gateways: ReadonlyMap<string, Gateway>;
  /** What is looked for before redaction; nothing where none is given. */
  readonly intakeRules?: readonly IntakeRule[];
  readonly pseudonyms: PurposeKey;
  /** Default: none. */
  readonly catalogue?: Catalogue;
  /** Without it no address has a country. */
  readonly geo?: Geo;
  /** Version of the product: another version may read the same record otherwise. */
  readonly version: string;
  readonly onElement?: OnElement | undefined;
}

export const loadGateways = (): Promise<ReadonlyMap<string, Gateway>> => loadKinds<Gateway>(join(import.meta.dirname, 'gateways'));

export function createDecoder(options: DecoderOptions): Decoder {
  const recogniserOf = createRecognisers(options.gateways);
  const originOf = createOrigins(options);
  const findSignals = createSignals(options.intakeRules ?? []);
  const pseudonym = keyedHashes(options.pseudonyms);
  const redact = createRedaction(options);
  const { onElement } = options;
  const stamp = createStamp(options.catalogue ?? emptyCatalogue);

  /** The event, or why the element is no request. @throws ReadFailure */
  function read(element: Element, origin: Origin, receivedAt: number): CanonicalEvent | string {
    const why = element.skips();
    if (why !== '') return why;
    const event = emptyEvent();
    element.read(event, origin.settings);
    if (event.gateway_name === '') event.gateway_name = origin.gateway;
    event.source_format = element.format;
    event.tenant = origin.tenantOf(element.value);
    partHashes(event);
    // By the whole address, before redaction may cut it: where it is says less than what is left of it.
    options.geo?.locate(event);
    findSignals(event);
    redact(event);
    enrich(event, receivedAt, pseudonym);
    stamp(event);
    return event;
  }

  return {
    normaliser: normaliserOf(options),
    decode(message, topic, receivedAt, sink) {
      const { offset, value } = message;
      if (value === null) return sink.skipped(offset, 0, 'a tombstone');
      const origin = originOf(message, topic);
      const recogniser = recogniserOf(origin.format);
      let elements: readonly Element[];
      try {
        elements = unwrap(value, { recogniser, columns: origin.columns, attributes: origin.attributes });
      } catch (error) {
        const tenant = origin.tenantOrDefault(null);
        return sink.rejected(rejectionOf(error, { offset, index: 0, tenant, text: value, detectedFormat: '' }));
      }
      const isAlone = elements.length === 1;
      const place = { topic, stream: origin.stream, recogniser };
      // Nothing alone is larger than its message, unless that was opened.
      const isSmall = isAlone && value.length <= maxElementBytes && !isGzip(value);
      /** Of one that cannot be written again, the message. */
      const bytesOf = (element: Element): Buffer => {
        const written = isAlone ? null : textOf(element);
        return written === null ? value : Buffer.from(written);
      };
      for (const [index, element] of elements.entries()) {
        onElement?.(element, place);
        sink.element?.(offset, index, bytesOf(element));
        try {
          if (!isSmall) assertElementSize(element);
          const event = read(element, origin, receivedAt);
          if (typeof event === 'string') sink.skipped(offset, index, event);
          else sink.event(event, offset, index);
        } catch (error) {
          const tenant = origin.tenantOrDefault(element.value);
          sink.rejected(rejectionOf(error, { offset, index, tenant, text: bytesOf(element), detectedFormat: element.format }));
        }
      }
    },
  };
}

/** Everything that decides how a record is read, as one short word that stands beside every row. */
function normaliserOf(options: DecoderOptions): string {
  const { version, gateways, allowedQueryKeys, sources, defaultTenant, intakeTopic, pseudonyms } = options;
  const { truncateAddresses = [], dropUserAgents = [], previousCredentials = [], intakeRules = [], catalogue, geo } = options;
  const formats = [...gateways].map(([name, { definition }]) => [name, definition]);
  const settings = [
    [version, formats, [...allowedQueryKeys].toSorted(), sources, defaultTenant, intakeTopic, pseudonyms.id],
    [truncateAddresses.toSorted(), dropUserAgents.toSorted(), previousCredentials.map(({ id }) => id)],
    [intakeRules.map((rule) => rule.version), catalogue?.apis, geo?.digest],
  ];
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 12);
}
