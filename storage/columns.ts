/**
 * Columns of a Native block, built value by value without an object per row. Buffers grow and are used again by the next block.
 * Source of the layout: ClickHouse, src/Formats/NativeWriter.cpp, src/DataTypes/Serializations; integers are little-endian.
 */

/** In UTF-16 units. */
const shortText = 40;

/** Bytes that grow: varints, UTF-8 texts and raw views, in the order they are written. */
export class Out {
  buffer: Buffer;
  length = 0;

  constructor(capacity: number) {
    this.buffer = Buffer.allocUnsafe(capacity);
  }

  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, needed));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  varint(value: number): void {
    this.reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.length++] = rest;
  }

  /** Length as a varint, then UTF-8; a lone surrogate becomes U+FFFD. */
  text(value: string): void {
    this.reserve(value.length * 3 + 10);
    if (value.length < shortText && this.ascii(value)) return;
    if (value.length * 3 < 0x80) {
      const written = this.buffer.write(value, this.length + 1);
      this.buffer[this.length] = written;
      this.length += written + 1;
    } else {
      this.varint(Buffer.byteLength(value));
      this.length += this.buffer.write(value, this.length);
    }
  }

  /** The same for a short text of single bytes: going through it costs less than the call that encodes. False where it is none. */
  private ascii(value: string): boolean {
    const { buffer } = this;
    let at = this.length;
    buffer[at++] = value.length;
    for (let index = 0; index < value.length; index += 1) {
      const sign = value.charCodeAt(index);
      if (sign >= 0x80) return false;
      buffer[at++] = sign;
    }
    this.length = at;
    return true;
  }

  raw(view: Uint8Array): void {
    this.reserve(view.length);
    this.buffer.set(view, this.length);
    this.length += view.length;
  }

  uint64(value: number): void {
    this.reserve(8);
    this.buffer.writeUInt32LE(value % 0x1_0000_0000, this.length);
    this.buffer.writeUInt32LE(Math.floor(value / 0x1_0000_0000), this.length + 4);
    this.length += 8;
  }
}

export interface Column<Value> {
  add(value: Value): void;
  /** What has been added, as the data of one column. */
  write(out: Out): void;
  /** Forgets the values, keeps the buffers. */
  reset(): void;
}

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** UInt8, UInt16, UInt32, Enum8 and Float64, by the array that holds them. */
export class NumberColumn<Store extends Numbers> implements Column<number> {
  private values: Store;
  private count = 0;
  private readonly make: (length: number) => Store;

  constructor(make: (length: number) => Store) {
    this.make = make;
    this.values = make(1024);
  }

  add(value: number): void {
    if (this.count === this.values.length) {
      const larger = this.make(this.count * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.count++] = value;
  }

  at(row: number): number {
    return this.values[row] ?? 0;
  }

  get rows(): number {
    return this.count;
  }

  write(out: Out): void {
    out.raw(new Uint8Array(this.values.buffer, 0, this.count * this.values.BYTES_PER_ELEMENT));
  }

  reset(): void {
    this.count = 0;
  }
}

/** UInt64, Int64 and DateTime64 from numbers between 0 and 2^53: two words each, without BigInt. */
export class Number64Column implements Column<number> {
  private readonly values = new NumberColumn((length) => new Float64Array(length));

  add(value: number): void {
    this.values.add(value);
  }

  write(out: Out): void {
    const rows = this.values.rows;
    const words = new Uint32Array(rows * 2);
    for (let row = 0; row < rows; row += 1) {
      const value = this.values.at(row);
      words[row * 2] = value % 0x1_0000_0000;
      words[row * 2 + 1] = value / 0x1_0000_0000;
    }
    out.raw(new Uint8Array(words.buffer));
  }

  reset(): void {
    this.values.reset();
  }
}

/** Nullable(T): the map of nulls first, then every value, with anything in the place of a null. */
export class NullableColumn<Value> implements Column<Value | null> {
  private readonly nulls = new NumberColumn((length) => new Uint8Array(length));
  private readonly values: Column<Value>;
  private readonly filler: Value;

  constructor(values: Column<Value>, filler: Value) {
    this.values = values;
    this.filler = filler;
  }

  add(value: Value | null): void {
    this.nulls.add(value === null ? 1 : 0);
    this.values.add(value === null ? this.filler : value);
  }

  write(out: Out): void {
    this.nulls.write(out);
    this.values.write(out);
  }

  reset(): void {
    this.nulls.reset();
    this.values.reset();
  }
}

export class TextColumn implements Column<string> {
  private readonly texts = new Out(4096);

  add(value: string): void {
    this.texts.text(value);
  }

  write(out: Out): void {
    out.raw(this.texts.buffer.subarray(0, this.texts.length));
  }

  reset(): void {
    this.texts.length = 0;
  }
}

const dictionaryVersion = 1; // SharedDictionariesWithAdditionalKeys
const hasAdditionalKeys = 1 << 9;

/** LowCardinality(String): one dictionary per block, then an index of 1, 2 or 4 bytes per row. */
export class DictionaryColumn implements Column<string> {
  private readonly places = new Map<string, number>();
  private readonly keys = new Out(1024);
  private readonly indexes = new NumberColumn((length) => new Uint32Array(length));
  private last = '';
  private lastPlace = -1;

  add(value: string): void {
    if (value !== this.last || this.lastPlace < 0) {
      this.last = value;
      this.lastPlace = this.placeOf(value);
    }
    this.indexes.add(this.lastPlace);
  }

  private placeOf(value: string): number {
    const known = this.places.get(value);
    if (known !== undefined) return known;
    const place = this.places.size;
    this.places.set(value, place);
    this.keys.text(value);
    return place;
  }

  write(out: Out): void {
    this.writePrefix(out);
    this.writeRows(out);
  }

  /** Stands before everything else of the column, also of one that holds this one inside. */
  writePrefix(out: Out): void {
    out.uint64(dictionaryVersion);
  }

  writeRows(out: Out): void {
    const rows = this.indexes.rows;
    if (rows === 0) return;
    const width = this.places.size <= 0x100 ? 0 : this.places.size <= 0x1_0000 ? 1 : 2;
    out.uint64(hasAdditionalKeys | width);
    out.uint64(this.places.size);
    out.raw(this.keys.buffer.subarray(0, this.keys.length));
    out.uint64(rows);
    out.reserve(rows << width);
    for (let row = 0; row < rows; row += 1) {
      const place = this.indexes.at(row);
      if (width === 0) out.buffer[out.length++] = place;
      else if (width === 1) out.length = out.buffer.writeUInt16LE(place, out.length);
      else out.length = out.buffer.writeUInt32LE(place, out.length);
    }
  }

  reset(): void {
    this.places.clear();
    this.keys.length = 0;
    this.indexes.reset();
    this.lastPlace = -1;
  }
}

/** Array(LowCardinality(String)): where each row ends, then all elements as one column. */
export class ListColumn implements Column<readonly string[]> {
  private readonly ends = new Number64Column();
  private readonly elements = new DictionaryColumn();
  private count = 0;

  add(values: readonly string[]): void {
    for (const value of values) this.elements.add(value);
    this.count += values.length;
    this.ends.add(this.count);
  }

  write(out: Out): void {
    this.elements.writePrefix(out);
    this.ends.write(out);
    this.elements.writeRows(out);
  }

  reset(): void {
    this.ends.reset();
    this.elements.reset();
    this.count = 0;
  }
}

/** Map(LowCardinality(String), String): as an array of pairs, keys before values. */
export class MapColumn implements Column<Readonly<Record<string, string>>> {
  private readonly ends = new Number64Column();
  private readonly keys = new DictionaryColumn();
  private readonly values = new TextColumn();
  private count = 0;

  add(map: Readonly<Record<string, string>>): void {
    for (const key of Object.keys(map)) {
      this.keys.add(key);
      this.values.add(map[key] ?? '');
      this.count += 1;
    }
    this.ends.add(this.count);
  }

  write(out: Out): void {
    this.keys.writePrefix(out);
    this.ends.write(out);
    this.keys.writeRows(out);
    this.values.write(out);
  }

  reset(): void {
    this.ends.reset();
    this.keys.reset();
    this.values.reset();
    this.count = 0;
  }
}

/** Nullable(IPv6) from text; '' is null, IPv4 becomes ::ffff:a.b.c.d. */
export class AddressColumn implements Column<string> {
  private readonly nulls = new NumberColumn((length) => new Uint8Array(length));
  private readonly bytes = new Out(1024);

  add(address: string): void {
    this.nulls.add(address === '' ? 1 : 0);
    this.bytes.reserve(16);
    const at = this.bytes.length;
    this.bytes.length += 16;
    const target = this.bytes.buffer.fill(0, at, at + 16);
    if (address !== '') writeAddress(address, target, at);
  }

  write(out: Out): void {
    this.nulls.write(out);
    out.raw(this.bytes.buffer.subarray(0, this.bytes.length));
  }

  reset(): void {
    this.nulls.reset();
    this.bytes.length = 0;
  }
}

/** A valid address without zone, as readers promise it. */
function writeAddress(address: string, target: Buffer, at: number): void {
  if (address.includes(':')) writeIPv6(address, target, at);
  else {
    target[at + 10] = 0xff;
    target[at + 11] = 0xff;
    writeIPv4(address, target, at + 12);
  }
}

function writeIPv4(address: string, target: Buffer, at: number): void {
  let byte = 0;
  let place = at;
  for (let index = 0; index < address.length; index += 1) {
    const sign = address.charCodeAt(index);
    if (sign === 0x2e) {
      target[place++] = byte;
      byte = 0;
    } else byte = byte * 10 + (sign - 0x30);
  }
  target[place] = byte;
}

function writeIPv6(address: string, target: Buffer, at: number): void {
  const [head = '', tail] = address.split('::');
  const front = writeGroups(head, target, at);
  if (tail === undefined) return;
  const back = Buffer.alloc(16);
  const length = writeGroups(tail, back, 0);
  back.copy(target, Math.max(at + 16 - length, at + front), 0, length);
}

/** Groups of 16 bits; the last may be dotted. Gives the bytes written. */
function writeGroups(text: string, target: Buffer, at: number): number {
  if (text === '') return 0;
  let place = at;
  for (const group of text.split(':')) {
    if (group.includes('.')) {
      writeIPv4(group, target, place);
      place += 4;
    } else place = target.writeUInt16BE(Number.parseInt(group, 16), place);
  }
  return place - at;
}
