/** The names of the command-line contract are settings, the page lists all of them, and `config check` tells every fault at once. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { settings } from '../../app/settings.ts';
import { loadIntakeRules } from '../../app/decoder.ts';
import { configReference, errorsReference, eventsReference } from '../../app/reference.ts';
import { runGatetrail } from '../support/gatetrail.ts';
import { root } from '../support/sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'gatetrail.yaml');

/** As the contract names them; those of sign-in and places come with what uses them. */
const promised: Readonly<Record<string, string>> = {
  GATETRAIL_DATA_DIR: 'dataDir',
  GATETRAIL_PORT: 'http.port',
  GATETRAIL_HOST: 'http.host',
  GATETRAIL_PUBLIC_URL: 'http.publicUrl',
  GATETRAIL_TLS_CERT: 'http.tls.cert',
  GATETRAIL_TLS_KEY: 'http.tls.key',
  GATETRAIL_INSECURE: 'http.insecure',
  GATETRAIL_SECRET: 'secret',
  GATETRAIL_TENANT: 'tenant',
  GATETRAIL_INTAKE_TOPIC: 'intake.topic',
  GATETRAIL_JOURNAL_KEEP: 'journal.keep',
  GATETRAIL_LOG_LEVEL: 'log.level',
  GATETRAIL_KAFKA_BROKERS: 'kafka.brokers',
  GATETRAIL_KAFKA_TOPICS: 'kafka.topics',
  GATETRAIL_KAFKA_GROUP: 'kafka.groupId',
  GATETRAIL_KAFKA_TLS: 'kafka.tls',
  GATETRAIL_KAFKA_SASL: 'kafka.sasl',
  GATETRAIL_KAFKA_USER: 'kafka.user',
  GATETRAIL_KAFKA_PASSWORD: 'kafka.password',
  GATETRAIL_CLICKHOUSE_URL: 'clickhouse.url',
  GATETRAIL_CLICKHOUSE_USER: 'clickhouse.user',
  GATETRAIL_CLICKHOUSE_PASSWORD: 'clickhouse.password',
  GATETRAIL_CLICKHOUSE_DATABASE: 'clickhouse.database',
  GATETRAIL_RETENTION: 'retention.default',
  GATETRAIL_SMTP_URL: 'mail.smtpUrl',
  GATETRAIL_MAIL_FROM: 'mail.from',
  GATETRAIL_MAIL_TO: 'mail.to',
  GATETRAIL_CATALOGUE: 'catalogue',
  GATETRAIL_GEOIP: 'geoip',
  GATETRAIL_RULES: 'rules',
  GATETRAIL_ADMIN_KEY: 'access.adminKey',
};
const inFileAlone = ['sources', 'retention.classes', 'alerts.lateness', 'alerts.groupWait'];

describe('the names that stay', () => {
  it('are settings under the names of file and environment', () => {
    const known = Object.fromEntries(settings.map(({ env, path }) => [env, path]));
    expect(known).toMatchObject(promised);
    expect(settings.map(({ path }) => path)).toEqual(expect.arrayContaining(inFileAlone));
  });
});

const intakeRules = await loadIntakeRules([]);

describe('the reference pages', () => {
  it.each([
    ['configuration.md', configReference],
    ['errors.md', errorsReference],
    ['events.md', () => eventsReference(intakeRules)],
  ])('%s is what the code says', (name, page) => {
    expect(readFileSync(join(root, 'docs/reference', name), 'utf8')).toBe(page());
  });

  it('list every setting once, with variable, _FILE of secrets, and a meaning', () => {
    const rows = configReference()
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    expect(rows).toHaveLength(settings.length);
    for (const [index, { path, env, secret, description }] of settings.entries()) {
      expect(rows[index]).toContain(`| \`${path}\` |`);
      if (env !== null) expect(rows[index]).toContain(`\`${env}\``);
      if (secret) expect(rows[index]).toContain(`\`${env}_FILE\``);
      expect(description.length, path).toBeGreaterThan(10);
    }
  });
});

describe('gatetrail config', () => {
  it('check lists three faults at once, with line, variable and flag, and exits with 2', async () => {
    writeFileSync(file, 'tenant: acme\nhttp:\n  prot: 4000\n');
    const { code, out } = await runGatetrail(['config', 'check', '--config', file], {
      dataDir: '',
      env: { GATETRAIL_LOG_LEVEL: 'loud', GATETRAIL_KAFKA_BROKER: 'x' },
    });
    expect(code).toBe(2);
    expect(out).toContain(`${file}:3: http.prot: no setting has this name`);
    expect(out).toContain('GATETRAIL_LOG_LEVEL: log.level: expected debug, info, warn or error, got "loud"');
    expect(out).toContain('GATETRAIL_KAFKA_BROKER: no setting has this name');
    expect(out).toContain('--data: dataDir: expected text that is not empty, got ""');
  });

  it('check --json prints one fault a line; a good configuration prints none and exits with 0', async () => {
    writeFileSync(file, 'tenant: 7\n');
    const bad = await runGatetrail(['config', 'check', '--json', '--config', file], { dataDir: folder });
    expect(bad.code).toBe(2);
    expect(JSON.parse(bad.out.trim())).toMatchObject({ path: 'tenant', from: `${file}:1` });
    writeFileSync(file, 'tenant: acme\n');
    expect(await runGatetrail(['config', 'check', '--json', '--config', file], { dataDir: folder })).toMatchObject({ code: 0, out: '' });
  });

  it('check opens every file that the configuration names, and lists what is wrong with each', async () => {
    writeFileSync(
      file,
      `geoip: ${folder}/gone.mmdb
rules: [${folder}/no-rules]
catalogue: ${folder}/gone.yaml
http: { tls: { cert: ${folder}/gone.pem, key: ${folder}/gone.key } }
kafka: { brokers: [127.0.0.1:1], tls: ${folder}/gone-ca.pem }
`,
    );
    const { code, out } = await runGatetrail(['config', 'check', '--json', '--config', file], { dataDir: folder });
    expect(code).toBe(2);
    const faults = out.trim().split('\n').map((line) => JSON.parse(line) as { path: string; message: string }); // prettier-ignore
    expect(faults.map(({ path }) => path)).toEqual(['', 'rules', 'geoip', 'http.tls.cert', 'http.tls.key', 'kafka.tls']);
    for (const { message } of faults) expect(message).toMatch(/ENOENT/);
  });

  it('check lists the faults of the catalogue too, and start stops by them before anything runs', async () => {
    const catalogue = join(folder, 'catalogue.yaml');
    writeFileSync(catalogue, 'apis:\n  - name: a\n    sunset: soon\n    owners: x\n');
    const given = { dataDir: join(folder, 'new'), env: { GATETRAIL_CATALOGUE: catalogue } };
    const { code, out } = await runGatetrail(['config', 'check', '--json'], given);
    expect(code).toBe(2);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { path: 'apis[0].owners', from: 'catalogue.yaml:4', message: expect.stringContaining('expected one of name') },
      { path: 'apis[0].sunset', from: 'catalogue.yaml:3', message: expect.stringContaining('got soon') },
    ]);
    const start = await runGatetrail(['start'], given);
    expect(start).toMatchObject({ code: 2, log: expect.stringContaining(`CONFIG_INVALID: The catalogue ${catalogue} has 2 faults`) });
    expect(existsSync(given.dataDir)).toBe(false);
  });

  it('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(await runGatetrail(['--version'], { dataDir: folder })).toMatchObject({ code: 0, out: `${version}\n` });
  });

  it('print shows what holds and no secret', async () => {
    writeFileSync(file, 'kafka:\n  user: reader\n  password: hush-hush\n');
    const env = { GATETRAIL_SECRET: 'hush'.repeat(10) };
    const { code, out, log } = await runGatetrail(['config', 'print', '--json', '--config', file], { dataDir: folder, env });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ dataDir: folder, secret: '***', kafka: { user: 'reader', password: '***' } });
    expect(`${out}${log}`).not.toContain('hush');
  });

  it('a role does not start on faults: exit code 2, all of them on stderr', async () => {
    writeFileSync(file, 'tenant: 7\nspare: 1\n');
    const { code, out, log } = await runGatetrail(['ingest', '--config', file], { dataDir: folder });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(log).toMatch(/CONFIG_INVALID: The configuration has 2 faults:\n(.|\n)*:1: tenant(.|\n)*:2: spare/);
  });

  it('a database of places that is none ends every reader of records with 2 and its path', async () => {
    writeFileSync(file, `geoip: ${file}\n`);
    const { code, out, log } = await runGatetrail(['recognise', file, '--config', file], { dataDir: folder });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(log).toContain(
      `CONFIG_INVALID: geoip: expected a database in MaxMind's format (.mmdb), whole and not compressed; ${file} is none`,
    );
  });
});
