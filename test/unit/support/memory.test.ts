/** A slope with its error: what grows stands out of noise, or it is told that the noise is too large. */
import { expect, test } from 'vitest';
import { rssSlope } from '../../support/memory.ts';
import { seeded } from '../../support/campaign.ts';

const mebibyte = 1024 * 1024;

/** Twenty minutes of a process that holds 200 MiB and up to `bufferMiB` that come and go, and keeps `leakMiB` more each minute. */
function twentyMinutes({ leakMiB, bufferMiB }: { readonly leakMiB: number; readonly bufferMiB: number }) {
  const random = seeded(7);
  let buffered = 0;
  return Array.from({ length: 6_000 }, (_, at) => {
    if (at % 100 === 0) buffered = bufferMiB * random();
    return { atMs: at * 200, bytes: (200 + (leakMiB * at) / 300 + buffered) * mebibyte };
  });
}

const growing = (leakMiB: number, bufferMiB: number) => rssSlope(twentyMinutes({ leakMiB, bufferMiB }));

test('what holds the same has no slope and no error', () => {
  expect(growing(0, 0)).toEqual({
    meanMiB: 200,
    perTenMinutes: expect.closeTo(0, 6),
    error: expect.closeTo(0, 6),
    minutesMiB: Array(20).fill(200),
  });
});

test('half a mebibyte a minute is seen', () => {
  const { perTenMinutes, error } = growing(0.5, 1);
  expect(perTenMinutes).toBeCloseTo(0.024, 3);
  expect(error).toBeLessThan(0.002);
});

test('buffers that come and go for twenty seconds each are no growth that stands out of its error', () => {
  for (const leak of [0, 0.2]) {
    const { perTenMinutes, error } = growing(leak, 150);
    expect(error).toBeGreaterThan(0.01);
    expect(perTenMinutes - 2 * error).toBeLessThan(0.01);
  }
});

test('a leak that is larger than the noise stands out of it', () => {
  const { perTenMinutes, error } = growing(10, 150);
  expect(perTenMinutes - 2 * error).toBeGreaterThan(0.1);
});
