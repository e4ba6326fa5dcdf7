import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isRandom } from '../../../ingest/random.ts';

/** Share of drawn words that are known. */
function shareOf(draw: () => string): number {
  const words = Array.from({ length: 3_000 }, draw);
  return words.filter(isRandom).length / words.length;
}

const base62 = (length: number) =>
  Array.from(randomBytes(length), (byte) => '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'[byte % 62]).join('');

describe('what was drawn is known', () => {
  test('as base62 of 24 and more', () => {
    expect(shareOf(() => base62(24))).toBeGreaterThan(0.95);
    expect(shareOf(() => base62(32))).toBeGreaterThan(0.99);
  });
  test('as base64url of 24 bytes and of 32', () => {
    expect(shareOf(() => randomBytes(24).toString('base64url'))).toBeGreaterThan(0.98);
    expect(shareOf(() => randomBytes(32).toString('base64url'))).toBeGreaterThan(0.99);
  });
  test('as letters of one case and digits, from 32 on', () => {
    expect(
      shareOf(() =>
        BigInt(`0x${randomBytes(26).toString('hex')}`)
          .toString(36)
          .padStart(36, '7')
          .slice(0, 36),
      ),
    ).toBeGreaterThan(0.9);
  });
});

describe('ids of machines are not', () => {
  test.each([
    ['hex', () => randomBytes(32).toString('hex')],
    ['hex in upper case', () => randomBytes(20).toString('hex').toUpperCase()],
    ['UUIDs', () => crypto.randomUUID()],
    ['numbers', () => BigInt(`0x${randomBytes(8).toString('hex')}`).toString()],
    ['ULIDs', () => Array.from(randomBytes(26), (byte) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[byte % 32]).join('')],
  ])('%s', (_, draw) => expect(shareOf(draw)).toBe(0));
});

test.each([
  'very-long-words-with-hyphens-but-no-secret',
  'Getting-Started-With-API-V2-2026',
  'GetCustomerOrderHistoryV2ByAccountId',
  'com.example.orders.v1.OrderService',
  'Microsoft.ApiManagement.Service.V20240501',
  'IMG_20261127_WA0001_Final_Version.JPG',
  'vendor-react-BX7dK2mQ.js',
  'main.8f3a1c2b.chunk.css',
  'payments-api-7d4b9c6f5-x2v8k',
  'arn-aws-lambda-eu-central-1-123456789012',
  'releases_2026_11_27_build_4711_linux_x86_64',
  'iPhone-17-Pro-Max-256GB-Titanium',
  '1-67891233-abcdef012345678912345678',
])('%s is a name', (word) => expect(isRandom(word)).toBe(false));
