/**
 * The way in without Kafka: what is posted or imported is cut into messages and appended to the log, and only then
 * answered. Nothing is read here: what cannot be read becomes a dead letter later, on the same path as everything else.
 */
import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import { AuditError, messageOf } from '../core/errors.ts';
import type { Log, NewMessage } from './log.ts';
import { cutWhole, maxMessageBytes } from './messages.ts';

export const tenantHeader = 'gatetrail-tenant';
export const formatHeader = 'gatetrail-format';
export const gatewayHeader = 'gatetrail-gateway';

/** A body opened may be 64 MiB and 200 times its size: beyond is no log, but a bomb. */
const maxOpenedBytes = 64 * 1024 * 1024;
const maxRatio = 200;

/** Each takes some hundred bytes beside its own. */
const maxMessages = 200_000;

export interface Posted {
  readonly body: Buffer;
  /** Content-Encoding: absent or identity, or gzip. */
  readonly encoding: string | undefined;
  /** Content-Type without parameters; absent is read as text. */
  readonly type: string | undefined;
  /** From the key that posts. */
  readonly tenant: string;
  /** A record format by name leaves recognition out. */
  readonly format: string | undefined;
  /** Name of the gateway that posts. */
  readonly gateway?: string | undefined;
}

export interface Appended {
  readonly partition: number;
  readonly offset: number;
}

export interface Accepted {
  readonly messages: readonly NewMessage[];
  /** Where each of them stands. */
  readonly appended: readonly Appended[];
}

const types = ['application/json', 'application/x-ndjson', 'text/plain'];

/** @throws BAD_USER_INPUT, UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, LOG_UNAVAILABLE, TOPIC_MISSING; then nothing was acknowledged. */
export async function accept(log: Log, topic: string, posted: Posted): Promise<Accepted> {
  if (posted.type !== undefined && !types.includes(posted.type)) {
    throw new AuditError('UNSUPPORTED_MEDIA_TYPE', `Content-Type must be one of ${types.join(', ')}, not ${posted.type}`);
  }
  const parts = cutWhole(await opened(posted), maxMessages);
  const messages: NewMessage[] = [];
  for (const [index, part] of parts.entries()) {
    if ('oversize' in part) {
      throw new AuditError(
        'PAYLOAD_TOO_LARGE',
        `Message ${index} has ${part.oversize} bytes, the limit is ${maxMessageBytes}; nothing of this body was taken`,
      );
    }
    messages.push({ value: part.value, headers: { ...part.headers, ...headersOf(posted) } });
  }
  if (messages.length === 0) throw new AuditError('BAD_USER_INPUT', 'The body holds no record: send JSON, NDJSON or log lines');
  return { messages, appended: await log.append(topic, messages) };
}

/** Headers that carry what the poster said; the decoder believes them on the intake topic alone. */
function headersOf({ tenant, format, gateway }: Pick<Posted, 'tenant' | 'format' | 'gateway'>): Record<string, string> {
  return {
    [tenantHeader]: tenant,
    ...(format !== undefined && { [formatHeader]: format }),
    ...(gateway !== undefined && { [gatewayHeader]: gateway }),
  };
}

async function opened({ body, encoding }: Posted): Promise<Buffer> {
  const coding = encoding?.trim().toLowerCase() ?? '';
  if (!['', 'identity', 'gzip', 'x-gzip'].includes(coding)) {
    throw new AuditError('UNSUPPORTED_MEDIA_TYPE', `Content-Encoding must be gzip or absent, not ${encoding}`);
  }
  const isGzip = body[0] === 0x1f && body[1] === 0x8b;
  if (!isGzip && !coding.endsWith('gzip')) return body;
  return openGzip(body);
}

/** @throws PAYLOAD_TOO_LARGE for a bomb, BAD_USER_INPUT for a damaged stream. */
export async function openGzip(body: Buffer): Promise<Buffer> {
  const limit = Math.min(maxOpenedBytes, Math.max(body.length * maxRatio, 1024 * 1024));
  try {
    return await promisify(gunzip)(body, { maxOutputLength: limit });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new AuditError('PAYLOAD_TOO_LARGE', `The gzip body opens to more than ${limit} bytes; nothing of it was taken`, {
        cause: error,
      });
    }
    throw new AuditError('BAD_USER_INPUT', `The gzip body is damaged: ${messageOf(error)}`, { cause: error });
  }
}
