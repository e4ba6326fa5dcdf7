/** What of a path and a query may be stored: the words of a path that say nothing about anybody, the keys of parameters, and values that are allowed. */
import { remembered } from '../core/remembered.ts';
import { isRandom } from './random.ts';
import { isSecret, redacted, redactText, unescaped } from './secrets.ts';

/** `page=2&token=x` becomes `page=REDACTED&token=REDACTED`; reading that again changes nothing. Semicolons part as well as ampersands. */
export function redactQuery(query: string, allowed: ReadonlySet<string>): string {
  if (query === '') return '';
  let out = '';
  let from = 0;
  for (let at = 0; at < query.length; at += 1) {
    const sign = query.charCodeAt(at);
    if (sign !== 0x26 && sign !== 0x3b) continue;
    out += redactPair(query.slice(from, at), allowed) + query[at];
    from = at + 1;
  }
  return out + redactPair(query.slice(from), allowed);
}

function redactPair(pair: string, allowed: ReadonlySet<string>): string {
  const at = pair.indexOf('=');
  // A key without a value can be the secret itself.
  if (at < 0) return redactKey(pair);
  const key = pair.slice(0, at);
  return `${allowed.has(key) ? key : redactKey(key)}=${allowed.has(key) ? redactText(pair.slice(at + 1)) : redacted}`;
}

const redactKey = remembered((key) => (looksLikeAName(key) ? key : redacted), 4_000);

/** Keys of parameters are short words, `filter[name]` among them; anything else in their place is taken for a value. */
function looksLikeAName(key: string): boolean {
  return key.length <= 64 && !/[\s"'`<>{}\\^|=#?/]|%(?:2[2fF]|3[dDfF]|7[bBdD]|25)/.test(key) && redactWord(key) === key;
}

/** The shortest that can be an e-mail address. */
const shortestSegment = 6;
const redactWord = (word: string): string => (word.length < shortestSegment ? word : repeatedWord(word));
const repeatedWord = remembered((word) => (hidesSomething(word) ? redacted : word), 4_000);

/**
 * Segments that look like an e-mail address, a token or a card number are replaced; numbers, UUIDs and words stay. Parameters are
 * treated as those of a query, wherever they stand, and what would be a query or a fragment goes as a whole.
 */
export function redactPath(path: string, allowed: ReadonlySet<string>): string {
  if (!/[?#;&=]/.test(path)) return redactSegments(path, redactWord, shortestSegment);
  const parameters = (segment: string) => (/[;&=]/.test(segment) ? redactParameters(segment, allowed) : redactWord(segment));
  const end = path.search(/[?#]/);
  return end < 0 ? redactSegments(path, parameters, 1) : `${redactSegments(path.slice(0, end), parameters, 1)}#${redacted}`;
}

/** `{id}`, `{id:int}`, `{page=1}`, `<int:id>`, `:id` and what may be left out, `{id?}` and `:id?`: names of parameters, and no values. */
const template = /\{[^{}/]*\}|<[^<>/]*>|:\w+\?/g;
/**
 * A regular expression, as Kong's behind a tilde, or a wildcard: what looks like a query or a parameter in it is none. A bracket
 * alone is a part of a path, as OData has it; one behind which something may be repeated or left out is not, unless a query follows.
 */
const isPattern = /^~|[*[\\^|]|\(\?|\)(?:[+*]|\?(?![\w.-]+=))|\$$/;

/** As a path: some gateways write the path itself where a route stands, or what is left of it. Templates and patterns stay. */
export function redactRoute(route: string, allowed: ReadonlySet<string>): string {
  const isPath = !isPattern.test(route) && /[?#;&=]/.test(route.replaceAll(template, ''));
  return isPath ? redactPath(route, allowed) : redactSegments(route, redactSegmentOfRoute, shortestSegment);
}

const redactSegmentOfRoute = (segment: string): string => (/[[\\^|]|\(\?|\)[?*+]/.test(segment) ? segment : redactWord(segment));

/** Those of at least `shortest` signs; the others stay. */
function redactSegments(path: string, redactOne: (segment: string) => string, shortest: number): string {
  let out = '';
  let kept = 0;
  for (let from = 0; from <= path.length;) {
    const slash = path.indexOf('/', from);
    const end = slash < 0 ? path.length : slash;
    if (end - from >= shortest) {
      const segment = path.slice(from, end);
      const clean = redactOne(segment);
      if (clean !== segment) {
        out += path.slice(kept, from) + clean;
        kept = end;
      }
    }
    from = end + 1;
  }
  return kept === 0 ? path : out + path.slice(kept);
}

/** `users;jsessionid=x` becomes `users;jsessionid=REDACTED`: RFC 3986, 3.3. */
function redactParameters(segment: string, allowed: ReadonlySet<string>): string {
  const [name = '', ...others] = segment.split(/(?=[;&])/);
  const first = name.includes('=') && !/^[;&]/.test(name) ? redactPair(name, allowed) : redactWord(name);
  return first + others.map((each) => each[0] + redactPair(each.slice(1), allowed)).join('');
}

/** Also behind percent signs: an encoded slash parts words as a slash does, and an encoded `=` stands in front of a value. */
function hidesSomething(word: string): boolean {
  const plain = word.includes('%') ? unescaped(word) : word;
  if (plain !== word && plain.includes('=')) return true;
  if (/[^@\s]@[^@\s]/.test(plain) || isSecret(plain)) return true;
  return plain.length >= 20 && plain.split(/[^\w+.~-]/).some(isRandom);
}
