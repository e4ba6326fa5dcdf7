/** The bench: what its page says is what was kept, and what became worse is named. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/sources.ts';

interface Figures {
  readonly values: Readonly<Record<string, number>>;
  readonly ratios: Readonly<Record<string, number>>;
  readonly sizes: Readonly<Record<string, number>>;
}

type Goals = Readonly<Record<string, { readonly atLeast?: number; readonly atMost?: number }>>;

const { compare } = (await import(join(root, 'bench/compare.mjs'))) as {
  compare: (run: Figures, baseline: Figures, options: { goals?: Goals; print: (line: string) => void }) => string[];
};
const { table } = (await import(join(root, 'bench/table.mjs'))) as { table: (rows: readonly object[]) => string };

const figures = (ratio: number, records = 10): Figures => ({ values: { seconds: 1 }, ratios: { ratio }, sizes: { records } });

describe('the page', () => {
  it('says what the baseline and the parts say', () => {
    expect(() => execFileSync(process.execPath, ['bench/page.mjs', '--check'], { cwd: root, stdio: 'pipe' })).not.toThrow();
  });

  it('shows figures with three digits, numbers on the right', () => {
    expect(table([{ name: 'a', rate: 1234.56, share: 0.123456 }])).toBe(
      '| name | rate | share |\n| ---- | ---: | ----: |\n| a    | 1235 | 0.123 |',
    );
  });
});

describe('the comparison', () => {
  const judge = (now: Figures, kept: Figures, goals: Goals = {}) => compare(now, kept, { goals, print: () => {} });

  it('names a ratio that is worse than 1.3 times what was kept', () => {
    expect(judge(figures(1.31), figures(1))).toEqual(['ratio']);
    expect(judge(figures(1.29), figures(1))).toEqual([]);
  });

  it('takes less for worse where a goal asks for at least so much', () => {
    const goals = { ratio: { atLeast: 1.5 } };
    expect(judge(figures(1), figures(1.31), goals)).toEqual(['ratio']);
    expect(judge(figures(2), figures(1), goals)).toEqual([]);
  });

  it('judges nothing where the sizes differ', () => {
    expect(judge(figures(9, 11), figures(1, 10))).toEqual([]);
  });
});

it('a part that does not exist is named together with those that do', () => {
  const { status, stderr } = spawnSync(process.execPath, ['bench/run.mjs', 'no-such-part'], { cwd: root, encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain('no-such-part');
  expect(stderr).toContain('kafka-engine');
});
