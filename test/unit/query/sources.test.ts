/** The format that is expected of a gateway, by what is stored of it. */
import { expect, test } from 'vitest';
import { expectedFormats, streamOf } from '../../../query/sources.ts';

const edge = { tenant: 'acme', topic: 'edge', gateway: '' };
const row = (format: string, events: number, more: object = {}) => ({ ...edge, format, events, ...more });
const expectedOf = (rows: readonly ReturnType<typeof row>[], stream = edge) => expectedFormats(rows).get(streamOf(stream));

test.each([
  ['of fifty events, all of them', [row('kong', 50)], 'kong'],
  ['of forty-nine', [row('kong', 49)], undefined],
  ['of nine in ten', [row('kong', 90), row('apisix', 10)], 'kong'],
  ['of fewer: several are usual there', [row('kong', 90), row('apisix', 11)], undefined],
  ['of several kinds of one format, taken together', [row('envoy', 60), row('envoy', 40), row('kong', 8)], 'envoy'],
  ['of nothing', [], undefined],
])('%s', (_, rows, expected) => expect(expectedOf(rows)).toBe(expected));

test('each gateway has its own, and so have each topic and each tenant', () => {
  const others = [{ gateway: 'edge-1' }, { topic: 'edge-2' }, { tenant: 'globex' }].map((more) => ({ ...edge, ...more }));
  const rows = [row('kong', 100), ...others.map((other) => row('apisix', 100, other))];
  expect([edge, ...others].map((stream) => expectedOf(rows, stream))).toEqual(['kong', 'apisix', 'apisix', 'apisix']);
});
