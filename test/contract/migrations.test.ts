/** What every table must be so that nothing answered is lost and no token is forgotten too early. Read from the statements that make them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { leasesTable } from '../../storage/lease.ts';
import { migrationsFolder } from '../../storage/migrate.ts';

const files = readdirSync(migrationsFolder).filter((file) => file.endsWith('.sql'));
const text = [...files.map((file) => readFileSync(join(migrationsFolder, file), 'utf8')), `${leasesTable};`].join('\n');
/** Without comments. */
const tables = new Map(
  [...text.replaceAll(/--.*$/gm, '').matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(\w+)[^;]*;/g)].map(([ddl, name = '']) => [name, ddl]),
);
const ddlOf = (name: string) => tables.get(name) ?? 'no such table';

test('all tables are found', () => {
  expect([...tables.keys()]).toEqual(expect.arrayContaining(['events', 'batches', 'dead_letters', 'retention_floor', 'outbox', 'leases']));
});

describe.each([...tables])('the table %s', (_, ddl) => {
  test('is on disk before an insert into it is answered', () => {
    expect(ddl).toMatch(/SETTINGS .*\bfsync_after_insert = 1\b/);
    expect(ddl).toMatch(/SETTINGS .*\bfsync_part_directory = 1\b/);
  });

  test('has no TTL: what a TTL takes away comes back by a late copy', () => {
    expect(ddl).not.toMatch(/\bTTL\b/);
  });
});

test.each(['events', 'batches', 'leases', 'outbox'])('the table %s takes tokens and keeps the last 100,000', (name) => {
  expect(ddlOf(name)).toMatch(/SETTINGS .*\bnon_replicated_deduplication_window = 100000\b/);
});

test.each(['batches', 'leases'])('the table %s is not partitioned, because tokens hold in one partition only', (name) => {
  expect(ddlOf(name)).not.toMatch(/PARTITION BY/);
});

test('events are partitioned by arrival alone, which is one constant of a batch', () => {
  expect(ddlOf('events')).toMatch(/PARTITION BY toYYYYMMDD\(received_at\)\n/);
});

test('no merge chooses between two rows of the ledger', () => {
  expect(ddlOf('batches')).toMatch(/ENGINE = MergeTree\n/);
});
