/**
 * Runs statements of a cluster on the embedded engine, as far as it goes: with macros and with clusters of one and of two
 * shards, which are all itself. It has no Keeper, so a table that is replicated is checked to its end and then refused.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Outcome {
  readonly text?: string;
  readonly error?: string;
}

const shard = '<shard><replica><host>127.0.0.1</host><port>19000</port></replica></shard>';
const configuration = `<clickhouse>
<tcp_port>19000</tcp_port>
<macros><shard>01</shard><replica>a</replica></macros>
<remote_servers><one>${shard}</one><two>${shard}${shard}</two></remote_servers>
</clickhouse>
`;

export function runOnCluster(statements: readonly string[]): Outcome[] {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-cluster-'));
  const config = join(folder, 'config.xml');
  writeFileSync(config, configuration);
  try {
    const out = execFileSync(process.execPath, [join(import.meta.dirname, 'cluster-engine.mjs'), join(folder, 'data'), config], {
      input: JSON.stringify(statements),
      env: { ...process.env, UV_THREADPOOL_SIZE: '24' },
      maxBuffer: 1 << 26,
    });
    return JSON.parse(out.toString()) as Outcome[]; // written by the program beside this file
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
