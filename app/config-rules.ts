/** What settings have to be together. */
import { isIP } from 'node:net';
import { shippedFormats } from './formats.ts';
import { shown, type Tree, valueAt } from './config-tree.ts';

/** Rules over several settings. They read what was given, so that they are told beside other faults. */
export function together(values: Tree): { path: string; message: string }[] {
  const given = (path: string) => valueAt(values, path.split('.'));
  const isGiven = (path: string) => given(path) !== undefined;
  const faults: { path: string; message: string }[] = [];
  const expect = (holds: boolean, path: string, message: string) => {
    if (!holds) faults.push({ path, message });
  };
  const hasSecret = typeof given('secret') === 'string' || isGiven('secret.current');
  expect(
    !isGiven('clickhouse.url') || hasSecret,
    'secret',
    'expected at least 32 random bytes, because a ClickHouse is named, got nothing; for instance openssl rand -hex 32',
  );
  expect(
    !isGiven('cluster') || isGiven('clickhouse.url'),
    'cluster',
    'expected clickhouse.url beside it: the embedded engine is one server',
  );
  expect(isGiven('http.tls.cert') === isGiven('http.tls.key'), 'http.tls', 'expected both a certificate and its key, got one of them');
  const host = given('http.host');
  const isOpen = typeof host === 'string' && !isLoopback(host) && !isGiven('http.tls.cert') && String(given('http.insecure')) !== 'true';
  expect(!isOpen, 'http.insecure', `expected TLS or an explicit true, because ${JSON.stringify(host)} is reached from beyond this machine`);
  expect(
    !isGiven('kafka.sasl') || (isGiven('kafka.user') && isGiven('kafka.password')),
    'kafka.user',
    'expected a user and a password, because kafka.sasl is given',
  );
  expect(
    !isGiven('mail.smtpUrl') || (isGiven('mail.from') && isGiven('mail.to')),
    'mail.to',
    'expected mail.from and mail.to, because a mail server is named',
  );
  faults.push(...nameFaults(values));
  return faults;
}

/** Names of formats: each once, and a source names one of them. */
function nameFaults({ formats, sources }: Tree): { path: string; message: string }[] {
  const own = namesIn(formats, 'name');
  const known = [...shippedFormats, ...own, 'auto', undefined];
  const twice = own.flatMap((name, at) =>
    own.indexOf(name) < at
      ? [{ path: `formats.${at}.name`, message: `expected a name that no format before has, got ${shown(name)}` }]
      : [],
  );
  const unknown = namesIn(sources, 'format').flatMap((name, at) =>
    known.includes(name)
      ? []
      : [
          {
            path: `sources.${at}.format`,
            message: `expected auto or a format: ${[...shippedFormats, ...own].join(', ')}, got ${shown(name)}`,
          },
        ],
  );
  return [...twice, ...unknown];
}

function namesIn(list: unknown, key: string): (string | undefined)[] {
  return (Array.isArray(list) ? list : []).map((one) => {
    const name = valueAt(one, [key]);
    return typeof name === 'string' ? name : undefined;
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
