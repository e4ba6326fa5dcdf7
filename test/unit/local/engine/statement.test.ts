import { describe, expect, test } from 'vitest';
import { splitStatement } from '../../../../local/engine/statement.ts';
import { seeded } from '../../../support/campaign.ts';

const split = (sql: string) => splitStatement(Buffer.from(sql));
const refusal = (sql: string) => {
  try {
    return split(sql);
  } catch (error) {
    return error;
  }
};

describe('an insert', () => {
  test.each([
    ['INSERT INTO t FORMAT JSONEachRow', 'INSERT INTO t', 'FORMAT JSONEachRow', ''],
    ['INSERT INTO t FORMAT JSONEachRow\n{"a":1}', 'INSERT INTO t', 'FORMAT JSONEachRow', '\n{"a":1}'],
    ['insert into t (a, `b c`) format rowbinary \n\n\n', 'insert into t (a, `b c`)', 'format rowbinary', ' \n\n\n'],
    ['INSERT INTO t VALUES (1), (2)', 'INSERT INTO t', 'FORMAT Values', ' (1), (2)'],
    ['INSERT INTO d.t (a)\nVALUES (1)', 'INSERT INTO d.t (a)', 'FORMAT Values', ' (1)'],
    ['INSERT INTO t SETTINGS async_insert = 0 VALUES (1)', 'INSERT INTO t', 'SETTINGS async_insert = 0  FORMAT Values', ' (1)'],
    ['INSERT INTO t SETTINGS a = 1, b = 2 FORMAT CSV\n1', 'INSERT INTO t', 'SETTINGS a = 1, b = 2 FORMAT CSV', '\n1'],
    ['/* FORMAT x */ INSERT INTO t -- VALUES\n FORMAT TSV\n1', '/* FORMAT x */ INSERT INTO t -- VALUES', 'FORMAT TSV', '\n1'],
    ["INSERT INTO FUNCTION file('a FORMAT b.csv') FORMAT CSV\n1", "INSERT INTO FUNCTION file('a FORMAT b.csv')", 'FORMAT CSV', '\n1'],
    ['INSERT INTO t (format, values) FORMAT CSV\n1,2', 'INSERT INTO t (format, values)', 'FORMAT CSV', '\n1,2'],
    ['INSERT INTO t', 'INSERT INTO t', 'FORMAT Values', ''],
  ])('%j is cut around the place of its file', (sql, before, after, inline) => {
    expect(split(sql)).toEqual({ kind: 'insert', before, after, inline: Buffer.from(inline) });
  });

  test('what stands behind FORMAT is data: a quote, a semicolon and a second statement change nothing', () => {
    const hostile = `\n'"\`; DROP TABLE t; SELECT 1 /* -- \n\nFORMAT JSON VALUES`;
    expect(split(`INSERT INTO t FORMAT LineAsString${hostile}`)).toMatchObject({ before: 'INSERT INTO t', inline: Buffer.from(hostile) });
  });

  test('bytes that are no text stay as they are', () => {
    const bytes = Buffer.from([0, 0x27, 0xff, 0x0a, 0x0a, 0xc3, 0x28]);
    expect(splitStatement(Buffer.concat([Buffer.from('INSERT INTO t FORMAT RowBinary\n'), bytes]))).toMatchObject({
      inline: Buffer.concat([Buffer.from('\n'), bytes]),
    });
  });

  test.each(['INSERT INTO t SELECT 1', 'INSERT INTO t (a) WITH 1 AS x SELECT x', 'INSERT INTO t (a) FROM s SELECT a'])(
    '%j brings no data and runs as it is',
    (sql) => {
      expect(split(sql)).toMatchObject({ kind: 'other', sql, reads: false });
    },
  );

  test('input() is refused, because the engine says yes and stores nothing', () => {
    expect(refusal("INSERT INTO t SELECT * FROM input('a UInt8') FORMAT CSV")).toMatchObject({ exceptionCode: 48, status: 501 });
  });

  test('files of the machine are not read for who asks over HTTP', () => {
    expect(refusal("INSERT INTO t FROM INFILE '/etc/passwd' FORMAT LineAsString")).toMatchObject({ exceptionCode: 48, status: 501 });
  });
});

describe('a reading statement', () => {
  test.each([
    ['SELECT 1', 'SELECT 1', '', null],
    ['SELECT 1;', 'SELECT 1', '', null],
    ['SELECT 1 ; ; -- end', 'SELECT 1', '', null],
    ['SELECT 1 FORMAT JSON', 'SELECT 1', 'FORMAT JSON', 'JSON'],
    ['SELECT 1 FORMAT JSON SETTINGS max_threads = 1;', 'SELECT 1', 'FORMAT JSON SETTINGS max_threads = 1', 'JSON'],
    ['SELECT format FROM t', 'SELECT format FROM t', '', null],
    ["SELECT 'FORMAT CSV' AS a", "SELECT 'FORMAT CSV' AS a", '', null],
    ['SELECT 1 -- FORMAT CSV', 'SELECT 1 -- FORMAT CSV', '', null],
    ['SELECT 1 /* FORMAT CSV */', 'SELECT 1 /* FORMAT CSV */', '', null],
    ["SELECT format('{}', 1) FORMAT TSV", "SELECT format('{}', 1)", 'FORMAT TSV', 'TSV'],
    ['(SELECT 1) UNION ALL (SELECT 2) FORMAT CSV', '(SELECT 1) UNION ALL (SELECT 2)', 'FORMAT CSV', 'CSV'],
    ['WITH 1 AS x SELECT x', 'WITH 1 AS x SELECT x', '', null],
    ['SELECT $$; FORMAT CSV$$', 'SELECT $$; FORMAT CSV$$', '', null],
    ['SELECT $a$ $$ ; $a$', 'SELECT $a$ $$ ; $a$', '', null],
    ["SELECT 'it''s', '\\''", "SELECT 'it''s', '\\''", '', null],
    ["SELECT 'é漢😀' FORMAT CSV", "SELECT 'é漢😀'", 'FORMAT CSV', 'CSV'],
  ])('%j is cut around the place of its format', (sql, before, after, format) => {
    expect(split(sql)).toEqual({ kind: 'select', before, after, format, totals: false });
  });

  test('totals are seen', () => {
    expect(split('SELECT a, count() FROM t GROUP BY a WITH TOTALS')).toMatchObject({ totals: true });
  });

  test.each(['SHOW TABLES', 'DESCRIBE TABLE t', 'EXISTS t', 'EXPLAIN SELECT 1'])('%j reads, and may be stopped', (sql) => {
    expect(split(sql)).toMatchObject({ kind: 'other', sql, reads: true });
  });

  test.each(['CREATE TABLE t (a UInt8) ENGINE = Memory', 'ALTER TABLE t DELETE WHERE 1', 'SET max_threads = 1', 'DROP TABLE t'])(
    '%j changes something, and is never stopped half way',
    (sql) => {
      expect(split(sql)).toMatchObject({ kind: 'other', sql, reads: false });
    },
  );

  test('INTO OUTFILE is refused', () => {
    expect(refusal("SELECT 1 INTO OUTFILE '/tmp/x'")).toMatchObject({ exceptionCode: 48 });
  });
});

describe('a second statement', () => {
  test.each(['SELECT 1; DROP TABLE t', 'SELECT 1;SELECT 2', 'CREATE TABLE t (a UInt8) ENGINE = Memory; SELECT 1', 'SELECT 1; /* */ x'])(
    'behind %j is refused',
    (sql) => {
      expect(refusal(sql)).toMatchObject({ exceptionCode: 62, status: 400 });
    },
  );

  test('a quote that is never closed is refused, and so hides nothing', () => {
    for (const sql of ["SELECT 'a", 'SELECT "a', 'SELECT `a', "SELECT 'a\\'"]) expect(refusal(sql)).toMatchObject({ exceptionCode: 62 });
  });

  test('cannot be hidden: whatever is put into quotes and comments, the semicolon behind them is found', () => {
    const random = seeded(3);
    const pieces = ["'", '"', '`', '\\', ';', '--', '/*', '*/', '\n', ' ', 'a', '$', '$$', '#', '# ', '{', '}', '(', ')', 'FORMAT', 'é'];
    const noise = (without: readonly string[]) =>
      Array.from({ length: Math.floor(random() * 12) }, () => pieces[Math.floor(random() * pieces.length)] ?? '')
        .join('')
        .replaceAll(/\\/g, '\\\\')
        .split('')
        .filter((sign) => !without.includes(sign))
        .join('');
    for (let round = 0; round < 3000; round += 1) {
      const quoted = [
        `'${noise(["'"])}'`,
        `"${noise(['"'])}"`,
        `\`${noise(['`'])}\``,
        `/*${noise(['*'])}*/`,
        `-- ${noise(['\n'])}\n`,
        `$$${noise(['$'])}$$`,
      ];
      const sql = `SELECT ${quoted[Math.floor(random() * quoted.length)]} 1`;
      expect(refusal(sql), sql).toMatchObject({ kind: 'select', before: sql });
      expect(refusal(`${sql}; DROP TABLE t`), sql).toMatchObject({ exceptionCode: 62 });
    }
  });
});

test.each([
  ['CREATE TABLE t (n UInt8) ENGINE = Memory', true],
  ['-- of the day\nALTER TABLE t ADD COLUMN c UInt8', true],
  ['/* x */ rename table a to b', true],
  ['ALTER TABLE t DROP PARTITION 20261122', false],
  ["ALTER TABLE t DROP PART 'all_1_1_0'", false],
  ['DROP TABLE t', false],
  ['SYSTEM STOP MERGES', false],
])('whether %j writes a definition: %j', (sql, defines) => {
  expect(split(sql)).toMatchObject({ kind: 'other', defines });
});
