/** Names the route of an event: a pure function of the event and of what the catalogue has for its path. */
import type { CanonicalEvent } from '../schemas/event.ts';

/**
 * The gateway's own template stays. Where it gave none, or the path of its configuration that this request lies below, the
 * catalogue names the route, else its path does; `route_source` says so, and `gateway_path` what the gateway gave.
 */
export function nameRoute(event: CanonicalEvent, template: string, inferred: (path: string) => string): void {
  const given = event.http_route;
  if (given !== '' && !isMerePath(given, event.url_path)) return;
  const route = template === '' ? inferredOf(event, inferred) : template;
  if (route === '' || route === given) return;
  event.http_route = route;
  event.attributes['route_source'] = template === '' ? 'inferred' : 'catalogue';
  if (given !== '') event.attributes['gateway_path'] = given;
}

/** A prefix of the path, as routes of proxies have, or a template that takes whatever follows. */
function isMerePath(route: string, path: string): boolean {
  if (route.endsWith('*') || route.endsWith('+}')) return true;
  return route.length < path.length && path.startsWith(route) && (route.endsWith('/') || path[route.length] === '/');
}

/** What was not found is no route, unless a parameter of one was: else scanners would fill the store with routes. */
function inferredOf(event: CanonicalEvent, inferred: (path: string) => string): string {
  const route = inferred(event.url_path);
  return event.http_response_status_code === 404 && !route.includes('{') ? '' : route;
}
