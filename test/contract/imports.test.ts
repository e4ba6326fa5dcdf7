/** The layout of docs/decisions/0001-layout.md, held by reading imports. Each kind of breach is planted once, to see it found. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { breachesOf, importers, specifiersOf } from '../support/imports.ts';
import { root, sources } from '../support/sources.ts';

const product = sources();
const planted = (file: string, line: string) =>
  breachesOf(new Map([...product, [file, `${line}\n${product.get(file) ?? ''}`]])).filter((breach) => breach.startsWith(`${file}:`));

describe('the product', () => {
  it('imports in one direction, each vendor package in one place, and in no circle', () => {
    expect(breachesOf(product)).toEqual([]);
  });

  it('is read whole: as many files as it has, and imports in every folder', () => {
    expect(product.size).toBeGreaterThan(80);
    expect(product.has('main.ts')).toBe(true);
    for (const folder of ['app', 'storage', 'ingest', 'query', 'alerts', 'sigma', 'local']) {
      const found = [...product].filter(([file]) => file.startsWith(`${folder}/`)).flatMap(([, text]) => specifiersOf(text));
      expect(found.length, folder).toBeGreaterThan(0);
    }
  });

  it('uses exactly the packages that it declares', () => {
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, object>;
    expect(Object.keys(importers).toSorted()).toEqual(Object.keys({ ...dependencies, ...optionalDependencies }).toSorted());
    for (const name of Object.keys(importers)) {
      const users = [...product].filter(([, text]) => specifiersOf(text).some((one) => one === name || one.startsWith(`${name}/`)));
      expect(users.length, `${name} is imported by nothing`).toBeGreaterThan(0);
    }
  });
});

describe('a planted breach is found', () => {
  it.each([
    ['core/clock.ts', "import { claim } from '../storage/ledger.ts';", 'core may not import storage'],
    ['storage/ledger.ts', "import type { Log } from '../ingest/log.ts';", 'storage may not import ingest'],
    ['ingest/write.ts', "import { x } from '../query/filter.ts';", 'ingest may not import query'],
    ['query/filter.ts', "import { x } from '../alerts/alerts.ts';", 'query may not import alerts'],
    ['query/filter.ts', "export { x } from '../sigma/document.ts';", 'query may not import sigma'],
    ['alerts/alerts.ts', "import '../ingest/log.ts';", 'alerts may not import ingest'],
    ['storage/clickhouse.ts', "const host = await import('../local/engine/host.ts');", 'storage may not import local'],
    ['alerts/alerts.ts', "import { config } from '../app/config.ts';", 'alerts may not import app'],
    ['core/keys.ts', "import { root } from '../test/support/sources.ts';", 'core may not import test'],
    ['app/http.ts', "import '../main.ts';", 'app may not import main.ts'],
  ])('%s with %s', (file, line, expected) => {
    expect(planted(file, line).join('\n')).toContain(expected);
  });

  it('in an import over several lines', () => {
    expect(planted('core/clock.ts', "import {\n  claim,\n} from '../storage/ledger.ts';")[0]).toContain('core may not import storage');
  });

  it.each([
    ['ingest/ingest.ts', "import { Kafka } from 'kafkajs';", 'kafkajs is imported by ingest/logs/kafka.ts alone'],
    ['storage/ledger.ts', "import type { ClickHouseClient } from '@clickhouse/client';", '@clickhouse/client is imported by'],
    ['alerts/render.ts', "import { parse } from 'graphql/language/parser.js';", 'graphql is imported by query/ alone'],
    ['app/verbs/start.ts', "const { Session } = await import('chdb');", 'chdb is imported by local/engine/ alone'],
    ['core/keys.ts', "import leftPad from 'left-pad';", 'left-pad has no importer in the list'],
  ])('a second importer, %s with %s', (file, line, expected) => {
    expect(planted(file, line).join('\n')).toContain(expected);
  });

  it('a circle of two files, told with its way', () => {
    expect(planted('core/clock.ts', "import { untilItWorks } from './retry.ts';")).toEqual([
      'core/clock.ts: a cycle, core/clock.ts -> core/retry.ts -> core/clock.ts',
    ]);
  });

  it('a folder that the layout does not have', () => {
    expect(planted('utils/text.ts', "import { sleep } from '../core/clock.ts';")).toEqual(['utils/text.ts: the layout has no place utils']);
  });

  it('but not in a comment or a text', () => {
    expect(specifiersOf("// import { a } from './a.ts';\n/** `import('b')` */\nconst sql = \"SELECT a from 'c'\";")).toEqual([]);
  });
});
