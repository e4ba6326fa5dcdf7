/** The contract of a record format: one file in `gateways/` each. */
import type { Json } from '../core/fields.ts';
import type { CanonicalEvent } from '../schemas/event.ts';
import type { ErrorCode } from '../core/errors.ts';

export interface Gateway {
  /** Place in the ordered list of recognition; the lowest that holds wins. */
  readonly order: number;
  recognises(record: Json): boolean;
  /** Why it is no request, or '' when it is one. */
  skips(record: Json): string;
  /** Fills an empty event. @throws ReadFailure */
  read(record: Json, event: CanonicalEvent): void;
}

export class ReadFailure extends Error {
  readonly code: ErrorCode;
  readonly path: string;

  constructor(code: ErrorCode, path: string, message: string) {
    super(message);
    this.code = code;
    this.path = path;
  }
}
