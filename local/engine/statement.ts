/**
 * Takes a statement apart just far enough to run it through chdb: where its data begins, which format it asks for,
 * whether a second statement hides behind it. Text is read as latin1, so that a place in the text is a place in the bytes.
 */
import { refuse } from './refusal.ts';

export type Statement =
  /** `INSERT … FORMAT X` with data behind it: `before` and `after` stand around the place of `FROM INFILE`. */
  | { readonly kind: 'insert'; readonly before: string; readonly after: string; readonly inline: Buffer }
  /** A reading statement; `before` and `after` stand around the place of `INTO OUTFILE`. */
  | { readonly kind: 'select'; readonly before: string; readonly after: string; readonly format: string | null; readonly totals: boolean }
  /** `defines`: writes a definition, which half written would lose its table; parts that go make room. */
  | {
      readonly kind: 'other';
      readonly sql: string;
      readonly format: string | null;
      readonly reads: boolean;
      readonly defines: boolean;
    };

/** @throws Refusal 62 for a second statement or an unclosed quote, 48 for what only a server or only a client can do. */
export function splitStatement(sql: Buffer): Statement {
  const words = tokens(sql.toString('latin1'));
  const top = words.filter((word) => word.depth === 0);
  const text = (from: number, to?: number) => sql.subarray(from, to).toString('utf8');
  const insert = top[0]?.upper === 'INSERT' ? insertParts(top, words) : null;
  if (insert !== null) {
    const format = insert.format === null ? '' : ` ${insert.format}`;
    return {
      kind: 'insert',
      before: text(0, insert.infileAt).trimEnd(),
      after: `${text(insert.infileAt, insert.formatAt)}${format}`.trim(),
      inline: sql.subarray(insert.dataAt),
    };
  }
  const end = endOf(top, sql.length);
  if (follows(top, 'INTO', 'OUTFILE')) {
    throw refuse(48, 'INTO OUTFILE writes on the side of the client; over HTTP the answer is the body.');
  }
  if (top[0]?.upper === 'INSERT' && follows(top, 'FROM', 'INFILE')) {
    throw refuse(48, 'FROM INFILE reads on the side of the client; over HTTP the data is the body.');
  }
  const first = words.find((word) => word.upper !== '(')?.upper ?? '';
  const format = outputFormat(top);
  if (!(first === 'SELECT' || (first === 'WITH' && !top.some((word) => word.upper === 'INSERT')) || first === 'FROM')) {
    const defines = defining.has(first) && !follows(top, 'DROP', 'PART') && !follows(top, 'DROP', 'PARTITION');
    return { kind: 'other', sql: text(0, end), format: format?.name ?? null, reads: reading.has(first), defines };
  }
  const cut = format?.at ?? end;
  const totals = words.some((word) => word.upper === 'TOTALS');
  return { kind: 'select', before: text(0, cut).trimEnd(), after: text(cut, end), format: format?.name ?? null, totals };
}

function follows(words: readonly Word[], first: string, second: string): boolean {
  return words.some((word, place) => word.upper === second && words[place - 1]?.upper === first);
}

const defining = new Set(['CREATE', 'ALTER', 'RENAME', 'EXCHANGE']);
const reading = new Set(['SHOW', 'DESCRIBE', 'DESC', 'EXISTS', 'EXPLAIN', 'CHECK', 'SELECT', 'WITH', 'FROM']);

interface Word {
  readonly text: string;
  readonly upper: string;
  readonly at: number;
  readonly end: number;
  readonly depth: number;
}

interface InsertParts {
  readonly infileAt: number;
  readonly formatAt: number;
  readonly dataAt: number;
  /** Set where the statement says VALUES or nothing in the place of FORMAT. */
  readonly format: string | null;
}

/** null for an insert that brings no data of its own (`INSERT … SELECT`). */
function insertParts(top: readonly Word[], words: readonly Word[]): InsertParts | null {
  const place = (upper: string) => top.findIndex((word, index) => word.upper === upper && index > 1);
  const body = place('SELECT') >= 0 || place('WITH') >= 0 || place('FROM') >= 0 || place('WATCH') >= 0;
  const format = place('FORMAT');
  if (body) {
    if (words.some((word, index) => word.upper === 'INPUT' && words[index + 1]?.upper === '(')) {
      throw refuse(
        48,
        'INSERT … SELECT FROM input() reports success and stores nothing in the embedded engine. Insert into a Null table with a view instead.',
      );
    }
    return null;
  }
  const settings = place('SETTINGS');
  const values = place('VALUES');
  const name = top[format + 1];
  if (format >= 0 && name !== undefined) {
    const formatAt = name.end;
    return { infileAt: top[settings >= 0 && settings < format ? settings : format]!.at, formatAt, dataAt: formatAt, format: null };
  }
  if (values >= 0) {
    // `values` is an index that findIndex gave, and so is `settings` where it is used.
    const word = top[values]!;
    const infileAt = settings >= 0 && settings < values ? top[settings]!.at : word.at;
    return { infileAt, formatAt: word.at, dataAt: word.end, format: 'FORMAT Values' };
  }
  const end = endOf(top, top.at(-1)?.end ?? 0);
  return { infileAt: settings >= 0 ? top[settings]!.at : end, formatAt: end, dataAt: end, format: 'FORMAT Values' };
}

/** The last `FORMAT name` outside of brackets; a column may be called format, so it must be followed by a name and by nothing but SETTINGS. */
function outputFormat(top: readonly Word[]): { name: string; at: number } | null {
  const place = top.findLastIndex((word, index) => {
    const name = top[index + 1];
    const next = top[index + 2]?.upper;
    return (
      word.upper === 'FORMAT' &&
      index > 0 &&
      name !== undefined &&
      /^\w+$/.test(name.text) &&
      (next === undefined || next === 'SETTINGS' || next === ';')
    );
  });
  const word = top[place];
  const name = top[place + 1];
  return word === undefined || name === undefined ? null : { name: name.text, at: word.at };
}

/** Where the statement ends: before a closing semicolon. A word behind the semicolon is a second statement. */
function endOf(top: readonly Word[], length: number): number {
  const place = top.findIndex((word) => word.upper === ';');
  if (place < 0) return length;
  if (top.slice(place).some((word) => word.upper !== ';')) throw refuse(62, 'Syntax error (Multi-statements are not allowed)');
  return top[place]!.at; // `place` is an index that findIndex gave
}

const token =
  /\s+|--[^\n]*|#[! ][^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`\\]|\\[\s\S]|``)*`|\$(\w*)\$[\s\S]*?\$\1\$|[A-Za-z_\x80-\xff][\w\x80-\xff]*|[0-9][\w.]*|[\s\S]/y;
const skipped = /^(?:\s|--|#[! ]|\/\*)/;
const opening = new Set(['(', '[', '{']);
const closing = new Set([')', ']', '}']);

/** Words, quoted things and signs without spaces and comments, up to where the data of an insert begins. */
function tokens(sql: string): Word[] {
  const found: Word[] = [];
  let depth = 0;
  token.lastIndex = 0;
  while (token.lastIndex < sql.length) {
    const at = token.lastIndex;
    const text = token.exec(sql)?.[0] ?? ''; // the last alternative takes any character: there is always a match
    if (skipped.test(text)) continue;
    if (text === "'" || text === '"' || text === '`') throw refuse(62, `Syntax error: the quote at ${at + 1} is not closed`);
    if (closing.has(text)) depth -= 1;
    found.push({ text, upper: text.toUpperCase(), at, end: token.lastIndex, depth });
    if (opening.has(text)) depth += 1;
    if (dataBegins(found)) break;
  }
  return found;
}

/** In an insert, nothing behind `VALUES` or `FORMAT name` is SQL; before a SELECT there is no such word outside of brackets. */
function dataBegins(found: readonly Word[]): boolean {
  const word = found.at(-1);
  if (found[0]?.upper !== 'INSERT' || word?.depth !== 0 || found.length < 4) return false;
  const selects = found.some(
    (other) => other.depth === 0 && (other.upper === 'SELECT' || other.upper === 'WITH' || other.upper === 'FROM'),
  );
  if (selects) return false;
  const before = found.at(-2);
  return word.upper === 'VALUES' || (before?.upper === 'FORMAT' && before.depth === 0 && /^\w+$/.test(word.text));
}
