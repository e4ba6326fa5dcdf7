/** The role `alerts` in this process: rules judged by what is stored, alerts, mails about them, and beside it the jobs of rollups and retention. */
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { deriveKey } from '../core/keys.ts';
import { type Alerts, createAlerts, loadRules } from '../alerts/alerts.ts';
import { firstPartyRules } from '../alerts/pack.ts';
import type { Channel } from '../alerts/channel.ts';
import { openEmail } from '../alerts/channels/email.ts';
import type { Scheduler } from '../alerts/scheduler.ts';
import { openMailbox } from '../local/mailbox.ts';
import { limitsFor } from '../schemas/catalogue.ts';
import { openLease } from '../storage/lease.ts';
import type { Config } from './settings.ts';
import { catalogueOf } from './catalogue.ts';
import { assertMigrated } from './ingest.ts';
import { startPatiently } from './patient-start.ts';
import { watchProblem } from './readiness.ts';
import { startRetention } from './retention.ts';
import type { RoleContext, Running } from './role.ts';
import { startRollups } from './rollups.ts';
import { secretsOf } from './secrets.ts';
import { holderName, openClickHouse, openLog, topicsOf } from './stores.ts';
import { watched } from './watched.ts';
import { openWatermark } from './watermark.ts';

export async function openAlerts({ config, logger }: RoleContext): Promise<Running> {
  const clickhouse = watched(openClickHouse(config, 'jobs'), systemClock);
  const log = openLog(config, logger);
  const catalogue = await catalogueOf(config);
  const rules = await loadRules([firstPartyRules, ...config.rules]);
  const control = new AbortController();
  const channel = channelOf(config);
  const mailProblem = watchProblem(() => channel.check(), control.signal, 15_000);
  let alerts: Alerts | null = null;
  let retention: Scheduler | null = null;
  let rollups: Scheduler | null = null;

  const start = async () => {
    await assertMigrated(clickhouse);
    alerts = createAlerts({
      clickhouse,
      rules,
      channels: [channel],
      watermark: openWatermark(clickhouse, { log, topics: topicsOf(config), clock: systemClock }),
      lease: openLease(clickhouse, { name: 'alerts', holder: holderName('alerts'), ttlMs: 30_000 }),
      clock: systemClock,
      logger,
      latenessMs: config.alerts.lateness,
      groupWaitMs: config.alerts.groupWait,
      wakeSeconds: config.alerts.lateness < 20_000 ? 2 : 10,
      limitsFor: (spanMs) => limitsFor(catalogue, spanMs),
      tenantOf: (topic) => tenantOf(config, topic),
      publicUrl: config.http.publicUrl ?? defaultUrl(config),
      linkKey: deriveKey(secretsOf(config).current, 'links'),
    });
    alerts.start();
    retention = startRetention(config, logger);
    rollups = startRollups(clickhouse, logger);
  };
  const starting = startPatiently(start, { signal: control.signal, logger });

  return {
    routes: [],
    async notReady() {
      const waitsFor = starting.waitsFor();
      return [...(waitsFor === null ? clickhouse.problems() : [waitsFor]), ...mailProblem()];
    },
    async stop() {
      control.abort();
      await starting.over;
      await Promise.all([alerts?.stop(), retention?.stop(), rollups?.stop()]);
      await Promise.allSettled([log.close(), clickhouse.close()]);
    },
  };
}

/** Where each record says its tenant, nobody knows whose the lost ones were. */
function tenantOf({ sources, tenant }: Config, topic: string): string {
  const named = sources.find((source) => source.topic === topic)?.tenant;
  return typeof named === 'string' ? named : tenant;
}

function channelOf({ mail, dataDir }: Config): Channel {
  const to = mail.to.length > 0 ? mail.to : ['oncall@localhost'];
  if (mail.smtpUrl !== undefined) return openEmail({ from: mail.from, to, smtpUrl: mail.smtpUrl });
  return openEmail({ from: mail.from, to, deliver: openMailbox(join(dataDir, 'mailbox')) });
}

/** Where the API of the same machine is, when nobody said how people reach it; the supervisor knows the port it got. */
function defaultUrl({ http }: Config): string {
  return process.env['SUPERVISED_URL'] ?? `http${http.tls.cert === undefined ? '' : 's'}://${http.host}:${http.port}`;
}
