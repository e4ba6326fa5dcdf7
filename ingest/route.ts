/**
 * The template of a route from its path alone, where neither the gateway nor the catalogue names one: `/orders/8812` is
 * `/orders/{id}`. Pure and in one pass, nothing learned: a path has the same template for everyone and for ever.
 */

const maxSegments = 10;
/** In UTF-16 units; words of a path are shorter. */
const longestWord = 40;
const id = '{id}';
const date = '{date}';

/**
 * `''` for what is no path. A template stays as it is. A slash at the end and a doubled one count for nothing, the case is
 * kept, and what follows ten segments reads `/*`.
 */
export function inferRoute(path: string): string {
  if (!path.startsWith('/')) return '';
  const hasParameters = path.includes(';'); // `;jsessionid=…`
  const hasVerbs = path.includes(':');
  let out = '';
  let count = 0;
  for (let from = 1; from < path.length;) {
    const next = path.indexOf('/', from);
    const end = next < 0 ? path.length : next;
    if (end > from) {
      if (count++ === maxSegments) return `${out}/*`;
      const verb = hasVerbs ? verbAt(path, from, end) : end;
      const stop = hasParameters ? parametersAt(path, from, verb) : verb;
      out += `/${templateOf(path, from, stop)}${path.slice(verb, end)}`;
    }
    from = end + 1;
  }
  return out === '' ? '/' : out;
}

const [digit, hexLetter, letter, hexCapital, capital, separator] = [1, 2, 3, 4, 5, 6] as const;
/** Of each sign of ASCII; 0 for what no name has. `-._~$!*+:` part the words of a name. */
const kinds = Uint8Array.from({ length: 128 }, (_, code) => {
  const sign = String.fromCharCode(code);
  const at = [/\d/, /[a-f]/, /[a-z]/, /[A-F]/, /[A-Z]/, /[-._~$!*+:]/].findIndex((kind) => kind.test(sign));
  return at + 1;
});
const kindAt = (path: string, at: number): number => {
  const code = path.charCodeAt(at);
  return code < 128 ? (kinds[code] ?? 0) : 0;
};
const isLetter = (kind: number): boolean => kind >= hexLetter && kind <= capital;

/** Where `:cancel` of `8812:cancel` begins, which is a name whatever stands before it; else the end. */
function verbAt(path: string, from: number, end: number): number {
  let at = end - 1;
  while (at > from && end - at <= longestWord && isLetter(kindAt(path, at))) at -= 1;
  return at > from && at < end - 1 && path[at] === ':' ? at : end;
}

function parametersAt(path: string, from: number, end: number): number {
  const at = path.slice(from, end).indexOf(';');
  return at > 0 ? from + at : end;
}

function templateOf(path: string, from: number, end: number): string {
  if (end - from === 10 && isDate(path.slice(from, end))) return date;
  return isName(path, from, end) ? path.slice(from, end) : id;
}

/**
 * Names of a path are words, versions and words with one or two digits: `oauth2`, `k8s`, `v1beta1`. Not a name: a number, more
 * than two digits or digits in two places, a digit in a long word or among many capitals, hex from 8 digits on, and any sign
 * that words do not have (an escape, an at sign, a letter beyond ASCII), all of which callers choose.
 */
function isName(path: string, from: number, end: number): boolean {
  const first = path[from];
  if (end - from > longestWord) return false;
  if (first === '{') return [id, date].includes(path.slice(from, end));
  if (first === 'R' && path.slice(from, end) === 'REDACTED') return false;
  if ((first === 'v' || first === 'V') && isVersion(path.slice(from, end))) return true;
  for (let at = from; at < end;) {
    const stop = wordEnd(path, at, end);
    if (stop < 0) return false;
    at = stop + 1;
  }
  return true;
}

/** Where the word of letters and digits ends that begins at `from`; -1 where it is none. */
function wordEnd(path: string, from: number, end: number): number {
  let digits = 0;
  let runs = 0;
  let capitals = 0;
  let isHex = true;
  let before = 0;
  let at = from;
  for (; at < end; at += 1) {
    const kind = kindAt(path, at);
    if (kind === digit) {
      if (++digits > 2) return -1;
      if (before !== digit) runs += 1;
    } else if (kind === separator) break;
    else if (kind === 0) return -1;
    else {
      if (kind >= hexCapital) capitals += 1;
      if (kind === letter || kind === capital) isHex = false;
    }
    before = kind;
  }
  const length = at - from;
  if (isHex && length >= 8) return -1;
  const isMixed = length >= 10 && capitals * 4 > length && capitals + digits < length;
  return digits > 0 && (digits === length || runs > 1 || length >= 16 || isMixed) ? -1 : at;
}

/** `v1`, `v2.1`, `v1beta1`: at most eight signs, so that it names no more than a few. */
const isVersion = (word: string): boolean => word.length <= 8 && /^v\d[\d.]*(?:(?:alpha|beta|rc)\d*)?$/i.test(word);

const isDate = (word: string): boolean => word[4] === '-' && /^(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/.test(word);
