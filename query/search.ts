/** The search phrase as a filter: `consumer:mobile-app status:>=400 path:/orders/* -method:GET "two words"`. */
import { AuditError } from '../core/errors.ts';

/** A value of AuditEventFilter. */
export type Match = Readonly<Record<string, unknown>>;

const numbers = new Set(['status', 'upstreamStatus', 'durationMs', 'upstreamDurationMs', 'requestBytes', 'responseBytes']);
const words = new Set(['id', 'outcome', 'signal', 'lifecycle', 'dataClass']);
const signs: Readonly<Record<string, string>> = { '>=': 'gte', '>': 'gt', '<=': 'lte', '<': 'lt', '': 'eq' };

export function parseSearch(phrase: string): Match {
  if (phrase.length > 2_000) throw new AuditError('BAD_USER_INPUT', 'A search phrase has at most 2000 characters');
  const parts = phrase.match(/-?(?:[A-Za-z]+:)?(?:"[^"]*"|[^\s"]+)/g) ?? [];
  return { and: parts.length === 0 ? [{}] : parts.map(term) };
}

function term(part: string): Match {
  const [dashes = ''] = /^-+(?=.)/s.exec(part) ?? [];
  if (dashes !== '') {
    const rest = term(part.slice(dashes.length));
    return dashes.length % 2 === 0 ? rest : { not: rest };
  }
  const [, name, quoted, bare] = /^(?:([A-Za-z]+):)?(?:"([^"]*)"|(.+))$/s.exec(part) ?? [];
  const value = quoted ?? bare ?? '';
  if (name === undefined) return { or: ['path', 'route', 'consumer', 'requestId'].map((field) => ({ [field]: { contains: value } })) };
  if (name === 'search') throw new AuditError('BAD_USER_INPUT', 'There is no filter field search in a search phrase');
  if (numbers.has(name)) return { [name]: comparison(name, value) };
  if (words.has(name)) return { [name]: [name === 'outcome' || name === 'lifecycle' ? value.toUpperCase() : value] };
  if (name === 'clientAddress') return { clientAddress: { in: [value] } };
  if (quoted === undefined && value.includes('*')) return { [name]: { matches: wildcard(value) } };
  return { [name]: { eq: value } };
}

function comparison(name: string, value: string): Match {
  const [, sign = '', number] = /^(>=|>|<=|<|)(-?\d+(?:\.\d+)?)$/.exec(value) ?? [];
  if (number === undefined)
    throw new AuditError('BAD_USER_INPUT', `In the search phrase ${name} wants a number, got ${JSON.stringify(value)}`);
  return { [signs[sign] ?? 'eq']: Number(number) };
}

const wildcard = (value: string) =>
  `^${value
    .split('*')
    .map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`))
    .join('.*')}$`;
