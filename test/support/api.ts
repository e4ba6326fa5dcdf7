/** The GraphQL side on a test database, over HTTP: whoever asks sends a key, as a user does. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../../core/clock.ts';
import { AuditError } from '../../core/errors.ts';
import { deriveKey } from '../../core/keys.ts';
import { silentLogger } from '../../core/logger.ts';
import { judge } from '../../ingest/judge.ts';
import { createGraphql, type GraphqlOptions } from '../../query/graphql.ts';
import { openAccess } from '../../storage/access.ts';
import { openAccessLog } from '../../storage/access-log.ts';
import { openBatchStore } from '../../storage/batch-store.ts';
import type { ClickHouse } from '../../storage/clickhouse.ts';
import { createClosedReader } from '../../storage/closed.ts';

export const apiLimits = {
  retentionMs: 400 * 86_400_000,
  maxRangeMs: 3_153_600_000_000,
  maxPageSize: 1000,
  maxGroups: 1000,
  maxPoints: 5000,
  queriesPerMinute: 600,
};

// oxlint-disable-next-line typescript/no-explicit-any -- an answer of the API, read by name
export type Answer = any;

export interface TestApi {
  readonly url: string;
  /** A key is `root`, the admin of all tenants, when nothing is said. */
  ask(
    query: string,
    options?: { readonly key?: string; readonly variables?: object; readonly signal?: AbortSignal; readonly reason?: string },
  ): Promise<Answer>;
  makeKey(tenants: readonly string[], roles?: readonly string[]): Promise<string>;
  /** What answered INTERNAL: faults of ours. */
  readonly faults: readonly object[];
  close(): void;
}

export async function startApi(
  clickhouse: ClickHouse,
  options: Partial<GraphqlOptions> & { readonly accessClock?: Clock } = {},
): Promise<TestApi> {
  const access = openAccess({
    clickhouse,
    keys: [deriveKey('s', 'api-keys')],
    adminKey: 'root',
    clock: options.accessClock ?? systemClock,
  });
  const faults: object[] = [];
  const clock = options.clock ?? systemClock;
  const graphql = createGraphql({
    clickhouse,
    access,
    accessLog: openAccessLog(clickhouse, systemClock),
    cursorKeys: [deriveKey('s', 'cursors')],
    limits: apiLimits,
    clock,
    closed: testClosedReader(clickhouse, clock),
    version: '0.0.0',
    logger: { ...silentLogger, error: (facts) => faults.push(facts) },
    graphiql: false,
    ...options,
  });
  const server = createServer((req, res) => {
    access.authenticate(req.headers.authorization, '127.0.0.1').then(
      (caller) => graphql.handle({ req, res, caller, address: '127.0.0.1' }),
      (error: unknown) => res.writeHead(error instanceof AuditError ? error.httpStatus : 500).end('{}'),
    );
  });
  // A test that keeps this process busy would else find its kept connection closed in the moment of use.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  const ask: TestApi['ask'] = async (query, { key = 'root', variables = {}, signal, reason } = {}) => {
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${key}`,
      ...(reason !== undefined && { 'x-access-reason': reason }),
    };
    const body = JSON.stringify({ query, variables });
    return (await fetch(url, { method: 'POST', headers, body, ...(signal && { signal }) })).json();
  };
  return {
    faults,
    url,
    ask,
    async makeKey(tenants, roles = ['ADMIN']) {
      const query = 'mutation($input: ApiKeyInput!) {createApiKey(input: $input) {secret userErrors {message}}}';
      const { data } = await ask(query, { variables: { input: { name: `of ${tenants.join()}`, roles, tenants } } });
      return data.createApiKey.secret;
    },
    close: () => server.close(),
  };
}

export function testClosedReader(clickhouse: ClickHouse, clock: Clock) {
  return createClosedReader(clickhouse, {
    store: openBatchStore(clickhouse),
    clock,
    holds: (claim, found) => judge(claim, found).kind === 'complete',
  });
}

/** Day in which the rows of `eventRow` lie. */
export const thatDay = 'range: {absolute: {from: "2026-11-22T00:00:00Z", to: "2026-11-23T00:00:00Z"}}';
/** Day in which they arrived. */
export const arrivalDay = 'range: {absolute: {from: "2026-11-23T00:00:00Z", to: "2026-11-24T00:00:00Z"}}';
export const nextMorning: Clock = { now: () => Date.parse('2026-11-24T00:00:00Z') };
