/** The messages of a file: the whole where that is one JSON document of at most 16 MiB, else its lines, however long the file. */
import { cutWhole, lineCutter, maxMessageBytes } from '../../ingest/messages.ts';

type Part = ReturnType<typeof cutWhole>[number];

export async function* cutContent(content: AsyncIterable<Buffer>): AsyncGenerator<Part> {
  const start: Buffer[] = [];
  let bytes = 0;
  const pieces = content[Symbol.asyncIterator]();
  for (let next = await pieces.next(); bytes <= maxMessageBytes; next = await pieces.next()) {
    if (next.done) {
      yield* cutWhole(Buffer.concat(start));
      return;
    }
    start.push(next.value);
    bytes += next.value.length;
    if (bytes > maxMessageBytes) break;
  }
  const cutter = lineCutter();
  yield* cutter.push(Buffer.concat(start));
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield* cutter.push(next.value);
  yield* cutter.end();
}
