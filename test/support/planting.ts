/** Secrets in records, by position: each fixture of each format is a record, and a position knows where in it a secret can stand. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Secret } from './secrets.ts';

type Message = unknown;

interface Fixture {
  readonly format: string;
  readonly message: Message;
  readonly requestId: string;
}

export interface Planted {
  readonly format: string;
  readonly position: string;
  readonly secret: Secret;
  /** Lines or one document, as they are posted. */
  readonly body: string;
}

interface Position {
  readonly name: string;
  /** Secrets that the product promises to know there. */
  readonly promised: (secret: Secret) => boolean;
  readonly plant: (fixture: Fixture, secret: string) => Message;
}

const folder = join(import.meta.dirname, '../fixtures/gateways');

/** Those that need no settings of their source, and come as text or JSON. */
function fixtures(): readonly Fixture[] {
  return readdirSync(folder).flatMap((format) =>
    readdirSync(join(folder, format)).flatMap((file) => {
      const { message, settings, headers, expected } = JSON.parse(readFileSync(join(folder, format, file), 'utf8')) as Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- fixtures have the shape that the contract test checks
      const row = expected.find(({ kind }: { kind: string }) => kind === 'event')?.row;
      const isPlain = row !== undefined && settings === undefined && headers === undefined && message?.gzip === undefined;
      return isPlain ? [{ format, message, requestId: String(row.request_id ?? '') }] : [];
    }),
  );
}

const always = () => true;
const inText = ({ knownIn }: Secret) => knownIn === 'any text';
const inPath = ({ knownIn }: Secret) => knownIn !== 'nothing';
const encoded = encodeURIComponent;
const twice = (text: string) => encoded(encoded(text));
const everySign = (text: string) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Routes that come from the configuration of a gateway: no request gets into them. */
const routes = /^(?:paths|route|routeKey|resourcePath|RouterName)$/i;

/** Every text of a message changed; keys stay. */
function changed(message: Message, change: (text: string) => string): Message {
  if (typeof message === 'string') return change(message);
  if (Array.isArray(message)) return message.map((each) => changed(each, change));
  if (typeof message !== 'object' || message === null) return message;
  if (routes.test(String((message as { key?: unknown }).key))) return message;
  return Object.fromEntries(Object.entries(message).map(([key, value]) => [key, routes.test(key) ? value : changed(value, change)]));
}

/** More keys in every object that `where` takes. */
function extended(message: Message, where: (key: string) => boolean, more: object, key = ''): Message {
  if (Array.isArray(message)) return message.map((each) => extended(each, where, more, key));
  if (typeof message !== 'object' || message === null) return message;
  const inside = Object.fromEntries(Object.entries(message).map(([name, value]) => [name, extended(value, where, more, name)]));
  return where(key) ? { ...inside, ...more } : inside;
}

const at =
  (find: RegExp, put: (found: string, secret: string) => string): Position['plant'] =>
  ({ message }, secret) =>
    changed(message, (text) => text.replaceAll(find, (found) => put(found, secret)));

const path = /\/(?:prod\/)?(?:v1\/)?(?:orders|stock|pets|login)(?:\/\d+)?(?=[?" \t]|$)/g;
/** A template that a gateway makes of the path. */
const route = /\/(?:v1\/)?(?:orders|stock)\/(?:\{id\}|:id)/g;
const agent = /okhttp\/4\.12\.0|curl\/8\.5\.0|Mozilla\/5\.0/g;
const host = /\bapi\.example\.com/g;

const positions: readonly Position[] = [
  // What stands in a query or behind a name is a value, whatever it looks like.
  ...Object.entries({
    'value of a query': at(path, (found, secret) => `${found}?token=${encoded(secret)}&x=`),
    'value of a query, encoded twice': at(path, (found, secret) => `${found}?q=${twice(secret)}&x=`),
    'value of a query, every sign encoded': at(path, (found, secret) => `${found}?q=${everySign(secret)}&x=`),
    'value of a query, behind a semicolon': at(path, (found, secret) => `${found}?page=1;t=${encoded(secret)}&x=`),
    'value of a query, of a list': at(path, (found, secret) => `${found}?ids[]=1&ids[]=${encoded(secret)}&x=`),
    'value of a query, without a key': at(path, (found, secret) => `${found}?=${encoded(secret)}&x=`),
    'value of a query, inside of JSON': at(path, (found, secret) => `${found}?f=${encoded(JSON.stringify({ a: { b: [secret] } }))}&x=`),
    'value of a query that was there': at(/\b(?:page|sku|verbose|dry)=\w+/g, (found, secret) => `secret=${encoded(secret)}&${found}`),
    'parameter of a segment': at(path, (found, secret) => `${found};jsessionid=${encoded(secret)}`),
    'parameter that is a segment': at(path, (found, secret) => `${found}/token=${encoded(secret)}`),
    'query behind an encoded question mark': at(path, (found, secret) => `${found}%3Ftoken%3D${encoded(secret)}`),
    'query of a route': at(route, (found, secret) => `${found}?token=${encoded(secret)}`),
    'parameter of a route': at(route, (found, secret) => `${found};jsessionid=${encoded(secret)}`),
    fragment: at(path, (found, secret) => `${found}#access_token=${encoded(secret)}`),
    'user info of a host': at(host, (found, secret) => `anna:${encoded(secret)}@${found}`),
    'user info of a target': at(path, (found, secret) => `https://anna:${encoded(secret)}@api.example.com${found}`),
    'user agent, behind a name': at(agent, (found, secret) => `${found} password=${encoded(secret)}`),
    'user agent, inside of JSON': at(agent, (found, secret) => `${found} ${quoted({ token: secret })}`),
    'user agent, inside of a URL': at(
      agent,
      (found, secret) => `${found} (+https://anna:${encoded(secret)}@example.com/?k=${encoded(secret)})`,
    ),
    referer: at(
      /https:\/\/shop\.example\.com/g,
      (_, secret) => `https://anna:${encoded(secret)}@shop.example.com/${encoded(secret)}?a=${encoded(secret)}#${encoded(secret)}`,
    ),
    headers: ({ message }: Fixture, secret: string) =>
      extended(message, (key) => /headers?$/i.test(key), {
        authorization: `Bearer ${secret}`,
        Cookie: [`sid=${secret}`],
        'x-api-key': secret,
        'set-cookie': `sid=${secret}; Path=/`,
        'x-something': secret,
      }),
    'fields that no format has': ({ message }: Fixture, secret: string) =>
      extended(message, always, { x_token: secret, x_secrets: { deep: [{ password: [secret] }], text: JSON.stringify({ secret }) } }),
    bodies: ({ message }: Fixture, secret: string) =>
      extended(message, (key) => key !== 'attributes', {
        body: `{"password":${JSON.stringify(secret)}}`,
        raw_request: base64(`POST /login HTTP/1.1\r\n\r\npassword=${secret}`),
        raw_response: base64(secret),
        req_body: encoded(secret),
      }),
    'where gateways write raw keys': at(/raw-[a-z-]+-never-stored/g, (_, secret) => secret),
    'unreadable time': at(/2026-11-24|24\/Nov\/2026/g, (_, secret) => secret),
    // Of a line a half can be a line of another format, and then a client wrote what stands at its end.
    'broken document': ({ message }: Fixture, secret: string) =>
      typeof message === 'string' ? message : `${JSON.stringify(message).slice(0, -9)} "${secret}": ${JSON.stringify(secret)}`,
    'record of no format': (_: Fixture, secret: string) => ({ hello: { world: [secret] }, password: secret, [secret]: 1 }),
    'line of no format': (_: Fixture, secret: string) => `${secret} came, and password=${encoded(secret)}`,
  }).map(([name, plant]) => ({ name, promised: always, plant })),
  // A word of a path is kept unless it looks like a key; so is a key of a query.
  ...Object.entries({
    'segment of a path': at(path, (found, secret) => `${found}/${encoded(secret)}`),
    'segment of a path, encoded twice': at(path, (found, secret) => `${found}/${twice(secret)}`),
    'segment of a path, behind an encoded slash': at(path, (found, secret) => `${found}%2F${encoded(secret)}`),
    'segment of a route': at(route, (found, secret) => `${found}/${encoded(secret)}`),
    'segment of a route, encoded twice': at(route, (found, secret) => `${found}/${twice(secret)}`),
    'key of a query': at(path, (found, secret) => `${found}?${encoded(secret)}`),
  }).map(([name, plant]) => ({ name, promised: inPath, plant })),
  // A free text is kept but for what has the shape of a secret.
  ...Object.entries({
    'value of a query that is allowed': at(path, (found, secret) => `${found}?page=${encoded(secret)}&x=`),
    'user agent': at(agent, (found, secret) => `${found} (${secret})`),
    'user agent, encoded': at(agent, (found, secret) => `${found} ${encoded(secret)}`),
    'user agent, encoded twice': at(agent, (found, secret) => `${found} ${twice(secret)}`),
    'forwarded list': at(/198\.51\.100\.\d+/g, (found, secret) => `${encoded(secret)}, ${found}`),
    'id of the request': ({ message, requestId }: Fixture, secret: string) =>
      requestId === '' ? message : changed(message, (text) => text.replaceAll(requestId, encoded(secret))),
    method: at(/\b(?:GET|POST)\b/g, (_, secret) => encoded(secret)),
    consumer: at(/\b(?:shop-app|warehouse|alice)\b/g, (found, secret) => `${found} ${encoded(secret)}`),
  }).map(([name, plant]) => ({ name, promised: inText, plant })),
];

/** As web servers write quotes inside of quotes. */
const quoted = (value: object) => JSON.stringify(value).replaceAll('"', String.raw`\x22`);

const textOf = (message: Message): string => (typeof message === 'string' ? message : JSON.stringify(message));

/** Each secret at each position that knows it, in the formats and fixtures by turns. */
export function plant(secrets: readonly Secret[]): readonly Planted[] {
  const all = fixtures();
  return positions.flatMap(({ name, promised, plant: put }) => {
    const takes = (fixture: Fixture) => textOf(put(fixture, 'a-secret')) !== textOf(fixture.message);
    const places = byTurns(all.filter(takes));
    return secrets.filter(promised).map((secret, index) => {
      const fixture = places[index % places.length];
      if (fixture === undefined) throw new Error(`no format has the position ${name}`);
      return { format: fixture.format, position: name, secret, body: textOf(put(fixture, secret.text)) };
    });
  });
}

/** The first of each format, then the second of each, and so on. */
function byTurns(all: readonly Fixture[]): readonly Fixture[] {
  const seen = new Map<string, number>();
  const turns = all.map((fixture) => {
    const turn = seen.get(fixture.format) ?? 0;
    seen.set(fixture.format, turn + 1);
    return { fixture, turn };
  });
  return turns.toSorted((a, b) => a.turn - b.turn).map(({ fixture }) => fixture);
}

export const positionNames = positions.map(({ name }) => name);
