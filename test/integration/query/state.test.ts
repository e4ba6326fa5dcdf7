import { afterAll, beforeAll, expect, test } from 'vitest';
import { apiLimits, arrivalDay, nextMorning, startApi, type TestApi } from '../../support/api.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { claimRow, eventRow, writeClaims, writeEvents } from '../../support/events.ts';
import { insertRows, sqlText } from '../../support/sql.ts';

let engine: TestEngine;
let database: TestDatabase;
let api: TestApi;
const ends = new Map([
  ['own/0', 12],
  ['shared/0', 4],
]);

const batch = (topic: string, tenant: string | readonly string[], first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, at) =>
    eventRow({
      topic,
      tenant: typeof tenant === 'string' ? tenant : tenant[at % tenant.length],
      kafka_offset: first + at,
      batch_events: last - first + 1,
    }),
  );

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
  api = await startApi(database.clickhouse, { clock: nextMorning, ends: async () => ends });
  // own: two batches around a hole at 4..5, and a third claim whose events are not there yet.
  for (const [first, last] of [
    [0, 3],
    [6, 9],
  ] as const)
    await writeEvents(engine, database.name, batch('own', 'acme', first, last));
  await writeEvents(engine, database.name, batch('shared', ['acme', 'globex'], 0, 3));
  await writeEvents(engine, database.name, batch('foreign', 'globex', 0, 1));
  await writeClaims(engine, database.name, [
    claimRow({ topic: 'own', first_offset: -1, last_offset: -1 }),
    claimRow({ topic: 'own', first_offset: 0, last_offset: 3, sequence: 1 }),
    claimRow({ topic: 'own', first_offset: 6, last_offset: 9, sequence: 2, max_timestamp: '2026-11-23 23:59:00.000' }),
    claimRow({ topic: 'own', first_offset: 10, last_offset: 11, sequence: 3, max_timestamp: '2026-11-23 23:59:59.000' }),
    claimRow({ topic: 'shared', first_offset: 0, last_offset: 3 }),
    claimRow({ topic: 'foreign', first_offset: 0, last_offset: 1, records: 9, skipped: 7 }),
  ]);
});
afterAll(async () => {
  api.close();
  await database.close();
  await engine.stop();
});

const report = `{completeness(${arrivalDay}) {complete statement partitions {topic partition firstOffset lastOffset messages records events gaps {from to reason}}
  sources {tenant topic events silent clockSkewMs missingFields}}}`;

test('a hole between two batches is a gap that nobody explained, and a batch that is still being stored does not count', async () => {
  const { data, errors } = await api.ask(report);
  expect(errors).toBeUndefined();
  const { complete, statement, partitions } = data.completeness;
  expect(complete).toBe(false);
  expect(statement).toContain('something is missing');
  expect(partitions.find(({ topic }: { topic: string }) => topic === 'own')).toEqual({
    topic: 'own',
    partition: 0,
    firstOffset: 0,
    lastOffset: 9,
    messages: 8,
    records: 8,
    events: 8,
    gaps: [{ from: 4, to: 6, reason: 'UNEXPLAINED' }],
  });
});

test('whoever sees one tenant has no row of a shared topic, and topics of others do not count at all', async () => {
  const key = await api.makeKey(['acme']);
  const { data } = await api.ask(report, { key });
  expect(data.completeness.partitions.map(({ topic }: { topic: string }) => topic)).toEqual(['own']);
  // 8 of the own topic and 4 of the shared one; the 9 of the foreign one are not its business.
  expect(data.completeness.statement).toContain('12 records arrived');
  const globex = await api.ask(report, { key: await api.makeKey(['globex']) });
  expect(globex.data.completeness.partitions.map(({ topic }: { topic: string }) => topic)).toEqual(['foreign']);
});

test('sources are the gateways of the caller, with what they never give', async () => {
  const { data } = await api.ask(report, { key: await api.makeKey(['acme']) });
  expect(data.completeness.sources).toEqual([
    expect.objectContaining({
      tenant: 'acme',
      topic: 'own',
      events: 8,
      missingFields: expect.arrayContaining(['trace_id', 'consumer_name']),
    }),
    expect.objectContaining({ tenant: 'acme', topic: 'shared', events: 2 }),
  ]);
  expect(data.completeness.sources[0].missingFields).not.toContain('url_path');
  expect(data.completeness.sources[0].silent).toBe(true);
});

test('a gateway drifts where its records are of another format than nearly all of them, and where they could not be read', async () => {
  const { name, clickhouse, close } = await freshDatabase(engine);
  const other = await startApi(clickhouse, { clock: nextMorning });
  const events = (count: number, more: Record<string, unknown>) => Array.from({ length: count }, () => eventRow(more));
  await writeEvents(engine, name, [...events(60, {}), ...events(2, { source_format: 'nginx-json', gateway_kind: 'nginx' })]);
  await writeEvents(engine, name, [...events(60, { topic: 'posts' }), ...events(40, { topic: 'posts', source_format: 'apisix' })]);
  await writeClaims(engine, name, [claimRow({ first_offset: 900, last_offset: 901, events: 0, rejected: 2 })]);
  const place = { source_epoch: 1, topic: 'edge', kafka_partition: 0, first_offset: 900, received_at: '2026-11-23 00:00:00.000' };
  await insertRows(engine, name, 'dead_letters', [
    { ...place, normaliser: 'test', tenant: 'acme', kafka_offset: 900, code: 'BAD_TIME', detected_format: 'kong' },
    { ...place, normaliser: 'test', tenant: 'acme', kafka_offset: 901, code: 'UNKNOWN_FORMAT', detected_format: '' },
  ]);
  const { data } = await other.ask(`{completeness(${arrivalDay}) {sources {topic format drifted}}}`);
  expect(data.completeness.sources).toEqual([
    { topic: 'posts', format: 'apisix', drifted: 0 },
    { topic: 'edge', format: 'kong', drifted: 1 },
    { topic: 'posts', format: 'kong', drifted: 0 },
    { topic: 'edge', format: 'nginx-json', drifted: 2 },
  ]);
  other.close();
  await close();
});

test('an overrun and a compaction are told from each other: only the first leaves a range incomplete', async () => {
  const { name, clickhouse, close } = await freshDatabase(engine);
  const other = await startApi(clickhouse, { clock: nextMorning });
  await writeClaims(engine, name, [
    claimRow({ first_offset: -1, last_offset: 9 }),
    claimRow({ first_offset: 10, last_offset: 19, gap_reason: 'COMPACTION', messages: 0, records: 0, events: 0 }),
  ]);
  const ask = async () =>
    (await other.ask(`{completeness(${arrivalDay}) {complete partitions {gaps {from to reason}}}}`)).data.completeness;
  expect(await ask()).toEqual({ complete: true, partitions: [{ gaps: [{ from: 10, to: 20, reason: 'COMPACTION' }] }] });
  await writeClaims(engine, name, [
    claimRow({ first_offset: 20, last_offset: 29, gap_reason: 'RETENTION_OVERRUN', messages: 0, records: 0, events: 0 }),
  ]);
  expect((await ask()).complete).toBe(false);
  other.close();
  await close();
});

test('events that a closed claim promises and the table lacks are missing; those that retention has on record are pruned', async () => {
  const { name, clickhouse, close } = await freshDatabase(engine);
  const other = await startApi(clickhouse, { clock: nextMorning });
  await writeClaims(engine, name, [
    claimRow({ first_offset: 0, last_offset: 4 }),
    claimRow({ first_offset: 5, last_offset: 7, received_at: '2026-11-23 01:00:00.000' }),
    claimRow({ first_offset: 8, last_offset: 8, events: 0, skipped: 1 }),
  ]);
  const removed = (rows: number, more: object) =>
    sqlText(
      engine,
      `INSERT INTO removals FORMAT JSONEachRow ${JSON.stringify({ kind: 'events', source_epoch: 1, topic: 'edge', kafka_partition: 0, rows, policy: 'default P30D', tenants: ['acme'], ...more })}`,
      name,
    );
  const ask = async (key = 'root') =>
    (await other.ask(`{completeness(${arrivalDay}) {complete statement partitions {pruned}}}`, { key })).data.completeness;
  expect(await ask()).toMatchObject({ complete: false, partitions: [{ pruned: 0 }] });
  await removed(5, { received_at: '2026-11-23 00:00:00.000' });
  expect(await ask()).toMatchObject({ complete: false, partitions: [{ pruned: 5 }] });
  // Again, as after a crash; dead letters and another day do not count.
  await removed(5, { received_at: '2026-11-23 00:00:00.000' });
  await removed(9, { received_at: '2026-11-23 00:00:00.000', kind: 'dead_letters' });
  await removed(9, { received_at: '2026-11-24 00:00:00.000' });
  expect(await ask()).toMatchObject({ complete: false, partitions: [{ pruned: 5 }] });
  await removed(3, { received_at: '2026-11-23 01:00:00.000', policy: 'acme P2D', class: 'acme' });
  const whole = await ask();
  expect(whole).toMatchObject({ complete: true, partitions: [{ pruned: 8 }] });
  expect(whole.statement).toContain('nothing is missing');
  expect(whole.statement).toContain('8 of the events were removed by retention since (acme P2D, default P30D)');
  // A topic of which nothing is left is still its tenant's.
  expect(await ask(await other.makeKey(['acme']))).toMatchObject({ complete: true, partitions: [{ pruned: 8 }] });
  expect(await ask(await other.makeKey(['globex']))).toMatchObject({ complete: true, partitions: [] });
  other.close();
  await close();
});

test('limits say how long the tenants of a caller are kept, and an archive that arrived since is asked for, however old', async () => {
  const { name, clickhouse, close } = await freshDatabase(engine);
  const kept = (tenants: readonly string[]) => (tenants.includes('demo') ? 7 : 400) * 86_400_000;
  const other = await startApi(clickhouse, { clock: nextMorning, limits: { ...apiLimits, retentionOf: kept } });
  const ask = async (key = 'root') => (await other.ask('{limits {retention oldest}}', { key })).data.limits;
  expect(await ask()).toEqual({ retention: 'P400D', oldest: '2025-10-20T00:00:00.000Z' });
  expect(await ask(await other.makeKey(['demo']))).toEqual({ retention: 'P7D', oldest: '2026-11-17T00:00:00.000Z' });
  const old = '{auditEvents(range: {absolute: {from: "2001-01-01T00:00:00Z", to: "2001-01-03T00:00:00Z"}}) {nodes {id}}}';
  expect((await other.ask(old)).errors[0].extensions.code).toBe('OLDER_THAN_RETENTION');
  const timestamp = '2001-01-02 00:00:00.000';
  await writeEvents(engine, name, [eventRow({ timestamp, kafka_offset: 0 })]);
  await writeClaims(engine, name, [claimRow({ first_offset: 0, last_offset: 0, min_timestamp: timestamp, max_timestamp: timestamp })]);
  expect((await other.ask(old)).data.auditEvents.nodes).toHaveLength(1);
  expect(await ask()).toMatchObject({ oldest: '2001-01-02T00:00:00.000Z' });
  await sqlText(engine, "INSERT INTO retention_floor (floor, reason, set_by) VALUES ('2026-11-24 00:00:00', 'test', 'test')", name);
  expect((await other.ask(old)).errors[0].extensions.code).toBe('OLDER_THAN_RETENTION');
  other.close();
  await close();
});

test('the pipeline says how far each partition is stored, by closed claims alone', async () => {
  const { data, errors } = await api.ask(
    '{pipeline {ready reasons freshness {watermark lagSeconds} partitions {topic storedOffset endOffset lagRecords lagSeconds} storage {events parts bytes freeBytes oldest} outboxDepth jobs {name}}}',
  );
  expect(errors).toBeUndefined();
  expect(data.pipeline.ready).toBe(true);
  expect(data.pipeline.partitions).toContainEqual({ topic: 'own', storedOffset: 10, endOffset: 12, lagRecords: 2, lagSeconds: 60 });
  expect(data.pipeline.partitions).toContainEqual({ topic: 'shared', storedOffset: 4, endOffset: 4, lagRecords: 0, lagSeconds: 0 });
  expect(data.pipeline.storage).toMatchObject({ events: 14, oldest: '2026-11-22T10:00:00.000Z' });
  expect(data.pipeline.storage.parts).toBeGreaterThan(0);
  expect(data.pipeline.outboxDepth).toBe(0);
  const limited = await api.ask('{pipeline {partitions {topic} storage {events}}}', { key: await api.makeKey(['acme']) });
  expect(limited.data.pipeline).toEqual({ partitions: [{ topic: 'own' }], storage: null });
});

test('where the log does not answer nothing is said of freshness, and the pipeline says why', async () => {
  const mute = await startApi(database.clickhouse, { clock: nextMorning, ends: () => Promise.reject(new Error('away')) });
  const { data } = await mute.ask(`{pipeline {ready reasons} metrics(${arrivalDay}) {freshness {watermark}}}`);
  expect(data).toEqual({ pipeline: { ready: false, reasons: ['the log does not answer'] }, metrics: { freshness: { watermark: null } } });
  mute.close();
});
