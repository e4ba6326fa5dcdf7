/** Where the client of an event is: its country and its network, from databases on disk in MaxMind's format. Nobody is asked. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Reader } from 'maxmind';
import { AuditError, messageOf } from '../core/errors.ts';
import { countOf, objectOf, textOf } from '../core/fields.ts';
import { remembered } from '../core/remembered.ts';
import type { CanonicalEvent } from '../schemas/event.ts';

export interface Geo {
  /** Of all databases: another edition may place the same address elsewhere. */
  readonly digest: string;
  /** Fills `client_country` and `client_asn` by `client_address`. */
  locate(event: CanonicalEvent): void;
}

type Place = Pick<CanonicalEvent, 'client_country' | 'client_asn'>;

const nowhere: Place = { client_country: '', client_asn: '' };
/** Distinct addresses of a process, 13 MB of them; beyond, all are looked up anew. */
const most = 100_000;

/**
 * What nobody has on the Internet: private, shared, loopback, link-local, documentation, benchmarks, tunnels, multicast, reserved;
 * of IPv6 all that is no global unicast. A database says something of some of them all the same.
 * Source: IANA's registries of special-purpose addresses, which RFC 6890 began.
 */
const special = [
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24',
  '192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3',
  '::/3 2001::/23 2001:db8::/32 2002::/16 3fff::/20 4000::/2 8000::/1',
]
  .flatMap((networks) => networks.split(' '))
  .map((network) => {
    const [address = '', bits] = network.split('/');
    const isIPv6 = address.includes(':');
    return { isIPv6, start: first32(address, isIPv6), mask: -1 << (32 - Number(bits)) };
  });

/** `own` is a path; what its database does not know is asked of the one that ships. @throws CONFIG_INVALID */
export async function openGeo(own: string | undefined): Promise<Geo> {
  const shipped = fileURLToPath(import.meta.resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb'));
  const files = own === undefined ? [shipped] : [own, shipped];
  const databases = await Promise.all(files.map(openDatabase));
  const placeOf = remembered((address) => placeIn(databases, address), most);
  return {
    digest: databases.map(({ digest }) => digest).join(),
    locate(event) {
      if (event.client_address === '') return;
      const place = placeOf(event.client_address);
      event.client_country = place.client_country;
      event.client_asn = place.client_asn;
    },
  };
}

interface Database {
  readonly reader: Reader<object>;
  readonly digest: string;
}

async function openDatabase(file: string): Promise<Database> {
  try {
    const bytes = await readFile(file);
    return { reader: readerOf(bytes), digest: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    const message = `geoip: expected a database in MaxMind's format (.mmdb), whole and not compressed; ${file} is none: ${messageOf(error)}`;
    throw new AuditError('CONFIG_INVALID', message, { cause: error });
  }
}

/** Source: MaxMind DB 2.0, "Binary Search Tree Section", "Database Metadata": a tree, 16 zeros, the records, and the description behind a mark. */
function readerOf(bytes: Buffer): Reader<object> {
  if (!bytes.includes('\xAB\xCD\xEFMaxMind.com', 0, 'latin1')) throw new Error('nothing in it describes one');
  // Without the reader's own cache, which holds whole records, those of cities in many languages.
  const reader = new Reader<object>(bytes);
  const separator = bytes.subarray(reader.metadata.searchTreeSize, reader.metadata.searchTreeSize + 16);
  // A file that lost its front would open, and then say anything.
  if (separator.length < 16 || separator.some((byte) => byte !== 0)) throw new Error('parts of it are missing');
  return reader;
}

function placeIn(databases: readonly Database[], address: string): Place {
  if (isSpecial(address)) return nowhere;
  const found = databases.map(({ reader }) => toPlace(recordOf(reader, address)));
  const first = (name: keyof Place) => found.find((place) => place[name] !== '')?.[name] ?? '';
  return { client_country: first('client_country'), client_asn: first('client_asn') };
}

/** A `BlockList` of Node takes 5 µs for each question. */
function isSpecial(address: string): boolean {
  const isIPv6 = address.includes(':');
  const bits = first32(address, isIPv6);
  return special.some((network) => network.isIPv6 === isIPv6 && (bits & network.mask) === network.start);
}

/** The first 32 bits of an address in its one notation. */
function first32(address: string, isIPv6: boolean): number {
  const [first = '', second = '', third = '', fourth = ''] = address.split(/[.:]/, 4);
  if (isIPv6) return (Number.parseInt(first || '0', 16) << 16) | Number.parseInt(second || '0', 16);
  return (Number(first) << 24) | (Number(second) << 16) | (Number(third) << 8) | Number(fourth);
}

function recordOf(reader: Reader<object>, address: string): object | null {
  // In a tree of IPv4 alone the reader would take the first bits of an IPv6 address for one.
  if (reader.metadata.ipVersion === 4 && address.includes(':')) return null;
  try {
    return reader.get(address);
  } catch {
    return null; // damaged at this one place: an event is not refused for what is wrong with a map
  }
}

/** The two layouts there are: GeoLite2's, which DB-IP and others use too, and that of ip-location-db. */
function toPlace(found: unknown): Place {
  const record = objectOf(found);
  const country = textOf(objectOf(record['country'])['iso_code']) || textOf(record['country_code']);
  const asn = countOf(record['autonomous_system_number']);
  return { client_country: /^[A-Z]{2}$/.test(country) ? country : '', client_asn: asn === null ? '' : `AS${asn}` };
}
