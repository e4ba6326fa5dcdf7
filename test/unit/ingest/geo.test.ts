import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Geo, openGeo } from '../../../ingest/geo.ts';
import { emptyEvent } from '../../../schemas/event.ts';
import { mmdb } from '../../support/mmdb.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-geo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const packageFolder = join(createRequire(import.meta.url).resolve('@ip-location-db/geo-whois-asn-country-mmdb/package.json'), '..');

let files = 0;
function fileOf(bytes: Buffer): string {
  files += 1;
  const file = join(folder, `${files}.mmdb`);
  writeFileSync(file, bytes);
  return file;
}
const opened = (networks: Parameters<typeof mmdb>[0], options?: Parameters<typeof mmdb>[1]) => openGeo(fileOf(mmdb(networks, options)));

function placeOf(geo: Geo, client_address: string): string {
  const event = { ...emptyEvent(), client_address };
  geo.locate(event);
  return `${event.client_country || '-'} ${event.client_asn || '-'}`;
}

describe('the database that ships', () => {
  let geo: Geo;
  beforeAll(async () => {
    geo = await openGeo(undefined);
  });

  test.each([
    ['8.8.8.8', 'US -'],
    ['193.171.255.1', 'AT -'],
    ['130.59.31.80', 'CH -'],
    ['200.160.2.3', 'BR -'],
    ['133.11.0.1', 'JP -'],
    ['2001:4860:4860::8888', 'US -'],
    ['2a02:8388::1', 'AT -'],
    ['2001:638::1', 'DE -'],
  ])('knows the country of %s: %s', (address, place) => expect(placeOf(geo, address)).toBe(place));

  test('says nothing where no address is', () => expect(placeOf(geo, '')).toBe('- -'));
  test('says the same the second time', () => expect([placeOf(geo, '8.8.8.8'), placeOf(geo, '10.0.0.1')]).toEqual(['US -', '- -']));
});

describe('a database that knows a country of every address', () => {
  let geo: Geo;
  beforeAll(async () => {
    geo = await opened({ '::/1': { country_code: 'NZ' }, '8000::/1': { country_code: 'NZ' } });
  });

  test.each([
    '0.0.0.0 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.168.1.1',
    '192.88.99.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255',
    ':: ::1 64:ff9b::808:808 fc00::1 fd12:3456::1 fe80::1 ff02::1 2001::1 2001:1ff::1 2001:db8::1 2002:808:808::1',
    '3fff:fff::1 100::1 4000::1 8000::1',
  ])('is not asked for what is nobody’s on the Internet: %s', (addresses) => {
    for (const address of addresses.split(' ')) expect(placeOf(geo, address), address).toBe('- -');
  });

  test.each([
    '9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 192.88.98.1 192.88.100.1 192.169.0.1 198.20.0.1',
    '191.255.255.255 223.255.255.255 2000::1 2001:200::1 2001:db9::1 2003::1 3ffe::1 3fff:1000::1',
  ])('and is for its neighbours: %s', (addresses) => {
    for (const address of addresses.split(' ')) expect(placeOf(geo, address), address).toBe('NZ -');
  });
});

describe('a database of one’s own', () => {
  const city = { country: { iso_code: 'NZ', names: { en: 'New Zealand' } }, city: { names: { en: 'Nelson' } } };
  const asn = { autonomous_system_number: 64_500, autonomous_system_organization: 'Example' };

  test('with countries goes before the one that ships, which is asked for the rest', async () => {
    const geo = await opened({ '8.8.8.0/24': city });
    expect([placeOf(geo, '8.8.8.8'), placeOf(geo, '8.8.9.8')]).toEqual(['NZ -', 'US -']);
  });

  test('with autonomous systems stands beside it', async () => {
    const geo = await opened({ '8.8.0.0/16': asn, '2001:4860::/32': asn });
    expect(['8.8.8.8', '9.9.9.9', '2001:4860::1'].map((address) => placeOf(geo, address))).toEqual(['US AS64500', 'US -', 'US AS64500']);
  });

  test.each([
    ['GeoLite2-City', city, 'NZ -'],
    ['GeoLite2-ASN', asn, 'US AS64500'],
    ['ip-location-db of countries', { country_code: 'NZ' }, 'NZ -'],
    ['both in one', { country_code: 'NZ', ...asn }, 'NZ AS64500'],
    ['the largest number', { autonomous_system_number: 4_294_967_295 }, 'US AS4294967295'],
    ['no country and no system', { connection_type: 'Cable' }, 'US -'],
    ['a country that is no code', { country: { iso_code: 'nz' } }, 'US -'],
    ['a country by its name', { country: 'New Zealand' }, 'US -'],
    ['a text as its record', 'NZ', 'US -'],
  ])('is read as %s', async (_, record, place) => expect(placeOf(await opened({ '8.8.8.0/24': record }), '8.8.8.8')).toBe(place));

  test('says nothing of private addresses either', async () =>
    expect(placeOf(await opened({ '10.0.0.0/8': city }), '10.1.1.1')).toBe('- -'));

  test('of IPv4 alone is not asked for IPv6, whose first bits look like an address of it', async () => {
    const geo = await opened({ '32.1.0.0/16': city }, { ipVersion: 4 }); // 32.1 = 2001:
    expect([placeOf(geo, '32.1.1.1'), placeOf(geo, '2001:4860::1')]).toEqual(['NZ -', 'US -']);
  });

  test('of IPv6 alone leaves IPv4 to the one that ships', async () => {
    const geo = await openGeo(join(packageFolder, 'geo-whois-asn-country-ipv6.mmdb'));
    expect([placeOf(geo, '193.171.255.1'), placeOf(geo, '2a02:8388::1')]).toEqual(['AT -', 'AT -']);
  });

  test('that is damaged at one place costs no event', async () => {
    const bytes = mmdb({ '8.8.8.0/24': city, '9.9.9.0/24': city });
    bytes.fill(0xff, bytes.indexOf('country') - 1, bytes.indexOf('country') + 20);
    const geo = await openGeo(fileOf(bytes));
    expect([placeOf(geo, '8.8.8.8'), placeOf(geo, '9.9.9.9')]).toEqual(['US -', 'NZ -']);
  });

  const whole = mmdb({ '8.8.8.0/24': city, '2a00::/16': asn });
  test.each([
    ['is missing', () => join(folder, 'none.mmdb'), 'ENOENT'],
    ['is a folder', () => folder, 'EISDIR'],
    ['is empty', () => fileOf(Buffer.alloc(0)), 'nothing in it describes one'],
    ['is another file', () => fileOf(Buffer.from('{"a": 1}\n'.repeat(50_000))), 'nothing in it describes one'],
    ['is compressed', () => fileOf(gzipSync(whole)), 'nothing in it describes one'],
    ['lost its end', () => fileOf(whole.subarray(0, whole.length - 200)), 'nothing in it describes one'],
    ['lost its front', () => fileOf(whole.subarray(30)), 'parts of it are missing'],
  ])('that %s is a fault of the configuration, with its path', async (_, path, why) => {
    const file = path();
    const refusal = await openGeo(file).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(String(refusal)).toContain(`${file} is none: `);
    expect(String(refusal).toLowerCase()).toContain(why.toLowerCase());
  });
});

test('the digest names every database that is asked, and changes with each', async () => {
  const [one, other] = [mmdb({ '8.8.8.0/24': { country_code: 'NZ' } }), mmdb({ '8.8.8.0/24': { country_code: 'AU' } })];
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const shipped = sha256(readFileSync(join(packageFolder, 'geo-whois-asn-country.mmdb')));
  expect((await openGeo(undefined)).digest).toBe(shipped);
  expect((await openGeo(fileOf(one))).digest).toBe(`${sha256(one)},${shipped}`);
  expect((await openGeo(fileOf(other))).digest).toBe(`${sha256(other)},${shipped}`);
});
