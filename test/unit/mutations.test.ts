/** The rules that the campaign takes out of the source still stand where it looks for them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mutated, mutations } from '../support/mutations.ts';

test.each(mutations)('$rule can be taken out, once: $what', (mutation) => {
  expect(mutated(mutation)).toContain(mutation.replacement);
});

test.each([...new Set(mutations.map(({ test: [, file] }) => file))])('%s is there to miss it', (file) => {
  expect(existsSync(join(import.meta.dirname, '../..', file))).toBe(true);
});
