import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type GraphQLEnumType } from 'graphql/index.js';
import { expect, test } from 'vitest';
import { dimensionColumns, dimensionExpression, groupKey } from '../../../query/dimensions.ts';
import { columnsFor } from '../../../query/figures.ts';
import { userAgentFamily } from '../../../query/user-agent-family.ts';

const perValue = (list: string) => `nullIf(arrayJoin(if(empty(${list}), [''], arrayMap(value -> toString(value), ${list}))), '')`;

test.each([
  ['COUNTRY', "coalesce(nullIf(toString(client_country), ''))"],
  ['ASN', "coalesce(nullIf(toString(client_asn), ''))"],
  ['COLLECTION', "coalesce(nullIf(toString(collection), ''))"],
  ['LIFECYCLE', "nullIf(upper(toString(lifecycle)), '')"],
  ['OUTCOME', 'upper(toString(outcome))'],
  ['DATA_CLASS', perValue('data_classes')],
  ['SIGNAL', perValue('signals')],
  ['USER_AGENT_FAMILY', `coalesce(nullIf(toString(${userAgentFamily}), ''))`],
  ['CONSUMER', "coalesce(nullIf(toString(consumer_name), ''), nullIf(toString(consumer_id), ''))"],
  ['STATUS', 'toString(http_response_status_code)'],
])('%s is read from its column', (dimension, sql) => expect(dimensionExpression(dimension)).toBe(sql));

test('every dimension of the schema is read from something', () => {
  const schema = buildSchema(readFileSync(join(import.meta.dirname, '../../../schemas/api.graphql'), 'utf8'));
  const dimensions = (schema.getType('Dimension') as GraphQLEnumType).getValues().map(({ name }) => name); // an enum there
  expect(dimensions.length).toBeGreaterThan(25);
  for (const dimension of dimensions) expect(dimensionExpression(dimension), dimension).not.toBe('coalesce()');
});

test('no row of counters tells what enrichment added', () => {
  const columns = ['COUNTRY', 'ASN', 'COLLECTION', 'LIFECYCLE', 'DATA_CLASS', 'USER_AGENT_FAMILY'].flatMap(dimensionColumns);
  expect(columns).toEqual(['client_country', 'client_asn', 'collection', 'LIFECYCLE', 'DATA_CLASS', userAgentFamily]);
});

test('distinct values of a list are counted without taking the event apart', () => {
  const distinct = (of: string) => columnsFor([{ name: 'distinct', args: { of }, below: [] }]).map(({ sql }) => sql);
  expect([distinct('DATA_CLASS'), distinct('SIGNAL')]).toEqual([['uniqArray(data_classes)'], ['uniqArray(signals)']]);
  expect(distinct('COUNTRY')).toEqual(["uniq(coalesce(nullIf(toString(client_country), '')))"]);
});

test('a combination of values is one text', () => {
  expect(groupKey([])).toBe("'[]'");
  expect(groupKey(['LIFECYCLE'])).toBe("toJSONString([CAST(nullIf(upper(toString(lifecycle)), '') AS Nullable(String))])");
});
