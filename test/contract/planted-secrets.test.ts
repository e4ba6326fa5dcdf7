/** Three hundred secrets at every position of every format, through the decoder alone: the integration test of the same name searches what is stored. */
import { beforeAll, describe, expect, test } from 'vitest';
import { deriveKey } from '../../core/keys.ts';
import { cutWhole } from '../../ingest/messages.ts';
import { createDecoder, loadGateways } from '../../ingest/pipeline.ts';
import { attributeNames } from '../../ingest/redact.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import type { DeadLetter } from '../../storage/dead-letters.ts';
import { searchFor } from '../support/needles.ts';
import { plant, type Planted, positionNames } from '../support/planting.ts';
import { drawSecrets, formsOf } from '../support/secrets.ts';

const secrets = drawSecrets(5);
const planted = plant(secrets);

interface Read {
  readonly planted: Planted;
  readonly events: readonly CanonicalEvent[];
  readonly rejected: readonly DeadLetter[];
}
let all: readonly Read[];

beforeAll(async () => {
  const decoder = createDecoder({
    gateways: await loadGateways(),
    sources: [],
    defaultTenant: 'default',
    intakeTopic: null,
    allowedQueryKeys: new Set(['page']),
    pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
    credentials: deriveKey('a secret of the tests', 'credentials'),
    previousCredentials: [deriveKey('an older secret of the tests', 'credentials')],
    version: 'test',
  });
  all = planted.map((each) => {
    const [events, rejected]: [CanonicalEvent[], DeadLetter[]] = [[], []];
    const sink = {
      event: (event: CanonicalEvent) => events.push(event),
      rejected: (letter: DeadLetter) => rejected.push(letter),
      skipped: () => {},
    };
    for (const message of cutWhole(Buffer.from(each.body)))
      if ('value' in message) decoder.decode({ offset: 0, timestamp: -1, headers: {}, ...message }, 'edge', Date.now(), sink);
    return { planted: each, events, rejected };
  });
});

describe('a planted secret', () => {
  test('stands at 30 positions and more, in every format, and most of them are read as events', async () => {
    expect(positionNames.length).toBeGreaterThanOrEqual(30);
    expect(planted.length).toBeGreaterThanOrEqual(9_000);
    const formats = [...new Set(planted.map(({ format }) => format))].toSorted();
    expect(formats).toEqual([...(await loadGateways()).keys()]);
    for (const format of formats) {
      const reads = all.filter((read) => read.planted.format === format);
      expect(new Set(reads.map(({ planted: { position } }) => position)).size, format).toBeGreaterThan(12);
      expect(reads.filter(({ events }) => events.length > 0).length / reads.length, format).toBeGreaterThan(0.4);
    }
  });

  test('is in no event and in no dead letter, however it was written', () => {
    const search = searchFor(secrets.flatMap(({ cores }) => cores.flatMap(formsOf)));
    const leaks = all.flatMap(({ planted: { format, position, secret }, events, rejected }) =>
      [...events, ...rejected]
        .flatMap((row) => Object.entries(row))
        .filter(([, value]) => search(Buffer.from(JSON.stringify(value))).length > 0)
        .map(([column, value]) => ({ column, position, format, kind: secret.kind, value })),
    );
    const kinds = new Map(leaks.map((leak) => [`${leak.column} ${leak.position} ${leak.kind}`, leak]));
    expect([...kinds.values()].slice(0, 30)).toEqual([]);
  });

  test('leaves what stood beside it', () => {
    const texts = JSON.stringify(
      all.flatMap(({ events }) => events.map(({ url_path, user_agent_original }) => [url_path, user_agent_original])),
    );
    for (const kept of ['/v1/orders/42', 'okhttp/4.12.0', 'curl/8.5.0']) expect(texts).toContain(kept);
  });
});

test('no reader gives an attribute that is not on the list', () => {
  const given = all.flatMap(({ planted: { format }, events }) =>
    format === 'gatetrail' ? [] : events.flatMap(({ attributes }) => Object.keys(attributes)),
  );
  expect([...new Set(given)].filter((name) => !attributeNames.has(name))).toEqual([]);
  expect(new Set(given)).toContain('content_type');
});
