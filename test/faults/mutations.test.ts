/** Every rule of the write protocol is missed by a test when it is taken out of the source: `npm run campaign -- mutations`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { campaign } from '../support/campaign.ts';
import { type Copy, copyOfTheSource, mutations } from '../support/mutations.ts';

const { full, report } = campaign('mutations', {}, {});

// Each takes a whole run of a test; `npm test` only looks that the rules still stand where they are taken out.
describe.runIf(full)('without the rule a test fails', () => {
  let copy: Copy;
  beforeAll(() => {
    copy = copyOfTheSource();
  });
  afterAll(() => copy.remove());

  test.each([...new Set(mutations.map(({ test: [project, file] }) => `${project} ${file}`))])('and none with all rules: %s', (name) => {
    const [project = '', file = ''] = name.split(' ');
    expect(copy.run([project, file]).failed).toBe(false);
  });

  test.each(mutations)('$rule: $what', (mutation) => {
    const { failed, output } = copy.without(mutation, () => copy.run(mutation.test));
    const [, runs] = /Property failed after (\d+) tests/.exec(output) ?? [];
    report({ rule: mutation.rule, what: mutation.what, caught: failed, by: mutation.test[1], afterRuns: Number(runs ?? 0) });
    expect(failed).toBe(true);
  });
});
