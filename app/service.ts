/** Which service a verb works on: the one that was named, else the one that runs on the data folder, else one of its own for as long as it takes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditError, messageOf } from '../core/errors.ts';
import type { Config } from './settings.ts';
import { adminKeyOf } from './secrets.ts';
import { startAll } from './start.ts';
import { createLogger } from './telemetry.ts';
import { configOf, type Flags, text } from './verb.ts';

export interface Service {
  readonly url: string;
  readonly key: string;
}

export const serviceOptions = {
  '--url <URL>': 'the service to work on',
  '--key <KEY>': 'its API key',
  '--reason <TEXT>': 'why values are read unmasked',
};

export async function withService<Result>(flags: Flags, work: (service: Service) => Promise<Result>): Promise<Result> {
  const url = text(flags, 'url') ?? process.env['GATETRAIL_URL'];
  const key = text(flags, 'key') ?? process.env['GATETRAIL_KEY'];
  if (url !== undefined) {
    if (key === undefined)
      throw new AuditError('BAD_USER_INPUT', 'A service was named with --url, its key was not: give it with --key or GATETRAIL_KEY');
    if (!/^https?:/.test(url) || !URL.canParse(url))
      throw new AuditError('BAD_USER_INPUT', `--url must be the address of a service, like http://127.0.0.1:4000, not ${url}`);
    return work({ url: url.replace(/\/$/, ''), key });
  }
  const config = configOf(flags);
  const running = await runningOn(config);
  return running === null ? withOwn(config, flags, work) : work(running);
}

/** The service of DATA/service.json, if it answers. */
async function runningOn(config: Config): Promise<Service | null> {
  const file = join(config.dataDir, 'service.json');
  if (!existsSync(file)) return null;
  const { url, token } = (parsed(readFileSync(file, 'utf8')) ?? {}) as { url?: string; token?: string }; // written by start
  if (url === undefined) return null;
  const answers = await fetch(`${url}/livez`).then(
    ({ ok }) => ok,
    () => false,
  );
  const key = token ?? adminKeyOf(config);
  if (!answers || key === undefined) return null;
  return { url, key };
}

async function withOwn<Result>(config: Config, flags: Flags, work: (service: Service) => Promise<Result>): Promise<Result> {
  const key = adminKeyOf(config);
  if (key === undefined)
    throw new AuditError('BAD_USER_INPUT', 'No service runs here. Name one with --url and --key, or configure access.adminKey');
  const logger = createLogger('error', 'start');
  const passed = (['config', 'data'] as const).flatMap((name) =>
    text(flags, name) === undefined ? [] : [`--${name}`, text(flags, name) ?? ''],
  );
  const env = { GATETRAIL_LOG_LEVEL: 'error' };
  const started = await startAll({
    config: { ...config, http: { ...config.http, port: 0 } },
    flags: passed,
    env,
    logger,
    onUsage: () => process.exit(2),
  });
  try {
    return await work({ url: started.url, key });
  } finally {
    await started.stop();
  }
}

/** Headers of a GraphQL operation. A reason in any language goes as its bytes: a header takes no other signs. */
export function headersOf(flags: Flags): Record<string, string> {
  const reason = text(flags, 'reason')?.replaceAll(/\s+/g, ' ');
  return {
    'content-type': 'application/json',
    ...(reason !== undefined && { 'x-access-reason': Buffer.from(reason).toString('latin1') }),
  };
}

/** One call. @throws the service's own error by its code; BACKEND_UNAVAILABLE when it does not answer */
export async function call(
  { url, key }: Service,
  path: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, ...headers },
    body: body as BodyInit,
  }).catch((error: unknown) => {
    // fetch says only that it failed; why stands in the cause
    const why = messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
    throw new AuditError('BACKEND_UNAVAILABLE', `The service at ${url} does not answer: ${why}`, { cause: error });
  });
  const answer = parsed(await response.text()) as { error?: { code: 'INTERNAL'; message: string } } | null;
  if (answer === null)
    throw new AuditError(
      'BACKEND_UNAVAILABLE',
      `Expected a service of Gatetrail at ${url}; ${response.status} without JSON came from there`,
    );
  if (!response.ok && answer.error !== undefined) throw new AuditError(answer.error.code, answer.error.message);
  return answer;
}

/** null for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
