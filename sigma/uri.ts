/** The forms of a path or a query in which attacks can be written, and the rules against them. Linear in the text. */

export type Form = (part: string) => string;

export const asItCame: Form = (part) => part;

/** `uri_d`: without percent signs, and with blanks for `+` as forms are written; twice where one layer hides another. What is malformed stays. */
export const decoded: Form = lastOf((part) => {
  const plain = part.includes('+') ? part.split('+').join(' ') : part;
  const once = opened(plain);
  return once.includes('%') ? opened(once) : once;
});

/** `uri_sql`: decoded, and one blank for what SQL takes for one: comments, tabs, line ends, blanks in a row. */
export const spaced: Form = (part) => {
  const plain = decoded(part);
  return /[\t-\r\0\xa0]|\/\*|\*\/| {2}/.test(plain) ? withoutComments(plain).replaceAll(/[\s\0]+/g, ' ') : plain;
};

/** Several rules ask for the same part one after the other. */
function lastOf(form: Form): Form {
  let last = '';
  let answer = '';
  return (part) => {
    if (!part.includes('%') && !part.includes('+')) return part;
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

/** What MySQL runs although it stands in a comment, behind a mark and a version, stays. A comment without an end is none. */
function withoutComments(text: string): string {
  let out = '';
  let from = 0;
  for (let at = text.indexOf('/*'); at >= 0; at = text.indexOf('/*', from)) {
    const mark = /^\/\*M?!\d{0,6}/.exec(text.slice(at, at + 10))?.[0];
    const end = mark === undefined ? text.indexOf('*/', at + 2) + 2 : at + mark.length;
    if (end < at + 2) break;
    out += `${text.slice(from, at)} `;
    from = end;
  }
  return (out + text.slice(from)).replaceAll('*/', ' ');
}
