/** A mail server in the test's process: STARTTLS, a free port, and answers as the test wants them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

export interface TestSmtp {
  /** Without `?insecure=true` the product must use TLS, which is offered. */
  readonly url: string;
  readonly ca: string;
  readonly mails: readonly Email[];
  /** Answer to the next messages after DATA; 250 takes them. */
  answer: number;
  /** Called right before a message is answered with 250. */
  onTaking: () => void;
  /** Called at once after a message was answered with 250. */
  onTaken: () => void;
  /** Answers by recipient other than 250. */
  readonly refused: Map<string, number>;
  /** Asked of whoever sends; null lets everybody in. */
  password: string | null;
  /** What happens after DATA: an answer, a cut connection, or nothing at all. */
  afterData: 'answer' | 'drop' | 'hang';
  /** No longer reachable, or again, at the same port. */
  setUp(isUp: boolean): Promise<void>;
  stop(): Promise<void>;
}

export async function startSmtp({ tls = true } = {}): Promise<TestSmtp> {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-smtp-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  );
  const ca = readFileSync(cert, 'utf8');
  const mails: Email[] = [];
  async function take(raw: Buffer, done: () => void): Promise<void> {
    mails.push(await PostalMime.parse(raw));
    smtp.onTaking();
    done();
    smtp.onTaken();
  }
  const server = new SMTPServer({
    key: readFileSync(key, 'utf8'),
    cert: ca,
    authOptional: true,
    onAuth({ username, password }, _session, done) {
      if (password === smtp.password) done(null, { user: username });
      else done(Object.assign(new Error('Authentication failed'), { responseCode: 535 }));
    },
    onMailFrom(_address, session, done) {
      done(smtp.password === null || session.user !== undefined ? null : Object.assign(new Error('sign in first'), { responseCode: 530 }));
    },
    disabledCommands: tls ? [] : ['STARTTLS'],
    onRcptTo({ address }, _session, done) {
      const code = smtp.refused.get(address);
      done(code === undefined ? null : Object.assign(new Error('not you'), { responseCode: code }));
    },
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (smtp.afterData === 'drop') return cut();
        if (smtp.afterData === 'hang') return;
        if (smtp.answer !== 250) return done(Object.assign(new Error('not now'), { responseCode: smtp.answer }));
        void take(Buffer.concat(chunks), done);
      });
    },
  });
  const sockets = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('error', () => {}); // a cut connection is what a test wants
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const smtp: TestSmtp = {
    url: `smtp://localhost:${port}`,
    ca,
    mails,
    answer: 250,
    password: null,
    onTaking: () => {},
    onTaken: () => {},
    refused: new Map(),
    afterData: 'answer',
    async setUp(isUp) {
      if (isUp) return new Promise((resolve) => void server.server.listen(port, '127.0.0.1', resolve));
      const closed = new Promise<void>((resolve) => server.server.close(() => resolve()));
      cut();
      return closed;
    },
    async stop() {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(folder, { recursive: true });
    },
  };
  return smtp;
}
