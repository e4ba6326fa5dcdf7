/** Clients by their networks alone, /24 and /48: for tenants that may not keep whole addresses. */
import { readAddress } from '../core/address.ts';
import { remembered } from '../core/remembered.ts';
import type { CanonicalEvent } from '../schemas/event.ts';
import { redacted } from './secrets.ts';

/** All three addresses; in the list, what is none may say who it was. */
export function toNetworks(event: CanonicalEvent): void {
  event.client_address = networkOf(event.client_address);
  event.network_peer_address = networkOf(event.network_peer_address);
  if (event.forwarded_for !== '') event.forwarded_for = networksOf(event.forwarded_for);
}

const networksOf = remembered(
  (list) =>
    list
      .split(',')
      .map((each) => networkOf(readAddress(each.trim())) || redacted)
      .join(', '),
  10_000,
);

/** The address with its last 8 or 80 bits 0; '' of ''. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address === '' ? '' : `${address.slice(0, address.lastIndexOf('.'))}.0`;
  const [head = [], tail] = address.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const zeros = tail === undefined ? [] : Array<string>(8 - head.length - tail.length).fill('0');
  return readAddress(`${[...head, ...zeros, ...(tail ?? [])].slice(0, 3).join(':')}::`);
}
