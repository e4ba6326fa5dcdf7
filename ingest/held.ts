/** What a replay has read and not yet stored. */
import { maxNoteLength } from '../storage/replays.ts';
import type { Settled } from './read-again.ts';

/** Rows, and characters of their texts. */
const maxRows = 20_000;
const maxText = 16 * 1024 * 1024;

/** Items until they are as much as one row of the ledger can name, or one block should take. */
export function createHolder() {
  let items: Settled[] = [];
  let [note, rows, text] = [0, 0, 0];
  let next = { note: 0, rows: 0, text: 0 };
  return {
    isFullWith({ letter, events }: Settled, firstOffset: number): boolean {
      next = {
        note: `${letter.offset - firstOffset}.${letter.index}_`.length,
        rows: events.length,
        text: events.reduce((sum, { event }) => sum + textOf(event), 0),
      };
      return items.length > 0 && (note + next.note > maxNoteLength || rows + next.rows > maxRows || text + next.text > maxText);
    },
    add(item: Settled): void {
      items.push(item);
      [note, rows, text] = [note + next.note, rows + next.rows, text + next.text];
    },
    take(): Settled[] {
      const taken = items;
      items = [];
      [note, rows, text] = [0, 0, 0];
      return taken;
    },
  };
}

function textOf(event: object): number {
  let length = 0;
  for (const value of Object.values(event) as unknown[]) if (typeof value === 'string') length += value.length;
  return length;
}
