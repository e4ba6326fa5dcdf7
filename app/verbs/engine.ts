/** `gatetrail engine`: the embedded engine alone. */
import { createLogger } from '../telemetry.ts';
import { configOf, type Verb } from '../verb.ts';
import { crashOnUnknown, endWith } from '../lifecycle.ts';

const engine: Verb = {
  description: 'runs the embedded engine alone, on loopback',
  async run(flags) {
    const config = configOf(flags);
    const logger = createLogger(config.log.level, 'engine');
    const { engineEnvironment } = await import('../../local/engine/spawn.ts');
    if (process.env['UV_THREADPOOL_SIZE'] === undefined) return restartWith(engineEnvironment());
    const { startEngineHost } = await import('../../local/engine/host.ts');
    crashOnUnknown(logger);
    const host = await startEngineHost({ dataDir: config.dataDir, logger });
    endWith(() => host.stop(), logger);
    const line = { event: 'ready', role: 'engine', url: host.url };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    process.send?.(line);
    return undefined;
  },
};
export default engine;

/** The size of libuv's thread pool is read before any of our code runs. */
async function restartWith(environment: Readonly<Record<string, string>>): Promise<number> {
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, process.argv.slice(1), { stdio: 'inherit', env: { ...process.env, ...environment } });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
