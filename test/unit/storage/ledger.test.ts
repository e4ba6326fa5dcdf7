/** Which row of a claim counts, and what nobody may settle by choosing. */
import { describe, expect, test } from 'vitest';
import { type Claim, claimToken, effective, originOffset } from '../../../storage/ledger.ts';

const row = (more: Partial<Claim> = {}): Claim => ({
  firstOffset: 0,
  lastOffset: 9,
  messages: 10,
  records: 10,
  events: 10,
  rejected: 0,
  skipped: 0,
  gapReason: '',
  note: '',
  receivedAt: 1000,
  minTimestamp: 1,
  maxTimestamp: 2,
  normaliser: 'n',
  lastSha256: 'a',
  lastTimestamp: 3,
  settled: false,
  attempt: 0,
  writer: 'w',
  revision: 0,
  sequence: 1,
  ...more,
});

describe('the effective row', () => {
  test('is that of the highest revision, then of the highest attempt, in whatever order they come', () => {
    const rows = [
      row(),
      row({ revision: 1, events: 9, rejected: 1 }),
      row({ revision: 1, attempt: 1, events: 8, rejected: 2 }),
      row({ attempt: 5 }),
    ];
    for (const order of [rows, rows.toReversed()]) expect(effective(order)).toEqual([rows[2]]);
  });

  test('is found for each claim, in their order', () => {
    const rows = [
      row({ firstOffset: -1, lastOffset: -1 }),
      row(),
      row({ firstOffset: 10, lastOffset: 12 }),
      row({ revision: 2, settled: true }),
    ];
    expect(effective(rows)).toEqual([rows[0], rows[3], rows[2]]);
  });

  test('may differ from the claim in counts, normaliser, gap reason and settled', () => {
    const revised = row({ revision: 1, events: 0, records: 0, normaliser: 'gap', gapReason: 'RETENTION_OVERRUN', settled: true });
    expect(effective([row(), revised])).toEqual([revised]);
  });

  test('is not doubted for a row that is there twice', () => {
    expect(effective([row(), row()])).toEqual([row()]);
  });
});

describe('the ledger is inconsistent', () => {
  test.each<[string, Claim]>([
    ['two different rows have one revision and attempt', row({ events: 9 })],
    ['a revision ends elsewhere', row({ revision: 1, lastOffset: 8 })],
    ['a revision has another time of arrival', row({ revision: 1, receivedAt: 1001 })],
    ['another attempt has another range', row({ attempt: 1, lastOffset: 8 })],
  ])('when %s', (_, other) => {
    for (const rows of [
      [row(), other],
      [other, row()],
    ])
      expect(() => effective(rows)).toThrow(expect.objectContaining({ code: 'LEDGER_INCONSISTENT' }));
  });
});

describe('the token of a claim', () => {
  test('names where the batch starts and nothing of where it ends', () => {
    const key = { logId: 'c1', sourceEpoch: 2, topic: 'gw', partition: 3 };
    expect(claimToken(key, 40)).toBe('c1:2:gw:3:40');
    expect(claimToken(key, originOffset)).toBe('c1:2:gw:3:origin');
  });
});
