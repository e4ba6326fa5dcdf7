/** The rules of the write protocol, taken out of the source one at a time: each must be missed by a test. */
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Mutation {
  readonly rule: string;
  readonly what: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly text: string;
  readonly replacement: string;
  /** The test that must fail, as PROJECT and file. */
  readonly test: readonly [project: string, file: string];
}

const model = ['faults', 'test/faults/write-model.test.ts'] as const;
const equality = ['faults', 'test/faults/memory-engine.test.ts'] as const;
const matrix = ['faults', 'test/faults/block-matrix.test.ts'] as const;
const probe = ['unit', 'test/unit/storage/probe.test.ts'] as const;
const probeOnEngine = ['integration', 'test/integration/storage/probe.test.ts'] as const;

export const mutations: readonly Mutation[] = [
  {
    rule: 'W1',
    what: 'committed before it is read back',
    file: 'ingest/partition.ts',
    text: 'const outcome = await options.writer.write(life, batch, tail.sequence + 1);',
    replacement:
      'await log.commit(batch.counts.lastOffset + 1);\n  const outcome = await options.writer.write(life, batch, tail.sequence + 1);',
    test: model,
  },
  {
    rule: 'W2',
    what: 'no origin row: where a partition begins is decided by each writer',
    file: 'ingest/take-over.ts',
    text: "const outcome = await options.writer.claimOnly(life, originClaim(start, { receivedAt, writer: '', note: options.start }));",
    replacement:
      "const outcome = { kind: 'stored' as const, claim: originClaim(start, { receivedAt, writer: '', note: options.start }) };\n  if (false as boolean) return takeOver(life);",
    test: model,
  },
  {
    rule: 'W2',
    what: 'no look for events beyond the ledger',
    file: 'storage/positions.ts',
    text: 'if (!(await store.hasEventsBeyond(key, known))) return claim;',
    replacement: 'if (known !== null) return claim;',
    test: ['faults', 'test/faults/forget.test.ts'],
  },
  {
    rule: 'W3',
    what: 'the range does not end where its messages end',
    file: 'ingest/collect.ts',
    text: 'else if (lastOffset < fetched.to - 1) log.seek(lastOffset + 1);',
    replacement: '',
    test: model,
  },
  {
    rule: 'W3',
    what: 'each writer has an arrival of its own',
    file: 'ingest/take-over.ts',
    text: 'options.maker.make(key, { ...claim, messages }, claim.receivedAt);',
    replacement: 'options.maker.make(key, { ...claim, messages }, options.databaseClock.now());',
    test: model,
  },
  {
    rule: 'W4',
    what: 'the settings of one block are left out',
    file: 'storage/clickhouse.ts',
    text: 'const settings = { ...oneBlock, ...query.settings,',
    replacement: 'const settings = { ...query.settings,',
    test: probeOnEngine,
  },
  {
    rule: 'W4',
    what: 'a claim is not deduplicated',
    file: 'storage/ledger.ts',
    // Without the setting this version of the engine does it all the same.
    text: "deduplicate_insert_select: 'force_enable'",
    replacement: "deduplicate_insert_select: 'force_disable'",
    test: equality,
  },
  {
    rule: 'single block',
    what: 'the engine may cut a body into blocks',
    file: 'storage/clickhouse.ts',
    text: '  use_strict_insert_block_limits: 1,\n',
    replacement: '',
    test: probeOnEngine,
  },
  {
    rule: 'single block',
    what: 'a block ends after 1,000 rows',
    file: 'storage/clickhouse.ts',
    text: '  max_block_size: 1_100_000,\n  max_insert_block_size: 1_100_000,\n',
    replacement: '  max_block_size: 1_000,\n  max_insert_block_size: 1_000,\n',
    test: matrix,
  },
  {
    rule: 'W5',
    what: 'a claim counts though reading back does not show it',
    file: 'ingest/write.ts',
    text: 'if (claim === undefined) return null;',
    replacement: "if (claim === undefined) return { kind: 'stored', claim: wanted };",
    test: model,
  },
  {
    rule: 'W5',
    what: 'events count though reading back does not show them',
    file: 'ingest/write.ts',
    text: "return judgement.kind === 'nothing' ? null : judgement;",
    replacement: "return judgement.kind === 'nothing' ? { kind: 'complete' } : judgement;",
    test: model,
  },
  {
    rule: 'W6',
    what: 'the next suffix after any failure',
    file: 'ingest/settle.ts',
    text: 'if (answered && !replicated) attempt += 1;\n        else await pause(assignment, tries);',
    replacement: 'attempt += 1;\n        if (!answered) await pause(assignment, tries);',
    test: model,
  },
  {
    rule: 'W6',
    what: 'no suffix, whatever was answered',
    file: 'ingest/settle.ts',
    text: 'if (answered && !replicated) attempt += 1;\n        else await pause(assignment, tries);',
    replacement: 'if (!answered || attempt === 0) await pause(assignment, tries);',
    test: model,
  },
  {
    rule: 'W7',
    what: "another's claim is written over",
    file: 'ingest/write.ts',
    text: "return { kind: isSame(claim, wanted) ? 'stored' : 'lost', claim };",
    replacement: "return { kind: isSame(claim, wanted) || claim.messages > 0 ? 'stored' : 'lost', claim };",
    test: model,
  },
  {
    rule: 'W7',
    what: 'who is late goes on',
    file: 'ingest/write.ts',
    text: "if (claim.firstOffset > wanted.firstOffset || successor !== undefined) return { kind: 'late' };",
    replacement: "if (claim.firstOffset > wanted.firstOffset || successor !== undefined) return { kind: 'stored', claim: wanted };",
    test: model,
  },
  {
    rule: 'W8',
    what: 'events before dead letters',
    file: 'ingest/write.ts',
    text: 'await insist(assignment, () => store.insertDeadLetters(assignment.key, batch.counts, batch.deadLetters));\n',
    replacement:
      'if (claim.events > 0) await storeEvents(open, (attempt) => batch.encode(attempt));\n    await insist(assignment, () => store.insertDeadLetters(assignment.key, batch.counts, batch.deadLetters));\n',
    test: model,
  },
  {
    rule: 'W8',
    what: 'a claim is completed without its dead letters',
    file: 'ingest/write.ts',
    text: 'await insist(assignment, () => store.insertDeadLetters(assignment.key, batch.counts, batch.deadLetters));\n',
    replacement: '',
    test: model,
  },
  {
    rule: 'W16',
    what: 'whatever the server does with tokens is accepted',
    file: 'storage/probe.ts',
    text: "if (row?.n === '1') return;",
    replacement: 'if (row !== null) return;',
    test: probe,
  },
  {
    rule: 'W16',
    what: 'two blocks are not tried',
    file: 'storage/probe.ts',
    text: ', Buffer.concat([nativeBlock(1), nativeBlock(1)])]',
    replacement: ']',
    test: probe,
  },
  {
    rule: 'W17',
    what: 'the log may be another one',
    file: 'ingest/take-over.ts',
    text: '  await patiently(() => assertSameLog(life, tail));\n',
    replacement: '',
    test: model,
  },
  {
    rule: 'condition of the claim',
    what: 'the token alone decides',
    file: 'storage/ledger.ts',
    text: 'insert(key, claim, token, `NOT EXISTS (SELECT 1 FROM batches WHERE ${ofPartition} AND first_offset >= {firstOffset:Int64})`)',
    replacement: "insert(key, claim, token, '1')",
    test: equality,
  },
  {
    rule: 'condition of the revision',
    what: 'a revision may come late',
    file: 'storage/ledger.ts',
    text: '\n  AND NOT EXISTS (SELECT 1 FROM batches WHERE ${ofPartition} AND ${ofBatch} AND revision >= {revision:UInt32})',
    replacement: '',
    test: equality,
  },
  {
    rule: 'retention floor',
    what: 'is not looked at before the events',
    file: 'ingest/write.ts',
    text: 'if (Date.now() - claim.receivedAt > belowNoFloorMs && claim.receivedAt < (await store.floor())) throw new ClosedAlready(claim);',
    replacement: '',
    test: ['unit', 'test/unit/ingest/write.test.ts'],
  },
  {
    rule: 'forgotten token',
    what: 'the ledger is not asked again',
    file: 'ingest/write.ts',
    text: 'if (successor !== undefined || current.settled) throw new ClosedAlready(current);',
    replacement: 'if (successor === null) throw new ClosedAlready(current);',
    test: ['unit', 'test/unit/ingest/write.test.ts'],
  },
  {
    rule: 'forgotten token',
    what: 'the events are not looked for again',
    file: 'ingest/write.ts',
    text: "if ((await look(open)).kind !== 'nothing') return false;",
    replacement: '',
    test: model,
  },
];

const root = join(import.meta.dirname, '../..');
const folders = ['alerts', 'app', 'core', 'dist', 'ingest', 'local', 'query', 'schemas', 'scripts', 'sigma', 'storage', 'test'];
const files = ['main.ts', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'vitest.config.ts'];

/** The source with the rule taken out. @throws where the text does not stand in it exactly once */
export function mutated({ file, text, replacement }: Mutation, folder = root): string {
  const source = readFileSync(join(folder, file), 'utf8');
  const [before, after, ...more] = source.split(text);
  if (before === undefined || after === undefined || more.length > 0) throw new Error(`${file} must have this once: ${text}`);
  return before + replacement + after;
}

export interface Copy {
  /** Runs one test file; the output, and whether tests failed in it. */
  run(test: Mutation['test']): { readonly output: string; readonly failed: boolean };
  /** Takes the rule out while `work` runs. */
  without<Result>(mutation: Mutation, work: () => Result): Result;
  remove(): void;
}

/** A copy of the source tree, to break. */
export function copyOfTheSource(): Copy {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-mutations-'));
  for (const name of [...folders, ...files]) cpSync(join(root, name), join(folder, name), { recursive: true, preserveTimestamps: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  // Every test in its short form.
  const { CAMPAIGN_REPORT: _, CAMPAIGN_PART: __, ...rest } = process.env;
  const env = { ...rest, RULE_REMOVED: '1' };
  return {
    run([project, file]) {
      const { stdout, stderr } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--project', project, file], {
        cwd: folder,
        env,
        encoding: 'utf8',
      });
      const [, failed = '0'] = /\d+ passed, (\d+) failed/.exec(stdout) ?? [];
      return { output: stdout + stderr, failed: Number(failed) > 0 };
    },
    without(mutation, work) {
      const path = join(folder, mutation.file);
      const [source, { atime, mtime }] = [readFileSync(path), statSync(path)];
      writeFileSync(path, mutated(mutation, folder));
      utimesSync(path, atime, mtime); // the processes of these tests do not hold the rule: nothing has to be built
      try {
        return work();
      } finally {
        writeFileSync(path, source);
        utimesSync(path, atime, mtime);
      }
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
