/** Addresses as gateways write them, for readers of records. */
import { isIP } from 'node:net';

/** The address without brackets, port or zone; '' when it is none. */
export function readAddress(text: string): string {
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
