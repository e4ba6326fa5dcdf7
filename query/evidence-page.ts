/** The page behind the link of an alert: exactly its events, without a key, until the link ends. No script, everything escaped. */
import type { Clock } from '../core/clock.ts';
import type { PurposeKey } from '../core/keys.ts';
import { readLink, type EvidenceLink } from '../core/link-token.ts';
import type { AccessLog } from '../storage/access-log.ts';
import type { Attempts } from '../storage/attempts.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { openScope } from '../storage/scope.ts';
import { compileFilter } from './filter.ts';
import { viewEvent } from './event-view.ts';
import { eventColumns, orderKey, type EventRow } from './audit-trail.ts';

export interface EvidenceOptions {
  readonly clickhouse: ClickHouse;
  readonly accessLog: AccessLog;
  /** Drawn for `links`. */
  readonly keys: readonly PurposeKey[];
  /** With links that are none of ours. */
  readonly attempts: Attempts;
  readonly clock: Clock;
}

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
}

const maxRows = 1_000;
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** @throws RATE_LIMITED after ten links in a minute from one address that have ended or are none */
export async function evidencePage(token: string, address: string, options: EvidenceOptions): Promise<Page> {
  const link = readLink(options.keys, token, options.clock.now());
  const record = { caller: null, address, action: 'evidencePage' };
  if (!link) {
    options.attempts.failed(address);
    await options.accessLog.write({ ...record, allowed: false });
    return { status: 403, headers, html: frame('This link has ended or was changed', '<p>Ask for the events with a key of your own.</p>') };
  }
  const read = { ...record, target: link.alertId, allowed: true };
  const rows = await eventsOf(link, options.clickhouse).catch(async (error: unknown) => {
    await options.accessLog.write(read);
    throw error;
  });
  await options.accessLog.write({ ...read, rows: rows.length });
  return { status: 200, headers, html: frame(link.title, table(rows)) };
}

function eventsOf(link: EvidenceLink, clickhouse: ClickHouse): Promise<EventRow[]> {
  const { sql, parameters } = compileFilter(link.filter);
  const tail = `ORDER BY ${orderKey.map((column) => `${column} DESC`).join(', ')}\nLIMIT ${maxRows}`;
  return openScope(clickhouse, [link.tenant]).events<EventRow>({ select: eventColumns, range: link, where: sql, parameters, tail });
}

function table(rows: readonly EventRow[]): string {
  const cells = rows
    .map(viewEvent)
    .map(({ timestamp, request, response, outcome, principal, client }) => [
      new Date(timestamp).toISOString(),
      request.method,
      request.path,
      response.status,
      outcome,
      principal.consumerName ?? principal.consumerId,
      client.address,
    ]);
  const line = (values: readonly unknown[], tag: string) =>
    `<tr>${values.map((value) => `<${tag}>${escape(String(value ?? ''))}</${tag}>`).join('')}</tr>`;
  const head = line(['Time (UTC)', 'Method', 'Path', 'Status', 'Outcome', 'Consumer', 'Client'], 'th');
  const note = rows.length === maxRows ? `<p>The newest ${maxRows} events are shown.</p>` : `<p>${rows.length} events.</p>`;
  return `${note}<table border="1"><thead>${head}</thead><tbody>${cells.map((values) => line(values, 'td')).join('\n')}</tbody></table>`;
}

const frame = (title: string, body: string) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title></head><body><h1>${escape(title)}</h1>${body}</body></html>`;

const escape = (text: string) => text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
