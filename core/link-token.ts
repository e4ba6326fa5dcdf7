/**
 * Links that open one thing without a key: what they open is written into the link, signed, and ends.
 * Alerts make them for their mails, the evidence page reads them.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { PurposeKey } from './keys.ts';

/** Exactly the events behind one alert. Times are milliseconds since the epoch, the range is half-open. */
export interface EvidenceLink {
  readonly alertId: string;
  readonly title: string;
  readonly tenant: string;
  /** A value of AuditEventFilter. */
  readonly filter: Readonly<Record<string, unknown>>;
  readonly from: number;
  readonly to: number;
  readonly expiresAt: number;
}

/** `key` is drawn for the purpose `links`. The answer is safe in a URL: `PATH?t=TOKEN`. */
export function signLink(key: PurposeKey, link: EvidenceLink): string {
  const body = Buffer.from(JSON.stringify(link)).toString('base64url');
  return `${body}.${mac(key, body)}`;
}

/** Null for a link that was not made by any of `keys`, was changed, or has ended. */
export function readLink(keys: readonly PurposeKey[], token: string, now: number): EvidenceLink | null {
  const [body = '', signature = '', ...rest] = token.split('.');
  if (rest.length > 0 || token.length > 16_384) return null;
  const given = Buffer.from(signature);
  const genuine = keys.some((key) => {
    const expected = Buffer.from(mac(key, body));
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  if (!genuine) return null;
  const link = JSON.parse(Buffer.from(body, 'base64url').toString()) as EvidenceLink; // what we signed, we wrote
  return link.expiresAt > now ? link : null;
}

function mac(key: PurposeKey, body: string): string {
  return createHmac('sha256', key.key).update(`evidence:${body}`).digest('base64url');
}
