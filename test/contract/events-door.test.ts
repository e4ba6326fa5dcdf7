import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folders = ['app', 'core', 'schemas', 'local', 'sigma', 'storage', 'ingest', 'query', 'alerts'];

/** Whoever selects from events past the scope, and why it may. Nobody here answers a caller of the API. */
const doors: Readonly<Record<string, string>> = {
  'storage/scope.ts': 'the door itself: adds tenants, time and limits',
  'storage/counted-rows.ts': 'a part of the door: rows of counters, under the condition that scope.ts gives',
  'storage/rollups.ts': 'sums up the events of all tenants by tenant',
  'storage/rollup-drift.ts': 'compares those sums with the events, numbers only',
  'storage/batch-store.ts': 'reads a batch back by its position, counts only',
  'storage/receipts.ts': 'counts at the positions that the caller itself has just appended',
  'storage/removals.ts': 'counts by batch what retention takes away, before it goes',
  'storage/new-minutes.ts': 'minutes that got events, for the evaluator',
  'alerts/compile/rule.ts': 'rules are judged over all tenants, and each finding has its own',
  'local/engine/writes.ts': 'counts failures of the engine in system.events, which are none of ours',
  'alerts/evidence.ts': 'samples for a mail, of the one tenant of its alert',
};

const readsEvents = (text: string) =>
  /(?:\\n|\b)(?:from|join)\s+(?:\S+\.)?events\b/i.test(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''));

function sources(): string[] {
  const inFolders = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  return ['main.ts', ...inFolders].filter((file) => file.endsWith('.ts'));
}

test('nothing selects from events but the scope and those named here with their reason', () => {
  const readers = sources().filter((file) => readsEvents(readFileSync(join(root, file), 'utf8')));
  expect(readers.toSorted()).toEqual(Object.keys(doors).toSorted());
});

test('a planted breach is noticed, however it is spelt', () => {
  for (const breach of [
    'SELECT 1\nFROM events\nWHERE 1',
    'select * from  gatetrail.events',
    'FROM batches\nINNER JOIN events USING topic',
  ]) {
    expect(readsEvents(breach), breach).toBe(true);
  }
  for (const other of ['FROM stored_events', '// from events of the day', 'sum(events)\nFROM batches', 'FROM events_by_hour']) {
    expect(readsEvents(other), other).toBe(false);
  }
});

test('everything below query goes through the scope with the tenants of its caller, or all of them for counts', () => {
  const everyone = sources()
    .filter((file) => file.startsWith('query/'))
    .filter((file) => /openScope\([^)]*\['\*'\]\)/.test(readFileSync(join(root, file), 'utf8')));
  expect(everyone.toSorted()).toEqual(['query/completeness.ts', 'query/own-topics.ts', 'query/pipeline.ts']);
});
