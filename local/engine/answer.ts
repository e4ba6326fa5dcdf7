/** An answer in ClickHouse's HTTP protocol: headers, gzip, back-pressure, and errors before or in the middle of a body. */
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { randomBytes } from 'node:crypto';
import { constants, createGzip } from 'node:zlib';
import type { Refusal } from './refusal.ts';

export interface Summary {
  readonly readRows?: number;
  readonly readBytes?: number;
  readonly writtenRows?: number;
  readonly writtenBytes?: number;
  readonly resultRows?: number;
  readonly resultBytes?: number;
}

export class Answer {
  private readonly response: ServerResponse;
  private readonly tag = randomBytes(8).toString('hex');
  private readonly startedAt = process.hrtime.bigint();
  private version = '';
  private gzip = false;
  private out: Writable | null = null;

  constructor(response: ServerResponse) {
    this.response = response;
  }

  get isOpen(): boolean {
    return !this.response.destroyed && !this.response.writableEnded;
  }

  describe(facts: { version: string; queryId: string; gzip: boolean }): void {
    this.version = facts.version;
    this.gzip = facts.gzip;
    this.response.setHeader('X-ClickHouse-Query-Id', facts.queryId.replaceAll(/[^\x20-\x7e]/g, '?'));
  }

  /** Sends the headers. Until then an error still has a status of its own. */
  begin(format: string, summary: Summary = {}): void {
    if (this.out !== null) return;
    this.response.setHeader('Content-Type', contentType(format));
    this.response.setHeader('X-ClickHouse-Format', format);
    this.response.setHeader('X-ClickHouse-Summary', JSON.stringify(this.summary(summary)));
    this.open(200);
  }

  /** Resolves when the client has room for more, or has gone. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.out === null || !this.isOpen) return;
    if (this.out.write(bytes)) return;
    const { out, response } = this;
    await new Promise<void>((resolve) => {
      const done = () => {
        out.off('drain', done);
        response.off('close', done);
        resolve();
      };
      out.once('drain', done);
      response.once('close', done);
    });
  }

  end(): void {
    this.out?.end();
  }

  /** Before the headers: status, code and message. After them: the block that ClickHouse 25.11 and later write. */
  fail(refusal: Refusal): void {
    const message = this.version === '' ? refusal.message : `${refusal.message} (version ${this.version})`;
    if (this.out !== null) {
      const length = Buffer.byteLength(message) + 1;
      this.out.end(`\r\n__exception__\r\n${this.tag}\r\n${message}\n${length} ${this.tag}\r\n__exception__\r\n`);
      return;
    }
    if (!this.isOpen) return;
    this.response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
    this.response.setHeader('X-ClickHouse-Exception-Code', String(refusal.exceptionCode));
    if (refusal.exceptionCode === 516) this.response.setHeader('WWW-Authenticate', 'Basic realm="ClickHouse server HTTP API"');
    this.response.setHeader('X-ClickHouse-Summary', JSON.stringify(this.summary({})));
    this.open(refusal.status).end(`${message}\n`);
  }

  private open(status: number): Writable {
    this.response.statusCode = status;
    this.response.setHeader('X-ClickHouse-Server-Display-Name', 'gatetrail-engine');
    this.response.setHeader('X-ClickHouse-Timezone', 'UTC');
    this.response.setHeader('X-ClickHouse-Exception-Tag', this.tag);
    if (!this.gzip) return (this.out = this.response);
    this.response.setHeader('Content-Encoding', 'gzip');
    // Each chunk is flushed, so that a reader sees rows when they are there and not when 16 kB are full.
    const gzip = createGzip({ level: 3, flush: constants.Z_SYNC_FLUSH });
    gzip.pipe(this.response);
    this.response.on('close', () => gzip.destroy());
    return (this.out = gzip);
  }

  private summary(counts: Summary): Record<string, string> {
    return {
      read_rows: String(counts.readRows ?? 0),
      read_bytes: String(counts.readBytes ?? 0),
      written_rows: String(counts.writtenRows ?? 0),
      written_bytes: String(counts.writtenBytes ?? 0),
      total_rows_to_read: '0',
      result_rows: String(counts.resultRows ?? 0),
      result_bytes: String(counts.resultBytes ?? 0),
      elapsed_ns: String(process.hrtime.bigint() - this.startedAt),
    };
  }
}

function contentType(format: string): string {
  if (/^(?:JSON|JSONStrings|JSONCompact|JSONCompactStrings|JSONColumns\w*|JSONObjectEachRow)$/i.test(format))
    return 'application/json; charset=UTF-8';
  if (/EachRow|JSONLines|NDJSON/i.test(format)) return 'application/x-ndjson; charset=UTF-8';
  if (/^(?:TSV|TabSeparated)/i.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  if (/^CSV/i.test(format)) return 'text/csv; charset=UTF-8; header=absent';
  if (/^(?:RowBinary|Native|Parquet|Arrow|ORC|Avro|MsgPack|BSON|Protobuf|CapnProto)/i.test(format)) return 'application/octet-stream';
  return 'text/plain; charset=UTF-8';
}
