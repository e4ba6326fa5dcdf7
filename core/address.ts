/** Addresses as gateways write them, for readers of records. */
import { isIP, isIPv4 } from 'node:net';

/** The address without brackets, port or zone, in the one notation that the store has; '' when it is none. */
export function readAddress(text: string): string {
  const bare = bareAddress(text);
  return bare.includes(':') ? shortest(bare) : bare;
}

/** One notation, so that one client has one pseudonym. Source: RFC 5952; a mapped IPv4 address is the IPv4 address. */
function shortest(ipv6: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(ipv6)?.[1];
  return mapped !== undefined && isIPv4(mapped) ? mapped : new URL(`http://[${ipv6}]`).hostname.slice(1, -1);
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
