import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadRules } from '../../../alerts/alerts.ts';
import type { AlertFacts, TransitionRow } from '../../../schemas/alert.ts';
import { transition } from '../../../storage/alert-changes.ts';
import { openAlertStore } from '../../../storage/alerts.ts';
import { nextMorning, startApi, thatDay, type Answer, type TestApi } from '../../support/api.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { claimRow, eventRow, writeClaims, writeEvents } from '../../support/events.ts';
import { sqlRows } from '../../support/sql.ts';

let engine: TestEngine;
let database: TestDatabase;
let api: TestApi;
let acme: string;
const at = (time: string) => Date.parse(`2026-11-22T${time}Z`);
const now = nextMorning.now();

const facts = (id: string, values: Partial<AlertFacts> = {}): AlertFacts => ({
  id,
  fingerprint: `f-${id}`,
  tenant: 'acme',
  ruleId: '6b0e0d5e-5d0f-4a62-9d0f-1f7c0e2f9a12',
  ruleVersion: 'old',
  severity: 'HIGH',
  title: 'Auth failures',
  summary: `Auth failures of ${id}`,
  subject: { name: 'clientAddress', value: '10.1.2.3' },
  startedAt: at('10:00:00'),
  measure: 'auth failures in 10m',
  value: 20,
  threshold: 20,
  eventsFrom: at('09:59:00'),
  late: false,
  ...values,
});
const fired = (alert: AlertFacts) =>
  transition(alert, {
    at: alert.startedAt + 5_000,
    kind: 'FIRED',
    from: 'INACTIVE',
    to: 'FIRING',
    reason: 'the condition held',
    actor: '',
    note: '',
  });
const resolved = (alert: AlertFacts, time: number): TransitionRow =>
  transition(alert, { at: time, kind: 'RESOLVED', from: 'FIRING', to: 'RESOLVED', reason: 'the condition has ended', actor: '', note: '' });

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
  api = await startApi(database.clickhouse, { clock: nextMorning, rules: await loadRules() });
  acme = await api.makeKey(['acme']);
  const store = openAlertStore(database.clickhouse);
  const alerts = [
    facts('a'),
    facts('b', { startedAt: at('09:00:00'), eventsFrom: at('08:59:00'), severity: 'LOW' }),
    facts('c', {
      subject: { name: 'consumer', value: 'mobile' },
      startedAt: at('11:00:00'),
      ruleId: '1d1c0c9e-8d55-4e0e-9f39-6a4c3f5f6a02',
      measure: 'requests in 1m',
    }),
    facts('d', { tenant: 'globex', startedAt: at('12:00:00') }),
    facts('e', { ruleId: 'gone', title: 'A rule that is gone', startedAt: at('08:00:00') }),
  ];
  await store.addTransitions([
    ...alerts.map(fired),
    ...alerts.filter(({ id }) => id === 'b').map((alert) => resolved(alert, at('09:30:00'))),
  ]);
  await store.addFindings([
    {
      id: 'x',
      alertId: 'a',
      fingerprint: 'f-a',
      tenant: 'acme',
      ruleId: 'r',
      ruleVersion: 'v',
      group: 'g',
      bucket: at('10:01:00'),
      firstEvent: at('09:59:00'),
      value: 30,
      threshold: 20,
      events: 30,
      late: false,
    },
  ]);
  const cursor = {
    ruleVersion: 'v',
    evaluatedTo: now - 20_000,
    mark: '',
    memory: '{}',
    detail: '',
    durationMs: 3,
    savedAt: now - 1_000,
    version: 1,
  };
  await store.saveCursor({ ...cursor, ruleId: '6b0e0d5e-5d0f-4a62-9d0f-1f7c0e2f9a12', state: 'FAILING', detail: 'no table' });
  await store.saveCursor({ ...cursor, ruleId: '1d1c0c9e-8d55-4e0e-9f39-6a4c3f5f6a02', state: 'OK' });
  await store.putOutbox([
    {
      id: 'n',
      transitionId: 't',
      alertId: 'a',
      tenant: 'acme',
      ruleId: 'r',
      kind: 'FIRING',
      channel: 'email',
      recipient: 'ops@example.test',
      status: 'RETRYING',
      queuedAt: at('10:00:06'),
      dueAt: now,
      sentAt: null,
      attempts: 2,
      messageId: '<m@x>',
      lastError: 'refused',
      reason: '',
      lead: '',
      version: 3,
    },
  ]);
  const event = (time: string, status: number, values = {}) =>
    eventRow({
      timestamp: `2026-11-22 ${time}`,
      http_response_status_code: status,
      client_address: '10.1.2.3',
      batch_events: 6,
      ...values,
    });
  const events = [
    event('09:59:30', 401),
    event('10:00:30', 403),
    event('10:01:04', 401),
    event('10:01:05', 401),
    event('10:00:31', 200),
    event('10:00:32', 401, { tenant: 'globex' }),
  ];
  await writeEvents(
    engine,
    database.name,
    events.map((row, kafka_offset) => ({ ...row, kafka_offset })),
  );
  await writeClaims(engine, database.name, [claimRow({ first_offset: 0, last_offset: 5 })]);
});
afterAll(async () => {
  api.close();
  await database.close();
  await engine.stop();
});

const ids = async (args: string, key = acme) => {
  const { data, errors } = await api.ask(`{alerts${args} {nodes {id}}}`, { key });
  return errors ? errors[0].extensions.code : data.alerts.nodes.map(({ id }: { id: string }) => id);
};
const filtered = (filter: string) => ids(`(filter: {${filter}})`);

test('alerts are those of the caller, newest first, that were open at some time of the range', async () => {
  expect(await ids('')).toEqual(['c', 'a', 'b', 'e']);
  expect(await ids('', 'root')).toEqual(['d', 'c', 'a', 'b', 'e']);
  expect(await ids('(range: {absolute: {from: "2026-11-22T09:45:00Z", to: "2026-11-22T10:30:00Z"}})')).toEqual(['a', 'e']);
});

test('each field of the filter holds for what it names', async () => {
  expect(await filtered('states: [RESOLVED]')).toEqual(['b']);
  expect(await filtered('states: []')).toEqual([]);
  expect(await filtered('severities: [LOW]')).toEqual(['b']);
  expect(await filtered('ruleIds: ["gone"]')).toEqual(['e']);
  expect(await filtered('fingerprints: ["f-a", "f-d"]')).toEqual(['a']);
  expect(await filtered('search: "THAT IS gone"')).toEqual(['e']);
  expect(await filtered('verdicts: [EXPECTED]')).toEqual([]);
  expect(await filtered('silenced: true')).toEqual([]);
  expect(await filtered('silenced: false, inhibited: false')).toEqual(['c', 'a', 'b', 'e']);
  expect(await filtered('matchers: [{name: "consumer", value: "mobile"}]')).toEqual(['c']);
  expect(await filtered('matchers: [{name: "consumer", value: "", operator: EQUALS}]')).toEqual(['a', 'b', 'e']);
  expect(await filtered('matchers: [{name: "clientAddress", value: "10[.].*", operator: NOT_MATCHES}]')).toEqual(['c']);
  expect(await filtered('matchers: [{name: "consumer", value: "mob", operator: MATCHES}]')).toEqual([]);
  expect(await filtered('matchers: [{name: "rule", value: "gone", operator: NOT_EQUALS}, {name: "severity", value: "low"}]')).toEqual([
    'b',
  ]);
  expect(await filtered('matchers: [{name: "consumer", value: "(?=a)", operator: MATCHES}]')).toBe('BAD_USER_INPUT');
});

test('pages of alerts go through each once', async () => {
  const seen: string[] = [];
  let after = '';
  for (;;) {
    const { data } = await api.ask(
      `{alerts(first: 3${after}) {nodes {id} totalCount {value relation} pageInfo {hasNextPage hasPreviousPage endCursor}}}`,
      { key: acme },
    );
    const { nodes, pageInfo, totalCount } = data.alerts;
    seen.push(...nodes.map(({ id }: { id: string }) => id));
    expect(totalCount).toEqual({ value: 4, relation: 'EXACT' });
    expect(pageInfo.hasPreviousPage).toBe(after !== '');
    if (!pageInfo.hasNextPage) break;
    after = `, after: "${pageInfo.endCursor}"`;
  }
  expect(seen).toEqual(['c', 'a', 'b', 'e']);
});

test('an alert shows exactly the events behind it, and each of them names the alert', async () => {
  const query = `{alert(id: "a") {id tenant eventCount eventFilter eventRange {from to} lastSeenAt evidence {id timestamp alerts {id}} subject {name value}
    notifications {kind status recipient attempts nextAttemptAt lastError alert {id}} timeline {kind from to actor} acknowledgedBy verdict rule {title enabled version document kind}}}`;
  const { data, errors } = await api.ask(query, { key: acme });
  expect(errors).toBeUndefined();
  const { alert } = data;
  expect(alert).toMatchObject({
    eventCount: 3,
    subject: [{ name: 'clientAddress', value: '10.1.2.3' }],
    eventRange: { from: '2026-11-22T09:59:00.000Z', to: '2026-11-22T10:01:05.000Z' },
    notifications: [
      { kind: 'FIRING', status: 'RETRYING', recipient: 'ops@example.test', attempts: 2, lastError: 'refused', alert: { id: 'a' } },
    ],
    timeline: [{ kind: 'FIRED', from: 'INACTIVE', to: 'FIRING', actor: null }],
    acknowledgedBy: null,
    verdict: null,
    rule: { title: 'Auth failures', enabled: true, version: 'old', document: null, kind: 'ANOMALY' },
  });
  expect(alert.evidence.map(({ timestamp }: { timestamp: string }) => timestamp.slice(11, 19))).toEqual([
    '09:59:30',
    '10:00:30',
    '10:01:04',
  ]);
  expect(alert.evidence.every(({ alerts }: Answer) => alerts.some(({ id }: Answer) => id === 'a'))).toBe(true);
  // The filter and range open the same events in the audit trail.
  const shown = await api.ask(
    'query($filter: AuditEventFilter, $range: TimeRange!) {auditEvents(range: $range, filter: $filter) {nodes {id}}}',
    {
      key: acme,
      variables: { filter: alert.eventFilter, range: { absolute: alert.eventRange } },
    },
  );
  expect(shown.data.auditEvents.nodes.map(({ id }: Answer) => id).toSorted()).toEqual(
    alert.evidence.map(({ id }: Answer) => id).toSorted(),
  );
  const others = await api.ask(`{auditEvents(${thatDay}, filter: {status: {eq: 200}}) {nodes {alerts {id}}}}`, { key: acme });
  expect(others.data.auditEvents.nodes).toEqual([{ alerts: [] }]);
});

test('nobody sees or takes an alert of another tenant', async () => {
  const { data } = await api.ask('{alert(id: "d") {id}}', { key: acme });
  expect(data.alert).toBeNull();
  const taken = await api.ask('mutation {acknowledgeAlert(id: "d") {alert {id} userErrors {code}}}', { key: acme });
  expect(taken.data.acknowledgeAlert).toEqual({ alert: null, userErrors: [{ code: 'NOT_FOUND' }] });
});

test('rules say how they do: failing, or without data from a tenant, with when they last fired', async () => {
  const { data, errors } = await api.ask(
    '{alertRules {id kind severity enabled owner falsePositives version document lastFiredAt health {state detail lagSeconds lastDurationMs}}}',
    { key: acme },
  );
  expect(errors).toBeUndefined();
  const byKind = new Map(data.alertRules.map((rule: Answer) => [rule.kind, rule]));
  expect(byKind.get('ANOMALY')).toMatchObject({
    severity: 'HIGH',
    enabled: true,
    owner: 'security',
    lastFiredAt: '2026-11-22T10:00:05.000Z',
    health: { state: 'FAILING', detail: 'no table', lagSeconds: 20, lastDurationMs: 3 },
  });
  expect(byKind.get('CORRELATION')).toMatchObject({ health: { state: 'NO_DATA', detail: 'nothing came lately from acme' } });
  const some = async (filter: string) =>
    (await api.ask(`{alertRules(filter: {${filter}}) {kind}}`, { key: acme })).data.alertRules.map(({ kind }: Answer) => kind);
  expect(await some('states: [FAILING]')).toEqual(['ANOMALY']);
  expect(await some('kinds: [CORRELATION]')).toEqual(['CORRELATION']);
  expect(await some('enabled: false')).toEqual([]);
  expect(await some('search: "AUTHENTICATE"')).toEqual(['ANOMALY']);
});

test('an alert is taken once, by whoever came first, and one that is over stays over', async () => {
  const take = (id: string, key = acme) =>
    api.ask(
      `mutation {acknowledgeAlert(id: "${id}", note: "mine") {alert {state acknowledgedBy acknowledgedAt timeline {kind actor note}} userErrors {code}}}`,
      { key },
    );
  const first = (await take('a')).data.acknowledgeAlert;
  expect(first.alert).toMatchObject({ state: 'ACKNOWLEDGED', acknowledgedBy: 'of acme', acknowledgedAt: '2026-11-24T00:00:00.000Z' });
  expect(first.alert.timeline).toContainEqual({ kind: 'ACKNOWLEDGED', actor: 'of acme', note: 'mine' });
  expect((await take('a', 'root')).data.acknowledgeAlert.alert).toMatchObject({ acknowledgedBy: 'of acme', timeline: [{}, {}] });
  expect((await take('b')).data.acknowledgeAlert.alert).toMatchObject({ state: 'RESOLVED', acknowledgedBy: null });
});

test('evidence is a read of events: it stands in the access log with its alert', async () => {
  await api.ask('{alert(id: "a") {evidence(first: 2) {id}}}', { key: acme });
  const rows = await sqlRows<{ target: string; n: string }>(
    engine,
    "SELECT target, toString(rows) AS n FROM access_log WHERE action = 'Alert.evidence' ORDER BY at",
    database.name,
  );
  expect(rows.at(-1)).toEqual({ target: 'a', n: '2' });
});

test('an alert counts, shows and is found by the events of its own rule: missing pages of an address, deletions of a consumer', async () => {
  const alerts = [
    facts('missing', { tenant: 'initech', selection: { status: { in: [404] } } }),
    facts('deletions', {
      tenant: 'initech',
      subject: { name: 'consumer', value: 'mobile' },
      selection: { status: { in: [204] }, method: { in: ['DELETE'] } },
    }),
  ];
  await openAlertStore(database.clickhouse).addTransitions(alerts.map(fired));
  const events = [
    ['GET', 404],
    ['GET', 401],
    ['DELETE', 204],
    ['PUT', 204],
  ] as const;
  const place = { tenant: 'initech', topic: 'other', client_address: '10.1.2.3', consumer_name: 'mobile', batch_events: 4 };
  const rows = events.map(([http_request_method, http_response_status_code], kafka_offset) =>
    eventRow({ ...place, http_request_method, http_response_status_code, kafka_offset }),
  );
  await writeEvents(engine, database.name, rows);
  await writeClaims(engine, database.name, [claimRow({ topic: 'other', first_offset: 0, last_offset: 3 })]);
  const key = await api.makeKey(['initech']);
  const query = `{alerts(filter: {}) {nodes {id eventCount evidence {request {method} response {status}}}}
    auditEvents(${thatDay}) {nodes {request {method} response {status} alerts {id}}}}`;
  const { data, errors } = await api.ask(query, { key });
  expect(errors).toBeUndefined();
  const shown = new Map(data.alerts.nodes.map(({ id, ...alert }: Answer) => [id, alert]));
  expect(shown.get('missing')).toMatchObject({ eventCount: 1, evidence: [{ response: { status: 404 } }] });
  expect(shown.get('deletions')).toMatchObject({ eventCount: 1, evidence: [{ request: { method: 'DELETE' } }] });
  const behind = data.auditEvents.nodes.map(({ request, response, alerts }: Answer) => [
    `${request.method} ${response.status}`,
    ...alerts.map(({ id }: Answer) => id),
  ]);
  expect(behind.toSorted()).toEqual([['DELETE 204', 'deletions'], ['GET 401'], ['GET 404', 'missing'], ['PUT 204']]);
});
