import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchJoining } from '../../../../ingest/logs/joining.ts';

const afterMs = 1_000;
let isThere = true;
const stuck = vi.fn();
const watch = () => watchJoining(afterMs, async () => isThere, stuck);
const passes = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  stuck.mockReset();
  isThere = true;
});
afterEach(() => void vi.useRealTimers());

test('a consumer that does not come to its group while Kafka answers is told of, once', async () => {
  watch().begin();
  await passes(afterMs - 1);
  expect(stuck).not.toHaveBeenCalled();
  await passes(afterMs * 10);
  expect(stuck).toHaveBeenCalledTimes(1);
});

test('one that joined in time is not told of, however long it stays', async () => {
  const joining = watch();
  joining.begin();
  await passes(afterMs - 1);
  joining.end();
  await passes(afterMs * 10);
  expect(stuck).not.toHaveBeenCalled();
});

test('each time that it leaves counts from its beginning', async () => {
  const joining = watch();
  for (let round = 0; round < 5; round += 1) {
    joining.begin();
    await passes(afterMs - 1);
  }
  expect(stuck).not.toHaveBeenCalled();
  await passes(1);
  expect(stuck).toHaveBeenCalledTimes(1);
});

test('while Kafka is away nobody is told; when it is back the time begins anew', async () => {
  isThere = false;
  watch().begin();
  await passes(afterMs * 5);
  expect(stuck).not.toHaveBeenCalled();
  isThere = true;
  await passes(afterMs);
  expect(stuck).toHaveBeenCalledTimes(1);
});

test('who joins while Kafka is asked is not told of', async () => {
  let answer: (isThere: boolean) => void = () => {};
  const joining = watchJoining(afterMs, () => new Promise((resolve) => (answer = resolve)), stuck);
  joining.begin();
  await passes(afterMs);
  joining.end();
  answer(true);
  await passes(afterMs * 5);
  expect(stuck).not.toHaveBeenCalled();
});

test('nothing is told after the end', async () => {
  const joining = watch();
  joining.begin();
  joining.end();
  await passes(afterMs * 5);
  expect(stuck).not.toHaveBeenCalled();
});
