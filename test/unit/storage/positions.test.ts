import { describe, expect, test } from 'vitest';
import { createDatabaseClock } from '../../../storage/positions.ts';
import { effective, type Claim } from '../../../storage/ledger.ts';
import { originClaim } from '../../../storage/positions.ts';

const row = (more: Partial<Claim> = {}): Claim => ({
  ...originClaim(0, { receivedAt: 5, writer: 'w', note: '' }),
  firstOffset: 0,
  lastOffset: 9,
  ...more,
});

describe('the row of a claim that counts', () => {
  test('has the highest revision, then the highest attempt', () => {
    expect(
      effective([row({ revision: 1, events: 1 }), row({ attempt: 2, events: 3 }), row({ revision: 1, attempt: 1, events: 2 })]),
    ).toEqual([row({ revision: 1, attempt: 1, events: 2 })]);
  });

  test('may stand there twice, but not in two versions, and no revision moves a range or its time', () => {
    expect(effective([row(), row()])).toEqual([row()]);
    for (const other of [row({ events: 1 }), row({ revision: 1, lastOffset: 8 }), row({ revision: 1, receivedAt: 6 })])
      expect(() => effective([row(), other])).toThrow(expect.objectContaining({ code: 'LEDGER_INCONSISTENT' }));
  });
});

describe("ClickHouse's clock", () => {
  const clockOff = async (byMs: number) => {
    const clock = createDatabaseClock({ now: async () => 1_000_000 + byMs }, { now: () => 1_000_000 });
    await clock.measure();
    return clock;
  };

  test('is followed when this machine is a little off', async () => {
    expect((await clockOff(60_000)).now()).toBe(1_060_000);
    expect((await clockOff(-60_000)).now()).toBe(940_000);
  });

  test('is refused when this machine is more than a minute off', async () => {
    for (const byMs of [60_001, -60_001]) {
      const clock = await clockOff(byMs);
      expect(() => clock.now()).toThrow(expect.objectContaining({ code: 'CLOCK_SKEW' }));
    }
  });
});
