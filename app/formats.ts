/** Record formats: those that are built in, those of the configuration, and whether the latter read their own samples. */
import { isDeepStrictEqual } from 'node:util';
import { deriveKey } from '../core/keys.ts';
import { type DescribedFormat, faultsOf, type FormatFault, gatewayOf } from '../ingest/described-format.ts';
import type { Gateway } from '../ingest/gateway.ts';
import { createDecoder, loadGateways } from '../ingest/pipeline.ts';
import type { CanonicalEvent } from '../schemas/event.ts';
import { toEventJson } from './event-json.ts';

export interface SampledFormat extends DescribedFormat {
  /** A record, as an object or as its text. */
  readonly sample: string | Readonly<Record<string, unknown>>;
  /** What the first event of the sample holds, as `recognise` shows it; null for nothing. */
  readonly expect?: Readonly<Record<string, unknown>> | undefined;
}

/** Loaded with this file: a configuration is checked as it is read. */
const shipped = await loadGateways();
export const shippedFormats: readonly string[] = [...shipped.keys()];

export function gatewaysOf(formats: readonly SampledFormat[]): ReadonlyMap<string, Gateway> {
  return new Map([...shipped, ...formats.map((format) => [format.name, gatewayOf(format, shipped)] as const)]);
}

/** Of the description, or else of its sample. */
export function formatFaults(format: SampledFormat): readonly FormatFault[] {
  const faults = faultsOf(format, shipped);
  return (faults.length > 0 ? faults : sampleFaults(format)).map((fault) => ({
    ...fault,
    message: `format ${format.name}: ${fault.message}`,
  }));
}

function sampleFaults(format: SampledFormat): FormatFault[] {
  const { event, refusal } = readSample(format);
  if (event === undefined) return [{ path: ['sample'], message: 'expected a sample that it reads', came: refusal }];
  const faults: FormatFault[] = [];
  if (event.http_request_method === '' && event.http_response_status_code === null)
    faults.push({ path: ['sample'], message: 'expected http_request_method or http_response_status_code of the sample', came: 'neither' });
  const read = toEventJson(event);
  for (const [name, expected] of Object.entries(format.expect ?? {})) {
    const came = read[name] ?? null;
    const isSame = isDeepStrictEqual(came, expected) || (name === 'timestamp' && isSameTime(String(came), String(expected)));
    if (!isSame)
      faults.push({ path: ['expect', name], message: `expected ${JSON.stringify(expected)} of the sample`, came: JSON.stringify(came) });
  }
  return faults;
}

/** `…05Z` is `…05.000Z`. */
function isSameTime(came: string, expected: string): boolean {
  const digits = /^(.*?)(?:\.(\d+))?Z$/;
  const whole = (time: string) => time.replace(digits, (_, seconds: string, below = '') => seconds + String(below).padEnd(6, '0'));
  return whole(came) === whole(expected);
}

/** The first event of a sample that is read whole. */
function readSample(format: SampledFormat): { event?: CanonicalEvent; refusal: string } {
  const { name, sample } = format;
  const decoder = createDecoder({
    gateways: gatewaysOf([format]),
    sources: [{ topic: 'sample', format: name }],
    defaultTenant: 'sample',
    intakeTopic: '',
    allowedQueryKeys: new Set(),
    pseudonyms: deriveKey('sample', 'pseudonyms'),
    credentials: deriveKey('sample', 'credentials'),
    version: '',
  });
  const value = Buffer.from(typeof sample === 'string' ? sample : JSON.stringify(sample));
  const events: CanonicalEvent[] = [];
  let refusal = '';
  decoder.decode({ offset: 0, timestamp: -1, value, headers: {} }, 'sample', Date.now(), {
    event: (event) => void events.push(event),
    rejected: ({ code, path, message }) => (refusal ||= `${code} at $${path.replace(/^\$/, '')}: ${message}`),
    skipped: (_offset, _index, why) => (refusal ||= `a record that is skipped, ${why}`),
  });
  const [event] = events;
  return { ...(event !== undefined && refusal === '' && { event }), refusal };
}
