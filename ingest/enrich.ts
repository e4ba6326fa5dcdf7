/** What every event gets whatever its format: one word for how it ended, a time that can be true, and the pseudonym of whom it is about. */
import { keyedHash, type PurposeKey } from '../core/keys.ts';
import { remembered } from '../core/remembered.ts';
import type { CanonicalEvent, Outcome } from '../schemas/event.ts';

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

/** Before it a clock was never set; further than five minutes ahead it is wrong. */
const oldestMicros = Date.UTC(2000, 0, 1) * 1000;
const maxAheadMicros = 5 * 60 * 1_000_000;

/** `receivedAt` in milliseconds. The original of a time that was wrong stays in the attributes. */
export function enrich(event: CanonicalEvent, receivedAt: number, pseudonym: (person: string) => string): void {
  const arrivalMicros = receivedAt * 1000;
  if (event.timestamp > arrivalMicros + maxAheadMicros || event.timestamp < oldestMicros) {
    event.attributes['original_timestamp'] = toIso(event.timestamp);
    event.timestamp = arrivalMicros;
    event.time_source = 'ingest';
  }
  if (event.http_request_method !== '' && event.http_request_method !== '_OTHER' && !methods.has(event.http_request_method)) {
    event.http_request_method_original = event.http_request_method;
    event.http_request_method = '_OTHER';
  }
  // What a gateway says besides the status, its own limit or a client that left, is more than the status tells.
  if (event.outcome === 'unknown' && event.http_response_status_code !== null) event.outcome = outcomeOf(event.http_response_status_code);
  if (event.gateway_duration_ms === null && event.duration_ms !== null && event.upstream_duration_ms !== null) {
    event.gateway_duration_ms = Math.max(0, event.duration_ms - event.upstream_duration_ms);
  }
  const person = event.consumer_id || event.consumer_name || event.credential_id || event.credential_hash || event.client_address;
  event.subject = person === '' ? '' : pseudonym(person);
}

function outcomeOf(status: number): Outcome {
  if (status < 400) return 'success';
  if (status === 401 || status === 403 || status === 407) return 'auth_failure';
  if (status === 429) return 'rate_limited';
  if (status < 500) return 'client_error';
  // Statuses that HTTP does not class, 999 of some sites, are nobody's error.
  return status < 600 ? 'server_error' : 'unknown';
}

/** ISO 8601 where a date can hold it, else the number of microseconds. */
function toIso(micros: number): string {
  const at = new Date(micros / 1000);
  return Number.isNaN(at.getTime()) ? String(micros) : at.toISOString();
}

/** Keyed hash of 16 hex digits, worked out once per value: a batch holds few people and many of their requests. */
export function keyedHashes(key: PurposeKey): (value: string) => string {
  return remembered((value) => keyedHash(key, value, 16), 100_000);
}
