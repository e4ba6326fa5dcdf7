/** The excerpt of a dead letter shows how a record is built, and nothing that was in it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { excerptOf } from '../../../ingest/excerpt.ts';
import { leastCpuMs } from '../../support/cpu.ts';

describe('an excerpt', () => {
  test('shows keys that every access log knows, and the shape of everything else', () => {
    const record = { request: { uri: '/orders/42', 'x-forwarded-for': '203.0.113.9' }, clientIp: null, tries: [1, true] };
    expect(excerptOf(JSON.stringify(record))).toBe(
      '{"request":{"uri":"/xxxxxx/00","x-forwarded-for":"000.0.000.0"},"clientIp":xxxx,"tries":[0,xxxx]}',
    );
  });

  test.each([
    ['a word that is none of them', '{"hunter":1}', '{"xxxxxx":0}'],
    ['one part that is none of them', '{"client_hunter":1}', '{"xxxxxx_xxxxxx":0}'],
    ['digits', '{"key1":1}', '{"xxx0":0}'],
    ['a known word that is a value', '{"status":"status"}', '{"status":"xxxxxx"}'],
    ['a known word in a line of text', 'status=200 key: secret', 'xxxxxx=000 xxx: xxxxxx'],
    ['letters of other scripts', '{"名":"ключ ٣"}', '{"x":"xxxx 0"}'],
  ])('masks %s', (_, text, expected) => expect(excerptOf(text)).toBe(expected));

  test('is cut to its length, and no key is shown by half', () => {
    expect(excerptOf('{"status":200}', 6)).toBe('{"xxxx');
    expect(excerptOf('x'.repeat(9_000))).toHaveLength(4096);
  });

  test('has no letter or digit of a secret, wherever it stands in a record', () => {
    const secret = fc
      .string({ minLength: 8, maxLength: 40, unit: fc.constantFrom(...'abcdefgh7JKLMN-_.=+/ '.split('')) })
      .filter((text) => /\d/.test(text));
    const record = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        secret,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.oneof(secret, fc.constantFrom('status', 'uri')), tie('tree'), { maxKeys: 3 }),
      ),
    })).tree;
    fc.assert(
      fc.property(record, (value) => {
        const words = JSON.stringify(value)?.match(/[\w]{4,}/g) ?? [];
        const shown = excerptOf(JSON.stringify(value) ?? '');
        for (const word of words) if (word !== 'status') expect(shown).not.toContain(word.replaceAll(/^_+|_+$/g, '') || 'nothing');
      }),
      { numRuns: 300 },
    );
  });

  test('costs time in proportion to its length', () => {
    const hostile = [`"status"${' '.repeat(4_000)}`, '"'.repeat(4_096), '"a'.repeat(2_048), `${'"status" '.repeat(450)}`];
    for (const text of hostile)
      expect(
        leastCpuMs(() => excerptOf(text)),
        text.slice(0, 12),
      ).toBeLessThan(25);
  });
});
