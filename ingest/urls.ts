/** URLs that come in parts, whole, or both, as the standards have them. */
import { isIPv6 } from 'node:net';
import type { CanonicalEvent } from '../schemas/event.ts';
import { hostOf, readOrigin, readTarget } from './targets.ts';

/** '' where a part is absent. */
export interface UrlParts {
  /** Absolute, or a path with its query. */
  readonly whole: string;
  readonly path: string;
  readonly query: string;
  readonly scheme: string;
  /** With its port or without. */
  readonly host: string;
}

/** A part wins over what the whole says. A query that a writer left in the path goes where it is redacted. */
export function readUrl({ whole, path, query, scheme, host }: UrlParts, event: CanonicalEvent): void {
  const bare = withoutFragment(whole);
  readOrigin(bare, event);
  readTarget(bare, event);
  const { url_query: queryOfWhole } = event;
  if (path !== '') readTarget(path, event);
  event.url_query = query || event.url_query || queryOfWhole;
  if (scheme !== '') event.url_scheme = scheme;
  if (host !== '') event.server_address = isIPv6(host) ? host : hostOf(host);
}

function withoutFragment(url: string): string {
  const hash = url.indexOf('#');
  return hash < 0 ? url : url.slice(0, hash);
}
