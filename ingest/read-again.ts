/**
 * Dead letters of one message, read by the reader of today. Elements are known by their bytes, so that none that was stored
 * the first time is stored again, however the message is cut now. A message that was refused whole is stored whole or not at all.
 */
import { createHash } from 'node:crypto';
import { grouped } from '../core/grouped.ts';
import type { CanonicalEvent } from '../schemas/event.ts';
import type { StoredLetter } from '../storage/dead-letters.ts';
import { sha256Of } from './batch.ts';
import type { Decoder, DecodeSink, Rejection } from './decoder.ts';
import type { LogMessage } from './log.ts';

/** A dead letter that is one no longer, and what it is now. */
export interface Settled {
  readonly letter: StoredLetter;
  readonly events: readonly { readonly event: CanonicalEvent; readonly index: number }[];
  /** Elements that are no requests. */
  readonly skipped: number;
}

export interface ReadAgain {
  readonly settled: readonly Settled[];
  /** What still cannot be read, with today's reason. */
  readonly standing: readonly StoredLetter[];
}

/** `letters`: of this message, in the order of their indexes. */
export function readAgain(decoder: Decoder, message: LogMessage, letters: readonly StoredLetter[]): ReadAgain {
  const [only] = letters;
  return only?.sha256 === sha256Of(message) ? readWhole(decoder, message, only) : readElements(decoder, message, letters);
}

function readWhole(decoder: Decoder, message: LogMessage, letter: StoredLetter): ReadAgain {
  const { events, rejections, skipped } = decoded(decoder, message, letter);
  const [rejection] = rejections;
  if (rejection === undefined) return { settled: [{ letter, events, skipped: skipped.length }], standing: [] };
  return { settled: [], standing: [{ ...letter, ...reasonOf(rejection) }] };
}

function readElements(decoder: Decoder, message: LogMessage, letters: readonly StoredLetter[]): ReadAgain {
  // Equal elements are each other's, in their order. One that was kept without its digest is known by its place alone.
  const bySha256 = grouped(letters.toReversed(), ({ sha256 }) => sha256);
  const letterAt = new Map(letters.filter(({ sha256 }) => sha256 === '').map((letter) => [letter.index, letter]));
  const { events, rejections, skipped } = decoded(decoder, message, letters[0] ?? nowhere, (index, bytes) => {
    const letter = bySha256.get(createHash('sha256').update(bytes).digest('hex'))?.pop();
    if (letter !== undefined) letterAt.set(index, letter);
  });
  const now = new Map<StoredLetter, Settled>();
  const settle = (index: number, what: (letter: StoredLetter) => Settled) => {
    const letter = letterAt.get(index);
    if (letter !== undefined) now.set(letter, what(letter));
  };
  // The position stays that of the dead letter, wherever the element stands now.
  for (const { event, index } of events) settle(index, (letter) => ({ letter, events: [{ event, index: letter.index }], skipped: 0 }));
  for (const index of skipped) settle(index, (letter) => ({ letter, events: [], skipped: 1 }));
  const reasons = new Map(rejections.map((rejection) => [letterAt.get(rejection.index), reasonOf(rejection)]));
  return {
    settled: letters.flatMap((letter) => now.get(letter) ?? []),
    standing: letters.filter((letter) => !now.has(letter)).map((letter) => ({ ...letter, ...reasons.get(letter) })),
  };
}

const nowhere = { topic: '', receivedAt: 0 };

interface Decoded {
  readonly events: { readonly event: CanonicalEvent; readonly index: number }[];
  readonly rejections: Rejection[];
  readonly skipped: number[];
}

function decoded(
  decoder: Decoder,
  message: LogMessage,
  { topic, receivedAt }: Pick<StoredLetter, 'topic' | 'receivedAt'>,
  onElement?: (index: number, bytes: Buffer) => void,
): Decoded {
  const found: Decoded = { events: [], rejections: [], skipped: [] };
  const sink: DecodeSink = {
    ...(onElement && { element: (_offset, index, bytes) => onElement(index, bytes) }),
    event: (event, _offset, index) => void found.events.push({ event: copyOf(event), index }),
    rejected: (rejection) => void found.rejections.push(rejection),
    skipped: (_offset, index) => void found.skipped.push(index),
  };
  decoder.decode(message, topic, receivedAt, sink);
  return found;
}

const copyOf = (event: CanonicalEvent): CanonicalEvent => ({
  ...event,
  signals: [...event.signals],
  attributes: { ...event.attributes },
});

const reasonOf = ({ tenant, code, path, message, detectedFormat, excerpt }: Rejection) => ({
  tenant,
  code,
  path,
  message,
  detectedFormat,
  excerpt,
});
