/**
 * Which rules are worth judging on an event. Nearly all events fall through: first by signs of which each literal of a rule holds
 * one, looked for in the URI as it came; then by the literals themselves.
 */
import type { CanonicalEvent } from '../schemas/event.ts';
import { containsOneOf, escaped, rareSigns } from './literals.ts';
import { fieldOf, uriForms } from './request.ts';
import type { Witnesses } from './witness.ts';

export function createSieve<Rule extends { readonly witnesses: Witnesses }>(
  rules: readonly Rule[],
): (event: CanonicalEvent) => readonly Rule[] {
  const none: readonly Rule[] = [];
  const sieved = rules.map((rule) => ({ rule, mayHold: sieveOf(rule.witnesses) }));
  const ofUris = rules.flatMap(({ witnesses }) => [...witnesses].flatMap(([field, literals]) => (uriForms[field] ? literals : [])));
  const sign = signOf(ofUris);
  const signed = (part: string): string => (part !== '' && sign.test(part) ? part : '');
  return (event) => {
    const path = signed(event.url_path);
    const query = signed(event.url_query);
    let found: Rule[] | null = null;
    for (const { rule, mayHold } of sieved) if (mayHold(event, path, query)) (found ??= []).push(rule);
    return found ?? none;
  };
}

/** `path` and `query` are '' where no rule can hold because of them. */
function sieveOf(witnesses: Witnesses): (event: CanonicalEvent, path: string, query: string) => boolean {
  const sieves = [...witnesses].map(([field, literals]) => {
    const contains = containsOneOf(literals);
    const form = uriForms[field];
    if (form === undefined) return (event: CanonicalEvent) => contains(String(fieldOf(event, field) ?? ''));
    const sign = signOf(literals);
    const stands = (part: string): boolean => part !== '' && sign.test(part) && contains(form(part));
    return (_: CanonicalEvent, path: string, query: string) => stands(path) || stands(query);
  });
  const [only] = sieves;
  return sieves.length === 1 && only ? only : (event, path, query) => sieves.some((mayHold) => mayHold(event, path, query));
}

/** Whatever a form makes a blank of. */
const blanks = ['\0', '\t', '\n', '\v', '\f', '\r', '+', '*'];

/**
 * A sign can stand behind a percent sign, and anything behind two of them or behind one that is malformed. A blank can come of
 * `+`, of other white space and of a comment, whose end has a star or is the end of a line; `&` of a comment that can be read
 * in several ways.
 */
function signOf(literals: readonly string[]): RegExp {
  const signs = rareSigns(literals);
  if (signs === null) return /^/;
  const isMade = signs.includes(' ') || signs.includes('&');
  const all = isMade ? [...signs, ...blanks] : signs;
  const bytes = [...all.map((sign) => sign.charCodeAt(0).toString(16).padStart(2, '0')), '25', ...(isMade ? ['[89a-f]'] : [])];
  return new RegExp(`[${all.map(escaped).join('')}${isMade ? '\\u0080-\\uffff' : ''}]|%(?:${bytes.join('|')}|(?![\\da-f]{2}))`, 'i');
}
