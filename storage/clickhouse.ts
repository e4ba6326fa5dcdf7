/**
 * The one client of ClickHouse, embedded or server. Everything above speaks SQL through these five verbs;
 * settings come from constants only, values go in as bound parameters.
 */
import { Readable } from 'node:stream';
import { ClickHouseError, createClient, type ClickHouseSettings } from '@clickhouse/client';
import { AuditError, messageOf } from '../core/errors.ts';
import { toRefusal } from './refusals.ts';

export interface ConnectOptions {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Default 30 s. */
  readonly requestTimeoutMs?: number;
  /** Default 10. */
  readonly maxConnections?: number;
  /** Of every statement, beside its own. */
  readonly settings?: Settings;
}

export type Parameters = Readonly<Record<string, unknown>>;
export type Settings = Readonly<Record<string, string | number>>;

export interface QueryOptions {
  readonly parameters?: Parameters;
  readonly settings?: Settings;
  readonly signal?: AbortSignal;
}

/** The nodes behind a ClickHouse that is a cluster. */
export interface Cluster {
  readonly name: string;
  /** How many there are. @throws CLUSTER_UNUSABLE */
  shards(): Promise<number>;
  /** Runs `work` on one node of a shard, numbered from 1 on; after one that did not answer it is the next one's turn. */
  onShard<Result>(shard: number, work: (node: ClickHouse) => Promise<Result>): Promise<Result>;
  /** @throws CLUSTER_UNUSABLE while a node lacks what replication needs */
  assertUsable(): Promise<void>;
  close(): Promise<void>;
}

export interface ClickHouse {
  readonly database: string;
  /** Left out where one server holds everything. */
  readonly cluster?: Cluster;
  /** All rows; 64-bit integers come as text. @throws BACKEND_UNAVAILABLE, BACKEND_BUSY, SIGN_IN_REFUSED, BACKEND_REFUSED, QUERY_TIMEOUT, QUERY_TOO_EXPENSIVE */
  rows<Row>(sql: string, options?: QueryOptions): Promise<Row[]>;
  /** Bytes of the answer in the FORMAT that the statement names, as they come. */
  stream(sql: string, options?: QueryOptions): Promise<Readable>;
  /** A statement without an answer. */
  run(sql: string, options?: QueryOptions): Promise<void>;
  /** Objects into a table without tokens. */
  insertRows(table: string, rows: readonly object[], options?: QueryOptions): Promise<void>;
  /** Exactly one Native block; with a token at most once, as far as the engine keeps its word: read it back. */
  insertBlock(table: string, block: Buffer, options: QueryOptions & { readonly token?: string }): Promise<void>;
  ping(): Promise<boolean>;
  close(): Promise<void>;
}

/** The deduplication id depends on how the body is cut into blocks, so nothing may cut it. */
const oneBlock: Settings = {
  async_insert: 0,
  insert_deduplicate: 1,
  use_strict_insert_block_limits: 1,
  max_insert_threads: 1,
  input_format_parallel_parsing: 0,
  max_block_size: 1_100_000,
  max_insert_block_size: 1_100_000,
};

export function connect(options: ConnectOptions): ClickHouse {
  const client = createClient({
    url: options.url,
    username: options.user,
    password: options.password,
    database: options.database,
    request_timeout: options.requestTimeoutMs ?? 30_000,
    max_open_connections: options.maxConnections ?? 10,
    application: 'gatetrail',
    log: { level: 127 },
    clickhouse_settings: {
      output_format_json_quote_64bit_integers: 1,
      date_time_input_format: 'best_effort',
      ...(options.settings as ClickHouseSettings),
    },
  });
  const call = ({ parameters, settings, signal }: QueryOptions = {}) => ({
    ...(parameters && { query_params: { ...parameters } }),
    ...(settings && { clickhouse_settings: settings as ClickHouseSettings }), // every caller passes names ClickHouse documents: a contract test checks them
    ...(signal && { abort_signal: signal }),
  });

  const naming =
    (wrote: boolean) =>
    async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
      try {
        return await work();
      } catch (error) {
        throw toAuditError(error, options, wrote);
      }
    };
  const [reading, writing] = [naming(false), naming(true)];

  return {
    database: options.database,
    rows: (sql, query) => reading(async () => await (await client.query({ query: sql, format: 'JSONEachRow', ...call(query) })).json()),
    stream: (sql, query) => reading(async () => (await client.exec({ query: sql, ...call(query) })).stream),
    run: (sql, query) =>
      writing(async () => {
        await client.command({ query: sql, ...call(query) });
      }),
    insertRows: (table, rows, query) =>
      writing(async () => {
        const settings = { async_insert: 0, ...query?.settings };
        await client.insert({ table, values: [...rows], format: 'JSONEachRow', ...call({ ...query, settings }) });
      }),
    insertBlock: (table, block, { token, ...query }) =>
      writing(async () => {
        const settings = { ...oneBlock, ...query.settings, ...(token !== undefined && { insert_deduplication_token: token }) };
        const { stream } = await client.exec({
          query: `INSERT INTO ${table} FORMAT Native`,
          values: Readable.from([block], { objectMode: false }),
          ...call({ ...query, settings }),
        });
        for await (const _ of stream); // the answer is over only when its stream is
      }),
    ping: async () => (await client.ping()).success,
    close: () => client.close(),
  };
}

function toAuditError(error: unknown, { url, user }: ConnectOptions, wrote: boolean): AuditError {
  const { origin } = new URL(url); // the rest may hold a password
  if (error instanceof ClickHouseError) return toRefusal(error, { origin, user, wrote });
  return new AuditError('BACKEND_UNAVAILABLE', `ClickHouse does not answer at ${origin}: ${reasonOf(error)}`, { cause: error });
}

/** A name with several addresses fails with an error for each and no text of its own. */
function reasonOf(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
}
