/** The audit trail: pages, single events, counts of values. */
import { auditEvent, auditPage, type PageArguments } from '../audit-trail.ts';
import { viewEvent } from '../event-view.ts';
import { facets } from '../facets.ts';
import { freshnessOf } from '../freshness.ts';
import type { Guard, ReadOptions } from '../guard.ts';
import { groupLimit } from './figures.ts';

export function eventResolvers(options: ReadOptions, { guarded, scopeOf, rangeOf }: Guard) {
  const { clock, closed, cursorKeys, limits } = options;
  return {
    Query: {
      auditEvents: guarded(
        async (args, context) => {
          const settings = { now: clock.now(), limits, cursorKeys, closed };
          const page = await auditPage(scopeOf(context), args as unknown as PageArguments, settings); // the schema has checked them
          const edges = page.edges.map(({ node, cursor }) => ({ node: viewEvent(node), cursor }));
          return {
            edges,
            nodes: edges.map(({ node }) => node),
            pageInfo: page.pageInfo,
            resolvedRange: page.resolvedRange,
            totalCount: ({ upTo }: { upTo: number }) => page.count(upTo),
            freshness: () => freshnessOf(options),
          };
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
            range: rangeOf(args['range']),
            filter: args['filter'],
            dimensions: args['dimensions'],
            limit: groupLimit(args['limit'] ?? 10, limits),
          }),
        { rows: (answer) => answer.reduce((sum, { values }) => sum + values.length, 0) },
      ),
    },
  };
}
