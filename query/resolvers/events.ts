/** The audit trail: pages, single events, counts of values. */
import { auditEvent, auditPage } from '../audit-trail.ts';
import { viewEvent } from '../event-view.ts';
import { facets } from '../facets.ts';
import { freshnessOf } from '../freshness.ts';
import type { Guard, ReadOptions } from '../guard.ts';
import type { Resolvers } from '../resolver-types.ts';
import { few, groupLimit } from './figures.ts';

export function eventResolvers(options: ReadOptions, { guarded, scopeOf, rangeOf }: Guard) {
  const { closed, cursorKeys, limits } = options;
  return {
    Query: {
      auditEvents: guarded(
        async (args, context) => {
          const page = await auditPage(scopeOf(context), args, { rangeOf, maxPageSize: limits.maxPageSize, cursorKeys, closed });
          const edges = page.edges.map(({ node, cursor }) => ({ node: viewEvent(node), cursor }));
          return { ...page, edges, nodes: edges.map(({ node }) => node), freshness: () => freshnessOf(options) };
        },
        { rows: ({ edges }) => edges.length },
      ),
      auditEvent: guarded(async ({ id }, context) => {
        const row = await auditEvent(scopeOf(context), id);
        return row && viewEvent(row);
      }),
      facets: guarded(
        (args, context) =>
          facets(scopeOf(context), {
            range: rangeOf(args.range),
            filter: args.filter ?? null,
            dimensions: few(args.dimensions),
            limit: groupLimit(args.limit ?? 10, limits),
          }),
        { rows: (answer) => answer.reduce((sum, { values }) => sum + values.length, 0) },
      ),
    },
  } satisfies Resolvers;
}
