/**
 * The id of an event as users see it: an opaque spelling of its position in the log. It is no secret and opens nothing,
 * because every look-up is bound to the caller's tenants.
 */

export interface EventPosition {
  readonly sourceEpoch: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly index: number;
}

const version = 1;
/** Version, epoch, partition, offset and index; the topic is the rest. */
const fixedBytes = 1 + 2 + 4 + 8 + 4;

export function encodeEventId(position: EventPosition): string {
  const topic = Buffer.from(position.topic);
  const bytes = Buffer.alloc(fixedBytes + topic.length);
  bytes.writeUInt8(version, 0);
  bytes.writeUInt16BE(position.sourceEpoch, 1);
  bytes.writeUInt32BE(position.partition, 3);
  bytes.writeBigUInt64BE(BigInt(position.offset), 7);
  bytes.writeUInt32BE(position.index, 15);
  topic.copy(bytes, fixedBytes);
  return bytes.toString('base64url');
}

/** Null for anything that `encodeEventId` cannot have made. */
export function decodeEventId(id: string): EventPosition | null {
  if (id.length > 512 || !/^[A-Za-z0-9_-]+$/.test(id)) return null;
  const bytes = Buffer.from(id, 'base64url');
  if (bytes.length <= fixedBytes || bytes.readUInt8(0) !== version) return null;
  const position = {
    sourceEpoch: bytes.readUInt16BE(1),
    partition: bytes.readUInt32BE(3),
    offset: Number(bytes.readBigUInt64BE(7)),
    index: bytes.readUInt32BE(15),
    topic: bytes.subarray(fixedBytes).toString(),
  };
  return Number.isSafeInteger(position.offset) && encodeEventId(position) === id ? position : null;
}
