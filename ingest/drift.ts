/**
 * Which format the records of each gateway were of so far, and what comes of another one. For counters alone: no row depends on
 * it, so a restart may forget it.
 */
import type { Element, Recogniser } from './recognise.ts';
import type { Origin } from './source.ts';

/** Where an element stands. */
export interface Place {
  readonly topic: string;
  readonly stream: Origin['stream'];
  readonly recogniser: Recogniser;
}

/** Told of each element before it is read. Nothing that comes of it may change a row. */
export type OnElement = (element: Element, place: Place) => void;

export interface DriftCounters {
  drifted(topic: string, expected: string, came: string): void;
  /** Another format matches too; the one that is taken has the lower order. */
  ambiguous(topic: string, taken: string, other: string): void;
}

/** So many records in a row make a format the expected one. */
const agreeing = 50;
/** Clients may name gateways: beyond it everything is learned anew. */
const maxStreams = 10_000;

/**
 * Whether several formats match is looked at while none is expected, and of what is not the expected one: asking every format
 * takes a line 2 us, a sixth of what reading it does.
 */
export function createDriftWatch({ drifted, ambiguous }: DriftCounters): OnElement {
  const streams = new Map<string, { format: string; seen: number }>();
  return ({ format, value }, { topic, stream, recogniser }) => {
    if (stream === null || format === '') return;
    const expected = streams.get(stream);
    if (expected !== undefined && expected.format === format && expected.seen >= agreeing) return;
    if (expected === undefined) {
      if (streams.size >= maxStreams) streams.clear();
      streams.set(stream, { format, seen: 1 });
    } else if (expected.seen >= agreeing) drifted(topic, expected.format, format);
    else if (expected.format === format) expected.seen += 1;
    else Object.assign(expected, { format, seen: 1 });
    for (const other of recogniser.matching(value)) if (other !== format) ambiguous(topic, format, other);
  };
}
