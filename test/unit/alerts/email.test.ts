/** A server that answers each command with lines that never come to an end: no time limit between two of its bytes notices that. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Channel, Message } from '../../../alerts/channel.ts';
import { openEmail } from '../../../alerts/channels/email.ts';

const sockets = new Set<Socket>();
let server: Server;
let email: Channel;

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.write('220 here\r\n');
    const wait = setInterval(() => socket.write('250-wait\r\n'), 20);
    socket.on('error', () => {}).on('close', () => clearInterval(wait));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  email = openEmail({
    from: 'gatetrail@example.com',
    to: ['oncall@example.com'],
    smtpUrl: `smtp://127.0.0.1:${port}?insecure=true`,
    withinMs: 200,
  });
});

afterAll(() => {
  email.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

const message: Message = {
  to: 'oncall@example.com',
  subject: 'rate',
  text: 'text',
  html: '<p>text</p>',
  messageId: '<1@example.com>',
  thread: '<1@example.com>',
  listId: 'rules.example.com',
  listName: 'rules',
};

test('a mail to a server that never comes to an end is tried again later', async () => {
  expect(await email.send(message)).toMatchObject({ outcome: 'again', error: expect.stringMatching(/abort|time/i) });
});

test('the check of such a server says that it takes no mails', async () => {
  await expect(email.check()).rejects.toMatchObject({
    code: 'MAIL_UNAVAILABLE',
    message: expect.stringContaining('no answer within 0.2 s'),
  });
});
