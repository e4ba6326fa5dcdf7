// Kong http-log records of about 1.3 kB, the same ones in each run.
const agents = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36',
  'okhttp/4.12.0',
  'curl/8.5.0',
  'python-requests/2.32',
];
const statuses = [200, 200, 201, 404, 500, 401, 429, 200];
const methods = ['GET', 'POST', 'PUT'];
/** Looks random, so that it compresses like an id. */
const hex = (seed) =>
  Array.from({ length: 4 }, (_, part) => (Math.imul(seed * 4 + part + 1, 2_654_435_761) >>> 0).toString(16).padStart(8, '0')).join('');

export function kongRecord(at, startedAt) {
  const status = statuses[at % 8];
  return {
    request: {
      id: hex(at),
      uri: `/v1/orders/${at % 9973}?page=${at % 10}`,
      url: `http://api.example.com:8000/v1/orders/${at % 9973}`,
      querystring: { page: String(at % 10) },
      method: methods[at % 3],
      size: 120 + (at % 900),
      headers: {
        host: 'api.example.com',
        'user-agent': agents[at % 4],
        accept: 'application/json',
        'x-request-id': hex(at + 7_000_000),
        'x-forwarded-for': `203.0.113.${at % 250}, 10.0.0.1`,
        connection: 'keep-alive',
      },
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', client_verify: 'NONE' },
    },
    upstream_uri: `/orders/${at % 9973}?page=${at % 10}`,
    upstream_status: String(status),
    response: {
      status,
      size: 400 + (at % 5000),
      headers: {
        'content-type': 'application/json; charset=utf-8',
        date: 'Sun, 22 Nov 2026 05:00:00 GMT',
        'x-kong-upstream-latency': String(at % 90),
        via: 'kong/3.9.1',
      },
    },
    latencies: { kong: 2, proxy: at % 90, request: 3 + (at % 90), receive: 1 },
    tries: [{ ip: '10.1.2.3', port: 8080, balancer_latency: 0, balancer_start: startedAt }],
    authenticated_entity: { id: hex(at % 400) },
    route: {
      id: `rt${at % 60}`,
      name: `route-${at % 60}`,
      paths: ['/v1/orders'],
      methods: ['GET', 'POST'],
      service: { id: `svc${at % 12}` },
    },
    service: { id: `svc${at % 12}`, name: `service-${at % 12}`, host: 'orders.internal', port: 8080, protocol: 'http' },
    consumer: { id: `c${at % 2000}`, username: `app-${at % 2000}`, custom_id: `x${at % 2000}` },
    client_ip: `203.0.113.${at % 250}`,
    started_at: startedAt,
    workspace: 'default',
  };
}

/** `count` records as bytes, in the order of their times: `total` of them end ten minutes ago and span fifty. */
export function kongValues(count, from = 0, total = count) {
  const start = Date.now() - 3_600_000;
  return Array.from({ length: count }, (_, index) => {
    const at = from + index;
    return Buffer.from(JSON.stringify(kongRecord(at, start + Math.floor(((at % total) / total) * 3_000_000))));
  });
}
