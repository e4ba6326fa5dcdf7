/** The state of the data itself: complete or not, what could not be read, how the pipeline stands, what the catalogue says. */
import { AuditError } from '../../core/errors.ts';
import { viewCatalogue } from '../catalogue.ts';
import { completeness } from '../completeness.ts';
import { deadLetters, standingLetters } from '../dead-letters.ts';
import type { Guard, ReadOptions } from '../guard.ts';
import { resolveRange } from '../range.ts';
import type { Resolvers } from '../resolver-types.ts';
import type { CatalogueConsumer, CatalogueConsumerLimitsArgs, ConsumerLimit, TimeRange } from '../../schemas/api.ts';
import { pipelineStatus } from '../pipeline.ts';

type LimitsArgs = Partial<CatalogueConsumerLimitsArgs>;
type LimitsIn = (args: LimitsArgs) => Promise<ConsumerLimit[]>;

export function stateResolvers(options: ReadOptions, { guarded, nested, scopeOf, rangeOf, pageSize }: Guard) {
  const { clickhouse, clock, closed, cursorKeys, replays } = options;
  const replayable = replays?.replayable ?? (async () => []);
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
          return deadLetters(clickhouse, caller.tenants, query, { keys: cursorKeys, replayable });
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
    CatalogueConsumer: {
      // A function of the view, which the types of the schema do not know.
      limits: nested(({ limits }: CatalogueConsumer, args: LimitsArgs) => (limits as unknown as LimitsIn)(args)),
    },
    Mutation: {
      replayDeadLetters: guarded(
        async ({ range, filter, dryRun }, { caller }) => {
          const { matched, letters } = await standingLetters(clickhouse, caller.tenants, { range: rangeOf(range), filter: filter ?? {} });
          if (replays === undefined) throw new AuditError('LOG_UNAVAILABLE', 'This service has no log to read dead letters from');
          const { problems, ...tally } = await replays.replay(letters, dryRun ?? false);
          const userErrors = problems.map(({ code, count, message }) => ({
            field: null,
            code,
            message: `${count} not read again: ${message}`,
          }));
          return { matched, ...tally, userErrors };
        },
        { roles: ['admin', 'operator'], changes: true, rows: ({ replayed }) => (typeof replayed === 'number' ? replayed : 0) },
      ),
    },
  } satisfies Resolvers;
}
