import { expect, test } from 'vitest';
import { viewEvent } from '../../../query/event-view.ts';
import { eventFields } from '../../../schemas/event.ts';

/** What a read of events gives for a row without anything. */
const bare = {
  attributes: {},
  signals: [],
  data_classes: [],
  source_epoch: 1,
  topic: 'edge',
  kafka_partition: 0,
  kafka_offset: '7',
  message_index: 0,
};

test('what enrichment added is shown under its names', () => {
  const row = {
    ...bare,
    lifecycle: 'deprecated',
    sunset_ms: '1798761600000',
    collection: 'payments',
    data_classes: ['pii', 'chd'],
    client_country: 'AT',
    client_asn: 'AS64500',
    user_agent_original: 'okhttp/4.12.0',
  };
  expect(viewEvent(row)).toMatchObject({
    api: { lifecycle: 'DEPRECATED', sunsetAt: Date.parse('2027-01-01T00:00:00Z'), collection: 'payments', dataClasses: ['pii', 'chd'] },
    client: { country: 'AT', asn: 'AS64500' },
    request: { userAgentFamily: 'okhttp' },
  });
});

test('and is null where there is none, as in rows from before there was a catalogue', () => {
  const row = { ...bare, lifecycle: '', sunset_ms: null, collection: '', client_country: '', client_asn: '', user_agent_original: '' };
  expect(viewEvent(row)).toMatchObject({
    api: { lifecycle: null, sunsetAt: null, collection: null, dataClasses: [] },
    client: { country: null, asn: null },
    request: { userAgentFamily: null },
  });
});

test('every column of an event is shown, all but the pseudonym', () => {
  const read = new Set<string>();
  const seeing = { get: (row: Record<string, unknown>, name: string) => (read.add(name), row[name]) };
  viewEvent(new Proxy<Record<string, unknown>>(bare, seeing));
  const asNumbers: Record<string, string> = { timestamp: 'at_us', sunset_at: 'sunset_ms' };
  const unread = Object.keys(eventFields).filter((name) => !read.has(asNumbers[name] ?? name));
  expect(unread).toEqual(['subject']);
});
