/** Runs one statement of one request: an insert through a file, a read as a stream or through a file, anything else as it is. */
import type { Session } from 'chdb';
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Answer } from './answer.ts';
import { identifier, literal, renderTerms } from './literal.ts';
import { refuse } from './refusal.ts';
import { readAll, type EngineRequest } from './request.ts';
import type { EngineSessions } from './sessions.ts';
import { splitStatement, type Statement } from './statement.ts';
import type { Writes } from './writes.ts';

export interface Engine {
  readonly sessions: EngineSessions;
  /** Folder of bodies and results on their way. */
  readonly spool: string;
  /** Names of system.settings. */
  readonly settings: ReadonlySet<string>;
  readonly version: string;
  readonly writes: Writes;
}

/** `gone` aborts when the client has disconnected before its answer was complete. */
export async function runRequest(engine: Engine, request: EngineRequest, answer: Answer, gone: AbortSignal): Promise<void> {
  const { statement, data } = await readStatement(request);
  if (statement.kind === 'insert') return runInsert(engine, request, answer, { statement, data });
  if (gone.aborted) return;
  const comment = randomUUID();
  let ended = false;
  const stop = () => void engine.sessions.kill(comment, () => ended);
  await engine.sessions.run(request.user, async (session) => {
    if (gone.aborted) return;
    await prepare(engine, request, session, comment);
    if (statement.kind !== 'other' || statement.reads) gone.addEventListener('abort', stop, { once: true });
    if (gone.aborted) return;
    try {
      await runOn(session, engine, request, { statement, answer, gone });
    } finally {
      ended = true;
      gone.removeEventListener('abort', stop);
    }
  });
}

interface ReadStatement {
  readonly statement: Statement;
  /** What is left of the body: data of an insert. */
  readonly data: Readable | null;
}

/** SQL may stand in the URL, in the body, or begin in the URL and go on in the body. */
async function readStatement(request: EngineRequest): Promise<ReadStatement> {
  if (request.query !== null) {
    const statement = splitStatement(Buffer.from(request.query));
    if (statement.kind === 'insert') return { statement, data: request.body };
    const rest = request.body.readableEnded ? Buffer.alloc(0) : await readAll(request.body);
    if (rest.length === 0) return { statement, data: null };
    return { statement: splitStatement(Buffer.concat([Buffer.from(request.query), Buffer.from('\n'), rest])), data: null };
  }
  const sql = await readAll(request.body);
  if (sql.length === 0) throw refuse(62, 'Syntax error: the statement is empty');
  return { statement: splitStatement(sql), data: null };
}

type Insert = Extract<Statement, { kind: 'insert' }>;

/** The body goes to a file before the engine hears of it: a body that breaks off stores nothing, and no byte of it is read as SQL. */
async function runInsert(
  engine: Engine,
  request: EngineRequest,
  answer: Answer,
  insert: { statement: Insert; data: Readable | null },
): Promise<void> {
  const { before, after, inline } = insert.statement;
  const file = join(engine.spool, randomUUID());
  try {
    await writeBody(file, inline, insert.data);
    const bytes = (await stat(file)).size;
    await engine.sessions.run(request.user, async (session) => {
      await prepare(engine, request, session, randomUUID());
      const stored = await engine.writes.run(session, `${before}\nFROM INFILE ${literal(file)}\n${after}`);
      const rows = stored.rowsRead;
      answer.begin('TabSeparated', {
        readRows: rows,
        readBytes: bytes,
        writtenRows: rows,
        writtenBytes: stored.bytesRead,
        resultRows: rows,
        resultBytes: stored.bytesRead,
      });
    });
    answer.end();
  } finally {
    await rm(file, { force: true });
  }
}

/** A body comes in pieces of 64 KiB: with room for some, they go into the file together and their sender need not wait. */
const writeAhead = 1024 * 1024;

async function writeBody(file: string, inline: Buffer, data: Readable | null): Promise<void> {
  // No wait before the body has its reader: damage that shows earlier would come out as a body that just ended.
  const out = createWriteStream(file, { flags: 'wx', mode: 0o600, highWaterMark: writeAhead });
  const closed = new Promise<void>((resolve) => out.once('close', () => resolve()));
  out.write(withoutLeadingSpace(inline));
  try {
    await pipeline(data === null || data.readableEnded ? Readable.from([]) : data, out);
  } finally {
    await closed; // a file that is still being opened would be there after it was removed
  }
}

/** Between `FORMAT name` and the data stand spaces and at most one line break, which are not data. */
function withoutLeadingSpace(inline: Buffer): Buffer {
  let at = 0;
  while (inline[at] === 0x20 || inline[at] === 0x09 || inline[at] === 0x0c) at += 1;
  if (inline[at] === 0x0d && inline[at + 1] === 0x0a) at += 1;
  return inline.subarray(inline[at] === 0x0a ? at + 1 : at);
}

/** What each statement runs under unless its request says otherwise; see storage-and-speed, defaults of 26.7. */
const defaults: readonly (readonly [string, string])[] = [
  ['async_insert', '0'],
  ['wait_for_async_insert', '1'],
  ['insert_deduplicate', '1'],
  ['deduplicate_insert', 'enable'],
  ['input_format_allow_errors_num', '0'],
  ['use_query_condition_cache', '0'],
  // On in chdb, off on a server: with it a mistyped word is an expression, and not a syntax error.
  ['implicit_select', '0'],
];

async function prepare(engine: Engine, request: EngineRequest, session: Session, comment: string): Promise<void> {
  if (request.database !== null && request.database !== '') await session.queryAsync(`USE ${identifier(request.database)}`);
  const settings = new Map([...defaults, ...request.settings, ['log_comment', comment] as const]);
  await session.queryAsync(renderTerms({ settings, parameters: request.parameters }, engine.settings));
}

interface Run {
  readonly statement: Exclude<Statement, Insert>;
  readonly answer: Answer;
  readonly gone: AbortSignal;
}

async function runOn(session: Session, engine: Engine, request: EngineRequest, run: Run): Promise<void> {
  const { statement, answer } = run;
  const format = statement.format ?? request.defaultFormat;
  if (!/^\w+$/.test(format)) throw refuse(62, `'${format.slice(0, 40)}' is not the name of a format`);
  if (statement.kind === 'other') {
    const { sql, reads, defines } = statement;
    if (defines) await engine.writes.assertRoom();
    const result = await (reads ? session.queryAsync(sql, { format }) : engine.writes.run(session, sql, { format }));
    answer.begin(format, { readRows: result.rowsRead, resultRows: result.rowsRead, writtenRows: reads ? 0 : result.rowsRead });
    await answer.write(result.bytes());
    return answer.end();
  }
  const { before, after } = statement;
  const flows = flowing.has(format.toLowerCase()) && !statement.totals && !request.settings.has('extremes') && !request.waitsForEnd;
  if (flows) return runStream(session, `${before}\n${after}`, format, run);
  return runDocument(session, engine, format, {
    ...run,
    before,
    after: statement.format === null ? `FORMAT ${format}` : after,
  });
}

/** Formats of which two results one behind the other are one result: chdb writes each chunk of a stream as a result of its own. */
const flowing = new Set(
  `JSONEachRow JSONLines NDJSON JSONStringsEachRow JSONCompactEachRow JSONCompactStringsEachRow TabSeparated TSV
   TabSeparatedRaw TSVRaw TSKV CSV RowBinary Native MsgPack RawBLOB LineAsString Null`
    .toLowerCase()
    .split(/\s+/),
);

async function runStream(session: Session, sql: string, format: string, { answer, gone }: Run): Promise<void> {
  const stream = session.queryStream(sql, { format });
  for await (const chunk of stream) {
    if (gone.aborted) return;
    answer.begin(format);
    await answer.write(chunk.raw());
  }
  answer.begin(format);
  answer.end();
}

/** Formats with a head or a foot are written whole by the engine, to a file: exact bytes, and no result in our memory. */
async function runDocument(
  session: Session,
  { spool, writes }: Engine,
  format: string,
  run: Run & { before: string; after: string },
): Promise<void> {
  const { answer, gone } = run;
  const file = join(spool, randomUUID());
  try {
    await writes.assertRoom();
    const result = await writes.run(session, `${run.before}\nINTO OUTFILE ${literal(file)}\n${run.after}`);
    answer.begin(format, {
      readRows: result.rowsRead,
      readBytes: result.bytesRead,
      resultRows: result.rowsRead,
      resultBytes: result.bytesRead,
    });
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      if (gone.aborted) return;
      await answer.write(chunk);
    }
    answer.end();
  } finally {
    await rm(file, { force: true });
  }
}
