/** Brings the database to the schema of this version: numbered .sql files, each applied once, however many processes start together. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { ClickHouse } from './clickhouse.ts';
import { clusterForm, ddlSettings } from './cluster.ts';
import { type Durability, setDurability } from './durability.ts';
import { type Lease, leasesTable, openLease } from './lease.ts';

export interface Migration {
  readonly name: string;
  readonly sha256: string;
  readonly statements: readonly string[];
}

export interface MigrateOptions {
  /** Unique per process. */
  readonly holder: string;
  readonly logger: Logger;
  readonly signal?: AbortSignal;
  /** Where the .sql files are; default: those of this version. */
  readonly folder?: string;
  /** How long to wait for another process that migrates; default 60 s. */
  readonly waitMs?: number;
  /** Given to every table of the database; left out, they stay as they are (`power` in the migrations). */
  readonly durability?: Durability;
}

/** UNKNOWN_DATABASE of ClickHouse, src/Common/ErrorCodes.cpp. */
const unknownDatabase = 81;

export const migrationsFolder = join(import.meta.dirname, '../schemas/migrations');

export const registryTable = `CREATE TABLE IF NOT EXISTS schema_migrations (
  name String,
  sha256 String,
  applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

/** The database itself may be missing on a server; `clickhouse` must then be connected to one that is there. */
export async function ensureDatabase(clickhouse: ClickHouse, database: string): Promise<void> {
  const { cluster } = clickhouse;
  await cluster?.assertUsable();
  const everywhere = cluster === undefined ? '' : ` ON CLUSTER '${cluster.name}'`;
  await clickhouse.run(`CREATE DATABASE IF NOT EXISTS {database:Identifier}${everywhere}`, {
    parameters: { database },
    settings: cluster === undefined ? {} : ddlSettings,
  });
}

/** A statement of the schema, in the form that this server or cluster takes. */
async function define(clickhouse: ClickHouse, statement: string): Promise<void> {
  const { cluster } = clickhouse;
  if (cluster === undefined) return clickhouse.run(statement);
  for (const each of clusterForm(statement, cluster.name)) await clickhouse.run(each, { settings: ddlSettings });
}

/**
 * Applies what is missing and gives the names of what it applied. Every statement can be repeated, so that a crash in
 * the middle of a file is mended by the next start.
 * @throws SCHEMA_TOO_NEW, MIGRATION_CHANGED, CLUSTER_UNUSABLE, NOT_READY when another process still migrates after `waitMs`
 */
export async function migrate(clickhouse: ClickHouse, options: MigrateOptions): Promise<string[]> {
  await clickhouse.cluster?.assertUsable();
  await define(clickhouse, leasesTable);
  await define(clickhouse, registryTable);
  const applied = await applyMissing(clickhouse, options);
  if (options.durability !== undefined) await setDurability(clickhouse, options.durability);
  return applied;
}

async function applyMissing(clickhouse: ClickHouse, options: MigrateOptions): Promise<string[]> {
  const migrations = await readMigrations(options.folder);
  const deadline = Date.now() + (options.waitMs ?? 60_000);
  const lease = openLease(clickhouse, { name: 'migrate', holder: options.holder, ttlMs: 30_000 });
  for (;;) {
    if ((await pending(clickhouse, migrations)).length === 0) return [];
    const applied = await lease.during(() => applyAll(clickhouse, { migrations, lease, logger: options.logger }));
    if (applied !== null) return applied;
    if (Date.now() > deadline || options.signal?.aborted) {
      throw new AuditError('NOT_READY', 'Another process has been migrating the database for a minute; its log says how far it is');
    }
    await sleep(250, options.signal);
  }
}

interface Applying {
  readonly migrations: readonly Migration[];
  readonly lease: Lease;
  readonly logger: Logger;
}

async function applyAll(clickhouse: ClickHouse, { migrations, lease, logger }: Applying): Promise<string[]> {
  try {
    const missing = await pending(clickhouse, migrations);
    for (const migration of missing) await apply(clickhouse, migration, logger);
    return missing.map(({ name }) => name);
  } finally {
    await lease.release();
  }
}

/** What is not applied yet. @throws SCHEMA_TOO_NEW, MIGRATION_CHANGED */
export async function pendingMigrations(clickhouse: ClickHouse, folder?: string): Promise<string[]> {
  const migrations = await readMigrations(folder);
  const missing = (await hasRegistry(clickhouse)) ? await pending(clickhouse, migrations) : migrations;
  return missing.map(({ name }) => name);
}

/** False also where the database itself is missing. */
async function hasRegistry(clickhouse: ClickHouse): Promise<boolean> {
  try {
    const [known] = await clickhouse.rows<{ n: string }>(
      "SELECT count() AS n FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'",
    );
    return known?.n !== '0';
  } catch (error) {
    if (error instanceof AuditError && error.facts['clickhouseCode'] === unknownDatabase) return false;
    throw error;
  }
}

async function pending(clickhouse: ClickHouse, migrations: readonly Migration[]): Promise<Migration[]> {
  const rows = await clickhouse.rows<{ name: string; sha256: string }>('SELECT name, sha256 FROM schema_migrations FINAL ORDER BY name');
  const applied = new Map(rows.map(({ name, sha256 }) => [name, sha256]));
  const unknown = rows.filter(({ name }) => !migrations.some((migration) => migration.name === name));
  if (unknown.length > 0) {
    throw new AuditError(
      'SCHEMA_TOO_NEW',
      `The database has migrations that this version does not know: ${unknown.map(({ name }) => name).join(', ')}`,
    );
  }
  for (const { name, sha256 } of migrations) {
    if (applied.has(name) && applied.get(name) !== sha256) {
      throw new AuditError('MIGRATION_CHANGED', `Migration ${name} was applied as ${applied.get(name)} and is now ${sha256}`);
    }
  }
  return migrations.filter(({ name }) => !applied.has(name));
}

async function apply(clickhouse: ClickHouse, { name, sha256, statements }: Migration, logger: Logger): Promise<void> {
  const startedAt = performance.now();
  for (const statement of statements) await define(clickhouse, statement);
  await clickhouse.insertRows('schema_migrations', [{ name, sha256 }]);
  logger.info({ migration: name, ms: Math.round(performance.now() - startedAt) }, 'migration applied');
}

/** In the order of their numbers. Statements end with a semicolon at the end of a line. */
export async function readMigrations(folder = migrationsFolder): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_.*\.sql$/.test(name)).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8');
      const statements = text
        .split(/;[ \t]*$/m)
        .map((statement) => statement.trim())
        .filter((statement) => statement.replaceAll(/^--.*$/gm, '').trim() !== '');
      return { name: name.replace(/\.sql$/, ''), sha256: createHash('sha256').update(text).digest('hex'), statements };
    }),
  );
}
