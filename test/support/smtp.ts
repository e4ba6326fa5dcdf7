/** A mail server in the test's process: STARTTLS, a free port, and answers as the test wants them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

export interface TestSmtp {
  readonly url: string;
  readonly ca: string;
  readonly mails: readonly Email[];
  /** Answer to the next messages after DATA; 250 takes them. */
  answer: number;
  /** Called at once after a message was answered with 250. */
  onTaken: () => void;
  stop(): Promise<void>;
}

export async function startSmtp(): Promise<TestSmtp> {
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
    done();
    smtp.onTaken();
  }
  const server = new SMTPServer({
    key: readFileSync(key, 'utf8'),
    cert: ca,
    authOptional: true,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (!session.secure) return done(Object.assign(new Error('TLS first'), { responseCode: 530 }));
        if (smtp.answer !== 250) return done(Object.assign(new Error('not now'), { responseCode: smtp.answer }));
        void take(Buffer.concat(chunks), done);
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const smtp: TestSmtp = {
    url: `smtp://localhost:${port}`,
    ca,
    mails,
    answer: 250,
    onTaken: () => {},
    async stop() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(folder, { recursive: true });
    },
  };
  return smtp;
}
