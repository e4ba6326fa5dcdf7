/** What a caller is and may ask for. */
import { formatDuration } from '../../core/duration.ts';
import type { Guard, ReadOptions } from '../guard.ts';
import type { Resolvers } from '../resolver-types.ts';
import { createOldest } from '../oldest.ts';
import { noGrants, rolesOf } from './keys.ts';

export function callerResolvers({ clickhouse, limits, clock, version }: ReadOptions, { guarded }: Guard) {
  const oldest = createOldest(clickhouse);
  const keptFor = (tenants: readonly string[]) => limits.retentionOf?.(tenants) ?? limits.retentionMs;
  return {
    Query: {
      limits: guarded(async (_, { caller }) => ({
        retention: formatDuration(keptFor(caller.tenants)),
        oldest: Math.min(clock.now() - keptFor(caller.tenants), await oldest.ask()),
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
        roles: rolesOf(caller),
        scopes: [...caller.roles],
        grants: noGrants,
      })),
      version: guarded(() => version),
    },
  } satisfies Resolvers;
}
