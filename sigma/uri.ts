/** The forms of a path or a query in which attacks can be written, and the rules against them. Linear in the text. */

export type Form = (part: string) => string;

export const asItCame: Form = (part) => part;

/** `uri_d`: without percent signs, and with blanks for `+` as forms are written; twice where one layer hides another. What is malformed stays. */
export const decoded: Form = (part) => (part.includes('%') || part.includes('+') ? openedTwice(part) : part);

const openedTwice = lastOf((part) => {
  const plain = part.includes('+') ? part.split('+').join(' ') : part;
  const once = opened(plain);
  return once.includes('%') ? opened(once) : once;
});

/**
 * `uri_sql`: decoded, and one blank for what SQL takes for one: comments, tabs, line ends, blanks in a row. Where it is not certain
 * what a comment is, each reading, as if the parameters were sent once more: every rule takes `&` for the end of a value.
 */
export const spaced: Form = (part) => {
  const plain = decoded(part);
  if (!/[\t-\r\0\xa0]|\/\*|\*\/| {2}/.test(plain)) return plain;
  return mayHide(plain) ? inAllReadings(plain) : oneBlank(withoutBlocks(plain));
};

const inAllReadings = lastOf((text) => [...new Set(readings.map((reading) => oneBlank(reading(text))))].join('&'));

function oneBlank(text: string): string {
  return text.replaceAll(/[\s\0]+/g, ' ');
}

/** Whether a comment may hold anything; in most texts with line ends or a star for any type none does. */
function mayHide(text: string): boolean {
  const block = text.indexOf('/*');
  return (block >= 0 && text.includes('*/', block + 3)) || (/[\n\r]/.test(text) && /--|#/.test(text));
}

/** Several rules ask for the same part one after the other. */
function lastOf(form: Form): Form {
  let last = '';
  let answer = '';
  return (part) => {
    if (part !== last) {
      answer = form(part);
      last = part;
    }
    return answer;
  };
}

/** What each sign is worth as a hexadecimal digit; -1 where it is none. */
const digits = Int8Array.from({ length: 128 }, (_, code) => '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase()));

/** The byte that a percent sign and two digits stand for; -1 where they are none. */
function byteAt(text: string, at: number): number {
  const high = digits[text.charCodeAt(at + 1)] ?? -1;
  const low = digits[text.charCodeAt(at + 2)] ?? -1;
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function opened(text: string): string {
  let out = '';
  let from = 0;
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at + 1)) {
    const byte = byteAt(text, at);
    if (byte >= 0x80 || text[at + 1] === 'u' || text[at + 1] === 'U') return out + openedBytes(text.slice(from));
    if (byte < 0) continue;
    out += text.slice(from, at) + String.fromCharCode(byte);
    from = at + 3;
    at += 2;
  }
  return out + text.slice(from);
}

/** Letters of several bytes, and `%u0027` as some servers take it. Bytes that are no UTF-8 become U+FFFD. */
function openedBytes(text: string): string {
  return text.replaceAll(/%u([\da-f]{4})|(?:%[\da-f]{2})+/gi, (run, unit?: string) =>
    unit === undefined ? Buffer.from(run.replaceAll('%', ''), 'hex').toString() : String.fromCharCode(Number.parseInt(unit, 16)),
  );
}

const blocks = /\/\*(?:M?!\d{0,6})?/g;
const blocksAndLines = /\/\*(?:M?!\d{0,6})?|--|#/g;
const withoutBlocks: Form = (text) => withoutComments(text, blocks);

/**
 * A comment can hide a statement: its marks may stand in two parameters, steps of a path or quoted texts, where they are none; and
 * `--` and `#` are signs of reckoning in some dialects. So none of these tells all: without the comments of the whole; also without
 * those that a line end closes; without those alone that end in their parameter; without those that hold no quote and no slash.
 */
const readings: readonly Form[] = [
  withoutBlocks,
  (text) => withoutComments(text, blocksAndLines),
  (text) => withoutComments(text, blocksAndLines, '&'),
  (text) => text.replaceAll(/\/\*(?:M?!\d{0,6}|[^'"`\]&;/]*\*\/)/g, ' ').replaceAll('*/', ' '),
];

/** What MySQL runs although it stands in a comment, behind a mark and a version, stays. A comment without an end is none, nor one with `border` in it. */
function withoutComments(text: string, starts: RegExp, border?: string): string {
  const blockEnd = nextIn(text, '*/');
  const lineEnd = nextIn(text.includes('\r') ? text.replaceAll('\r', '\n') : text, '\n');
  const limit = border === undefined ? () => Infinity : nextIn(text, border);
  let out = '';
  let from = 0;
  starts.lastIndex = 0;
  for (let found = starts.exec(text); found; found = starts.exec(text)) {
    const [start] = found;
    const at = starts.lastIndex;
    const end = start.length > 2 ? at : start === '/*' ? blockEnd(at) + 2 : lineEnd(at) + 1;
    if (end > Math.min(limit(at), text.length)) continue;
    out += `${text.slice(from, found.index)} `;
    from = starts.lastIndex = end;
  }
  return (out + text.slice(from)).replaceAll('*/', ' ');
}

/** Where a sign stands next, for places that grow: what was searched for one is not searched for another. */
function nextIn(text: string, sign: string): (at: number) => number {
  let next = -1;
  return (at) => {
    if (next < at) next = text.indexOf(sign, at);
    if (next < 0) next = Infinity;
    return next;
  };
}
