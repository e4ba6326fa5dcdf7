/**
 * `gatetrail start`: each role in a process of its own, started in order and started again when it ends. The supervisor
 * holds no data and opens no connection to the network; when it is killed, the channel to each child ends, and with it the child.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { sleep } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';

export interface Service {
  readonly role: string;
  /** Arguments of the program: the verb and its flags. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Arguments of every later life, from what the first said when it was ready. */
  readonly again?: (ready: Ready) => readonly string[];
  /** Told of each life that became ready. */
  readonly onReady?: (ready: Ready) => void;
}

/** What a child said when it was ready: at least `url`. */
export type Ready = Readonly<Record<string, string>>;

export interface Supervisor {
  /** Starts a service and resolves at its first ready line; from then on it is kept running. @throws AuditError when it ends with 2 before */
  run(service: Service): Promise<Ready>;
  /** Runs a service to its end. @throws AuditError when it fails */
  once(service: Service): Promise<void>;
  /** Ends every child, the last started group by group: `order` names the roles that go first. */
  stop(order: readonly (readonly string[])[]): Promise<void>;
}

export interface SupervisorOptions {
  /** The program that every service is a run of. */
  readonly program: string;
  readonly logger: Logger;
  /** A child ended with 2: its configuration is wrong, and starting it again would not mend it. */
  readonly onUsage: (role: string) => void;
}

const firstRestartMs = 200;
const maxRestartMs = 10_000;
/** Before the first ready line: about six seconds in all, more than a predecessor needs to let go of the data folder. */
const maxFirstWaitMs = 3_200;
/** A child that ran this long is trusted again. */
const steadyMs = 30_000;
const graceMs = 4_500;
const usageCode = 2;

export function createSupervisor({ program, logger, onUsage }: SupervisorOptions): Supervisor {
  const children = new Map<string, ChildProcess>();
  const control = new AbortController();

  function start({ role, args, env, onReady }: Service): ChildProcess {
    const child = fork(program, [...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    children.set(role, child);
    if (onReady) void readyOf(child).then(onReady);
    return child;
  }

  /** One life after the other, until the supervisor stops. */
  async function keep(service: Service, first: ChildProcess): Promise<void> {
    let child = first;
    for (let waitMs = firstRestartMs; ;) {
      const startedAt = Date.now();
      const code = await exitOf(child);
      if (control.signal.aborted) return;
      if (code === usageCode) return onUsage(service.role);
      if (Date.now() - startedAt > steadyMs) waitMs = firstRestartMs;
      logger.warn({ role: service.role, code, waitMs }, 'a role ended; it is started again');
      await sleep(waitMs, control.signal);
      if (control.signal.aborted) return;
      waitMs = Math.min(maxRestartMs, waitMs * 2);
      child = start(service);
    }
  }

  return {
    async run(service) {
      for (let waitMs = firstRestartMs; ; waitMs *= 2) {
        const child = start(service);
        const ready = await Promise.race([readyOf(child), exitOf(child)]);
        if (typeof ready === 'object' && ready !== null) {
          void keep({ ...service, args: service.again?.(ready) ?? service.args }, child);
          return ready;
        }
        if (ready === usageCode)
          throw new AuditError('CONFIG_INVALID', `The role ${service.role} cannot run with this configuration; its message stands above`);
        if (control.signal.aborted) throw new AuditError('NOT_READY', `stopped before the role ${service.role} was ready`);
        // What is away is waited for inside a role; one that ends again and again is in no state to start.
        if (waitMs > maxFirstWaitMs)
          throw new AuditError('NOT_READY', `The role ${service.role} ended again and again before it was ready; its message stands above`);
        logger.warn({ role: service.role, code: ready, waitMs }, 'a role ended before it was ready; it is started again');
        await sleep(waitMs, control.signal);
      }
    },
    async once(service) {
      const code = await exitOf(start(service));
      children.delete(service.role);
      if (code === usageCode) throw new AuditError('CONFIG_INVALID', `${service.role} failed; its message stands above`);
      if (code !== 0) throw new AuditError('NOT_READY', `${service.role} ended with ${code}; its message stands above`);
    },
    async stop(order) {
      control.abort();
      const deadline = Date.now() + graceMs;
      for (const roles of order) await Promise.all(roles.map((role) => end(children.get(role), deadline)));
    },
  };
}

/** SIGTERM's meaning through the channel; SIGKILL when the time is over. */
async function end(child: ChildProcess | undefined, deadline: number): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = exitOf(child);
  // A child that dies at this moment fails the send; its exit, awaited below, says so already.
  if (child.connected) child.send('stop', () => undefined);
  const timer = setTimeout(() => child.kill('SIGKILL'), Math.max(0, deadline - Date.now()));
  await ended;
  clearTimeout(timer);
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

function readyOf(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'event' in message && message.event === 'ready')
        resolve(message as unknown as Ready);
    });
  });
}
