/**
 * Codecs of Kafka, through native packages: the pure JavaScript ones cost more than reading the records.
 * Source of the framings: Apache Kafka, clients/src/main/java/org/apache/kafka/common/compress.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Decoder, Encoder } from '@toondepauw/node-zstd';
import { compressFrame, decompressFrame } from 'lz4-napi';
import { compress, uncompress } from 'snappy';

export interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

/** xerial's snappy-java: a header of 16 bytes, then blocks of up to 32 KiB, each behind its compressed length. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const xerialHeader = Buffer.concat([xerialMagic, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);
const xerialBlock = 32 * 1024;

export const snappyCodec: Codec = {
  async compress({ buffer }) {
    const parts: Buffer[] = [xerialHeader];
    for (let at = 0; at < buffer.length; at += xerialBlock) {
      const block = await compress(buffer.subarray(at, at + xerialBlock));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(block.length);
      parts.push(length, block);
    }
    return Buffer.concat(parts);
  },
  async decompress(buffer) {
    // Other clients write a bare block without the frame.
    if (!buffer.subarray(0, 8).equals(xerialMagic)) return opened(buffer);
    const parts: Buffer[] = [];
    for (let at = 16; at < buffer.length;) {
      const length = buffer.readUInt32BE(at);
      parts.push(await opened(buffer.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    return Buffer.concat(parts);
  },
};

async function opened(block: Buffer): Promise<Buffer> {
  return Buffer.from(await uncompress(block, { asBuffer: true }));
}

export const gzipCodec: Codec = {
  compress: ({ buffer }) => promisify(gzip)(buffer),
  decompress: (buffer) => promisify(gunzip)(buffer),
};

export const lz4Codec: Codec = {
  compress: ({ buffer }) => compressFrame(buffer),
  decompress: (buffer) => decompressFrame(buffer),
};

export const zstdCodec: Codec = {
  compress: ({ buffer }) => new Encoder(3).encode(buffer),
  decompress: (buffer) => new Decoder().decode(buffer),
};
