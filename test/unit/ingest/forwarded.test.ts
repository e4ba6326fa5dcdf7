/** Which address of a forwarded list is believed: what a proxy of one's own wrote, never what a client could. */
import { describe, expect, test } from 'vitest';
import { decideClient, rightmost } from '../../../ingest/forwarded.ts';
import type { SourceSettings } from '../../../ingest/gateway.ts';
import { emptyEvent } from '../../../schemas/event.ts';

/** What of a source is asked here. */
const source = (isTrusted: SourceSettings['isTrusted']) => ({ isTrusted }) as SourceSettings;
const ours = source((address) => address.startsWith('10.') || address === '2001:db8::1');

function clientOf(list: string, peer = '10.0.0.1'): string {
  const event = { ...emptyEvent(), client_address: peer, forwarded_for: list };
  decideClient(event, ours);
  return event.client_address;
}

describe('behind proxies of our own', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['6.6.6.6, 203.0.113.7', '203.0.113.7'],
    ['6.6.6.6, 203.0.113.7, 10.0.0.2,10.0.0.3', '203.0.113.7'],
    ['6.6.6.6, "[2001:db8::7]:4711"', '2001:db8::7'],
    ['203.0.113.7, 2001:db8::1', '203.0.113.7'],
    ['203.0.113.7, ,', '203.0.113.7'],
    ['', '10.0.0.1'],
    ['10.0.0.2', '10.0.0.1'],
  ])('%s tells the client', (list, client) => expect(clientOf(list)).toBe(client));

  test.each(['6.6.6.6, unknown', '6.6.6.6, unix:', '6.6.6.6, _hidden', '6.6.6.6, -, 10.2.2.2', '6.6.6.6, "unknown"'])(
    'what stands left of an entry that is no address is not believed: %s',
    (list) => expect(clientOf(list)).toBe('10.0.0.1'),
  );

  test('a peer that is none of ours wrote the list itself', () => expect(clientOf('6.6.6.6', '203.0.113.9')).toBe('203.0.113.9'));
});

test('without known proxies the rightmost entry alone is the client', () => {
  expect(rightmost('6.6.6.6, 203.0.113.7', source(null))).toBe('203.0.113.7');
  expect(rightmost('6.6.6.6, unknown', source(null))).toBe('');
});
