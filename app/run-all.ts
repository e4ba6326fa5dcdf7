/** `startAll` as a process: ends on signals within five seconds, and whatever else may come. */
import type { Logger } from '../core/logger.ts';
import type { Config } from './settings.ts';
import { type Started, startAll } from './start.ts';
import { type Flags, exitCodes, text } from './verb.ts';

interface RunOptions {
  readonly config: Config;
  readonly flags: Flags;
  readonly env?: Readonly<Record<string, string>>;
  readonly logger: Logger;
  /** Called before the roles are stopped. */
  readonly onStop?: () => void;
}

export async function runAll({ config, flags, env = {}, logger, onStop }: RunOptions): Promise<Started> {
  let started: Started | null = null;
  let isStopping = false;
  const end = (code: number) => {
    if (isStopping) process.exit(1); // asked twice: the children end with the channel
    isStopping = true;
    onStop?.();
    setTimeout(() => process.exit(1), 5_000).unref();
    void (started?.stop() ?? Promise.resolve()).finally(() => process.exit(code));
  };
  process.on('SIGINT', () => end(0));
  process.on('SIGTERM', () => end(0));
  const passed = (['config', 'data'] as const).flatMap((name) => {
    const value = text(flags, name);
    return value === undefined ? [] : [`--${name}`, value];
  });
  started = await startAll({ config, flags: passed, env, logger, onUsage: () => end(exitCodes.usage) });
  return started;
}
