/**
 * The error catalogue: every code a user can meet, with what it means and who may try again.
 * `docs/reference/errors.md` is generated from this table; a test keeps the two in step.
 */

interface Entry {
  /** What happened and what to do, in a sentence; the message of a single error says it with its values. */
  readonly meaning: string;
  /** HTTP status where the error answers a request. */
  readonly http: number;
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;
}

const entry = (http: number, retryable: boolean, meaning: string): Entry => ({ http, retryable, meaning });

export const catalogue = {
  // Configuration and start
  CONFIG_INVALID: entry(500, false, 'The configuration has faults; all of them are listed. Mend them and start again.'),
  PORT_IN_USE: entry(
    500,
    false,
    'Another process listens on this port. Choose another one with --port or http.port, or 0 for any free one.',
  ),
  DATA_DIR_LOCKED: entry(503, true, 'Another process works on this data folder. Stop it, or choose another folder with --data.'),
  DATA_DIR_UNUSABLE: entry(500, false, 'The data folder cannot be written. Give the user of this process the right to write it.'),
  SCHEMA_TOO_NEW: entry(
    500,
    false,
    'The database has migrations that this version does not know. Start the version that made them, or a newer one.',
  ),
  MIGRATION_CHANGED: entry(
    500,
    false,
    'An applied migration differs from the file of this version. Restore the file: an applied migration never changes.',
  ),
  NOT_READY: entry(503, true, 'Something this process needs does not answer yet; the message names it.'),
  DISK_FULL: entry(507, true, 'The disk under the data folder or the database is full. Free space; work goes on by itself.'),
  CLOCK_SKEW: entry(503, true, 'The clock of this machine and that of ClickHouse differ by more than 60 s. Synchronise them.'),

  SIGN_IN_REFUSED: entry(
    500,
    false,
    'ClickHouse or Kafka refused the user or the password. Mend them in the configuration; the message names the settings.',
  ),

  // Engine and database
  BACKEND_UNAVAILABLE: entry(503, true, 'ClickHouse does not answer. The request can be tried again.'),
  BACKEND_BUSY: entry(
    503,
    true,
    'ClickHouse takes no more for now: too many parts, too little memory or too many queries. The request can be tried again.',
  ),
  BACKEND_READ_ONLY: entry(503, true, 'ClickHouse takes no writes: the table, the server or the user is read-only. Make it writable.'),
  BACKEND_REFUSED: entry(500, false, 'ClickHouse refused a statement; the message gives its code.'),
  ENGINE_NOT_INSTALLED: entry(
    500,
    false,
    'The optional package chdb is not installed. Run npm ci without --omit=optional, or name a ClickHouse with clickhouse.url.',
  ),
  CLUSTER_UNUSABLE: entry(
    500,
    false,
    'The cluster that is configured is not known to ClickHouse, or its nodes lack the macros shard and replica. The message says what to define where.',
  ),
  TOKENS_NOT_HELD: entry(
    500,
    false,
    'This ClickHouse does not hold deduplication tokens, so nothing could be stored exactly once. The message names the setting to change.',
  ),

  // Log
  LOG_UNAVAILABLE: entry(503, true, 'The log (Kafka or the journal) does not take or give records now.'),
  LOG_UNREADABLE: entry(
    500,
    false,
    'The log holds records that cannot be opened: their compression is unknown or damaged. The message says which, and how to go past them.',
  ),
  LOG_REPLACED: entry(
    409,
    false,
    'The topic is not the one the ledger knows: it was made anew or lost its end. Accept it with gatetrail positions new-epoch.',
  ),
  EVENTS_AHEAD_OF_LEDGER: entry(
    409,
    false,
    'Events are stored beyond the last claim of the ledger, as after a partial restore. Restore both from one backup.',
  ),
  LEDGER_INCONSISTENT: entry(
    409,
    false,
    'The ledger and the stored events of a batch contradict each other. The partition stands still; nothing was changed.',
  ),
  TOPIC_MISSING: entry(404, true, 'A configured topic does not exist. Create it; it is not created by itself.'),

  // Mail
  MAIL_UNAVAILABLE: entry(503, true, 'The mail server takes no mails now. They stay queued and are tried again by themselves.'),

  // Requests to our own API
  BAD_USER_INPUT: entry(400, false, 'An argument is wrong; the message says which, what was expected and what came.'),
  BAD_REQUEST: entry(400, false, 'The request to /graphql holds no operation that can be read; the message says why.'),
  GRAPHQL_PARSE_FAILED: entry(400, false, 'The operation is not valid GraphQL; the message says where.'),
  GRAPHQL_VALIDATION_FAILED: entry(400, false, 'The operation does not fit the schema: a field, an argument or a value in it.'),
  UNAUTHENTICATED: entry(401, false, 'No valid API key came with the request. Send it as Authorization: Bearer KEY.'),
  FORBIDDEN: entry(403, false, 'The roles of this key do not allow this.'),
  NOT_FOUND: entry(404, false, 'There is no such thing, or it is not yours.'),
  RATE_LIMITED: entry(429, true, 'Too many requests with this key. Try again after the time in retryAfterMs.'),
  RANGE_TOO_WIDE: entry(400, false, 'The time range is wider than limits.maxRange.'),
  OLDER_THAN_RETENTION: entry(400, false, 'The time range ends before the oldest data that is kept.'),
  CURSOR_INVALID: entry(400, false, 'The cursor is not one of ours, or belongs to another query.'),
  QUERY_TOO_EXPENSIVE: entry(400, false, 'The query would read more than it may. Narrow the range or the filter.'),
  QUERY_TIMEOUT: entry(504, true, 'The query took longer than it may. Narrow the range or the filter.'),
  PAYLOAD_TOO_LARGE: entry(413, false, 'The request body is larger than the limit in the message.'),
  UNSUPPORTED_MEDIA_TYPE: entry(415, false, 'The content type or encoding is not read here; the message lists those that are.'),
  INTERNAL: entry(500, false, 'A fault of Gatetrail. The log has the details under the request id.'),

  // Dead letters: why a record could not be read
  UNKNOWN_FORMAT: entry(422, false, 'No known record format was recognised.'),
  BAD_JSON: entry(422, false, 'The record is not valid JSON.'),
  BAD_ENCODING: entry(422, false, 'The record cannot be read and is not valid UTF-8, or its compression is damaged.'),
  BAD_FIELD: entry(422, false, 'A field of the record has a value that cannot be read.'),
  MISSING_TIME: entry(422, false, 'The record has no time.'),
  BAD_TIME: entry(422, false, 'The time of the record cannot be read.'),
  TENANT_UNKNOWN: entry(422, false, 'The tenant of the record is not among the allowed ones of its source.'),
  TOO_LARGE: entry(422, false, 'The message or an element of it is larger than the limit.'),
  TOO_MANY_ELEMENTS: entry(422, false, 'The message holds more than 10,000 elements.'),
  TOO_DEEP: entry(422, false, 'The message is wrapped more than three times, or an element of it is nested more than 1,000 deep.'),
  SCHEMA_REGISTRY_UNSUPPORTED: entry(422, false, 'The message has Confluent schema-registry framing, which is not read.'),
  STORE_REFUSED: entry(422, false, 'The database refused a block with this record for good.'),

  // Rules: why a document is refused; nothing of it is loaded
  YAML_INVALID: entry(400, false, 'The rule file is not valid YAML.'),
  UNKNOWN_KEY: entry(400, false, 'A key of the rule is not read, or its value is not of the form that it takes.'),
  LOGSOURCE_UNSUPPORTED: entry(400, false, 'The rule is about logs of another kind than those of gateways.'),
  FIELD_NOT_LOGGED: entry(400, false, 'The rule asks for a field that no record of a gateway holds.'),
  FIELD_UNKNOWN: entry(400, false, 'The rule asks for a field or a word that is not known.'),
  NULL_IN_LIST: entry(400, false, 'The rule compares with null, which is no value.'),
  REGEX_UNSUPPORTED: entry(400, false, 'The rule compares with a pattern that is not read.'),
  CORRELATION_UNSUPPORTED: entry(400, false, 'The grouping or the condition of the rule cannot be computed exactly.'),
  REFERENCE_UNKNOWN: entry(400, false, 'The rule names another one that is not in its file.'),
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof catalogue;

/** An error of the catalogue. Decide by `code`; `facts` go to the log and into `extensions` of GraphQL errors. */
export class AuditError extends Error {
  readonly code: ErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; facts?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AuditError';
    this.code = code;
    this.facts = options.facts ?? {};
  }

  get retryable(): boolean {
    return catalogue[this.code].retryable;
  }

  get httpStatus(): number {
    return catalogue[this.code].http;
  }
}

/**
 * As callers of our API may see it: what ClickHouse says to us holds statements, addresses and user names, which are nobody's.
 * null for what is a fault of ours to them.
 */
export function forCallers(error: unknown): AuditError | null {
  if (!(error instanceof AuditError) || error.code === 'BACKEND_REFUSED' || error.code === 'SIGN_IN_REFUSED') return null;
  return error.code.startsWith('BACKEND_') ? new AuditError(error.code, catalogue[error.code].meaning) : error;
}

/** Text of anything thrown, for messages and logs. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
