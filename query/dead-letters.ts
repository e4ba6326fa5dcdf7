/** What could not be read, newest first. */
import { encodeEventId } from '../core/event-id.ts';
import type { PurposeKey } from '../core/keys.ts';
import type { DeadLetterConnectionTotalCountArgs, DeadLetterFilter } from '../schemas/api.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { counted, letterColumns, type LetterRow, type StoredLetter, toLetter } from '../storage/dead-letters.ts';
import type { Range } from '../storage/scope.ts';
import { countUpTo } from './count.ts';
import { questionOf, readCursor, writeCursor } from './cursor.ts';
import { position } from './filter.ts';

interface Wanted {
  readonly range: Range;
  readonly filter: DeadLetterFilter;
}

interface Query extends Wanted {
  readonly input: unknown;
  readonly first: number;
  readonly after: string | null;
}

const key = '(received_at, source_epoch, topic, kafka_partition, kafka_offset, message_index)';

export async function deadLetters(clickhouse: ClickHouse, tenants: readonly string[], query: Query, { keys, replayable }: Options) {
  const question = questionOf(['dead-letters', tenants, query.input, query.filter]);
  const cursor = query.after === null ? null : readCursor(keys, question, query.after);
  const range = cursor?.range ?? query.range;
  const { parameters, bind, where } = conditionOf(tenants, { range, filter: query.filter });
  const [at, epoch, topic, partition, offset, index] = cursor?.key ?? [];
  const beyond = cursor
    ? `AND ${key} < (fromUnixTimestamp64Milli(${bind(at, 'Int64')}), ${bind(epoch, 'UInt16')}, ${bind(topic, 'String')}, ${bind(partition, 'UInt32')}, ${bind(offset, 'UInt64')}, ${bind(index, 'UInt32')})`
    : '';
  const found = await clickhouse.rows<LetterRow>(
    `SELECT ${letterColumns}
FROM dead_letters FINAL
WHERE ${counted(where)} ${beyond}
ORDER BY ${key} DESC
LIMIT ${query.first + 1}`,
    { parameters },
  );
  const letters = found.slice(0, query.first).map(toLetter);
  const areReplayable = await replayable(letters);
  const edges = letters.map((letter, at) => ({
    node: { ...view(letter), replayable: areReplayable[at] === true },
    cursor: writeCursor(keys[0], question, { key: keyOf(letter), range, bound: null }),
  }));
  const count = async () => {
    const rows = await clickhouse.rows<{ value: string; count: string }>(
      `SELECT code AS value, count() AS count\nFROM dead_letters FINAL\nWHERE ${counted(where)}\nGROUP BY code\nORDER BY count DESC, value`,
      { parameters },
    );
    return rows.map((row) => ({ value: row.value, count: Number(row.count) }));
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

interface Options {
  readonly keys: readonly [PurposeKey, ...PurposeKey[]];
  /** Whether the bytes of each are still to be had. */
  readonly replayable: (letters: readonly StoredLetter[]) => Promise<readonly boolean[]>;
}

function conditionOf(tenants: readonly string[], { range, filter: { ids, codes, topics, replayed } }: Wanted) {
  const parameters: Record<string, unknown> = { from: range.from, to: range.to };
  const bind = (value: unknown, type: string) => {
    const name = `p${Object.keys(parameters).length}`;
    parameters[name] = value;
    return `{${name}:${type}}`;
  };
  const where = [
    'received_at >= fromUnixTimestamp64Milli({from:Int64})',
    'received_at < fromUnixTimestamp64Milli({to:Int64})',
    ...(tenants.includes('*') ? [] : [`tenant IN ${bind(tenants, 'Array(String)')}`]),
    ...(ids ? [ids.length === 0 ? '0' : `(${ids.map((id) => position(id, bind)).join(' OR ')})`] : []),
    ...(codes ? [`has(${bind(codes, 'Array(String)')}, code)`] : []),
    ...(topics ? [`has(${bind(topics, 'Array(String)')}, topic)`] : []),
    ...(replayed == null ? [] : [`isNotNull(replayed_at) = ${replayed ? 1 : 0}`]),
  ].join('\n  AND ');
  return { parameters, bind, where };
}

const maxReplayed = 10_000;

/** What a replay is for, how many there are and the first of them: what was tried longest ago comes first. */
export async function standingLetters(clickhouse: ClickHouse, tenants: readonly string[], wanted: Wanted) {
  if (wanted.filter.replayed === true) return { matched: 0, letters: [] };
  const { parameters, where } = conditionOf(tenants, { ...wanted, filter: { ...wanted.filter, replayed: false } });
  const from = `FROM dead_letters FINAL\nWHERE ${counted(where)}`;
  const [row] = await clickhouse.rows<{ n: string }>(`SELECT count() AS n\n${from}`, { parameters });
  const rows = await clickhouse.rows<LetterRow>(
    `SELECT ${letterColumns}\n${from}\nORDER BY version, ${key.slice(1, -1)}\nLIMIT ${maxReplayed}`,
    { parameters },
  );
  return { matched: Number(row?.n ?? 0), letters: rows.map(toLetter) };
}

const keyOf = ({ receivedAt, sourceEpoch, topic, partition, offset, index }: StoredLetter) =>
  [receivedAt, sourceEpoch, topic, partition, offset, index].map(String);

function view(letter: StoredLetter) {
  const { topic, sourceEpoch, partition, offset, index } = letter;
  const position = { topic, sourceEpoch, partition, offset, index };
  const told = (text: string) => (text === '' ? null : text);
  return {
    ...letter,
    id: encodeEventId(position),
    position,
    tenant: told(letter.tenant),
    path: told(letter.path),
    detectedFormat: told(letter.detectedFormat),
  };
}
