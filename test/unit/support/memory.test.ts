/** What is never given back shows in the slope of the soak, and in its floor, which what fills and empties with the load leaves alone. */
import { expect, test } from 'vitest';
import { rssSlope } from '../../support/memory.ts';
import { seeded } from '../../support/campaign.ts';

const mebibyte = 1024 * 1024;

/** Twenty minutes of a process that holds 200 MiB and up to 150 MiB of buffers, and keeps `leakMiB` more each minute. */
function twentyMinutes(leakMiB: number) {
  const random = seeded(7);
  return Array.from({ length: 6_000 }, (_, at) => {
    const minutes = at / 300;
    const buffered = 150 * random() ** 2;
    return { atMs: at * 200, bytes: (200 + leakMiB * minutes + buffered) * mebibyte };
  });
}

test('buffers that come and go are no growth', () => expect(Math.abs(rssSlope(twentyMinutes(0)).floorPerTenMinutes)).toBeLessThan(0.01));

test('half a mebibyte a minute is seen', () => {
  const { perTenMinutes, floorPerTenMinutes } = rssSlope(twentyMinutes(0.5));
  expect(floorPerTenMinutes).toBeGreaterThan(0.02);
  expect(perTenMinutes).toBeGreaterThan(0.01);
});

test('what the line goes through is told', () => {
  const { lowestMiB, meanMiB } = rssSlope(twentyMinutes(0));
  expect(lowestMiB).toHaveLength(10);
  expect(lowestMiB.every((lowest) => lowest === 200)).toBe(true);
  expect(meanMiB).toBeGreaterThan(240);
  expect(meanMiB).toBeLessThan(260);
});
