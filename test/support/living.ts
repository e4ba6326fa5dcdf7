/** What lives in a process of the product when its garbage is gone: a leak of one part in a hundred stands out of it, as it never does of resident memory. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Running, until } from './gatetrail.ts';

const preload = pathToFileURL(join(import.meta.dirname, 'collecting.mjs')).href;

/** For the environment of the process. */
export const collecting = { NODE_OPTIONS: `--import ${preload}` };

/** Bytes of its heap and beside it. */
export async function livingBytes({ pid, log }: Running): Promise<number> {
  const told = () => [...log().matchAll(/^lives: (\d+)$/gm)].map(([, bytes]) => Number(bytes));
  const before = told().length;
  process.kill(pid, 'SIGUSR2');
  const all = await until(
    async () => told(),
    ({ length }) => length > before,
    30_000,
  );
  return all.at(-1) ?? 0;
}
