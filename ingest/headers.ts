/** What may be read from a map of request headers; everything else in it is dropped unread. */
import { type Json, textOf } from '../core/fields.ts';
import type { CanonicalEvent } from '../schemas/event.ts';
import { readForwarded } from './forwarded.ts';
import { hostOfUrl } from './targets.ts';

export function readHeaders(headers: Json, event: CanonicalEvent): void {
  event.user_agent_original = textOf(headers['user-agent']);
  readForwarded(listedTexts(headers['x-forwarded-for']), event);
  if (event.request_id === '') event.request_id = textOf(headers['x-request-id']);
  const contentType = textOf(headers['content-type']);
  if (contentType !== '') event.attributes['content_type'] = contentType;
  readReferer(textOf(headers['referer']), event);
  const traceparent = textOf(headers['traceparent']);
  if (event.trace_id === '' && traceparent !== '') readTraceparent(traceparent, event);
}

/** A text, or those of a list: a client that sends a header twice has sent one list. */
export function listedTexts(value: unknown): string {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string').join(', ') : textOf(value);
}

/** Of a referer its host alone: its path and query can hold anything. */
export function readReferer(referer: string, event: CanonicalEvent): void {
  const host = hostOfUrl(referer);
  if (host !== '') event.attributes['referer_host'] = host;
}

/** Source: W3C Trace Context, version 00: version-traceid-parentid-flags. */
function readTraceparent(header: string, event: CanonicalEvent): void {
  const [version, traceId, spanId] = header.split('-');
  if (version?.length !== 2 || traceId?.length !== 32 || spanId?.length !== 16) return;
  event.trace_id = traceId.toLowerCase();
  event.span_id = spanId.toLowerCase();
}
