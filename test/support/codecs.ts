/** Codecs for the tests' own producers; the product's are judged by what these write. */
import { Decoder, Encoder } from '@toondepauw/node-zstd';
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import { compressFrame, decompressFrame } from 'lz4-napi';
import { compress, uncompress } from 'snappy';

/** Snappy is written as one bare block, as Go and C clients do. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = () => ({
    compress: ({ buffer }: { buffer: Buffer }) => compress(buffer),
    decompress: async (buffer: Buffer) => Buffer.from(await uncompress(buffer, { asBuffer: true })),
  });
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: ({ buffer }: { buffer: Buffer }) => compressFrame(buffer),
    decompress: (buffer: Buffer) => decompressFrame(buffer),
  });
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: ({ buffer }: { buffer: Buffer }) => new Encoder(3).encode(buffer),
    decompress: (buffer: Buffer) => new Decoder().decode(buffer),
  });
}
