/**
 * From a message of the log to canonical events: a pure function of the message, the batch's `received_at` and the
 * normaliser. No clock, no random, no learned state: whoever reads the same message for the same claim makes the same rows.
 */
import type { CanonicalEvent } from '../schemas/event.ts';
import type { LogMessage } from './log.ts';

/** An element that could not be read; becomes a dead letter. */
export interface Rejection {
  readonly offset: number;
  readonly index: number;
  readonly tenant: string;
  /** A code of the catalogue, for instance UNKNOWN_FORMAT. */
  readonly code: string;
  /** JSON path inside the element, '' for the whole. */
  readonly path: string;
  /** What was expected and what came, without values. */
  readonly message: string;
  readonly detectedFormat: string;
  /** Redacted, at most 4 KiB. */
  readonly excerpt: string;
  /** Size and hash of the whole element (of the message where it could not be opened). */
  readonly bytes: number;
  readonly sha256: string;
}

/** Takes what a decoder finds, in the order of (offset, index). records = events + rejected + skipped. */
export interface DecodeSink {
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
