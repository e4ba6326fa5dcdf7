/** What enrichment stored and what is worked out of it, asked through GraphQL: fields, filters, facets and groups say the same. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openGeo } from '../../../ingest/geo.ts';
import { emptyEvent } from '../../../schemas/event.ts';
import { type Answer, nextMorning, startApi, thatDay, type TestApi } from '../../support/api.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { claimRow, eventRow, writeClaims, writeEvents } from '../../support/events.ts';
import { userAgents as agents } from '../../support/user-agents.ts';

const stamped = [
  { api_name: 'orders', lifecycle: 'active', collection: 'shop', data_classes: ['pii'], client_country: 'AT', client_asn: 'AS1853' },
  {
    api_name: 'payments',
    lifecycle: 'deprecated',
    sunset_at: '2027-01-01 00:00:00',
    collection: 'payments',
    data_classes: ['pii', 'chd'],
    client_country: 'DE',
  },
  { api_name: 'cards', lifecycle: 'sunset', sunset_at: '2026-01-01 00:00:00', collection: 'payments', client_country: 'AT' },
  { api_name: 'other', lifecycle: 'undocumented' },
  { api_name: 'before' },
];
const addresses = ['193.171.255.1', '8.8.8.8', '2001:4860:4860::8888', '10.0.0.1', '203.0.113.7'];

let engine: TestEngine;
let database: TestDatabase;
let api: TestApi;

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
  api = await startApi(database.clickhouse, { clock: nextMorning });
  const geo = await openGeo(undefined);
  const located = addresses.map((client_address) => {
    const event = { ...emptyEvent(), client_address };
    geo.locate(event);
    return { api_name: 'places', client_address, client_country: event.client_country };
  });
  const called = agents.map(([, user_agent_original]) => ({ api_name: 'agents', user_agent_original }));
  const rows: object[] = [...stamped, ...located, ...called];
  const events = rows.map((row, kafka_offset) => eventRow({ ...row, kafka_offset, batch_events: rows.length }));
  await writeEvents(engine, database.name, events);
  await writeClaims(engine, database.name, [claimRow({ first_offset: 0, last_offset: rows.length - 1 })]);
});
afterAll(async () => {
  api.close();
  await database.close();
  await engine.stop();
});

async function ask(query: string, variables = {}) {
  const { data, errors } = await api.ask(query, { variables });
  expect(errors).toBeUndefined();
  return data;
}

const page = `query($filter: AuditEventFilter) {auditEvents(${thatDay}, first: 500, order: OLDEST_FIRST, filter: $filter) {nodes {
  request {userAgent userAgentFamily} client {country asn} api {name lifecycle sunsetAt collection dataClasses}}}}`;
const eventsOf = async (filter: object): Promise<Answer[]> => (await ask(page, { filter })).auditEvents.nodes;
const ofCatalogue = { api: { notIn: ['agents', 'places'] } };

describe('what the catalogue and the map said', () => {
  test('is shown as it was stored; absent is null', async () => {
    const events = await eventsOf(ofCatalogue);
    expect(events.map(({ api: of }) => of)).toEqual([
      { name: 'orders', lifecycle: 'ACTIVE', sunsetAt: null, collection: 'shop', dataClasses: ['pii'] },
      {
        name: 'payments',
        lifecycle: 'DEPRECATED',
        sunsetAt: '2027-01-01T00:00:00.000Z',
        collection: 'payments',
        dataClasses: ['pii', 'chd'],
      },
      { name: 'cards', lifecycle: 'SUNSET', sunsetAt: '2026-01-01T00:00:00.000Z', collection: 'payments', dataClasses: [] },
      { name: 'other', lifecycle: 'UNDOCUMENTED', sunsetAt: null, collection: null, dataClasses: [] },
      { name: 'before', lifecycle: null, sunsetAt: null, collection: null, dataClasses: [] },
    ]);
    expect(events[0].client).toEqual({ country: 'AT', asn: 'AS1853' });
    expect(events[4]).toMatchObject({ client: { country: null, asn: null }, request: { userAgent: null, userAgentFamily: null } });
  });

  test.each([
    [{ country: { eq: 'AT' } }, ['orders', 'cards']],
    [{ country: { ne: 'AT' } }, ['payments', 'other', 'before']],
    [{ country: { exists: false } }, ['other', 'before']],
    [{ asn: { in: ['AS1853', 'AS1'] } }, ['orders']],
    [{ collection: { startsWith: 'pay' } }, ['payments', 'cards']],
    [{ lifecycle: ['DEPRECATED', 'SUNSET'] }, ['payments', 'cards']],
    [{ lifecycle: [] }, []],
    [{ dataClass: ['chd', 'phi'] }, ['payments']],
    [{ dataClass: ['pii'] }, ['orders', 'payments']],
    [{ search: 'country:AT -lifecycle:sunset dataClass:pii' }, ['orders']],
  ])('filters: %j', async (filter, apis) => {
    const events = await eventsOf({ and: [filter, ofCatalogue] });
    expect(events.map(({ api: of }) => of.name)).toEqual(apis);
  });

  test('groups, an event with two classes under each, and in no sum twice', async () => {
    const of = 'api: {notIn: ["agents", "places"]}';
    const { facets, metrics } = await ask(`{
      facets(${thatDay}, filter: {${of}}, dimensions: [COUNTRY, ASN, COLLECTION, LIFECYCLE, DATA_CLASS]) {dimension values {value count}}
      metrics(${thatDay}, filter: {${of}}, groupBy: [LIFECYCLE]) {
        rows {dimensions {value} values {requests}} total {requests classes: distinct(of: DATA_CLASS) countries: distinct(of: COUNTRY)}}}`);
    const counts = facets.map(({ values }: { values: { value: string; count: number }[] }) =>
      Object.fromEntries(values.map(({ value, count }) => [value, count])),
    );
    expect(counts).toEqual([
      { AT: 2, DE: 1, null: 2 },
      { AS1853: 1, null: 4 },
      { payments: 2, shop: 1, null: 2 },
      { ACTIVE: 1, DEPRECATED: 1, SUNSET: 1, UNDOCUMENTED: 1, null: 1 },
      { pii: 2, chd: 1, null: 3 },
    ]);
    expect(metrics.total).toEqual({ requests: 5, classes: 2, countries: 2 });
    expect(metrics.rows.map(({ values }: { values: object }) => values)).toEqual(Array(5).fill({ requests: 1 }));
  });
});

test('a country is that of the address, and none where nobody has it', async () => {
  const events = await eventsOf({ api: { eq: 'places' } });
  expect(events.map(({ client }) => client.country)).toEqual(['AT', 'US', 'US', null, null]);
  expect(await eventsOf({ api: { eq: 'places' }, country: { eq: 'US' } })).toHaveLength(2);
});

describe('the family of a user agent', () => {
  test('is that of the list, for two hundred agents', async () => {
    const events = await eventsOf({ api: { eq: 'agents' } });
    const shown = events.map(({ request }) => [request.userAgentFamily, request.userAgent]);
    expect(agents.length).toBeGreaterThan(200);
    expect(shown).toEqual(agents);
  });

  test('is the same in facets, filters and groups', async () => {
    const expected = countsOf();
    const { facets, metrics } = await ask(`{
      facets(${thatDay}, limit: 1000, dimensions: [USER_AGENT_FAMILY]) {values {value count}}
      metrics(${thatDay}, limit: 1000, filter: {api: {eq: "agents"}}, groupBy: [USER_AGENT_FAMILY, USER_AGENT]) {rows {dimensions {value}}}}`);
    const values: { value: string | null; count: number }[] = facets[0].values;
    expect(new Map(values.map(({ value, count }) => [value, count]))).toEqual(expected);
    const groups: string[][] = metrics.rows.map(({ dimensions }: Answer) => dimensions.map(({ value }: Answer) => value));
    expect(new Set(groups.map((group) => group.join('\t')))).toEqual(new Set(agents.map((agent) => agent.join('\t'))));
    for (const family of ['okhttp', 'Googlebot', 'Chrome', 'Other']) {
      const found = await eventsOf({ userAgentFamily: { eq: family } });
      expect(found, family).toHaveLength(expected.get(family) ?? 0);
      expect(new Set(found.map(({ request }) => request.userAgentFamily))).toEqual(new Set([family]));
    }
    expect(await eventsOf({ userAgentFamily: { contains: 'CRAWLER' } })).toHaveLength(expected.get('Other crawler') ?? 0);
    expect(await eventsOf({ userAgentFamily: { exists: false } })).toHaveLength(stamped.length + addresses.length);
  });
});

function countsOf(): Map<string | null, number> {
  const counts = new Map<string | null, number>([[null, stamped.length + addresses.length]]);
  for (const [family] of agents) counts.set(family, (counts.get(family) ?? 0) + 1);
  return counts;
}
