/** All roles on one machine: engine, one migration run, then query, ingest and alerts. For `start`, `demo` and `import`. */
import { rmSync, writeFileSync, mkdirSync, accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../core/clock.ts';
import { AuditError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { engineEnvironment } from '../local/engine/spawn.ts';
import type { Config } from './config.ts';
import { isEmbedded } from './stores.ts';
import { createSupervisor, type Ready } from './supervisor.ts';

export interface StartOptions {
  readonly config: Config;
  /** Flags that every child gets, as given: --config, --data. */
  readonly flags: readonly string[];
  /** Environment of the children beside ours. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logger: Logger;
  /** A role cannot go on with this configuration. */
  readonly onUsage: () => void;
}

export interface Started {
  readonly url: string;
  readonly adminUrl?: string;
  readonly token?: string;
  stop(): Promise<void>;
}

const stopOrder = [['query', 'migrate'], ['ingest'], ['alerts'], ['engine']];
const readyWithinMs = 60_000;

/** @throws DATA_DIR_UNUSABLE, CONFIG_INVALID, NOT_READY */
export async function startAll({ config, flags, env = {}, logger, onUsage }: StartOptions): Promise<Started> {
  assertWritable(config.dataDir);
  const supervisor = createSupervisor({ program: join(import.meta.dirname, '../main.js'), logger, onUsage });
  const note = join(config.dataDir, 'service.json');
  // Only query has the configured port; the others listen on free ports of loopback, for health and metrics.
  const inner = { ...env, GATETRAIL_PORT: '0', GATETRAIL_HOST: '127.0.0.1' };
  let isNoted = false;
  const stop = async () => {
    if (isNoted) rmSync(note, { force: true }); // one that was refused must not take away the note of who holds the folder
    await supervisor.stop(stopOrder);
  };
  try {
    if (isEmbedded(config)) await supervisor.run({ role: 'engine', args: ['engine', ...flags], env: { ...inner, ...engineEnvironment() } });
    await supervisor.once({ role: 'migrate', args: ['migrate', ...flags], env: inner });
    const listensAt = (port: number | string) => ['query', ...flags, '--port', String(port)];
    // Any free port is chosen once: started again, the API is where people and mails have it.
    const again = ({ url }: Ready) => listensAt(config.http.port || new URL(url ?? '').port);
    const query = await supervisor.run({ role: 'query', args: listensAt(config.http.port), env, again });
    const url = query['url'] ?? '';
    const roles = await Promise.all([
      supervisor.run({ role: 'ingest', args: ['ingest', ...flags], env: inner }),
      supervisor.run({ role: 'alerts', args: ['alerts', ...flags], env: { ...inner, SUPERVISED_URL: url } }),
    ]);
    for (const role of [query, ...roles]) await answers(role);
    const { adminUrl, token } = query;
    isNoted = true;
    writeFileSync(note, JSON.stringify({ url, token }), { mode: 0o600 });
    return { url, ...(adminUrl !== undefined && { adminUrl }), ...(token !== undefined && { token }), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function assertWritable(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.W_OK);
  } catch (error) {
    throw new AuditError(
      'DATA_DIR_UNUSABLE',
      `The data folder ${dataDir} cannot be written: ${messageOf(error)}. Give this user the right to write it, or choose another one with --data`,
      { cause: error },
    );
  }
}

/** Until the role says that it is ready; what it waits for is told when that takes too long. */
async function answers(ready: Ready): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    const reasons = await fetch(`${ready['url']}/readyz`).then(
      async (response) => (response.ok ? [] : ((await response.json()) as { reasons: string[] }).reasons),
      (error: unknown) => [messageOf(error)],
    );
    if (reasons.length === 0) return;
    if (Date.now() > deadline) throw new AuditError('NOT_READY', `The role ${ready['role']} is not ready: ${reasons.join('; ')}`);
    await sleep(100);
  }
}
