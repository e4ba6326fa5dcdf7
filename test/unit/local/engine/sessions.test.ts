import type { Session } from 'chdb';
import { expect, test } from 'vitest';
import { engineThreads, openSessions, places } from '../../../../local/engine/sessions.ts';

/** Sessions that only count: what they would run is not asked here. */
function counted() {
  const counts = { open: 0, opened: 0 };
  const sessions = openSessions(() => {
    counts.open += 1;
    counts.opened += 1;
    return { close: () => (counts.open -= 1) } as unknown as Session; // openSessions calls nothing but close here
  });
  return { counts, sessions };
}

/** Work that goes on until it is told to end. */
function held() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { work: () => ended, end: () => end() };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('there is a thread for each place, one for KILL QUERY, and some for files', () => {
  const all = Object.values(places).reduce((sum, count) => sum + count, 0);
  expect(engineThreads).toBeGreaterThanOrEqual(all + 1 + 4);
});

test('each statement gets a new session, closed when it ends or fails', async () => {
  const { counts, sessions } = counted();
  const seen = new Set<Session>();
  for (let at = 0; at < 5; at += 1) await sessions.run('reader', async (session) => void seen.add(session));
  await expect(sessions.run('reader', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect([seen.size, counts.opened, counts.open]).toEqual([5, 7, 1]);
});

test('who finds no free place waits in line, and nobody else does', async () => {
  const { counts, sessions } = counted();
  const busy = Array.from({ length: places.export }, held);
  const running = busy.map(({ work }) => sessions.run('export', work));
  const order: string[] = [];
  const waiting = ['first', 'second'].map((name) => sessions.run('export', async () => void order.push(name)));
  await sessions.run('reader', async () => void order.push('reader'));
  await settle();
  expect(order).toEqual(['reader']);
  expect(counts.open).toBe(1 + places.export);
  busy.forEach(({ end }) => end());
  await Promise.all([...running, ...waiting]);
  expect(order).toEqual(['reader', 'first', 'second']);
});

test('a close waits for what runs, and lets go of the last session after it', async () => {
  const { counts, sessions } = counted();
  const { work, end } = held();
  const running = sessions.run('ingest', work);
  let closed = false;
  const closing = sessions.close().then(() => (closed = true));
  await settle();
  expect([closed, counts.open]).toEqual([false, 2]);
  end();
  await Promise.all([running, closing]);
  expect(counts.open).toBe(0);
});
