/**
 * How far each file was imported, so that a repeated `gatetrail import` goes on after it. A file is known by its content:
 * the part imported before must stand unchanged at its start, whatever the file is called now.
 */
import { createHash, type Hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Mark {
  /** Bytes of the opened file that are in the log. */
  readonly end: number;
  /** SHA-256 of those bytes. */
  readonly sha256: string;
  /** Columns in force there, for W3C files. */
  readonly fields: string;
}

export interface Progress {
  /** The furthest mark whose content stands at the start of what is read, or null. */
  find(content: AsyncIterable<Buffer>): Promise<Mark | null>;
  save(mark: Mark): void;
}

/** Keeps at most this many marks: the oldest go first. */
const maxMarks = 10_000;

export function openProgress(file: string): Progress {
  let marks = read(file);
  return {
    find: (content) => furthest(marks, content),
    save(next) {
      marks = [...marks, next].slice(-maxMarks);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.new`, JSON.stringify(marks), { mode: 0o600 });
      renameSync(`${file}.new`, file); // a crash leaves the old list or the new one, never half of one
    },
  };
}

/** A damaged list costs a second import, never a loss. */
function read(file: string): Mark[] {
  if (!existsSync(file)) return [];
  try {
    const marks: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(marks) ? marks.filter(isMark) : [];
  } catch {
    return [];
  }
}

function isMark(value: unknown): value is Mark {
  return (
    typeof value === 'object' && value !== null && 'end' in value && typeof value.end === 'number' && 'sha256' in value && 'fields' in value
  );
}

async function furthest(marks: readonly Mark[], content: AsyncIterable<Buffer>): Promise<Mark | null> {
  const byEnd = new Map<number, Mark[]>();
  for (const each of marks) byEnd.set(each.end, [...(byEnd.get(each.end) ?? []), each]);
  const ends = [...byEnd.keys()].toSorted((a, b) => a - b);
  if (ends.length === 0) return null;
  const hash = createHash('sha256');
  let position = 0;
  let next = 0;
  let found: Mark | null = null;
  for await (const chunk of content) {
    let from = 0;
    for (let end = ends[next]; end !== undefined && end <= position + chunk.length; end = ends[next]) {
      hash.update(chunk.subarray(from, end - position));
      from = end - position;
      const sha256 = digestSoFar(hash);
      found = byEnd.get(end)?.find((candidate) => candidate.sha256 === sha256) ?? found;
      next += 1;
    }
    if (next >= ends.length) break;
    hash.update(chunk.subarray(from));
    position += chunk.length;
  }
  return found;
}

export const digestSoFar = (hash: Hash): string => hash.copy().digest('hex');
