/** Mail over SMTP, or handed as a raw message to `deliver` where no server is configured. */
import { createTransport } from 'nodemailer';
import { within } from '../../core/clock.ts';
import { AuditError, messageOf } from '../../core/errors.ts';
import type { Channel, Delivery, Message } from '../channel.ts';

export interface EmailOptions {
  readonly from: string;
  readonly to: readonly string[];
  /** `smtp://user:password@host:587`; TLS is required unless it says `?insecure=true`. */
  readonly smtpUrl?: string;
  /** Takes the raw message where there is no server. */
  readonly deliver?: (raw: Buffer, messageId: string) => Promise<void>;
  /** For a server whose certificate another authority signed. */
  readonly ca?: string;
  /** A conversation that takes longer is broken off, however often the server says that it is at work. Default 2 minutes. */
  readonly withinMs?: number;
}

export function openEmail(options: EmailOptions): Channel {
  const safe = { disableFileAccess: true, disableUrlAccess: true };
  const compose = (message: Message) => ({
    ...safe,
    from: options.from,
    to: message.to,
    subject: message.subject,
    text: message.text,
    html: message.html,
    messageId: message.messageId,
    inReplyTo: message.thread,
    references: message.thread,
    list: { id: { url: message.listId, comment: message.listName } },
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All', 'X-Entity-Ref-ID': message.thread },
  });
  const { smtpUrl, deliver, withinMs = 120_000 } = options;
  if (smtpUrl === undefined) {
    const builder = createTransport({ streamTransport: true, buffer: true });
    return {
      name: 'email',
      recipients: options.to,
      send: (message) =>
        told(async () => {
          const { message: raw } = await builder.sendMail(compose(message));
          if (!Buffer.isBuffer(raw)) throw new Error('the composed message is not in memory');
          await deliver?.(raw, message.messageId);
        }),
      check: async () => {},
      close: () => builder.close(),
    };
  }
  const url = new URL(smtpUrl);
  const insecure = url.searchParams.get('insecure') === 'true';
  const secure = url.protocol === 'smtps:';
  const transport = createTransport({
    host: url.hostname,
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    requireTLS: !insecure && !secure,
    ignoreTLS: insecure && !secure,
    ...(url.username !== '' && { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
    ...(options.ca !== undefined && { tls: { ca: options.ca } }),
    pool: true,
    maxConnections: 2,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
  });
  return {
    name: 'email',
    recipients: options.to,
    send: (message) => told(async () => void (await transport.sendMail({ ...compose(message), signal: AbortSignal.timeout(withinMs) }))),
    check: async () => {
      try {
        await within(withinMs, transport.verify());
      } catch (error) {
        throw notTaken(url, error);
      }
    },
    close: () => transport.close({ force: true }),
  };
}

function notTaken({ host, username }: URL, error: unknown): AuditError {
  const isSignIn = (error as { code?: unknown }).code === 'EAUTH'; // nodemailer's errors; others have none
  const what = isSignIn ? `refused the user ${decodeURIComponent(username)} with this password` : 'takes no mails';
  const message = `The mail server ${host} ${what}: ${messageOf(error)}. Mails stay queued and are tried again; see mail.smtpUrl`;
  return new AuditError('MAIL_UNAVAILABLE', message, { cause: error });
}

/** 5xx to a recipient or to a message is an answer for good. Everything else may heal: a login or TLS refused is ours to mend. */
async function told(work: () => Promise<void>): Promise<Delivery> {
  try {
    await work();
    return { outcome: 'sent' };
  } catch (error) {
    const { code, responseCode = 0 } = error as { code?: unknown; responseCode?: number }; // nodemailer's errors; others have neither
    const forGood = responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE');
    return { outcome: forGood ? 'never' : 'again', error: messageOf(error).slice(0, 500) };
  }
}
