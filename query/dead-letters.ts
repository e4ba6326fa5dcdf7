/** What could not be read, newest first. */
import { encodeEventId } from '../core/event-id.ts';
import type { PurposeKey } from '../core/keys.ts';
import type { DeadLetterConnectionTotalCountArgs, DeadLetterFilter } from '../schemas/api.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { counted } from '../storage/dead-letters.ts';
import type { Range } from '../storage/scope.ts';
import { countUpTo } from './count.ts';
import { questionOf, readCursor, writeCursor } from './cursor.ts';
import { position } from './filter.ts';

interface Query {
  readonly range: Range;
  readonly input: unknown;
  readonly filter: DeadLetterFilter;
  readonly first: number;
  readonly after: string | null;
}

type Row = Readonly<Record<string, any>>; // oxlint-disable-line typescript/no-explicit-any -- a row of JSON, read by name

const key = '(received_at, source_epoch, topic, kafka_partition, kafka_offset, message_index)';

export async function deadLetters(
  clickhouse: ClickHouse,
  tenants: readonly string[],
  query: Query,
  keys: readonly [PurposeKey, ...PurposeKey[]],
) {
  const question = questionOf(['dead-letters', tenants, query.input, query.filter]);
  const cursor = query.after === null ? null : readCursor(keys, question, query.after);
  const range = cursor?.range ?? query.range;
  const parameters: Record<string, unknown> = { from: range.from, to: range.to };
  const bind = (value: unknown, type: string) => {
    const name = `p${Object.keys(parameters).length}`;
    parameters[name] = value;
    return `{${name}:${type}}`;
  };
  const { ids, codes, topics, replayed } = query.filter;
  const where = [
    'received_at >= fromUnixTimestamp64Milli({from:Int64})',
    'received_at < fromUnixTimestamp64Milli({to:Int64})',
    ...(tenants.includes('*') ? [] : [`tenant IN ${bind(tenants, 'Array(String)')}`]),
    ...(ids ? [ids.length === 0 ? '0' : `(${ids.map((id) => position(id, bind)).join(' OR ')})`] : []),
    ...(codes ? [`has(${bind(codes, 'Array(String)')}, code)`] : []),
    ...(topics ? [`has(${bind(topics, 'Array(String)')}, topic)`] : []),
    ...(replayed == null ? [] : [`isNotNull(replayed_at) = ${replayed ? 1 : 0}`]),
  ].join('\n  AND ');
  const [at, epoch, topic, partition, offset, index] = cursor?.key ?? [];
  const beyond = cursor
    ? `AND ${key} < (fromUnixTimestamp64Milli(${bind(at, 'Int64')}), ${bind(epoch, 'UInt16')}, ${bind(topic, 'String')}, ${bind(partition, 'UInt32')}, ${bind(offset, 'UInt64')}, ${bind(index, 'UInt32')})`
    : '';
  const found = await clickhouse.rows<Row>(
    `SELECT *, toUnixTimestamp64Milli(received_at) AS arrival_ms, toUnixTimestamp64Milli(replayed_at) AS replayed_ms
FROM dead_letters FINAL
WHERE ${counted(where)} ${beyond}
ORDER BY ${key} DESC
LIMIT ${query.first + 1}`,
    { parameters },
  );
  const edges = found.slice(0, query.first).map((row) => ({
    node: view(row),
    cursor: writeCursor(keys[0], question, { key: keyOf(row), range, bound: null }),
  }));
  const count = async () => {
    const rows = await clickhouse.rows<Row>(
      `SELECT code AS value, count() AS count\nFROM dead_letters FINAL\nWHERE ${counted(where)}\nGROUP BY code\nORDER BY count DESC, value`,
      { parameters },
    );
    return rows.map((row) => ({ value: String(row['value']), count: Number(row['count']) }));
  };
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: found.length > query.first,
      hasPreviousPage: cursor !== null, // what the cursor names stands before this page
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    codes: count,
    totalCount: async (args: DeadLetterConnectionTotalCountArgs) =>
      countUpTo(
        (await count()).reduce((sum, row) => sum + row.count, 0),
        args,
      ),
  };
}

const keyOf = (row: Row) =>
  [row['arrival_ms'], row['source_epoch'], row['topic'], row['kafka_partition'], row['kafka_offset'], row['message_index']].map(String);

function view(row: Row) {
  const at = {
    topic: String(row['topic']),
    sourceEpoch: Number(row['source_epoch']),
    partition: Number(row['kafka_partition']),
    offset: Number(row['kafka_offset']),
    index: Number(row['message_index']),
  };
  const text = (name: string) => (row[name] === '' ? null : row[name]);
  return {
    id: encodeEventId(at),
    position: at,
    receivedAt: Number(row['arrival_ms']),
    tenant: text('tenant'),
    code: row['code'],
    path: text('path'),
    message: row['message'],
    detectedFormat: text('detected_format'),
    excerpt: row['excerpt'],
    bytes: Number(row['bytes']),
    sha256: row['sha256'],
    replayable: false,
    replayedAt: row['replayed_ms'] == null ? null : Number(row['replayed_ms']),
  };
}
