/** One batch of events as one Native block: what an insert under a token must be, and the fastest way into ClickHouse. */
import { type CanonicalEvent, eventFields, outcomes, placeOf, storageFields, timeSources } from '../schemas/event.ts';
import {
  AddressColumn,
  type Column,
  DictionaryColumn,
  ListColumn,
  MapColumn,
  NullableColumn,
  Number64Column,
  NumberColumn,
  Out,
  TextColumn,
} from './columns.ts';

/** Constants of a batch, from its claim. */
export interface BatchConstants {
  /** Milliseconds. */
  readonly receivedAt: number;
  readonly sourceEpoch: number;
  readonly topic: string;
  readonly partition: number;
  readonly replay: number;
  /** Suffix of the token that it is stored under. */
  readonly attempt: number;
  readonly normaliser: string;
  /** Default: the rows of the block. */
  readonly batchEvents?: number;
}

export interface EventBlock {
  /** Copies the event: the caller may use the object again. */
  add(event: CanonicalEvent, offset: number, index: number): void;
  readonly rows: number;
  /** Length of all texts added, in UTF-16 units: cheap enough to look at after each row. */
  readonly textLength: number;
  /** Microseconds; 0 without rows. */
  readonly minTimestamp: number;
  readonly maxTimestamp: number;
  /** The block, in a buffer of its own. May be called again with another attempt. */
  encode(constants: BatchConstants): Buffer;
  /** Forgets the rows, keeps the buffers. */
  reset(): void;
}

type EventName = keyof CanonicalEvent;

interface Placed<Kind> {
  /** Of its value in an event. */
  readonly place: number;
  readonly column: Kind;
}

const unsigned = {
  UInt8: (length: number) => new Uint8Array(length),
  UInt16: (length: number) => new Uint16Array(length),
  UInt32: (length: number) => new Uint32Array(length),
};

export function createEventBlock(): EventBlock {
  // By class: a place in the code that calls one method alone is several times as fast.
  const texts: Placed<TextColumn>[] = [];
  const words: Placed<DictionaryColumn>[] = [];
  const addresses: Placed<AddressColumn>[] = [];
  const numbers: Placed<NullableColumn<number>>[] = [];
  const timestamp = new Number64Column();
  const timeSource = new NumberColumn(unsigned.UInt8);
  const outcome = new NumberColumn(unsigned.UInt8);
  const signals = new ListColumn();
  const dataClasses = new ListColumn();
  const attributes = new MapColumn();
  const offsets = new Number64Column();
  const indexes = new NumberColumn(unsigned.UInt32);
  const columns = new Map<string, Column<never>>();

  for (const [name, { column }] of Object.entries(eventFields) as [EventName, { column: string }][])
    columns.set(name, columnOf(name, column));
  columns.set('kafka_offset', offsets);
  columns.set('message_index', indexes);

  let rows = 0;
  let textLength = 0;
  let minTimestamp = 0;
  let maxTimestamp = 0;

  function columnOf(name: EventName, type: string): Column<never> {
    if (name === 'timestamp') return timestamp;
    if (name === 'time_source') return timeSource;
    if (name === 'outcome') return outcome;
    if (name === 'signals') return signals;
    if (name === 'data_classes') return dataClasses;
    if (name === 'attributes') return attributes;
    // Which names are texts and which are numbers stands in CanonicalEvent; the column type says the same.
    if (type === 'String') return listed(texts, name, new TextColumn());
    if (type === 'LowCardinality(String)') return listed(words, name, new DictionaryColumn());
    if (type === 'Nullable(IPv6)') return listed(addresses, name, new AddressColumn());
    return listed(numbers, name, new NullableColumn(numberColumn(type), 0));
  }

  return {
    add(event, offset, index) {
      minTimestamp = rows === 0 ? event.timestamp : Math.min(minTimestamp, event.timestamp);
      maxTimestamp = Math.max(maxTimestamp, event.timestamp);
      rows += 1;
      timestamp.add(event.timestamp);
      timeSource.add(timeSources.indexOf(event.time_source) + 1);
      outcome.add(outcomes.indexOf(event.outcome) + 1);
      signals.add(event.signals);
      dataClasses.add(event.data_classes);
      attributes.add(event.attributes);
      offsets.add(offset);
      indexes.add(index);
      const values = Object.values(event) as unknown[];
      for (const { place, column } of texts) {
        const text = values[place] as string;
        column.add(text);
        textLength += text.length;
      }
      for (const { place, column } of words) {
        const word = values[place] as string;
        column.add(word);
        textLength += word.length;
      }
      for (const { place, column } of addresses) column.add(values[place] as string);
      for (const { place, column } of numbers) column.add(values[place] as number | null);
      for (const name in event.attributes) textLength += name.length + (event.attributes[name]?.length ?? 0);
    },
    get rows() {
      return rows;
    },
    get textLength() {
      return textLength;
    },
    get minTimestamp() {
      return minTimestamp;
    },
    get maxTimestamp() {
      return maxTimestamp;
    },
    encode(constants) {
      const fixed = constantColumns(constants, rows);
      const out = new Out(64 * 1024 + rows * 300);
      out.varint(Object.keys(storageFields).length + Object.keys(eventFields).length);
      out.varint(rows);
      for (const [name, { column: type }] of Object.entries({ ...storageFields, ...eventFields })) {
        out.text(name);
        out.text(type);
        (fixed.get(name) ?? columns.get(name))?.write(out);
      }
      return out.buffer.subarray(0, out.length);
    },
    reset() {
      rows = 0;
      textLength = 0;
      minTimestamp = 0;
      maxTimestamp = 0;
      for (const column of columns.values()) column.reset();
    },
  };
}

function listed<Kind extends Column<never>>(list: Placed<Kind>[], name: EventName, column: Kind): Column<never> {
  list.push({ place: placeOf(name), column });
  return column;
}

function numberColumn(type: string): Column<number> {
  if (type === 'Nullable(Float64)') return new NumberColumn((length) => new Float64Array(length));
  if (type === 'Nullable(UInt8)') return new NumberColumn(unsigned.UInt8);
  if (type === 'Nullable(UInt16)') return new NumberColumn(unsigned.UInt16);
  if (type === "Nullable(DateTime('UTC'))") return new NumberColumn(unsigned.UInt32);
  return new Number64Column();
}

function constantColumns(constants: BatchConstants, rows: number): Map<string, Column<never>> {
  const repeated = <Value>(column: Column<Value>, value: Value): Column<never> => {
    for (let row = 0; row < rows; row += 1) column.add(value);
    return column;
  };
  const uint32 = (value: number) => repeated(new NumberColumn(unsigned.UInt32), value);
  return new Map([
    ['received_at', repeated(new Number64Column(), constants.receivedAt)],
    ['source_epoch', repeated(new NumberColumn(unsigned.UInt16), constants.sourceEpoch)],
    ['topic', repeated(new DictionaryColumn(), constants.topic)],
    ['kafka_partition', uint32(constants.partition)],
    ['replay', repeated(new NumberColumn(unsigned.UInt16), constants.replay)],
    ['attempt', repeated(new NumberColumn(unsigned.UInt8), constants.attempt)],
    ['batch_events', uint32(constants.batchEvents ?? rows)],
    ['normaliser', repeated(new DictionaryColumn(), constants.normaliser)],
  ]);
}
