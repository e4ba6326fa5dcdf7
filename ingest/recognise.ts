/** Which format an element is of: pure, in a fixed order, and never a looser second guess after a reader failed. */
import { isObject } from '../core/fields.ts';
import type { CanonicalEvent } from '../schemas/event.ts';
import { type Gateway, type JsonGateway, ReadFailure, type TextGateway } from './gateway.ts';
import type { Element } from './unwrap.ts';

/** An element with the reader of its format. */
export interface Recognised {
  readonly format: string;
  /** Why it is no request, or ''. */
  skips(): string;
  /** @throws ReadFailure */
  read(event: CanonicalEvent): void;
}

/** `pinned` leaves recognition out. @throws ReadFailure UNKNOWN_FORMAT */
export type Recogniser = (element: Element, pinned: string | undefined) => Recognised;

export function createRecogniser(gateways: ReadonlyMap<string, Gateway>): Recogniser {
  const ordered = [...gateways].toSorted(([, a], [, b]) => a.order - b.order);
  const json = ordered.filter((entry): entry is [string, JsonGateway] => entry[1].form === 'json');
  const text = ordered.filter((entry): entry is [string, TextGateway] => entry[1].form === 'text');

  return (element, pinned) => {
    if ('failure' in element) throw element.failure;
    if ('text' in element) {
      const found = text.find(([name, gateway]) => (pinned === undefined ? gateway.recognises(element.text) : name === pinned));
      if (found === undefined) throw unknown(pinned, 'a line of text', text);
      return bound(found, element.text);
    }
    const { json: record } = element;
    if (!isObject(record)) throw unknown(pinned, 'a JSON value that is no object', json);
    const found = json.find(([name, gateway]) => (pinned === undefined ? gateway.recognises(record) : name === pinned));
    if (found === undefined) throw unknown(pinned, 'a JSON object', json);
    return bound(found, record);
  };
}

function bound<Record>(
  [format, gateway]: readonly [string, { skips(record: Record): string; read(record: Record, event: CanonicalEvent): void }],
  record: Record,
): Recognised {
  return { format, skips: () => gateway.skips(record), read: (event) => gateway.read(record, event) };
}

function unknown(pinned: string | undefined, came: string, known: readonly [string, Gateway][]): ReadFailure {
  const expected = pinned ?? known.map(([name]) => name).join(', ');
  return new ReadFailure('UNKNOWN_FORMAT', '', `expected a record of ${expected}; ${came} came that is none`);
}
