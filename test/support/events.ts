/** Writes events for tests of reading: plain JSON rows, nothing of the product's writer. */
import { insertRows, type SqlServer } from './sql.ts';

let nextOffset = 0;

export function eventRow(values: Record<string, unknown> = {}): Record<string, unknown> {
  nextOffset += 1;
  const at = '2026-11-22 10:00:00.000';
  return {
    received_at: '2026-11-23 00:00:00.000',
    source_epoch: 1,
    topic: 'edge',
    kafka_partition: 0,
    kafka_offset: nextOffset,
    message_index: 0,
    replay: 0,
    attempt: 0,
    batch_events: 1,
    normaliser: 'test',
    timestamp: at,
    time_source: 'start',
    tenant: 'acme',
    gateway_kind: 'kong',
    source_format: 'kong',
    http_request_method: 'GET',
    url_path: '/orders/1',
    http_response_status_code: 200,
    outcome: 'success',
    ...values,
  };
}

export const writeEvents = (server: SqlServer, database: string, rows: readonly object[]): Promise<void> =>
  insertRows(server, database, 'events', rows);

/** A row of the ledger over offsets of one partition; what is left out is plain. */
export function claimRow(values: Record<string, unknown> & { first_offset: number; last_offset: number }): Record<string, unknown> {
  const length = values.last_offset - values.first_offset + 1;
  const isOrigin = values.first_offset < 0;
  const counts = isOrigin ? { messages: 0, records: 0, events: 0 } : { messages: length, records: length, events: length };
  const at = '2026-11-22 10:00:00.000';
  return {
    log_id: 'log',
    source_epoch: 1,
    topic: 'edge',
    kafka_partition: 0,
    ...counts,
    received_at: '2026-11-23 00:00:00.000',
    min_timestamp: at,
    max_timestamp: at,
    normaliser: 'test',
    ...values,
  };
}

export const writeClaims = (server: SqlServer, database: string, rows: readonly object[]): Promise<void> =>
  insertRows(server, database, 'batches', rows);
