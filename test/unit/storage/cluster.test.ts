/** What a statement of one server becomes on a cluster, as text, and which shard a partition belongs to. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alterTarget, clusterForm, systemRows, shardOf } from '../../../storage/cluster.ts';

const ledger = `-- Why.
CREATE TABLE IF NOT EXISTS ledger (
  id UInt64, -- not MergeTree
  version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1`;

const events = `CREATE TABLE IF NOT EXISTS events (
  received_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(received_at)
ORDER BY received_at
SETTINGS non_replicated_deduplication_window = 100000`;

const twin = `CREATE OR REPLACE TABLE events ON CLUSTER 'c' AS events_local
ENGINE = Distributed('c', currentDatabase(), 'events_local')`;

describe('a statement on a cluster', () => {
  test('that makes a table of state makes one table with a replica on every node', () => {
    expect(clusterForm(ledger, 'c')).toEqual([
      `-- Why.
CREATE TABLE IF NOT EXISTS ledger ON CLUSTER 'c' (
  id UInt64, -- not MergeTree
  version UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/everywhere/ledger', '{shard}-{replica}', version)
ORDER BY id
SETTINGS replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1`,
    ]);
  });

  test('that makes a table without tokens makes one that drops nothing for having had it before', () => {
    const keys = 'CREATE TABLE IF NOT EXISTS keys (\n  id String\n)\nENGINE = MergeTree\nORDER BY id';
    const path = "ReplicatedMergeTree('/clickhouse/tables/{database}/everywhere/keys', '{shard}-{replica}')";
    const [bare] = clusterForm(keys, 'c');
    const [flushed] = clusterForm(`${keys}\nSETTINGS fsync_after_insert = 1`, 'c');
    expect(bare?.slice(bare.indexOf('ENGINE'))).toBe(`ENGINE = ${path}\nORDER BY id\nSETTINGS replicated_deduplication_window = 0`);
    expect(flushed).toContain('SETTINGS replicated_deduplication_window = 0, fsync_after_insert = 1');
  });

  test('that makes events makes the local table, and the name `events` for reads', () => {
    expect(clusterForm(events, 'c')).toEqual([
      `CREATE TABLE IF NOT EXISTS events_local ON CLUSTER 'c' (
  received_at DateTime64(3, 'UTC')
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{database}/{shard}/events', '{replica}')
PARTITION BY toYYYYMMDD(received_at)
ORDER BY received_at
SETTINGS replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 604800`,
      twin,
    ]);
  });

  test('that changes events changes the local tables, and the twin is made again from them', () => {
    expect(clusterForm('ALTER TABLE events ADD COLUMN IF NOT EXISTS colour String', 'c')).toEqual([
      "ALTER TABLE events_local ON CLUSTER 'c' ADD COLUMN IF NOT EXISTS colour String",
      twin,
    ]);
  });

  test('that changes a table of all nodes is said to one of them, and a setting to each', () => {
    const column = 'ALTER TABLE ledger ADD COLUMN IF NOT EXISTS colour String';
    expect(clusterForm(column, 'c')).toEqual([column]);
    expect(clusterForm('ALTER TABLE ledger MODIFY SETTING fsync_after_insert = 0', 'c')).toEqual([
      "ALTER TABLE ledger ON CLUSTER 'c' MODIFY SETTING fsync_after_insert = 0",
    ]);
  });

  test.each(['DROP TABLE events', 'INSERT INTO ledger SELECT 1', 'CREATE TABLE IF NOT EXISTS log (\n  a UInt8\n)\nENGINE = Log'])(
    'is refused where nobody has thought of it: %s',
    (statement) => {
      expect(() => clusterForm(statement, 'c')).toThrow(/no form|no engine/);
    },
  );
});

describe('what jobs work on', () => {
  test('is the table itself on one server', () => {
    expect([alterTarget('events', undefined), systemRows('parts', 'events', undefined)]).toEqual([
      'events',
      { from: 'system.parts', table: 'events' },
    ]);
  });

  test('is the local table of every shard on a cluster', () => {
    expect(alterTarget('events', { name: 'c' })).toBe("events_local ON CLUSTER 'c'");
    expect(alterTarget('batches', { name: 'c' })).toBe("batches ON CLUSTER 'c'");
    expect(systemRows('parts', 'events', { name: 'c' })).toEqual({ from: "clusterAllReplicas('c', system.parts)", table: 'events_local' });
  });
});

describe('the shard of a partition', () => {
  const place = fc.record({ topic: fc.string(), partition: fc.nat(100_000) });

  test('is one that there is, and the same whoever asks', () => {
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 64 }), (key, shards) => {
        const shard = shardOf(key, shards);
        expect(Number.isInteger(shard) && shard >= 1 && shard <= shards).toBe(true);
        expect(shardOf({ ...key }, shards)).toBe(shard);
      }),
    );
  });

  /** Worked out beside the product, from the SHA-256 of the topic in UTF-8. */
  test('stays what it is from version to version: writers of two versions must agree', () => {
    const known = [0, 1, 2, 3].map((partition) => shardOf({ topic: 'gateway-logs', partition }, 3));
    expect(known).toEqual([2, 3, 1, 2]);
    expect(shardOf({ topic: 'übergang', partition: 7 }, 5)).toBe(2);
  });

  test('spreads the partitions of a topic evenly: no shard has two more than another', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 64 }), (topic, shards, partitions) => {
        const counts = Array.from({ length: shards }, () => 0);
        for (let partition = 0; partition < partitions; partition += 1) {
          const at = shardOf({ topic, partition }, shards) - 1;
          counts[at] = (counts[at] ?? 0) + 1;
        }
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
