/** `POST /v1/records`: mounted by whichever process has the port. */
import { AuditError, messageOf } from '../core/errors.ts';
import { deriveKey } from '../core/keys.ts';
import { sleep, systemClock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { accept, type Appended } from '../ingest/intake.ts';
import type { Decoder } from '../ingest/decoder.ts';
import type { Log, NewMessage } from '../ingest/log.ts';
import { openAccess, type Access, type Caller } from '../storage/access.ts';
import { openAccessLog } from '../storage/access-log.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import type { ClosedReader } from '../storage/closed.ts';
import { receiptOf } from '../storage/receipts.ts';
import type { Config } from './settings.ts';
import { gatewaysOf } from './formats.ts';
import type { Answer, Request, Route } from './http.ts';
import { makeDecoder } from './decoder.ts';
import { closedReader } from './watermark.ts';
import { adminKeyOf, secretsOf } from './secrets.ts';
import { topicsOf } from './stores.ts';

export interface IntakeOptions {
  readonly config: Config;
  readonly clickhouse: ClickHouse;
  readonly log: Log;
  readonly logger: Logger;
}

interface Mounted extends IntakeOptions {
  readonly decoder: Decoder;
  readonly formats: readonly string[];
}

const maxBodyBytes = 16 * 1024 * 1024;

export function accessOf(config: Config, clickhouse: ClickHouse): Access {
  const { current, previous } = secretsOf(config);
  const adminKey = adminKeyOf(config);
  return openAccess({
    clickhouse,
    keys: [deriveKey(current, 'api-keys'), ...previous.map((secret) => deriveKey(secret, 'api-keys'))],
    clock: systemClock,
    ...(adminKey !== undefined && { adminKey }),
  });
}

/** The credential of a request: a bearer token, a key of its own header, or the cookie of the admin link, on our own pages alone. */
export function credentialOf({ authorization, 'x-api-key': key, cookie, origin, host }: Request['headers']): string | undefined {
  if (authorization !== undefined) return authorization;
  if (key !== undefined) return `Bearer ${key}`;
  // Any port of this machine is the same site to a browser, so SameSite lets pages of its other services send our cookie.
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host)) return undefined;
  const kept = /(?:^|;\s*)gatetrail_key=([\w.-]+)/.exec(cookie ?? '')?.[1];
  return kept === undefined ? undefined : `Bearer ${kept}`;
}

export async function intakeRoutes(options: IntakeOptions): Promise<Route[]> {
  const access = accessOf(options.config, options.clickhouse);
  const decoder = await makeDecoder(options.config);
  const formats = [...gatewaysOf(options.config.formats).keys()];
  return [
    { method: 'POST', path: '/v1/records', maxBodyBytes, handle: (request) => post({ ...options, decoder, formats }, access, request) },
  ];
}

async function post(options: Mounted, access: Access, request: Request): Promise<Answer> {
  const { config, clickhouse, log, decoder, formats } = options;
  const { format, gateway, wait } = request.query;
  const tenant = await admit(options, access, request);
  if (format !== undefined && !formats.includes(format))
    throw new AuditError('BAD_USER_INPUT', `format must be one of ${formats.join(', ')}, not ${format}`);
  const topic = topicOf(options, request.query['topic'] || config.intake.topic);
  const { messages, appended } = await accept(log, topic, {
    body: request.body,
    encoding: request.headers['content-encoding'],
    type: request.headers['content-type']?.split(';')[0]?.trim().toLowerCase(),
    tenant,
    format,
    gateway,
  });
  const answer = { messages: appended.length };
  if (wait === undefined) return { status: 202, body: JSON.stringify(answer) };
  const receipt = await receiptFor({ clickhouse, log, topic, logger: options.logger }, appended);
  return { status: 202, body: JSON.stringify({ ...answer, ...receipt, skipped: skippedIn(messages, decoder, topic) }) };
}

/** In Kafka only the intake's topic says who posted; others are for producers of their own. @throws BAD_USER_INPUT */
function topicOf({ config, log }: IntakeOptions, asked: string): string {
  const offered = log.kind === 'journal' ? topicsOf(config) : [config.intake.topic];
  if (offered.includes(asked)) return asked;
  throw new AuditError('BAD_USER_INPUT', `topic must be one of ${offered.join(', ')}, which are read and can be posted to; not ${asked}`);
}

/** Elements that are no requests leave no trace in the tables, so they are counted by reading the messages again. */
function skippedIn(messages: readonly NewMessage[], decoder: Decoder, topic: string): number {
  let skipped = 0;
  const count = { event: () => {}, rejected: () => {}, skipped: () => void (skipped += 1) };
  for (const { value, headers = {} } of messages) decoder.decode({ offset: 0, timestamp: -1, value, headers }, topic, Date.now(), count);
  return skipped;
}

/** Whose the records are. Who may not post stands in the access log. @throws UNAUTHENTICATED, FORBIDDEN, BAD_USER_INPUT */
async function admit({ config, clickhouse }: IntakeOptions, access: Access, { headers, address, query }: Request): Promise<string> {
  let caller: Caller | null = null;
  try {
    caller = await access.authenticate(credentialOf(headers), address);
    return tenantOf(caller, query['tenant'] || undefined, config.tenant);
  } catch (error) {
    // The first refusals of an address tell who it was; writing down the flood that follows would serve it.
    if (error instanceof AuditError && ['UNAUTHENTICATED', 'FORBIDDEN'].includes(error.code))
      await openAccessLog(clickhouse, systemClock).write({ caller, address, action: 'records', allowed: false });
    throw error;
  }
}

function tenantOf({ roles, tenants }: Caller, asked: string | undefined, fallback: string): string {
  if (!roles.includes('ingest') && !roles.includes('admin'))
    throw new AuditError('FORBIDDEN', 'Posting records needs a key with the role ingest');
  if (tenants.includes('*')) return asked ?? fallback;
  if (asked !== undefined && !tenants.includes(asked)) throw new AuditError('FORBIDDEN', `This key may not post for the tenant ${asked}`);
  const [only, another] = tenants;
  if (asked === undefined && another !== undefined)
    throw new AuditError('BAD_USER_INPUT', 'This key has several tenants: say which one with ?tenant=NAME');
  return asked ?? only ?? fallback;
}

interface Receipt {
  readonly events: number;
  readonly rejected: number;
  readonly reasons: Readonly<Record<string, number>>;
  /** The records are in the log, but were not seen to be stored while the post waited: they need not be sent again. */
  readonly pending?: true;
}

const waitMs = 60_000;
/** A batch takes a second; each look at the ledger is some statements. */
const lookMs = 250;

/** What became of appended messages, once they are stored. They are in the log: whatever fails now, nobody is told to send them again. */
async function receiptFor({ clickhouse, log, topic, logger }: Waiting, appended: readonly Appended[]): Promise<Receipt> {
  const closed = closedReader(clickhouse, systemClock);
  const deadline = Date.now() + waitMs;
  for (;;) {
    try {
      const receipt = await receiptNow({ clickhouse, log, topic, closed }, appended);
      if (receipt !== null) return receipt;
      if (Date.now() > deadline) return pending;
    } catch (error) {
      if (Date.now() > deadline) {
        logger.warn({ topic, detail: messageOf(error) }, 'what became of posted records could not be asked');
        return pending;
      }
    }
    await sleep(lookMs);
  }
}

interface Waiting extends Pick<IntakeOptions, 'clickhouse' | 'log' | 'logger'> {
  readonly topic: string;
}

const pending: Receipt = { events: 0, rejected: 0, reasons: {}, pending: true };

/** null while one of them is not stored. */
async function receiptNow(
  { clickhouse, log, topic, closed }: Omit<Waiting, 'logger'> & { readonly closed: ClosedReader },
  appended: readonly Appended[],
): Promise<Receipt | null> {
  const [logId, { partitions }] = [await log.id(), await closed.read()];
  const total = { events: 0, rejected: 0, reasons: {} as Record<string, number> };
  for (const [partition, offsets] of byPartition(appended)) {
    const place = partitions.find((each) => each.logId === logId && each.topic === topic && each.partition === partition);
    if (place === undefined || place.position <= (offsets.at(-1) ?? 0)) return null;
    const { events, rejected, reasons } = await receiptOf(clickhouse, { topic, sourceEpoch: place.sourceEpoch, partition, offsets });
    total.events += events;
    total.rejected += rejected;
    for (const [code, count] of Object.entries(reasons)) total.reasons[code] = (total.reasons[code] ?? 0) + count;
  }
  return total;
}

function byPartition(appended: readonly Appended[]): Map<number, number[]> {
  const offsets = new Map<number, number[]>();
  for (const { partition, offset } of appended) offsets.set(partition, [...(offsets.get(partition) ?? []), offset]);
  for (const each of offsets.values()) each.sort((a, b) => a - b);
  return offsets;
}
