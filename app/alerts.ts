/** The role `alerts` in this process: rules judged by what is stored, alerts, and mails about them. */
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import { deriveKey } from '../core/keys.ts';
import { untilItWorks } from '../core/retry.ts';
import { type Alerts, createAlerts, firstPartyRules, loadRules } from '../alerts/alerts.ts';
import type { Channel } from '../alerts/channel.ts';
import { openEmail } from '../alerts/channels/email.ts';
import { openMailbox } from '../local/mailbox.ts';
import { emptyCatalogue, limitsFor, readCatalogue } from '../schemas/catalogue.ts';
import { openLease } from '../storage/lease.ts';
import type { Config } from './config.ts';
import { assertMigrated } from './ingest.ts';
import { told, watchProblem } from './readiness.ts';
import type { RoleContext, Running } from './role.ts';
import { secretsOf } from './secrets.ts';
import { holderName, openClickHouse, openLog, topicsOf } from './stores.ts';
import { exitCodeOf } from './verb.ts';
import { watched } from './watched.ts';
import { openWatermark } from './watermark.ts';

export async function openAlerts({ config, logger }: RoleContext): Promise<Running> {
  const clickhouse = watched(openClickHouse(config, 'jobs'), systemClock);
  const log = openLog(config, logger);
  const catalogue = config.catalogue === undefined ? emptyCatalogue : await readCatalogue(config.catalogue);
  const rules = await loadRules([firstPartyRules, ...config.rules]);
  const control = new AbortController();
  const channel = channelOf(config);
  const mailProblem = watchProblem(() => channel.check(), control.signal, 15_000);
  let waitsFor: string | null = 'the start';
  let alerts: Alerts | null = null;

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
      publicUrl: config.http.publicUrl ?? defaultUrl(config),
      linkKey: deriveKey(secretsOf(config).current, 'links'),
    });
    alerts.start();
    waitsFor = null;
  };
  const onRetry = (error: unknown) => {
    waitsFor = told(error);
  };
  const started = untilItWorks(start, { firstMs: 100, maxMs: 5_000, signal: control.signal, onRetry }).catch((error: unknown) => {
    if (control.signal.aborted) return;
    if (!(error instanceof AuditError)) throw error;
    logger.error({ code: error.code }, error.message);
    process.exit(exitCodeOf(error));
  });

  return {
    routes: [],
    notReady: async () => [...(waitsFor === null ? clickhouse.problems() : [waitsFor]), ...mailProblem()],
    async stop() {
      control.abort();
      await started;
      await alerts?.stop();
      await Promise.allSettled([log.close(), clickhouse.close()]);
    },
  };
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
