/** The state of the data itself: complete or not, what could not be read, how the pipeline stands. */
import { AuditError } from '../../core/errors.ts';
import { completeness } from '../completeness.ts';
import { deadLetters } from '../dead-letters.ts';
import type { Guard, ReadOptions } from '../guard.ts';
import { pipelineStatus } from '../pipeline.ts';

export function stateResolvers(options: ReadOptions, { guarded, scopeOf, rangeOf, pageSize }: Guard) {
  const { clickhouse, clock, cursorKeys } = options;
  return {
    Query: {
      completeness: guarded(
        ({ range }, context) => {
          const { closed } = options;
          if (!closed) throw new AuditError('NOT_READY', 'This process does not know which claims are closed');
          return completeness(clickhouse, scopeOf(context), rangeOf(range), { closed, now: clock.now() });
        },
        { roles: ['admin', 'analyst', 'auditor', 'operator'], rows: ({ partitions }) => partitions.length },
      ),
      deadLetters: guarded(
        (args, { caller }) => {
          const query = {
            range: rangeOf(args['range']),
            input: args['range'],
            filter: args['filter'] ?? {},
            first: pageSize(args['first']),
            after: args['after'] ?? null,
          };
          return deadLetters(clickhouse, caller.tenants, query, cursorKeys);
        },
        { roles: ['admin', 'operator'], rows: ({ edges }) => edges.length },
      ),
      pipeline: guarded((_, context) => pipelineStatus(options, scopeOf(context)), { roles: ['admin', 'operator'] }),
    },
  };
}
