/** Addresses as gateways write them, for readers of records. */
import { isIP, isIPv4 } from 'node:net';

/** The address without brackets, port or zone, in the one notation that the store has; '' when it is none. */
export function readAddress(text: string): string {
  if (isDottedQuad(text)) return text;
  const bare = bareAddress(text);
  return bare.includes(':') ? shortest(bare) : bare;
}

/** Most addresses are such, and the expression that Node asks takes twenty times as long. */
function isDottedQuad(text: string): boolean {
  let [dots, value, digits] = [0, 0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x2e) {
      if (digits === 0) return false;
      [dots, value, digits] = [dots + 1, 0, 0];
    } else if (code < 0x30 || code > 0x39 || (digits > 0 && value === 0)) return false;
    else [value, digits] = [value * 10 + code - 0x30, digits + 1];
    if (value > 255) return false;
  }
  return dots === 3 && digits > 0;
}

/** One notation, so that one client has one pseudonym. Source: RFC 5952; a mapped IPv4 address is the IPv4 address. */
function shortest(ipv6: string): string {
  const dotted = /^::ffff:([\d.]+)$/i.exec(ipv6)?.[1];
  if (dotted !== undefined && isIPv4(dotted)) return dotted;
  const short = new URL(`http://[${ipv6}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  const [left, right] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [left >> 8, left & 255, right >> 8, right & 255].join('.');
}

function bareAddress(text: string): string {
  if (isIP(text) !== 0 && !text.includes('%')) return text;
  const end = text.indexOf(']');
  const colon = text.indexOf(':');
  let bare = text;
  if (text[0] === '[' && end > 0) bare = text.slice(1, end);
  else if (colon > 0 && colon === text.lastIndexOf(':')) bare = text.slice(0, colon);
  const zone = bare.indexOf('%');
  if (zone > 0) bare = bare.slice(0, zone);
  return isIP(bare) === 0 ? '' : bare;
}
