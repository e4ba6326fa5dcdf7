/**
 * Error codes of ClickHouse as ours. They decide who tries again: a server that is full, busy or read-only is waited for,
 * whatever it is asked; a value that its column does not take never becomes right. Source: ClickHouse, src/Common/ErrorCodes.cpp.
 */
import { AuditError, type ErrorCode } from '../core/errors.ts';

/** UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, AUTHENTICATION_FAILED */
const signIn = new Set(['192', '193', '194', '516']);
const expensive = new Set(['158', '241', '307', '396']);
/** TOO_MANY_SIMULTANEOUS_QUERIES, MEMORY_LIMIT_EXCEEDED, TOO_MANY_PARTS */
const busy = new Set(['202', '241', '252']);
/** The same code where one insert is for more partitions than it may be: that is the insert's fault. */
const isTooManyDays = /Too many partitions for single INSERT block/;
/** READONLY, TABLE_IS_READ_ONLY, TABLE_IS_PERMANENTLY_READ_ONLY */
const readOnly = new Set(['164', '242', '774']);
/** What the system says in the text of whichever code; 243 is ClickHouse's own reserve. */
const isFull = /No space left on device/;
/** A read that is too large for its own limit stays so; a limit of the user or the server is shared with others. */
const isOwnLimit = /Query memory limit exceeded/;

/** An error as ClickHouse answers it. */
interface Answered extends Error {
  readonly code: string;
  readonly type: string | undefined;
}

export interface Asked {
  readonly origin: string;
  readonly user: string;
  /** Whether the statement wrote: what it holds is bounded, so that memory lacks because of others. */
  readonly wrote: boolean;
}

export function toRefusal(error: Answered, { origin, user, wrote }: Asked): AuditError {
  const { code, type = '', message } = error;
  const named = (ours: ErrorCode, text: string) =>
    new AuditError(ours, text, { cause: error, facts: { clickhouseCode: Number(code), clickhouseType: type } });
  if (code === '243' || isFull.test(message))
    return named('DISK_FULL', 'The disk of ClickHouse is full. Free space there; what was to be stored is tried again by itself');
  if (signIn.has(code))
    return named(
      'SIGN_IN_REFUSED',
      `ClickHouse at ${origin} refused the user ${user} with this password. Mend clickhouse.user and clickhouse.password`,
    );
  if (readOnly.has(code))
    return named(
      'BACKEND_READ_ONLY',
      `ClickHouse at ${origin} takes no writes of the user ${user} (code ${code}, ${type}). Make table and user writable; what was to be stored is tried again by itself`,
    );
  if (busy.has(code) && !isTooManyDays.test(message) && (wrote || !isOwnLimit.test(message)))
    return named(
      'BACKEND_BUSY',
      `ClickHouse at ${origin} takes no more for now (code ${code}, ${type}). What was to be stored is tried again by itself`,
    );
  if (code === '159') return named('QUERY_TIMEOUT', 'The query took longer than it may');
  // Patterns come from filters and rules; what RE2 takes only the engine knows.
  if (code === '427')
    return named(
      'BAD_USER_INPUT',
      `Expected an RE2 pattern: ${/, error: (.*?)(?:\. Look at|$)/.exec(message)?.[1] ?? 'it cannot be read'}`,
    );
  if (expensive.has(code)) return named('QUERY_TOO_EXPENSIVE', 'The query would read more than it may');
  return named('BACKEND_REFUSED', `ClickHouse refused a statement with code ${code} (${type}): ${message}`);
}

/** A constraint, or a value that its column does not take. */
const aboutTheRows = new Set([6, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 131, 321, 349, 469, 691]);

/** The code says something about the rows, not about the server; everything else is tried again for as long as it takes. */
export function isRefusedForGood(error: unknown): boolean {
  return error instanceof AuditError && error.code === 'BACKEND_REFUSED' && aboutTheRows.has(Number(error.facts['clickhouseCode']));
}
