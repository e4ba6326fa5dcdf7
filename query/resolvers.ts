/** One resolver per root field. Every read of events, and every attempt that was denied, is in the access log before its answer. */
import { getArgumentValues, visit, visitWithTypeInfo, TypeInfo, type FieldNode, type GraphQLResolveInfo } from 'graphql/index.js'; // the file that Node takes for 'graphql': a bundler takes another copy
import { formatDuration } from '../core/duration.ts';
import { AuditError } from '../core/errors.ts';
import { keyedHash, type PurposeKey } from '../core/keys.ts';
import type { Clock } from '../core/clock.ts';
import type { Access, ApiKey, Caller, Role } from '../storage/access.ts';
import type { AccessLog } from '../storage/access-log.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { openScope } from '../storage/scope.ts';
import type { AlertsView } from './alerts-view.ts';
import { auditEvent, auditPage, type PageArguments } from './audit-trail.ts';
import { deadLetters } from './dead-letters.ts';
import { viewEvent } from './event-view.ts';
import { facets, metricTable, timeSeries, type Extras } from './figures.ts';
import { resolveRange, type RangeInput } from './range.ts';
import { completeness, freshness } from './state.ts';

export interface ReadLimits {
  readonly retentionMs: number;
  readonly maxRangeMs: number;
  readonly maxPageSize: number;
  readonly maxGroups: number;
  readonly maxPoints: number;
  readonly queriesPerMinute: number;
}

export interface ReadOptions {
  readonly clickhouse: ClickHouse;
  readonly access: Access;
  readonly accessLog: AccessLog;
  readonly cursorKeys: readonly [PurposeKey, ...PurposeKey[]];
  readonly limits: ReadLimits;
  readonly clock: Clock;
  readonly version: string;
  readonly alerts?: AlertsView;
  /** What the process knows of itself; ready when nothing is said. */
  readonly pipeline?: () => Promise<Readonly<Record<string, unknown>>>;
}

export interface ReadContext {
  readonly caller: Caller;
  readonly address: string;
  readonly request: Request;
}

type Arguments = Readonly<Record<string, any>>; // oxlint-disable-line typescript/no-explicit-any -- the schema has checked them
type Resolve = (args: Arguments, context: ReadContext, info: GraphQLResolveInfo) => unknown;

const readers: readonly Role[] = ['admin', 'viewer', 'analyst', 'auditor', 'operator'];

export function createResolvers(options: ReadOptions) {
  const { clickhouse, access, accessLog, clock, limits } = options;
  const scopeOf = (context: ReadContext) => openScope(clickhouse, context.caller.tenants, context.request.signal);
  const rangeOf = (input: RangeInput) => resolveRange(input, clock.now(), limits);
  const current = () => freshness(clickhouse, clock.now());
  const alerts = () => {
    if (options.alerts) return options.alerts;
    throw new AuditError('NOT_READY', 'This process does not know alerts');
  };

  /** Only readers come through, and what was read or refused is written down. `count` says how many rows were shown. */
  function guarded(resolve: Resolve, allowed: readonly Role[] = readers, count: (answer: any) => number = () => 1) {
    // oxlint-disable-line typescript/no-explicit-any
    return async (_: unknown, args: Arguments, context: ReadContext, info: GraphQLResolveInfo) => {
      const record = {
        caller: context.caller,
        address: context.address,
        action: info.fieldName,
        operation: info.operation.name?.value ?? '',
        variablesHash: keyedHash(options.cursorKeys[0], JSON.stringify([args, info.variableValues]), 32),
        reason: context.request.headers.get('x-access-reason')?.slice(0, 500) ?? '',
        ...(typeof args['id'] === 'string' && { target: args['id'].slice(0, 500) }),
      };
      if (!context.caller.roles.some((role) => allowed.includes(role))) {
        await accessLog.write({ ...record, allowed: false });
        throw new AuditError('FORBIDDEN', `The roles of this key (${context.caller.roles.join(', ')}) do not allow ${info.fieldName}`);
      }
      const answer = await resolve(args, context, info);
      await accessLog.write({ ...record, allowed: true, rows: answer === null ? 0 : count(answer) });
      return answer;
    };
  }

  const figures = (args: Arguments, info: GraphQLResolveInfo | null, limit: number) => {
    if (limit < 1 || limit > limits.maxGroups) throw new AuditError('BAD_USER_INPUT', `limit is 1 to ${limits.maxGroups}, got ${limit}`);
    const range = rangeOf(args['range']);
    return {
      range,
      filter: args['filter'],
      groupBy: args['groupBy'] ?? [],
      orderBy: args['orderBy'],
      limit,
      extras: extrasOf(info),
      now: clock.now(),
    };
  };

  const Query = {
    auditEvents: guarded(
      async (args, context) => {
        const page = await auditPage(scopeOf(context), args as unknown as PageArguments, {
          now: clock.now(),
          limits,
          cursorKeys: options.cursorKeys,
        });
        const edges = page.edges.map(({ node, cursor }) => ({ node: viewEvent(node), cursor }));
        const totalCount = ({ upTo }: { upTo: number }) => page.count(upTo);
        return {
          edges,
          nodes: edges.map(({ node }) => node),
          pageInfo: page.pageInfo,
          resolvedRange: page.resolvedRange,
          totalCount,
          freshness: current,
        };
      },
      readers,
      (answer) => answer.edges.length,
    ),
    auditEvent: guarded(async ({ id }, context) => {
      const row = await auditEvent(scopeOf(context), id);
      return row && viewEvent(row);
    }),
    facets: guarded((args, context) => {
      const { range, limit } = figures(args, noInfo, args['limit'] ?? 10);
      return facets(scopeOf(context), { range, filter: args['filter'], dimensions: args['dimensions'], limit });
    }),
    metrics: guarded(
      async (args, context, info) => ({
        ...(await metricTable(scopeOf(context), figures(args, info, args['limit'] ?? 100))),
        freshness: current,
      }),
      readers,
      (answer) => answer.rows.length,
    ),
    timeSeries: guarded(
      async (args, context, info) => {
        const query = {
          ...figures(args, info, args['limit'] ?? 10),
          interval: args['interval'],
          timeZone: args['timeZone'] ?? 'UTC',
          maxPoints: limits.maxPoints,
        };
        return { ...(await timeSeries(scopeOf(context), query)), freshness: current };
      },
      readers,
      (answer) => answer.series.length,
    ),
    alerts: guarded((args, { caller }) => {
      const range = rangeOf(args['range'] ?? { relative: 'P7D' });
      return alerts().list(caller.tenants, {
        ...range,
        filter: args['filter'] ?? null,
        first: args['first'] ?? 50,
        after: args['after'] ?? null,
      });
    }),
    alert: guarded(({ id }, { caller }) => alerts().find(caller.tenants, id)),
    alertRules: guarded(({ filter }) => alerts().rules(filter ?? null)),
    completeness: guarded(({ range }) => completeness(clickhouse, rangeOf(range)), ['admin', 'analyst', 'auditor', 'operator']),
    deadLetters: guarded(
      (args, { caller }) => {
        const first = args['first'] ?? 50;
        if (first < 0 || first > limits.maxPageSize)
          throw new AuditError('BAD_USER_INPUT', `first is 0 to ${limits.maxPageSize}, got ${first}`);
        return deadLetters(
          clickhouse,
          caller.tenants,
          { range: rangeOf(args['range']), input: args['range'], filter: args['filter'] ?? {}, first, after: args['after'] ?? null },
          options.cursorKeys,
        );
      },
      ['admin', 'operator'],
      (answer) => answer.edges.length,
    ),
    pipeline: guarded(
      async () => ({
        ready: true,
        reasons: [],
        partitions: [],
        jobs: [],
        storage: null,
        outboxDepth: 0,
        freshness: await current(),
        ...(await options.pipeline?.()),
      }),
      ['admin', 'operator'],
    ),
    limits: guarded(() => ({
      retention: formatDuration(limits.retentionMs),
      oldest: clock.now() - limits.retentionMs,
      maxRange: formatDuration(limits.maxRangeMs),
      maxBacktestRange: 'PT0S',
      maxPageSize: limits.maxPageSize,
      maxGroups: limits.maxGroups,
      maxPoints: limits.maxPoints,
      queriesPerMinute: limits.queriesPerMinute,
      maxExportRows: 0,
      exportFormats: [],
    })),
    me: guarded((_, { caller }) => ({
      ...caller,
      roles: caller.roles.map((role) => role.toUpperCase()),
      scopes: [...caller.roles],
      grants: noGrants,
    })),
    version: guarded(() => options.version),
  };

  const Mutation = {
    createApiKey: guarded(
      async ({ input }, { caller }) => {
        const userErrors = faultsOf(input, caller, clock.now());
        if (userErrors.length > 0) return { apiKey: null, secret: null, userErrors };
        const roles = (input.roles as string[]).map((role) => role.toLowerCase() as Role); // an enum of the schema
        const { apiKey, secret } = await access.create(
          { name: input.name, roles, tenants: input.tenants ?? caller.tenants, expiresAt: input.expiresAt ?? null },
          caller,
        );
        return { apiKey: viewKey(apiKey), secret, userErrors };
      },
      ['admin'],
    ),
    revokeApiKey: guarded(
      async ({ id }, { caller }) => {
        const key = await access.find(id);
        const isTheirs = key && (caller.tenants.includes('*') || key.tenants.every((tenant) => caller.tenants.includes(tenant)));
        if (!isTheirs)
          return { apiKey: null, secret: null, userErrors: [{ field: ['id'], code: 'NOT_FOUND', message: 'There is no such key' }] };
        return { apiKey: viewKey(await access.revoke(key)), secret: null, userErrors: [] };
      },
      ['admin'],
    ),
    acknowledgeAlert: guarded(
      async ({ id, note }, { caller }) => {
        const alert = await alerts().acknowledge(caller.tenants, id, { actor: caller.name, note: note ?? null });
        const userErrors = alert === null ? [{ field: ['id'], code: 'NOT_FOUND', message: 'There is no such alert' }] : [];
        return { alert, userErrors };
      },
      ['admin', 'analyst', 'operator'],
    ),
  };
  return { Query, Mutation };
}

const noInfo = null;
const noGrants = { apis: null, collections: null, dataClasses: null, lookback: null, networks: null };
const offered = new Set(['ADMIN', 'INGEST']);

function faultsOf(input: Arguments, caller: Caller, now: number) {
  const faults: { field: string[]; code: string; message: string }[] = [];
  const fault = (field: string, message: string) => faults.push({ field: ['input', field], code: 'BAD_USER_INPUT', message });
  const roles = input['roles'] as string[];
  const refused = roles.filter((role) => !offered.has(role));
  if (refused.length > 0) fault('roles', `A key can have the roles ADMIN and INGEST, not ${refused.join(', ')}`);
  if (roles.length === 0) fault('roles', 'A key has at least one role');
  const beyond = ((input['tenants'] ?? []) as string[]).filter(
    (tenant) => !caller.tenants.includes('*') && !caller.tenants.includes(tenant),
  );
  if (beyond.length > 0) fault('tenants', `These tenants are beyond your own: ${beyond.join(', ')}`);
  if (input['tenants']?.length === 0) fault('tenants', 'A key has at least one tenant');
  if (input['expiresAt'] != null && input['expiresAt'] <= now) fault('expiresAt', 'The key would have expired already');
  if (Object.values(input['grants'] ?? {}).some((grant) => grant != null)) fault('grants', 'Grants are not offered by this version');
  if (input['name'].trim() === '') fault('name', 'A key has a name');
  return faults;
}

const viewKey = (key: ApiKey) => ({
  ...key,
  id: key.keyId,
  prefix: `gtk_${key.keyId}`,
  roles: key.roles.map((role) => role.toUpperCase()),
  grants: noGrants,
  lastUsedAt: null,
});

/** Values that `within`, `distinct` and `quantile` are asked for anywhere in the operation: they become columns of one statement. */
function extrasOf(info: GraphQLResolveInfo | null): Extras {
  const found = { within: new Set<number>(), distinct: new Set<string>(), levels: new Set<number>() };
  if (!info) return { within: [], distinct: [], levels: [] };
  const types = new TypeInfo(info.schema);
  const collect = (node: FieldNode) => {
    const field = types.getFieldDef();
    if (!field || !['within', 'distinct', 'quantile'].includes(node.name.value)) return;
    const args = getArgumentValues(field, node, info.variableValues);
    if (node.name.value === 'within') found.within.add(Number(args['ms']));
    if (node.name.value === 'distinct') found.distinct.add(String(args['of']));
    if (node.name.value === 'quantile') found.levels.add(level(Number(args['level'])));
  };
  const visitor = visitWithTypeInfo(types, { Field: collect });
  for (const part of [info.operation, ...Object.values(info.fragments)]) visit(part, visitor);
  return { within: [...found.within], distinct: [...found.distinct], levels: [...found.levels] };
}

function level(value: number): number {
  if (value >= 0 && value <= 1) return value;
  throw new AuditError('BAD_USER_INPUT', `level is between 0 and 1, got ${value}`);
}
