/** The columns that storage adds to a batch, read out of its Native block without an engine. */
export interface StorageRow {
  readonly offset: number;
  readonly index: number;
  readonly replay: number;
  readonly attempt: number;
  readonly batchEvents: number;
  readonly normaliser: string;
}

const sizes: Readonly<Record<string, number>> = { UInt8: 1, UInt16: 2, UInt32: 4, UInt64: 8, "DateTime64(3, 'UTC')": 8 };

/** Those columns stand first in a block; a column of another type ends the reading. */
export function storageRows(block: Buffer): StorageRow[] {
  let at = 0;
  const number = (bytes: number) => {
    at += bytes;
    return bytes === 8 ? Number(block.readBigUInt64LE(at - 8)) : block.readUIntLE(at - bytes, bytes);
  };
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = number(1);
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  };
  const text = () => {
    const length = varint();
    at += length;
    return block.toString('utf8', at - length, at);
  };
  const repeated = <Value>(count: number, read: () => Value) => Array.from({ length: count }, read);
  /** LowCardinality: version, flags with the width of the keys, dictionary, keys. */
  const words = (): string[] => {
    number(8);
    const width = 2 ** (number(8) & 0xff);
    const dictionary = repeated(number(8), text);
    return repeated(number(8), () => dictionary[number(width)] ?? '');
  };

  const columns = varint();
  const rows = varint();
  const values = new Map<string, (number | string)[]>();
  for (let column = 0; column < columns; column += 1) {
    const name = text();
    const type = text();
    if (type === 'LowCardinality(String)') values.set(name, words());
    else if (sizes[type] === undefined) break;
    else
      values.set(
        name,
        repeated(rows, () => number(sizes[type] ?? 0)),
      );
    if (name === 'normaliser') break;
  }
  const of = (name: string, row: number) => Number(values.get(name)?.[row]);
  return repeated(rows, () => 0).map((_, row) => ({
    offset: of('kafka_offset', row),
    index: of('message_index', row),
    replay: of('replay', row),
    attempt: of('attempt', row),
    batchEvents: of('batch_events', row),
    normaliser: String(values.get('normaliser')?.[row]),
  }));
}
