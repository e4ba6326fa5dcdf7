/** All roles on one machine: engine, one migration run, then query, ingest and alerts. For `start`, `demo` and `import`. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { engineEnvironment } from '../local/engine/spawn.ts';
import type { Config } from './settings.ts';
import { catalogueOf } from './catalogue.ts';
import { engineGone, holdFolder } from './folder.ts';
import { reasonsOf } from './readiness.ts';
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

const readyWithinMs = 60_000;

/** @throws DATA_DIR_LOCKED, DATA_DIR_UNUSABLE, CONFIG_INVALID, NOT_READY */
export async function startAll({ config, flags, env = {}, logger, onUsage }: StartOptions): Promise<Started> {
  await catalogueOf(config); // whoever reads it later would end everything that was started by then
  const letGo = holdFolder(config.dataDir);
  const supervisor = createSupervisor({ program: join(import.meta.dirname, '../main.js'), logger, onUsage });
  const note = serviceNote(config.dataDir);
  const ingestRoles = ingestRolesOf(config);
  // Only query has the configured port; the others listen on free ports of loopback, for health and metrics.
  const inner = { ...env, GATETRAIL_PORT: '0', GATETRAIL_HOST: '127.0.0.1' };
  const stop = async () => {
    note.remove();
    await supervisor.stop([['query', 'migrate'], ingestRoles, ['alerts'], ['engine']]);
    letGo();
  };
  try {
    note.remove(); // of a start that was killed
    if (isEmbedded(config)) {
      await engineGone(config.dataDir, sleep);
      await supervisor.run({ role: 'engine', args: ['engine', ...flags], env: { ...inner, ...engineEnvironment() } });
    }
    await supervisor.once({ role: 'migrate', args: ['migrate', ...flags], env: inner });
    const listensAt = (port: number | string) => ['query', ...flags, '--port', String(port)];
    // Any free port is chosen once: started again, the API is where people and mails have it.
    const again = ({ url }: Ready) => listensAt(config.http.port || new URL(url ?? '').port);
    const query = await supervisor.run({ role: 'query', args: listensAt(config.http.port), env: { ...env, SUPERVISED: '1' }, again });
    const url = query['url'] ?? '';
    const run = (role: string, verb: string, more: Readonly<Record<string, string>> = {}) =>
      supervisor.run({ role, args: [verb, ...flags], env: { ...inner, ...more }, onReady: (ready) => note.setRole(role, ready) });
    const roles = await Promise.all([...ingestRoles.map((role) => run(role, 'ingest')), run('alerts', 'alerts', { SUPERVISED_URL: url })]);
    for (const role of [query, ...roles]) await answers(role, logger);
    const { adminUrl, token } = query;
    note.write({ url, ...(token !== undefined && { token }) });
    return { url, ...(adminUrl !== undefined && { adminUrl }), ...(token !== undefined && { token }), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `ingest`, `ingest-2` and so on. */
function ingestRolesOf({ kafka, ingest }: Config): string[] {
  const processes = kafka.brokers.length === 0 ? 1 : ingest.processes;
  return Array.from({ length: processes }, (_, at) => (at === 0 ? 'ingest' : `ingest-${at + 1}`));
}

/** Where the service answers, for verbs that work on it, and its other roles, for the readiness that query tells. */
function serviceNote(dataDir: string) {
  const file = join(dataDir, 'service.json');
  const roles: Record<string, string> = {};
  let service: object | null = null;
  const save = () => {
    if (service === null) return;
    writeFileSync(`${file}.new`, JSON.stringify({ ...service, roles }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  return {
    /** A role that was started again listens elsewhere. */
    setRole(role: string, { url = '' }: Ready): void {
      roles[role] = url;
      save();
    },
    write(ready: object): void {
      service = ready;
      save();
    },
    remove(): void {
      service = null;
      rmSync(file, { force: true });
    },
  };
}

/** Mails stay queued while their server is away; a partition that stands still waits for its operator. Everything else works. */
const mayWait = /^(?:MAIL_UNAVAILABLE|LOG_REPLACED|LEDGER_INCONSISTENT|EVENTS_AHEAD_OF_LEDGER):/;

/** Until the role says that it is ready; what it waits for is told when that takes too long. */
async function answers(ready: Ready, logger: Logger): Promise<void> {
  const [role, url] = [ready['role'] ?? '', ready['url'] ?? ''];
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    const reasons = await reasonsOf(role, url);
    for (const reason of reasons.filter((each) => mayWait.test(each))) logger.warn({ role, reason }, 'started without it');
    if (reasons.every((each) => mayWait.test(each))) return;
    if (Date.now() > deadline) throw new AuditError('NOT_READY', `The role ${role} is not ready: ${reasons.join('; ')}`);
    await sleep(100);
  }
}
