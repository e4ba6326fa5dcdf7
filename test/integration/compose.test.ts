/**
 * The deployment, read and run. Docker is not needed: the image is built by the Dockerfile's own commands in an empty folder, and
 * each service of ours is started from there by its own command and environment. The foreign images are not run: the test's Kafka,
 * engine and mail server stand in for them.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCompose, type Service } from '../support/compose.ts';
import { buildWithoutDocker, readStages, restsOf, type Image } from '../support/dockerfile.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { graphql, until } from '../support/gatetrail.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { startSmtp, type TestSmtp } from '../support/smtp.ts';

const repository = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(repository, path), 'utf8');
const variables = {
  GATETRAIL_SECRET: 'the secret of a test, which is long enough',
  GATETRAIL_ADMIN_KEY: 'the-admin-key-of-a-test',
};
const services = readCompose(join(repository, 'docker-compose.yml'), variables);
const named = (name: string) => services.find((service) => service.name === name) as Service; // a test fails on undefined
const ours = services.filter(({ image }) => image.startsWith('gatetrail:'));
const lasting = ours.filter(({ name }) => name !== 'migrate');
const stages = readStages(repository);

describe('docker-compose.yml', () => {
  test('names our services and three foreign images, each by a version', () => {
    expect(new Set(ours.map(({ name }) => name))).toEqual(new Set(['migrate', 'ingest', 'query', 'alerts']));
    const images = new Set(services.map(({ image }) => image));
    expect(new Set([...images].map((image) => image.split(':')[0]))).toEqual(
      new Set(['apache/kafka', 'axllent/mailpit', 'clickhouse/clickhouse-server', 'gatetrail']),
    );
    for (const image of images) expect(image).toMatch(/:v?\d+(\.\d+)+$/);
  });

  test('runs the Kafka that the tests run, and our image of this version', () => {
    expect(named('kafka').image).toBe(`apache/kafka:${/<kafka\.version>(.*?)</.exec(read('test/support/kafka/pom.xml'))?.[1]}`);
    for (const { image } of ours) expect(image).toBe(`gatetrail:${(JSON.parse(read('package.json')) as { version: string }).version}`);
  });

  test('builds our image in one service alone', () => {
    expect(services.filter(({ build }) => build !== undefined).map(({ name }) => name)).toEqual(['migrate']);
  });

  test('sets no variable that the configuration does not know', () => {
    const known = new Set(read('docs/reference/configuration.md').match(/GATETRAIL_[A-Z_]+/g));
    for (const { environment } of ours)
      for (const name of Object.keys(environment ?? {}).filter((each) => each.startsWith('GATETRAIL_'))) expect(known).toContain(name);
  });

  test('does not start without a secret', () => {
    expect(() => readCompose(join(repository, 'docker-compose.yml'), {})).toThrow('GATETRAIL_SECRET');
  });

  test('publishes on loopback the ports that the README names, each where its service listens', () => {
    const published = services.flatMap(({ ports = [] }) => ports);
    const containers = /## Containers\n(.*?)\n## /s.exec(read('README.md'))?.[1] ?? '';
    const told = [...containers.matchAll(/port (\d+)/g)].map(([, port]) => port);
    expect(new Set(published.map((port) => port.split(':')[1]))).toEqual(new Set(told));
    for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
    for (const { ports = [], environment } of ours)
      for (const port of ports) expect(port.split(':')[2]).toBe(environment?.['GATETRAIL_PORT']);
    for (const { environment } of lasting)
      expect(environment?.['GATETRAIL_PUBLIC_URL'] ?? 'http://127.0.0.1:4000').toBe(`http://${named('query').ports?.[0]?.slice(0, -5)}`);
  });

  test('runs our services without rights: no root, no capability, nothing to write but what is mounted', () => {
    for (const service of ours) {
      expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
      expect(service.user).toBe(restsOf(stages.at(-1), 'USER').at(-1));
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    }
  });

  test('waits for each service by a condition that it can fulfil', () => {
    for (const { name, depends_on = {} } of services)
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const isLasting = named(other).healthcheck !== undefined || other === 'mailpit'; // whose image brings a check of its own
        expect({ name, other, condition }).toEqual({
          name,
          other,
          condition: isLasting ? 'service_healthy' : 'service_completed_successfully',
        });
      }
    for (const { healthcheck } of lasting)
      expect(healthcheck?.test).toEqual(['CMD', ...Array.from({ length: 3 }, () => expect.any(String))]);
    for (const { depends_on } of lasting) expect(depends_on).toHaveProperty('migrate');
  });

  test('tells our services of the others what those are told themselves', () => {
    const [kafka, clickhouse] = [named('kafka'), named('clickhouse').environment];
    for (const { environment } of ours) {
      expect(environment?.['GATETRAIL_CLICKHOUSE_USER']).toBe(clickhouse?.['CLICKHOUSE_USER']);
      expect(environment?.['GATETRAIL_CLICKHOUSE_PASSWORD']).toBe(clickhouse?.['CLICKHOUSE_PASSWORD']);
      expect(environment?.['GATETRAIL_CLICKHOUSE_DATABASE']).toBe(clickhouse?.['CLICKHOUSE_DB']);
      expect(kafka.environment?.['KAFKA_ADVERTISED_LISTENERS']).toContain(`PLAINTEXT://${environment?.['GATETRAIL_KAFKA_BROKERS']}`);
      expect(topics()).toEqual([environment?.['GATETRAIL_KAFKA_TOPICS'], 'gatetrail-records']);
    }
    expect(kafka.volumes?.map((volume) => volume.split(':')[1])).toContain(kafka.environment?.['KAFKA_LOG_DIRS']);
  });
});

/** What the one-shot `topics` makes. */
function topics(): string[] {
  const { command } = named('topics');
  return /for topic in (.*?);/.exec(command?.join(' ') ?? '')?.[1]?.split(' ') ?? [];
}

describe('the Dockerfile', () => {
  test('stands on one image by its full version, which the product supports', () => {
    const [base] = new Set(stages.map((stage) => stage.base));
    expect(base).toMatch(/^node:2[0-9]\.\d+\.\d+-bookworm-slim$/);
    expect(new Set(stages.map((stage) => stage.base)).size).toBe(1);
  });

  test('copies every folder of the product', () => {
    const others = new Set(['bench', 'coverage', 'data', 'deploy', 'dist', 'docs', 'node_modules', 'scripts', 'test']);
    const product = readdirSync(repository, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !others.has(entry.name))
      .map(({ name }) => name);
    const copied = restsOf(stages[0], 'COPY').flatMap((rest) => rest.split(' ').slice(0, -1));
    expect(copied).toEqual(expect.arrayContaining(product));
  });

  test('ends as a user that owns the data folder and nothing else', () => {
    const last = stages.at(-1);
    const [user = ''] = restsOf(last, 'USER');
    expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(restsOf(last, 'RUN')).toEqual([`mkdir -p /data && chown ${user} /data`]);
    expect(last?.steps.findIndex(({ verb }) => verb === 'USER')).toBeGreaterThan(last?.steps.findIndex(({ verb }) => verb === 'RUN') ?? 0);
  });
});

interface Started {
  readonly service: Service;
  readonly child: ChildProcess;
  readonly environment: NodeJS.ProcessEnv;
  readonly exited: Promise<number | null>;
  readonly printed: () => string;
}

describe('the deployment, run without Docker', () => {
  const started: Started[] = [];
  /** Port in the file to the port that is used: the same one where it is free. */
  const ports = new Map<string, string>();
  let [kafka, engine, smtp] = [] as unknown as [TestKafka, TestEngine, TestSmtp]; // these and those below: set in beforeAll
  let [folder, image, database] = [] as unknown as [string, Image, string];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatetrail-compose-'));
    [kafka, engine, smtp] = await Promise.all([startKafka(), startEngine(), startSmtp()]);
    // A broker that is busy does not know at once what it has just made: asked again, it says that the topic is there.
    const made = (topic: string) =>
      kafka.createTopic(topic, 4).then(
        () => true,
        () => false,
      );
    for (const topic of topics()) await until(() => made(topic), Boolean, 30_000);
    database = await engine.createDatabase();
    for (const { environment } of lasting) {
      const port = String(environment?.['GATETRAIL_PORT']);
      ports.set(port, await sameOrFree(Number(port)));
    }
    image = await buildWithoutDocker(repository, folder);
  }, 600_000);

  afterAll(async () => {
    for (const { child, exited } of started) {
      child.kill('SIGKILL');
      await exited;
    }
    await Promise.allSettled([smtp?.stop(), engine?.stop(), kafka?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** As a container would have it, with loopback for the names of services. */
  function environmentOf({ environment = {}, volumes = [] }: Service): NodeJS.ProcessEnv {
    const isMounted = volumes.some((volume) => volume.endsWith(':/data'));
    const file = join(folder, 'read-only'); // nothing can be made below a file, not even by root
    writeFileSync(file, '');
    const places: [string, string][] = [
      [String(named('ingest').environment?.['GATETRAIL_KAFKA_BROKERS']), kafka.brokers.join(',')],
      ['http://clickhouse:8123', engine.url],
      ['mailpit:1025', new URL(smtp.url).host],
      ['0.0.0.0', '127.0.0.1'],
      ['/data', isMounted ? join(folder, 'data') : join(file, 'data')],
      ...[...ports].map(([from, to]): [string, string] => [`127.0.0.1:${from}`, `127.0.0.1:${to}`]),
    ];
    const onLoopback = (value: string) => places.reduce((text, [from, to]) => text.replace(from, to), value);
    const values = Object.entries({ ...image.environment, ...environment }).map(([name, value]) => [name, onLoopback(String(value))]);
    return {
      PATH: process.env['PATH'],
      ...Object.fromEntries(values),
      GATETRAIL_CLICKHOUSE_USER: engine.user,
      GATETRAIL_CLICKHOUSE_PASSWORD: engine.password,
      GATETRAIL_CLICKHOUSE_DATABASE: database,
      ...(environment['GATETRAIL_PORT'] !== undefined && { GATETRAIL_PORT: ports.get(String(environment['GATETRAIL_PORT'])) }),
    };
  }

  function start(service: Service): Started {
    const environment = environmentOf(service);
    const [program = '', ...args] = [...image.entrypoint, ...(service.command ?? [])];
    const child = spawn(program, args, { cwd: image.workdir, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => (text += part));
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { service, child, environment, exited, printed: () => text };
  }

  async function isHealthy({ service, environment }: Started): Promise<boolean> {
    const [, program = '', ...args] = service.healthcheck?.test ?? [];
    return new Promise((resolve) => execFile(program, args, { env: environment, cwd: image.workdir }, (error) => resolve(error === null)));
  }

  test('the image holds the product and its native parts, and neither the embedded engine nor what builds it', () => {
    const modules = join(image.workdir, 'node_modules');
    for (const name of ['lmdb', 'snappy', 'kafkajs', '@clickhouse/client']) expect(existsSync(join(modules, name)), name).toBe(true);
    for (const name of ['chdb', '@chdb', 'typescript', 'vitest']) expect(existsSync(join(modules, name)), name).toBe(false);
    expect(readdirSync(image.workdir).sort()).toEqual(['dist', 'node_modules', 'package.json']);
  });

  test('the services start in the order of depends_on; the migration ends with 0', async () => {
    for (const service of ours) {
      const one = start(service);
      started.push(one);
      if (!lasting.includes(service)) expect(await one.exited, one.printed()).toBe(0);
    }
    expect(started.map(({ service }) => service.name)[0]).toBe('migrate');
  });

  test.each(lasting.map(({ name }) => name))('%s becomes healthy by its own check within a minute', async (name) => {
    const one = started.find(({ service }) => service.name === name) as Started; // the test before this one started all
    try {
      await until(() => isHealthy(one), Boolean, 60_000);
    } catch (error) {
      throw new Error(`${name} is not healthy (exit ${one.child.exitCode}); it printed\n${one.printed()}`, { cause: error });
    }
  });

  test('a record of Kong that is produced to Kafka comes out of GraphQL', async () => {
    const requestId = randomUUID();
    const client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING });
    const producer = client.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    await producer.send({ topic: 'gateway-logs', messages: [{ value: kongRecord(requestId) }] });
    await producer.disconnect();
    const service = { url: `http://127.0.0.1:${ports.get('4000')}`, token: variables.GATETRAIL_ADMIN_KEY };
    const query = `{ auditEvents(range: {relative: "PT1H"}, filter: {requestId: {eq: "${requestId}"}}) {
      nodes { request { method path } response { status } principal { consumerName } position { topic } }
    } }`;
    const answer = await until(
      () => graphql<{ auditEvents: { nodes: unknown[] } }>(service, query),
      ({ data, errors }) => errors !== undefined || data.auditEvents.nodes.length > 0,
      30_000,
    );
    expect(answer).toEqual({
      data: {
        auditEvents: {
          nodes: [
            {
              request: { method: 'GET', path: '/orders/8812' },
              response: { status: 200 },
              principal: { consumerName: 'shop' },
              position: { topic: 'gateway-logs' },
            },
          ],
        },
      },
    });
  });

  test('records that are posted to the published port are taken', async () => {
    const answer = await fetch(`http://127.0.0.1:${ports.get('4000')}/v1/records`, {
      method: 'POST',
      headers: { authorization: `Bearer ${variables.GATETRAIL_ADMIN_KEY}`, 'content-type': 'application/json' },
      body: kongRecord(randomUUID()),
    });
    expect([answer.status, await answer.json()]).toEqual([202, { messages: 1 }]);
  });

  test('ingest tells Prometheus what became of the records, and that none of them waits', async () => {
    const ingest = started.find(({ service }) => service.name === 'ingest') as Started; // the first of these tests started all
    const metrics = async () => (await fetch(`http://127.0.0.1:${ingest.environment['GATETRAIL_PORT']}/metrics`)).text();
    const text = await until(metrics, (all) => /^gatetrail_ingest_records_total\{result="events"\} 2$/m.test(all), 30_000);
    const lags = text.match(/^gatetrail_consumer_lag_records\{.*$/gm) ?? [];
    expect(lags).toContain('gatetrail_consumer_lag_records{topic="gateway-logs",partition="0"} 0');
    expect(lags.filter((line) => !line.endsWith(' 0'))).toEqual([]);
  });

  test('no service prints the secret or the admin key', () => {
    for (const secret of Object.values(variables))
      expect(started.filter((one) => one.printed().includes(secret)).map(({ service }) => service.name)).toEqual([]);
  });

  test('each of them ends by itself when it is asked to', async () => {
    for (const { service, child, exited } of started.filter((one) => lasting.includes(one.service)).reverse()) {
      child.kill('SIGTERM');
      expect({ name: service.name, code: await exited }).toEqual({ name: service.name, code: 0 });
    }
  }, 30_000);
});

/** Of Kong's http-log, with what our columns ask for. */
function kongRecord(requestId: string): string {
  return JSON.stringify({
    started_at: Date.now() - 50,
    client_ip: '198.51.100.7',
    latencies: { request: 31, kong: 4, proxy: 27 },
    request: {
      id: requestId,
      method: 'GET',
      uri: '/orders/8812',
      url: 'https://api.example.test:8443/orders/8812',
      size: 310,
      headers: {},
    },
    response: { status: 200, size: 911, headers: {} },
    route: { id: '5f1d2f6e-6a37-4dd0-a8f2-60aa5f0a6a6b', name: 'orders' },
    service: { id: 'd8a2c7b6-93f0-4a4e-9a55-3b2a4c6f9d10', name: 'orders-api' },
    consumer: { id: '0c4f7d1a-7f0b-4b57-9f5e-5c4fd1d0a0de', username: 'shop' },
  });
}

/** The port as a string, or another one where somebody else has it. */
async function sameOrFree(port: number): Promise<string> {
  const taken = (wanted: number) =>
    new Promise<string | null>((resolve) => {
      const server = createServer().once('error', () => resolve(null));
      server.listen(wanted, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address !== null ? String(address.port) : null));
      });
    });
  return (await taken(port)) ?? (await taken(0)) ?? String(port);
}
