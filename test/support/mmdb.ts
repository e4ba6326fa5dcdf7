/** Writes databases in MaxMind's format, for tests: from networks and what is known of each. Source: MaxMind DB File Format 2.0. */

type Value = string | number | readonly string[] | { readonly [name: string]: Value };
interface Node {
  children: [Node | null, Node | null];
  record: Value | null;
}

export interface MmdbOptions {
  readonly ipVersion?: 4 | 6;
  readonly type?: string;
}

/** Networks by their text, as 1.2.3.0/24; none may lie in another. In a tree of version 6 those of IPv4 stand below ::/96. */
export function mmdb(networks: Readonly<Record<string, Value>>, { ipVersion = 6, type = 'Test' }: MmdbOptions = {}): Buffer {
  const root: Node = { children: [null, null], record: null };
  for (const [network, record] of Object.entries(networks)) {
    let node = root;
    for (const bit of bitsOf(network, ipVersion)) node = node.children[bit] ??= { children: [null, null], record: null };
    node.record = record;
  }
  const inner = innerNodes(root);
  const data: Buffer[] = [];
  let size = 0;
  const pointerTo = (node: Node | null) => {
    if (node === null) return inner.length;
    if (node.record === null) return inner.indexOf(node);
    const at = inner.length + 16 + size;
    data.push(encode(node.record));
    size += data.at(-1)?.length ?? 0;
    return at;
  };
  const tree = inner.map(({ children }) => Buffer.concat(children.map((child) => uint(pointerTo(child), 3))));
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_780_000_000,
    database_type: type,
    description: {},
    ip_version: ipVersion,
    languages: [],
    node_count: inner.length,
    record_size: 24,
  });
  return Buffer.concat([...tree, Buffer.alloc(16), ...data, Buffer.from('\xAB\xCD\xEFMaxMind.com', 'latin1'), metadata]);
}

function innerNodes(node: Node): Node[] {
  return [node, ...node.children.flatMap((child) => (child === null || child.record !== null ? [] : innerNodes(child)))];
}

function bitsOf(network: string, ipVersion: 4 | 6): (0 | 1)[] {
  const [address = '', prefix = ''] = network.split('/');
  const isIPv6 = address.includes(':');
  const bytes = isIPv6 ? ipv6Bytes(address) : [...Array<number>(ipVersion === 6 ? 12 : 0).fill(0), ...address.split('.').map(Number)];
  const length = Number(prefix) + (isIPv6 || ipVersion === 4 ? 0 : 96);
  return Array.from({ length }, (_, at) => (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1 ? 1 : 0));
}

function ipv6Bytes(address: string): number[] {
  const [left = '', right = ''] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const [before, after] = [groups(left), groups(right)];
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]);
}

/** Types by their number: 2 text, 6 uint32, 7 map, 11 array (as 0 and 11 - 7). */
function encode(value: Value): Buffer {
  if (typeof value === 'number') return Buffer.concat([head(6, 4), uint(value, 4)]);
  if (typeof value === 'string') return Buffer.concat([head(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Array.isArray(value)) return Buffer.concat([head(0, value.length), Buffer.from([4]), ...value.map(encode)]);
  const entries = Object.entries(value);
  return Buffer.concat([head(7, entries.length), ...entries.flatMap(([name, of]) => [encode(name), encode(of)])]);
}

/** Sizes from 29 on follow in a byte of their own. */
const head = (type: number, size: number) => (size < 29 ? Buffer.from([(type << 5) | size]) : Buffer.from([(type << 5) | 29, size - 29]));

function uint(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
