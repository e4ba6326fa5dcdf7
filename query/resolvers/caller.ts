/** What a caller is and may ask for. */
import { formatDuration } from '../../core/duration.ts';
import type { Guard, ReadOptions } from '../guard.ts';
import type { Resolvers } from '../resolver-types.ts';
import { noGrants, rolesOf } from './keys.ts';

export function callerResolvers({ limits, clock, version }: ReadOptions, { guarded }: Guard) {
  return {
    Query: {
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
        roles: rolesOf(caller),
        scopes: [...caller.roles],
        grants: noGrants,
      })),
      version: guarded(() => version),
    },
  } satisfies Resolvers;
}
