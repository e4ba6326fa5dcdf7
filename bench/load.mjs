// A load that costs next to nothing to send: the request is made once, and its bytes go to the broker again and again. A
// client that makes each request anew takes a core for 40,000 records a second, and it would be measured as well.
import { once } from 'node:events';
import { connect } from 'node:net';
import createRequest from 'kafkajs/src/protocol/request.js';
import produceRequest from 'kafkajs/src/protocol/requests/produce/v5/request.js';
import produceResponse from 'kafkajs/src/protocol/requests/produce/v5/response.js';

/** Source: the frames of the Kafka protocol: size, then of a request its key, version and number, of an answer its number. */
const [sizeBytes, numberAt, numberBytes] = [4, 8, 4];

/** Gives `send()`: the same messages once more; resolves with the last offset of each partition, and when the broker appended it. */
export async function openLoad([broker], { topic, values, partitions }) {
  const lanes = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    messages: values.filter((_, at) => at % partitions === partition).map((value) => ({ value })),
  }));
  const request = produceRequest({ acks: -1, timeout: 30_000, compression: 0, topicData: [{ topic, partitions: lanes }] });
  const { buffer: bytes } = await createRequest({ request, correlationId: 0, clientId: 'bench-load' });
  const { hostname, port } = new URL(`kafka://${broker}`);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  const waiting = [];
  const failed = (error) => waiting.splice(0).forEach(({ reject }) => reject(error));
  socket.on('error', failed).on('close', () => failed(new Error('the broker closed the connection of the load')));
  onFrames(socket, (frame) => {
    // One connection answers in the order in which it was asked.
    const { resolve, reject } = waiting.shift();
    produceResponse
      .decode(frame.subarray(numberBytes))
      .then(produceResponse.parse)
      .then(({ topics }) => resolve(topics[0].partitions), reject);
  });
  let number = 0;
  return {
    async send() {
      const numbered = Buffer.from(bytes);
      numbered.writeInt32BE((number += 1), numberAt);
      socket.write(numbered);
      const answers = await new Promise((resolve, reject) => waiting.push({ resolve, reject }));
      return answers.map(({ partition, baseOffset, logAppendTime }) => ({
        partition,
        offset: Number(baseOffset) + lanes[partition].messages.length - 1,
        appendedAt: Number(logAppendTime),
      }));
    },
    close: () => socket.destroy(),
  };
}

function onFrames(socket, take) {
  let held = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= sizeBytes && held.length >= sizeBytes + held.readInt32BE(0)) {
      const end = sizeBytes + held.readInt32BE(0);
      take(held.subarray(sizeBytes, end));
      held = held.subarray(end);
    }
  });
}
