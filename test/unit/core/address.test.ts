/** Addresses as gateways write them. */
import { isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAddress } from '../../../core/address.ts';

describe('an address is read, in one notation', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:51234', '203.0.113.7'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::ffff:cb00:7107', '203.0.113.7'],
    ['[0:0:0:0:0:FFFF:203.0.113.7]:80', '203.0.113.7'],
    ['::ffff:0:102:304', '::ffff:0:102:304'],
    ['2001:DB8:0:0::0001', '2001:db8::1'],
    ['[2001:0db8:0000:0000:0000:0000:0000:0001]:443', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('from %s', (text, address) => expect(readAddress(text)).toBe(address));

  it.each(['', '-', 'unknown', 'host.example', '999.1.1.1', '203.0.113', '[2001:db8::1', '203.0.113.7, 10.0.0.1', ':'])(
    '%j is none',
    (text) => expect(readAddress(text)).toBe(''),
  );

  it('of four numbers exactly where Node takes them for one', () => {
    const part = fc.oneof(
      fc.integer({ min: 0, max: 300 }).map(String),
      fc.constantFrom('', '00', '01', '0', '255', '256', 'a', ' 1', '1e1'),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 3, maxLength: 5 }), (parts) => {
        const text = parts.join('.');
        if (isIPv4(text)) expect(readAddress(text)).toBe(text);
        else expect(isIPv4(readAddress(text)) && readAddress(text) === text).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});
