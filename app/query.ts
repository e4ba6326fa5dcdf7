/** The role `query` in this process: GraphQL, the page for trying it, links of mails, and the intake. */
import { randomBytes } from 'node:crypto';
import { loadRules } from '../alerts/alerts.ts';
import { firstPartyRules } from '../alerts/pack.ts';
import { gapRule } from '../alerts/gaps.ts';
import { systemClock } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import { deriveKey } from '../core/keys.ts';
import { evidencePage } from '../query/evidence-page.ts';
import { createGraphql } from '../query/graphql.ts';
import { createRateLimit } from '../query/rate-limit.ts';
import type { Caller } from '../storage/access.ts';
import { openAccessLog } from '../storage/access-log.ts';
import { createAttempts } from '../storage/attempts.ts';
import { keptFor } from '../storage/retention-policy.ts';
import type { Config } from './settings.ts';
import { catalogueOf } from './catalogue.ts';
import type { Answer, Request, Route } from './http.ts';
import { assertMigrated } from './ingest.ts';
import { accessOf, credentialOf, intakeRoutes } from './intake.ts';
import { policyOf } from './policy.ts';
import { fullDisk, othersNotReady, told } from './readiness.ts';
import { openReplays } from './replays.ts';
import type { RoleContext, Running } from './role.ts';
import { adminKeyOf, secretsOf } from './secrets.ts';
import { isEmbedded, openClickHouse, openLog, topicsOf } from './stores.ts';
import { closedReader, endsOf } from './watermark.ts';
import { watched } from './watched.ts';
import { version } from './version.ts';

const welcome: Answer = {
  status: 200,
  type: 'text/plain; charset=utf-8',
  body: 'Gatetrail. Send GraphQL to POST /graphql and records to POST /v1/records, with an API key.\n',
};

const hundredYearsMs = 36_525 * 86_400_000;

export async function openQuery({ config, logger }: RoleContext): Promise<Running> {
  const clickhouse = watched(openClickHouse(config, 'reader'), systemClock);
  const log = openLog(config, logger);
  const access = accessOf(config, clickhouse);
  const jobs = openClickHouse(config, 'jobs');
  const control = new AbortController();
  const accessLog = openAccessLog(clickhouse, systemClock);
  const notReady = async (): Promise<readonly string[]> => {
    const own = await assertMigrated(clickhouse).then(
      () => clickhouse.problems(),
      (error: unknown) => [told(error)],
    );
    return [...new Set([...own, ...fullDisk(config), ...(await othersNotReady(config.dataDir))])];
  };
  const policy = policyOf(config);
  const kept = (tenants: readonly string[]) => Math.min(hundredYearsMs, keptFor(policy, tenants));
  const limits = {
    retentionMs: kept(['*']),
    retentionOf: kept,
    maxRangeMs: hundredYearsMs,
    maxPageSize: 1_000,
    maxGroups: 1_000,
    maxPoints: 10_000,
    queriesPerMinute: 600,
  };
  const graphql = createGraphql({
    clickhouse,
    access,
    accessLog,
    cursorKeys: keysOf(config, 'cursors'),
    credentialKeys: keysOf(config, 'credentials'),
    limits,
    clock: systemClock,
    version,
    logger,
    graphiql: isEmbedded(config),
    closed: closedReader(clickhouse, systemClock),
    ends: () => endsOf(log, topicsOf(config)),
    notReady,
    catalogue: config.catalogue === undefined ? null : { ...(await catalogueOf(config)), loadedAt: Date.now() },
    replays: await openReplays({ config, clickhouse: jobs, log, logger, signal: control.signal }),
    rules: [...(await loadRules([firstPartyRules, ...config.rules])), gapRule],
  });
  const mayAsk = createRateLimit(limits.queriesPerMinute, systemClock);
  /** Who is refused here stands in the access log like who is refused a field. */
  const admitted = async ({ headers, address }: Request): Promise<Caller> => {
    let caller: Caller | null = null;
    try {
      caller = await access.authenticate(credentialOf(headers), address);
      mayAsk(caller.keyId);
      return caller;
    } catch (error) {
      // The first refusals of an address tell who it was; writing down the flood that follows would serve it.
      if (caller !== null || (error instanceof AuditError && error.code === 'UNAUTHENTICATED'))
        await accessLog.write({ caller, address, action: 'graphql', allowed: false });
      throw error;
    }
  };
  const attempts = createAttempts(systemClock);
  const links = oneTimeLinks(isEmbedded(config) ? adminKeyOf(config) : undefined);
  const routes: Route[] = [
    {
      method: 'POST',
      path: '/graphql',
      async handle(request) {
        const caller = await admitted(request);
        await graphql.handle({ req: request.req, res: request.res, caller, address: request.address });
        return 'sent';
      },
    },
    { method: 'GET', path: '/graphql', handle: async () => page(graphql.page) },
    {
      method: 'GET',
      path: '/',
      handle: async () => (graphql.page === null ? welcome : { status: 302, headers: { location: '/graphql' }, body: '' }),
    },
    { method: 'GET', path: '/admin', handle: async (request) => links.open(request) },
    {
      method: 'GET',
      path: '/evidence',
      async handle({ query, address }) {
        const { status, headers, html } = await evidencePage(query['t'] ?? '', address, {
          clickhouse,
          accessLog,
          keys: keysOf(config, 'links'),
          attempts,
          clock: systemClock,
        });
        return { status, type: 'text/html; charset=utf-8', headers, body: html };
      },
    },
    ...(await intakeRoutes({ config, clickhouse, log, logger })),
  ];
  return {
    routes,
    notReady,
    async stop() {
      control.abort();
      await Promise.allSettled([log.close(), clickhouse.close(), jobs.close()]);
    },
    ready: (url) => links.inReadyLine(url),
  };
}

function keysOf(config: Config, purpose: 'cursors' | 'links' | 'credentials') {
  const { current, previous } = secretsOf(config);
  return [deriveKey(current, purpose), ...previous.map((secret) => deriveKey(secret, purpose))] as const;
}

function page(graphiql: { readonly html: string; readonly csp: string } | null): Answer {
  if (graphiql === null)
    throw new AuditError('NOT_FOUND', 'Send queries as POST /graphql; the page for trying them is offered by the embedded default alone');
  return { status: 200, type: 'text/html; charset=utf-8', headers: { 'content-security-policy': graphiql.csp }, body: graphiql.html };
}

const cookieSeconds = 12 * 3_600;

/** The link that `start` prints: opened once, it leaves the admin key as a cookie that scripts cannot read. Embedded default only. */
function oneTimeLinks(adminKey: string | undefined) {
  const unused = new Set<string>();
  return {
    inReadyLine(url: string): Readonly<Record<string, string>> {
      if (adminKey === undefined) return {};
      const token = randomBytes(24).toString('base64url');
      unused.add(token);
      return { adminUrl: `${url}/admin?t=${token}`, token: adminKey };
    },
    open({ query }: Request): Answer {
      if (!unused.delete(query['t'] ?? ''))
        throw new AuditError(
          'NOT_FOUND',
          'This link was used already, or is not one of ours. Start again to get another one, or use the key of the ready line',
        );
      const cookie = `gatetrail_key=${adminKey}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${cookieSeconds}`;
      return { status: 302, headers: { 'set-cookie': cookie, location: '/graphql' }, body: '' };
    },
  };
}
