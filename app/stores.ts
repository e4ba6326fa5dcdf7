/** The stores that a role works on, as the configuration names them: ClickHouse or the embedded engine, Kafka or the journal. */
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AuditError } from '../core/errors.ts';
import { deriveKey } from '../core/keys.ts';
import type { Logger } from '../core/logger.ts';
import type { Log } from '../ingest/log.ts';
import { openJournal, type Journal } from '../ingest/logs/journal.ts';
import { openKafka } from '../ingest/logs/kafka.ts';
import { connect, type ClickHouse } from '../storage/clickhouse.ts';
import { ensureDatabase } from '../storage/migrate.ts';
import { connectCluster } from '../storage/shards.ts';
import { readPem } from './pem.ts';
import type { Config } from './settings.ts';
import { secretsOf } from './secrets.ts';

/** Who asks: the embedded engine has places for each, a server a user or a profile. */
export type EngineUser = 'ingest' | 'reader' | 'export' | 'jobs';

export const isEmbedded = (config: Config): boolean => config.clickhouse.url === undefined;

/** Unique per process: tells claims and leases apart. */
export const holderName = (role: string): string => `${role}@${hostname()}:${process.pid}:${Date.now().toString(36)}`;

export function openClickHouse(config: Config, user: EngineUser, more: { readonly requestTimeoutMs?: number } = {}): ClickHouse {
  const { url, user: name, password = '', database } = config.clickhouse;
  const options = { user: name, password, database, ...more };
  if (url !== undefined)
    return config.cluster === undefined ? connect({ url, ...options }) : connectCluster(config.cluster, { url, ...options });
  return followEngine(config.dataDir, { user, database, ...more });
}

/** The database itself may be missing. */
export async function makeDatabase(config: Config, user: EngineUser): Promise<void> {
  const { database } = config.clickhouse;
  if (database === 'default') return;
  const server = openClickHouse({ ...config, clickhouse: { ...config.clickhouse, database: 'default' } }, user);
  try {
    await ensureDatabase(server, database);
  } finally {
    await server.close();
  }
}

interface EngineNote {
  readonly url: string;
  readonly password: string;
}

/** The engine leaves its address in the data folder, another one after each restart; a call that fails looks there again. */
function followEngine(
  dataDir: string,
  { database, ...more }: { user: EngineUser; database: string; requestTimeoutMs?: number },
): ClickHouse {
  const file = join(dataDir, 'engine.json');
  let known = '';
  let client: ClickHouse | null = null;

  function current(): ClickHouse {
    const note = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (note !== '' && note !== known) {
      void client?.close();
      const { url, password } = JSON.parse(note) as EngineNote; // the engine's own note
      client = connect({ url, password, database, ...more });
      known = note;
    }
    if (client === null) throw new AuditError('BACKEND_UNAVAILABLE', `The embedded engine is not running: there is no ${file}`);
    return client;
  }

  async function call<Result>(work: (clickhouse: ClickHouse) => Promise<Result>): Promise<Result> {
    const used = client ?? current();
    try {
      return await work(used);
    } catch (error) {
      // The next call finds the new address; this one may have reached the old engine, and its caller decides.
      if (error instanceof AuditError && existsSync(file) && readFileSync(file, 'utf8') !== known) {
        current();
        throw new AuditError('BACKEND_UNAVAILABLE', 'The embedded engine was started again', { cause: error });
      }
      throw error;
    }
  }

  return {
    database,
    rows: (sql, options) => call((clickhouse) => clickhouse.rows(sql, options)),
    stream: (sql, options) => call((clickhouse) => clickhouse.stream(sql, options)),
    run: (sql, options) => call((clickhouse) => clickhouse.run(sql, options)),
    insertRows: (table, rows, options) => call((clickhouse) => clickhouse.insertRows(table, rows, options)),
    insertBlock: (table, block, options) => call((clickhouse) => clickhouse.insertBlock(table, block, options)),
    ping: () => call((clickhouse) => clickhouse.ping()).catch(() => false),
    close: async () => client?.close(),
  };
}

/** Topics that are read: those of the sources, and the intake's. */
export function topicsOf(config: Config): string[] {
  return [...new Set([...config.kafka.topics, ...config.sources.map(({ topic }) => topic), config.intake.topic])];
}

export function openLog(config: Config, logger: Logger): Log | Journal {
  const { brokers, sessionTimeout, tls, sasl, user, password } = config.kafka;
  if (brokers.length === 0) {
    const secrets = secretsOf(config);
    return openJournal({
      folder: join(config.dataDir, 'journal'),
      key: deriveKey(secrets.current, 'journal'),
      previousKeys: secrets.previous.map((secret) => deriveKey(secret, 'journal')),
    });
  }
  return openKafka({
    brokers,
    clientId: 'gatetrail',
    membershipFolder: join(config.dataDir, 'kafka-members'),
    sessionTimeoutMs: sessionTimeout,
    logger,
    ...(tls !== false && { tls: typeof tls === 'string' ? readPem('kafka.tls', tls).toString() : tls }),
    ...(sasl !== undefined && user !== undefined && password !== undefined && { sasl: { mechanism: sasl, username: user, password } }),
  });
}
