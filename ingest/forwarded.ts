/** The three addresses of a request: what the gateway decided, its TCP peer, and the list that proxies and clients can write. */
import { readAddress } from '../core/address.ts';
import type { CanonicalEvent } from '../schemas/event.ts';
import type { SourceSettings } from './gateway.ts';

/** Longest forwarded list that is kept. */
const maxForwardedLength = 512;

/**
 * As it came. Of a longer list the last entries are kept: those before them are what a client can fill it with. Part of an entry is
 * not: what is redacted later would not be known by its end.
 */
export function readForwarded(list: string, event: CanonicalEvent): void {
  const kept = list.slice(-maxForwardedLength);
  const comma = kept.indexOf(',');
  event.forwarded_for = kept.length === list.length ? list : comma < 0 ? '' : kept.slice(comma + 1).trimStart();
}

/**
 * For a gateway that tells its peer and a list, and decides nothing: where the peer is one of the source's own proxies, the
 * client is the rightmost address of the list that is none of them. Otherwise the peer is the client: whoever is further left
 * wrote the list.
 */
export function decideClient(event: CanonicalEvent, { isTrusted }: SourceSettings): void {
  if (isTrusted === null || event.client_address === '' || !isTrusted(event.client_address)) return;
  event.network_peer_address = event.client_address;
  event.client_address = lastUntrusted(event.forwarded_for, isTrusted) || event.client_address;
}

/** Of a forwarded list: the rightmost address, without the source's own proxies where they are known. '' where there is none. */
export function rightmost(list: string, { isTrusted }: SourceSettings): string {
  return lastUntrusted(list, isTrusted ?? (() => false));
}

/** An entry that is no address, as `unknown`, was written by a proxy: the client may have written what is left of it. */
function lastUntrusted(list: string, isTrusted: (address: string) => boolean): string {
  for (let end = list.length; end >= 0;) {
    const comma = end === 0 ? -1 : list.lastIndexOf(',', end - 1);
    const entry = list.slice(comma + 1, end).trim();
    const address = readAddress(entry[0] === '"' ? entry.replaceAll('"', '') : entry);
    if (entry !== '' && !isTrusted(address)) return address;
    end = comma;
  }
  return '';
}
