/** Where a record goes, alike in every log: a key keeps its partition, what has none is spread request by request. */
import { randomInt } from 'node:crypto';
import type { NewMessage } from '../log.ts';

export interface Position {
  readonly partition: number;
  readonly offset: number;
}

export interface Placing {
  readonly partitions: number;
  /** A request closes at the first of these. */
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** Appends to one partition; gives the offset of the first message, the others follow it. */
  append(partition: number, messages: readonly NewMessage[]): Promise<number>;
}

/** Appends request by request, each to one partition, so that the answer tells where every message stands. */
export async function appendPlaced(messages: readonly NewMessage[], placing: Placing): Promise<Position[]> {
  const positions: Position[] = [];
  for (const { partition, indexes, messages: together } of requests(messages, placing)) {
    const first = await placing.append(partition, together);
    indexes.forEach((index, at) => (positions[index] = { partition, offset: first + at }));
  }
  return positions;
}

interface Request {
  readonly partition: number;
  readonly messages: NewMessage[];
  readonly indexes: number[];
  bytes: number;
}

let spread = randomInt(1 << 16);

function requests(messages: readonly NewMessage[], { partitions, maxRecords, maxBytes }: Placing): Request[] {
  const all: Request[] = [];
  const open = new Map<number | 'any', Request>();
  messages.forEach((message, index) => {
    const place = message.key === undefined ? 'any' : partitionOf(message.key, partitions);
    const size = message.value.length + 100;
    let request = open.get(place);
    if (request === undefined || request.messages.length >= maxRecords || request.bytes + size > maxBytes) {
      request = { partition: place === 'any' ? spread++ % partitions : place, messages: [], indexes: [], bytes: 0 };
      open.set(place, request);
      all.push(request);
    }
    request.messages.push(message);
    request.indexes.push(index);
    request.bytes += size;
  });
  return all;
}

/** As every client of Kafka places a key. Source: Apache Kafka, BuiltInPartitioner.partitionForKey and Utils.murmur2. */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions;
}

function murmur2(data: Buffer): number {
  const factor = 0x5bd1e995;
  const tail = data.length % 4;
  let hash = 0x9747b28c ^ data.length;
  for (let at = 0; at < data.length - tail; at += 4) {
    const word = Math.imul(data.readInt32LE(at), factor);
    hash = Math.imul(hash, factor) ^ Math.imul(word ^ (word >>> 24), factor);
  }
  if (tail > 0) hash = Math.imul(hash ^ data.readUIntLE(data.length - tail, tail), factor);
  hash = Math.imul(hash ^ (hash >>> 13), factor);
  return hash ^ (hash >>> 15);
}
