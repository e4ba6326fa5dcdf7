/** What was asked for: request lines, targets, origins and versions of HTTP, as gateways write them. */
import type { CanonicalEvent } from '../schemas/event.ts';

/** Splits what stands in a request line: path and query, without the scheme and host of an absolute form. */
export function readTarget(target: string, event: CanonicalEvent): void {
  const from = authorityStart(target);
  const path = from === 0 ? target : target.slice(from + authorityAt(target, from).length);
  const mark = path.indexOf('?');
  event.url_path = mark < 0 ? path : path.slice(0, mark);
  event.url_query = mark < 0 ? '' : path.slice(mark + 1);
  if (from > 0 && event.url_path === '') event.url_path = '/';
}

/** Scheme and host of an absolute URL; user info and port are left out. */
export function readOrigin(url: string, event: CanonicalEvent): void {
  const from = authorityStart(url);
  if (from === 0) return;
  event.url_scheme = from === 7 ? 'http' : 'https';
  const authority = authorityAt(url, from);
  event.server_address = hostOf(authority.slice(authority.lastIndexOf('@') + 1));
}

/** Host of an absolute URL in lower case, without port; '' where there is none, and for what no host is written like. */
export function hostOfUrl(url: string): string {
  const from = url.indexOf('://') + 3;
  if (from < 3) return '';
  const authority = authorityAt(url, from);
  const host = hostOf(authority.slice(authority.lastIndexOf('@') + 1)).toLowerCase();
  return /^[\w.:-]{1,253}$/.test(host) ? host : '';
}

/** 0 where no URL begins: one in a path or a query is what a client wrote. */
function authorityStart(url: string): number {
  if (url.startsWith('https://')) return 8;
  return url.startsWith('http://') ? 7 : 0;
}

/** A query or a fragment can follow it without a path between: as a part of the host a query would not be redacted. */
function authorityAt(url: string, from: number): string {
  const slash = url.indexOf('/', from);
  const authority = slash < 0 ? url.slice(from) : url.slice(from, slash);
  return authority.includes('?') || authority.includes('#') ? authority.slice(0, authority.search(/[?#]/)) : authority;
}

/** A host without its port, an IPv6 one without brackets. */
export function hostOf(authority: string): string {
  const colon = authority.lastIndexOf(':');
  const host = colon > authority.indexOf(']') ? authority.slice(0, colon) : authority;
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/**
 * `GET /path HTTP/1.1`, with the scheme and host of an absolute target. Bytes of another protocol stand here too, and then there is
 * no method to tell.
 */
export function readRequestLine(request: string, event: CanonicalEvent): void {
  const first = request.indexOf(' ');
  const last = request.lastIndexOf(' ');
  if (first <= 0 || last === first || !request.startsWith('HTTP/', last + 1)) return;
  const target = request.slice(first + 1, last);
  event.http_request_method = request.slice(0, first);
  readOrigin(target, event);
  readTarget(target, event);
  event.network_protocol_version = versionOf(request.slice(last + 1));
}

/** `HTTP/1.1` is 1.1, and `HTTP/2.0` is 2, the name that OpenTelemetry has for it; '' for what is no version of HTTP. */
export function versionOf(protocol: string): string {
  const version = /^(?:HTTP\/)?(\d(?:\.\d)?)(?:\.0\.0)?$/i.exec(protocol)?.[1] ?? '';
  return version === '2.0' || version === '3.0' ? version.slice(0, 1) : version;
}
