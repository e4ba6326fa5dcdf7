/** The state of the data itself: complete or not, what could not be read, how the pipeline stands, what the catalogue says. */
import { viewCatalogue } from '../catalogue.ts';
import { completeness } from '../completeness.ts';
import { deadLetters } from '../dead-letters.ts';
import type { Guard, ReadOptions } from '../guard.ts';
import { resolveRange } from '../range.ts';
import type { Resolvers } from '../resolver-types.ts';
import type { TimeRange } from '../../schemas/api.ts';
import { pipelineStatus } from '../pipeline.ts';

export function stateResolvers(options: ReadOptions, { guarded, scopeOf, rangeOf, pageSize }: Guard) {
  const { clickhouse, clock, closed, cursorKeys } = options;
  // What was removed is explained, however long ago: the ledger and the record of removals stay.
  const arrivalRangeOf = (range: TimeRange) => resolveRange(range, clock.now(), { ...options.limits, retentionMs: Infinity });
  return {
    Query: {
      completeness: guarded(
        ({ range }, context) => completeness(clickhouse, scopeOf(context), arrivalRangeOf(range), { closed, now: clock.now() }),
        { roles: ['admin', 'analyst', 'auditor', 'operator'], rows: ({ partitions }) => partitions.length },
      ),
      deadLetters: guarded(
        (args, { caller }) => {
          const query = {
            range: rangeOf(args.range),
            input: args.range,
            filter: args.filter ?? {},
            first: pageSize(args.first),
            after: args.after ?? null,
          };
          return deadLetters(clickhouse, caller.tenants, query, cursorKeys);
        },
        { roles: ['admin', 'operator'], rows: ({ edges }) => edges.length },
      ),
      catalogue: guarded((_, context) => {
        const now = clock.now();
        const retentionMs = options.limits.retentionOf?.(context.caller.tenants) ?? options.limits.retentionMs;
        const given = { scope: scopeOf(context), now, kept: { from: now - retentionMs, to: now + 300_000 }, rangeOf, pageSize, cursorKeys };
        return options.catalogue ? viewCatalogue(options.catalogue, given) : null;
      }),
      pipeline: guarded((_, context) => pipelineStatus(options, scopeOf(context)), { roles: ['admin', 'operator'] }),
    },
  } satisfies Resolvers;
}
