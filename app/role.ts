/** What every role does alike: configuration in, listener up, ready line out, a clean end. */
import type { Logger } from '../core/logger.ts';
import type { Config } from './settings.ts';
import { listen, type Route } from './http.ts';
import { crashOnUnknown, endWith } from './lifecycle.ts';
import { createLogger, createMetrics, type Metrics } from './telemetry.ts';
import { version } from './version.ts';

export interface RoleContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A running role, as the process sees it. */
export interface Running {
  readonly routes: readonly Route[];
  /** Why it is not ready; empty when it is. */
  notReady(): Promise<readonly string[]>;
  stop(): Promise<void>;
  /** More for the ready line. */
  ready?(url: string): Readonly<Record<string, string>>;
}

/** Runs until it is told to end. */
export async function runRole(role: string, config: Config, open: (context: RoleContext) => Promise<Running>): Promise<void> {
  const logger = createLogger(config.log.level, role);
  const metrics = createMetrics(version);
  crashOnUnknown(logger);
  const running = await open({ config, logger, metrics });
  const listener = await listen({ http: config.http, routes: running.routes, notReady: () => running.notReady(), metrics, logger });
  endWith(async () => {
    await listener.close();
    await running.stop();
  }, logger);
  const line = { event: 'ready', role, url: listener.url, ...running.ready?.(listener.url) };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  process.send?.(line);
}
