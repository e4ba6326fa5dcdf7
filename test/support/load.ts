/** Load and oracle in a process of their own, so that neither is slowed down by the test, nor forgets with it. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Asks } from './load-process.ts';
import type { Place } from './oracle.ts';
import type { ProducerOptions } from './producer.ts';
import { sqlRows } from './sql.ts';

type Load = { readonly [Ask in keyof Omit<Asks, 'open'>]: (...input: Parameters<Asks[Ask]>) => Promise<Awaited<ReturnType<Asks[Ask]>>> } & {
  close(): void;
};
export type { Load };

export async function startLoad(options: ProducerOptions): Promise<Load> {
  const child = fork(join(import.meta.dirname, 'run.mjs'), [join(import.meta.dirname, 'load-process.ts')]);
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  let asked = 0;
  child.on('message', ({ id, value, error }: { id: number; value: never; error?: string }) => {
    if (error === undefined) waiting.get(id)?.resolve(value);
    else waiting.get(id)?.reject(new Error(error));
    waiting.delete(id);
  });
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`the load ended with ${signal ?? code}`));
  });
  const ask = <Name extends keyof Asks>(name: Name, ...input: Parameters<Asks[Name]>) =>
    new Promise<Awaited<ReturnType<Asks[Name]>>>((resolve, reject) => {
      asked += 1;
      waiting.set(asked, { resolve, reject });
      child.send({ id: asked, ask: name, input: input[0] });
    });
  await ask('open', options);
  return {
    start: (recordsPerSecond) => ask('start', recordsPerSecond),
    stop: () => ask('stop'),
    sent: () => ask('sent'),
    isCovered: (place) => ask('isCovered', place),
    judge: (place) => ask('judge', place),
    close: () => child.kill('SIGKILL'),
  };
}

/** Events that were sent and not claimed so far. */
export async function backlogOf(load: Load, { server, database, topic }: Place): Promise<number> {
  const { events } = await load.sent();
  const [claimed] = await sqlRows<{ n: string }>(
    server,
    `SELECT sum(events) AS n FROM batches WHERE topic = '${topic}' AND revision = 0`,
    database,
  );
  return events - Number(claimed?.n);
}
