/** `gatetrail demo`: everything on one machine, with traffic of five gateways and two incidents among it. */
import { join } from 'node:path';
import { parseDuration } from '../../core/duration.ts';
import { AuditError } from '../../core/errors.ts';
import { createTraffic } from '../demo/traffic.ts';
import { startGenerator } from '../demo/generator.ts';
import { watchMails } from '../demo/mails.ts';
import { startScreen } from '../demo/screen.ts';
import { runAll } from '../run-all.ts';
import { createLogger } from '../telemetry.ts';
import { configOf, note, print, text, type Verb } from '../verb.ts';

/** Timers count no further than 24 days. */
const longestMs = 20 * 86_400_000;

const demo: Verb = {
  description: 'runs everything with a generator of traffic: five gateways, two incidents',
  options: {
    '--port <N>': 'where the API listens',
    '--rate <N>': 'requests a second, default 40',
    '--for <SPAN>': 'ends after this time',
    '--calm': 'leaves the two incidents out',
  },
  async run(flags) {
    const config = configOf(flags);
    const rate = Number(text(flags, 'rate') ?? 40);
    if (!(rate > 0)) throw new AuditError('BAD_USER_INPUT', `--rate must be a number above 0, not ${text(flags, 'rate')}`);
    const forMs = text(flags, 'for') === undefined ? Number.POSITIVE_INFINITY : parseDuration(text(flags, 'for') ?? '');
    if (forMs === null || (Number.isFinite(forMs) && !(forMs > 0 && forMs <= longestMs)))
      throw new AuditError('BAD_USER_INPUT', `--for must be a span like 2m, of 20 days at most, not ${text(flags, 'for')}`);
    const json = flags['json'] === true;
    const ends: (() => void)[] = [];
    const env = {
      GATETRAIL_LOG_LEVEL: 'error',
      GATETRAIL_ALERTS_LATENESS: '5s',
      GATETRAIL_ALERTS_GROUP_WAIT: '5s',
      ...(config.catalogue === undefined && { GATETRAIL_CATALOGUE: join(import.meta.dirname, '../demo/catalogue.yaml') }),
    };
    const started = await runAll({ config, flags, env, logger: createLogger('error', 'demo'), onStop: () => ends.forEach((end) => end()) });
    const { url, adminUrl, token = '' } = started;
    if (json) print({ event: 'ready', role: 'all', url, ...(adminUrl && { adminUrl }), token });
    else {
      print(`Gatetrail is ready at ${url}`);
      print(`Open ${adminUrl} (works once), or use the key ${token}`);
      print(
        'alerts.lateness and alerts.groupWait are shortened to 5 s for this demonstration; rules, pipeline and mails are the ordinary ones.',
      );
      print(
        flags['calm'] === true
          ? 'Calm: no incident, so no mail comes.'
          : 'In half a minute a credential-stuffing burst and a rate breach begin; their mails land in ' + join(config.dataDir, 'mailbox'),
      );
    }
    ends.push(startGenerator({ service: { url, key: token }, next: createTraffic({ rate, calm: flags['calm'] === true }), note }));
    const mails = watchMails(join(config.dataDir, 'mailbox'), (mail) =>
      json ? print({ event: 'mail', ...mail }) : process.stdout.isTTY || print(`${mail.subject}  (${mail.file})`),
    );
    ends.push(mails.stop);
    if (!json && process.stdout.isTTY) ends.push(startScreen({ service: { url, key: token }, mails: mails.seen }));
    if (Number.isFinite(forMs)) setTimeout(() => process.kill(process.pid, 'SIGTERM'), forMs);
  },
};
export default demo;
