/**
 * From a message of the log to canonical events: a pure function of the message, the batch's `received_at` and the
 * normaliser. No clock, no random, no learned state: whoever reads the same message for the same claim makes the same rows.
 */
import type { CanonicalEvent } from '../schemas/event.ts';
import type { DeadLetter } from '../storage/dead-letters.ts';
import type { LogMessage } from './log.ts';

/** An element that could not be read; becomes this dead letter. */
export type Rejection = DeadLetter;

/** Takes what a decoder finds, in the order of (offset, index). records = events + rejected + skipped. */
export interface DecodeSink {
  /** Told of each element before what it gives, with the bytes that a dead letter of it hashes. For whoever looks for certain elements. */
  element?(offset: number, index: number, bytes: Buffer): void;
  /** The object is used again for the next element: copy what is kept. */
  event(event: CanonicalEvent, offset: number, index: number): void;
  rejected(rejection: Rejection): void;
  skipped(offset: number, index: number, reason: string): void;
}

export interface Decoder {
  /** Hash of code version, mapping and redaction settings and key id; stands beside every row. */
  readonly normaliser: string;
  /** Never throws for what a message holds. `receivedAt` in milliseconds. */
  decode(message: LogMessage, topic: string, receivedAt: number, sink: DecodeSink): void;
}
