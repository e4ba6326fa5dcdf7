/** `gatetrail start`: everything on one machine. */
import { isEmbedded } from '../stores.ts';
import { createLogger } from '../telemetry.ts';
import { runAll } from '../run-all.ts';
import { configOf, print, type Verb } from '../verb.ts';

const start: Verb = {
  description: 'runs all roles under one supervisor',
  options: { '--port <N>': 'where the API listens, 0 for any free port' },
  async run(flags) {
    const config = configOf(flags);
    const started = await runAll({ config, flags, logger: createLogger(config.log.level, 'start') });
    const { url, adminUrl, token } = started;
    if (flags['json'] === true) return print({ event: 'ready', role: 'all', url, ...(adminUrl && { adminUrl }), ...(token && { token }) });
    print(`Gatetrail is ready at ${url}`);
    if (adminUrl !== undefined) print(`Open ${adminUrl} (works once), or use the key ${token}`);
    if (isEmbedded(config)) print(`Everything is kept in ${config.dataDir}; mails land in ${config.dataDir}/mailbox. Ctrl-C ends it.`);
  },
};
export default start;
