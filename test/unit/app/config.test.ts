/** Settings: where they come from, who wins, and that every fault is told at once with its place. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeFault, loadConfig, printable, requireConfig } from '../../../app/config.ts';
import { type Config, settings } from '../../../app/settings.ts';
import { AuditError } from '../../../core/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Given {
  readonly file?: string;
  readonly env?: Record<string, string>;
  readonly flags?: Record<string, string>;
}

let count = 0;
function sourcesOf({ file, env = {}, flags = {} }: Given) {
  const name = `${(count += 1)}.yaml`;
  writeFileSync(join(folder, name), file ?? '');
  return { flags: { config: name, ...flags }, env, cwd: folder };
}

function load(given: Given): Config {
  const { config, faults } = loadConfig(sourcesOf(given));
  expect(faults).toEqual([]);
  if (config === null) throw new Error('no configuration and no fault either');
  return config;
}

const faultsOf = (given: Given) => loadConfig(sourcesOf(given)).faults.map(describeFault);

const longSecret = 'k'.repeat(32);

describe('where a setting comes from', () => {
  it('flags win over environment, environment over file, the file over the default', () => {
    const file = 'http:\n  port: 1001\n';
    expect(load({}).http.port).toBe(4000);
    expect(load({ file }).http.port).toBe(1001);
    expect(load({ file, env: { GATETRAIL_PORT: '1002' } }).http.port).toBe(1002);
    expect(load({ file, env: { GATETRAIL_PORT: '1002' }, flags: { 'http.port': '0' } }).http.port).toBe(0);
  });

  it('an empty variable is none, as compose files pass on what is not set', () => {
    expect(load({ env: { GATETRAIL_PORT: '', GATETRAIL_KAFKA_BROKERS: '' } })).toMatchObject({
      http: { port: 4000 },
      kafka: { brokers: [] },
    });
  });

  it('lists come with commas or as lists, spans ISO 8601 or short, switches as text or as true', () => {
    const { kafka, journal, http } = load({
      file: 'http:\n  insecure: true\njournal:\n  keep: PT5M\n',
      env: { GATETRAIL_KAFKA_BROKERS: 'one:9092, two:9092', GATETRAIL_KAFKA_TLS: 'true' },
    });
    expect({ brokers: kafka.brokers, tls: kafka.tls, keep: journal.keep, insecure: http.insecure }).toEqual({
      brokers: ['one:9092', 'two:9092'],
      tls: true,
      keep: 300_000,
      insecure: true,
    });
    expect(load({ file: 'kafka:\n  brokers: [a:1]\njournal:\n  keep: 7d\n' })).toMatchObject({
      kafka: { brokers: ['a:1'] },
      journal: { keep: 604_800_000 },
    });
  });

  it('a file that is not named may be missing; one that is named must be there', () => {
    const cwd = mkdtempSync(join(folder, 'empty-'));
    expect(loadConfig({ flags: {}, env: {}, cwd }).faults).toEqual([]);
    expect(loadConfig({ flags: { config: 'gone.yaml' }, env: {}, cwd }).faults.map(describeFault)).toEqual([
      expect.stringMatching(/^gone\.yaml: .*ENOENT/),
    ]);
  });

  it('gatetrail.yaml of the folder is read without being named', () => {
    const cwd = mkdtempSync(join(folder, 'default-'));
    writeFileSync(join(cwd, 'gatetrail.yaml'), 'tenant: acme\n');
    expect(loadConfig({ flags: {}, env: {}, cwd }).config?.tenant).toBe('acme');
  });
});

describe('faults', () => {
  it('of file, environment and flags are told together, each with its place, what was expected and what came', () => {
    const given = { file: 'tenant: acme\nlog:\n  level: loud\n', env: { GATETRAIL_RETENTION: 'soon' }, flags: { 'http.port': '70000' } };
    expect(faultsOf(given)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^\d+\.yaml:3: log\.level: expected debug, info, warn or error, got "loud"$/),
        'GATETRAIL_RETENTION: retention.default: expected a span of time such as PT5M or 5m, at least P1D, got "soon"',
        '--port: http.port: expected at most 65535, got "70000"',
      ]),
    );
    expect(faultsOf(given)).toHaveLength(3);
  });

  it('stop the start with one message that holds all of them', () => {
    const sources = sourcesOf({ file: 'tenant: 7\nspare: 1\n', env: { GATETRAIL_PORT: 'x' } });
    expect(() => requireConfig(sources)).toThrow(AuditError);
    try {
      requireConfig(sources);
    } catch (error) {
      expect(error).toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/3 faults(.|\n)*tenant(.|\n)*spare|3 faults(.|\n)*spare/),
      });
    }
  });

  it('name keys that no setting has, in any depth, with their line', () => {
    const faults = faultsOf({ file: 'http:\n  prot: 1\nkafka:\n  brokers: []\nsources:\n  - topic: a\n    zone: x\nwhat: 1\n' });
    expect(faults.map((fault) => fault.replace(/^\d+\./, ''))).toEqual([
      'yaml:2: http.prot: no setting has this name',
      'yaml:7: sources.0.zone: no setting has this name',
      'yaml:8: what: no setting has this name',
    ]);
  });

  it('name variables that no setting has; other programs may keep theirs', () => {
    expect(faultsOf({ env: { GATETRAIL_PROT: '1', KAFKA_HOME: '/opt', GATETRAIL_URL: 'http://x', GATETRAIL_KEY: 'y' } })).toEqual([
      'GATETRAIL_PROT: no setting has this name; gatetrail config reference lists them',
    ]);
  });

  it('name a file that is no YAML, or no settings', () => {
    expect(faultsOf({ file: 'a: [1\n' })).toHaveLength(1);
    expect(faultsOf({ file: '- a\n- b\n' })).toEqual([expect.stringContaining('expected settings by name')]);
  });

  it.each<[string, Given, RegExp]>([
    [
      'a ClickHouse without a secret',
      { env: { GATETRAIL_CLICKHOUSE_URL: 'http://db:8123' } },
      /^secret \(GATETRAIL_SECRET\): .*32 random bytes/,
    ],
    ['a certificate without its key', { env: { GATETRAIL_TLS_CERT: 'c.pem' } }, /^http\.tls: .*both/],
    ['a host beyond loopback without TLS', { env: { GATETRAIL_HOST: '0.0.0.0' } }, /^http\.insecure \(GATETRAIL_INSECURE\): .*0\.0\.0\.0/],
    ['SASL without a user', { env: { GATETRAIL_KAFKA_SASL: 'plain' } }, /^kafka\.user \(GATETRAIL_KAFKA_USER\): /],
    ['a mail server without addresses', { env: { GATETRAIL_SMTP_URL: 'smtp://mail:25' } }, /^mail\.to \(GATETRAIL_MAIL_TO\): /],
    ['a short secret', { env: { GATETRAIL_SECRET: 'short' } }, /32 random bytes/],
    [
      'a URL of another kind',
      { env: { GATETRAIL_SMTP_URL: 'http://mail', GATETRAIL_MAIL_FROM: 'a@b', GATETRAIL_MAIL_TO: 'c@d' } },
      /smtp:/,
    ],
  ])('over several settings: %s', (_what, given, expected) => {
    const faults = faultsOf(given);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(expected);
  });

  it.each<[string, Given]>([
    ['a ClickHouse with a secret', { env: { GATETRAIL_CLICKHOUSE_URL: 'http://db:8123', GATETRAIL_SECRET: longSecret } }],
    ['a host beyond loopback said aloud', { env: { GATETRAIL_HOST: '0.0.0.0', GATETRAIL_INSECURE: 'true' } }],
    ['a host beyond loopback with TLS', { env: { GATETRAIL_HOST: '::', GATETRAIL_TLS_CERT: 'c', GATETRAIL_TLS_KEY: 'k' } }],
    ['other names of loopback', { env: { GATETRAIL_HOST: 'localhost' } }],
    ['a secret with those before it', { file: `secret:\n  current: ${longSecret}\n  previous: [${'p'.repeat(40)}]\n` }],
  ])('over several settings: none for %s', (_what, given) => {
    expect(faultsOf(given)).toEqual([]);
  });
});

describe('classes of retention', () => {
  const classes = (...lines: string[]) => `retention:\n  default: 30d\n  classes:\n${lines.map((line) => `    - {${line}}\n`).join('')}`;
  const bank = 'name: bank, tenants: [bank], basis: pci';

  it('are tenants with a span, printed as people write it', () => {
    const config = load({
      file: classes(
        `${bank}, keep: 400d`,
        'name: trial, tenants: [demo, test], keep: P7D',
        'name: a, tenants: [x], keep: P7Y, basis: "BAO 132", minimum: P7Y',
      ),
    });
    expect(config.retention.classes[1]).toEqual({ name: 'trial', tenants: ['demo', 'test'], dataClasses: [], keep: 604_800_000 });
    expect(printable(config)).toMatchObject({
      retention: { classes: [{ keep: 'P400D', basis: 'pci' }, { keep: 'P7D' }, { keep: 'P2555D', minimum: 'P2555D' }] },
    });
  });

  it('may be of data classes, of everybody or of some tenants, and an event is in the first that has it', () => {
    const lines = ['name: bank, tenants: [bank], dataClasses: [pii], keep: 7d', 'name: cards, dataClasses: [chd], basis: pci, keep: 400d'];
    const faults = faultsOf({ file: classes(...lines) });
    expect(faults).toHaveLength(1); // the first may have cards of the bank
    const { retention } = load({ file: classes(...lines.toReversed()) });
    expect(retention.classes.map(({ name, tenants, dataClasses }) => [name, tenants, dataClasses])).toEqual([
      ['cards', [], ['chd']],
      ['bank', ['bank'], ['pii']],
    ]);
  });

  it.each<[string, string[], RegExp]>([
    [
      'below the twelve months of PCI DSS: what is expected and why, where, what came, what to do',
      [`${bank}, keep: 365d`],
      /^\d+\.yaml:4: retention\.classes\.0\.keep: expected at least P366D, .*legal minimum.*PCI DSS 10\.5\.1.*keep it longer, or mend.*, got "365d"$/,
    ],
    ['below the six years of HIPAA', ['name: a, tenants: [b], basis: hipaa, keep: P6Y'], /at least P2192D, .*HIPAA/],
    ['below a minimum of its own', ['name: a, tenants: [b], basis: BAO, minimum: 8d, keep: 7d'], /at least P8D, .*\(BAO\)/],
    ['below the law where its own minimum is less', [`${bank}, minimum: 8d, keep: 9d`], /at least P366D/],
    [
      'with a basis that nobody knows',
      ['name: a, tenants: [b], basis: BAO, keep: 7d'],
      /basis: expected pci, hipaa, or any other text with a minimum/,
    ],
    ['without a tenant', ['name: a, tenants: [], keep: 7d'], /tenants: expected at least one tenant or data class/],
    [
      'behind one that may have events of it and keeps them shorter than its legal minimum',
      ['name: a, tenants: [b], keep: 7d', 'name: cards, dataClasses: [chd], basis: pci, keep: 400d'],
      /classes\.1: expected it before a, which may have events of it/,
    ],
    [
      'behind one that has all of its data classes',
      ['name: a, dataClasses: [pii, chd], keep: 7d', 'name: c, tenants: [d], dataClasses: [chd], keep: 8d'],
      /classes\.1\.tenants: expected events that are in no class before: a has all of d already/,
    ],
    [
      'behind one that has its data classes of everybody',
      ['name: a, dataClasses: [pii, chd], keep: 7d', 'name: c, dataClasses: [chd], keep: 8d'],
      /classes\.1\.dataClasses: expected events that are in no class before: a has all that have these data classes already/,
    ],
    ['shorter than a day', ['name: a, tenants: [b], keep: 1h'], /at least P1D/],
    ['called default', ['name: default, tenants: [b], keep: 7d'], /another name/],
    [
      'with the name of another',
      ['name: a, tenants: [b], keep: 7d', 'name: a, tenants: [c], keep: 7d'],
      /classes\.1\.name: expected a name that no class before has/,
    ],
    [
      'with a tenant of another',
      ['name: a, tenants: [b], keep: 7d', 'name: c, tenants: [d, b], keep: 8d'],
      /classes\.1\.tenants: expected events that are in no class before: a has all of b already/,
    ],
  ])('are refused %s', (_what, lines, expected) => {
    const faults = faultsOf({ file: classes(...lines) });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(expected);
  });
});

describe('secrets', () => {
  const variables = settings.filter(({ secret }) => secret).map(({ env }) => env ?? '');
  /** A good value of each secret, so that it alone is asked about. */
  const values: Readonly<Record<string, string>> = { GATETRAIL_SMTP_URL: 'smtp://user:hush-mail-hush@mail:587' };
  const around = { GATETRAIL_MAIL_FROM: 'a@b', GATETRAIL_MAIL_TO: 'c@d' };

  it('are these', () => {
    expect(variables).toEqual([
      'GATETRAIL_SECRET',
      'GATETRAIL_KAFKA_PASSWORD',
      'GATETRAIL_CLICKHOUSE_PASSWORD',
      'GATETRAIL_SMTP_URL',
      'GATETRAIL_ADMIN_KEY',
    ]);
  });

  it.each(variables)('%s is read from the file that _FILE names, and is never printed', (name) => {
    const value = values[name] ?? `hush-${'h'.repeat(40)}-hush`;
    writeFileSync(join(folder, 'secret.txt'), `${value}\n`);
    const byFile = load({ env: { ...around, [`${name}_FILE`]: 'secret.txt' } });
    expect(byFile).toEqual(load({ env: { ...around, [name]: value } }));
    expect(JSON.stringify(byFile)).toContain(value);
    expect(JSON.stringify(printable(byFile))).not.toContain('hush');
    expect(JSON.stringify(printable(byFile))).toContain('***');
  });

  it('that are wrong are not shown in the fault', () => {
    const faults = faultsOf({ env: { GATETRAIL_SECRET: 'hush', GATETRAIL_ADMIN_KEY: 'hush' } });
    expect(faults).toHaveLength(2);
    expect(faults.join('\n')).not.toContain('hush');
  });

  it('cannot be given twice, nor by a file that is not there', () => {
    expect(faultsOf({ env: { GATETRAIL_SECRET: longSecret, GATETRAIL_SECRET_FILE: 'secret.txt' } })).toEqual([
      'GATETRAIL_SECRET_FILE: secret: expected either GATETRAIL_SECRET or GATETRAIL_SECRET_FILE, both came',
    ]);
    expect(faultsOf({ env: { GATETRAIL_KAFKA_PASSWORD_FILE: 'gone.txt' } })).toEqual([
      expect.stringMatching(/^GATETRAIL_KAFKA_PASSWORD_FILE: kafka\.password: expected the path of a file that can be read/),
    ]);
  });

  it('have no default: what is not given is absent', () => {
    const { secret, kafka, clickhouse, access, mail } = load({});
    expect([secret.current, kafka.password, clickhouse.password, access.adminKey, mail.smtpUrl]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('what is printed', () => {
  it('says spans as people write them and leaves out what is not set', () => {
    expect(printable(load({}))).toMatchObject({
      journal: { keep: 'P1D' },
      alerts: { lateness: 'PT1M', groupWait: 'PT30S' },
      http: { port: 4000 },
    });
    expect(JSON.stringify(printable(load({})))).not.toContain('***');
  });

  it('is a configuration that means the same', () => {
    const config = load({
      file: 'deadLetters:\n  keep: 2d\nretention:\n  default: 30d\n  classes: [{ name: a, tenants: [a], keep: 7d, minimum: 1d, basis: x }]\n',
    });
    expect(load({ file: JSON.stringify(printable(config)) })).toEqual(config);
  });
});
