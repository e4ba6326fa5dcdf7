import { describe, expect, test } from 'vitest';
import { createTraffic, type Posting } from '../../../../app/demo/traffic.ts';

const startedAt = Date.parse('2026-11-24T10:00:00Z');
const minute = (calm: boolean, rate = 40) => createTraffic({ rate, calm })(startedAt, 0, 60_000);
const recordsOf = ({ type, body }: Posting): unknown[] =>
  type === 'application/json' ? (JSON.parse(body) as unknown[]) : body.split('\n');
const count = (postings: readonly Posting[], text: string) => postings.reduce((sum, { body }) => sum + body.split(text).length - 1, 0);

describe('the traffic of the demonstration', () => {
  test('comes from five gateways in four record formats', () => {
    const postings = minute(true);
    expect(new Set(postings.map(({ gateway }) => gateway)).size).toBe(5);
    expect(new Set(postings.map(({ format }) => format))).toEqual(new Set(['kong', 'apisix', 'combined', 'gatetrail']));
  });

  test('has as many requests a second as asked for', () => {
    const requests = minute(true, 100).reduce((sum, posting) => sum + posting.requests, 0);
    expect(requests).toBe(6000);
    expect(minute(true, 100).flatMap(recordsOf)).toHaveLength(6000);
  });

  test('holds a credential-stuffing burst of one address and a rate breach of one consumer', () => {
    const postings = minute(false);
    expect(count(postings, '203.0.113.66')).toBe(120);
    expect(count(postings, '192.0.2.40')).toBe(200);
  });

  test('holds neither when it is to be calm', () => {
    expect(count(minute(true), '203.0.113.66') + count(minute(true), 'nightly-export')).toBe(0);
  });

  test('holds the whole of an incident however the time is cut', () => {
    const next = createTraffic({ rate: 0, calm: false });
    let attempts = 0;
    for (let from = 0; from < 60_000; from += 500) attempts += count(next(startedAt, from, from + 500), '203.0.113.66');
    expect(attempts).toBe(120);
  });

  test('writes combined lines with the time as NGINX does', () => {
    const line = minute(true)
      .find(({ format }) => format === 'combined')
      ?.body.split('\n')[0];
    expect(line).toMatch(/^\S+ - \S+ \[24\/Nov\/2026:10:00:\d\d \+0000\] "(GET|POST) \/v\d\S* HTTP\/1\.1" \d{3} \d+ "-" "[^"]+"$/);
  });
});
