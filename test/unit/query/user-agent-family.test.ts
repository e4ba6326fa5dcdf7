import { expect, test } from 'vitest';
import { families, familyOf, userAgentFamily } from '../../../query/user-agent-family.ts';
import { userAgents } from '../../support/user-agents.ts';
import { cpuMs } from '../../support/cpu.ts';

const words = families.flatMap(([, ...each]) => each);

test('the expression is one search in one list, and a name for the rest', () => {
  const list = (values: readonly string[]) => `[${values.map((value) => `'${value}'`).join(', ')}]`;
  const names = families.flatMap(([family, ...each]) => each.map(() => family));
  const agent = 'toLowCardinality(user_agent_original)';
  expect(userAgentFamily).toBe(
    `if(user_agent_original = '', '', if(startsWith(${agent}, 'Mozilla/'), ${list(names)}[` +
      `multiSearchFirstIndexCaseInsensitive(${agent}, ${list(words)})], ` +
      `ifNull(nullIf(extract(${agent}, '^(?:Python/[0-9.]+ )?(Amazon CloudFront$|[A-Za-z]{1,20}[0-9]{0,2}(?:[._-][A-Za-z]{1,20}[0-9]{0,2}){0,5})(?:[/;]|$| \\\\(| v?[0-9])'), ''), 'Other')))`,
  );
});

test.each(userAgents)('%s is the family of %j', (family, agent) => expect(familyOf(agent)).toBe(family));

test('no agent, no family; and one of any length takes no time to speak of', () => {
  expect(familyOf('')).toBe('');
  const hostile = ['a.', 'a1-', 'Python/1', ' ', '/'].map((part) => part.repeat(4_000));
  expect(cpuMs(() => hostile.map(familyOf))).toBeLessThan(500);
});

test('every family has words, and every word can count: none stands behind one that it holds', () => {
  for (const [family, ...each] of families) expect(each.length, family).toBeGreaterThan(0);
  for (const [at, word] of words.entries())
    for (const earlier of words.slice(0, at)) expect(word.includes(earlier), `${word} behind ${earlier}`).toBe(false);
});

test('what the engine searches for is lower case, and of characters that stand for themselves between quotes', () => {
  expect(words.length).toBeLessThanOrEqual(255); // of multiSearch
  for (const word of words) expect(word).toMatch(/^[a-z0-9.+!/;)_ -]{2,}$/);
  for (const [family] of families) expect(family).toMatch(/^[A-Za-z0-9._ -]+$/);
});

test('nothing that calls itself Mozilla is without a family', () => expect(families.at(-1)).toEqual(['Other', 'mozilla/']));
