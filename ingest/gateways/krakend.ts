/**
 * KrakenD: the access line of its router, gin, on stdout. The time is taken after the response, to the second and without a zone;
 * the latency is a duration as Go writes it. Source: krakend.io/docs/logging; gin-gonic/gin, logger.go, defaultLogFormatter.
 */
import { readAddress } from '../../core/address.ts';
import { statusOf } from '../../core/fields.ts';
import { type Gateway, type JsonFormat, ReadFailure, type TextFormat } from '../gateway.ts';
import { textOfBytes } from '../server-logs.ts';
import { readTarget } from '../targets.ts';
import { endedAt, goMillis, isoMicros } from '../times.ts';

const line =
  /^\[GIN\] (\d{4})\/(\d\d)\/(\d\d) - (\d\d:\d\d:\d\d) \| {1,8}(\d{1,3}) \| {1,32}([^\s|]+) {1,32}\| {1,64}(?:([^\s|]+) {1,64})?\| ?(\S+) +(.*)$/s;

const test = '[GIN] day - time | status | latency | client | method "path"';

// What shares the output: messages of KrakenD, those of gin, and the errors of a request on lines behind it.
const others = /^(?:\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d |\[KRAKEND\] |\[GIN-debug\] |Error #\d)/;

const format: TextFormat = {
  order: 80,
  test,
  recognises: (text) => text.startsWith('[GIN] ') && line.test(withoutColours(text)),
  skips: (text) => (others.test(text) ? 'not a request: a message of KrakenD or of its router' : ''),
  read(text, event, { timeZone }) {
    const parts = line.exec(withoutColours(text));
    if (parts === null) throw new ReadFailure('BAD_FIELD', '', `expected: ${test}`);
    const [, year, month, day, time, status, latency = '', client = '', method = '', path = ''] = parts;
    event.gateway_kind = 'krakend';
    event.duration_ms = goMillis(latency);
    endedAt(isoMicros(`${year}-${month}-${day}T${time}`, '$.time', timeZone), event);
    event.http_response_status_code = statusOf(status);
    event.client_address = readAddress(client);
    event.http_request_method = method;
    // Older versions of gin do not quote it.
    readTarget(path[0] === '"' ? goUnquoted(path) : path, event);
  },
};

/** Its own messages in the layout of Logstash. */
const messages: JsonFormat = {
  order: 161,
  test: '`@version` 1, and `module` KRAKEND: a message of KrakenD, which is skipped',
  recognises: (record) => record['@version'] === 1 && record['module'] === 'KRAKEND',
  skips: (record) => (record['module'] === 'KRAKEND' ? 'not a request: a message of KrakenD' : ''),
  read() {
    throw new ReadFailure('BAD_FIELD', '', 'expected a line of text, as KrakenD writes requests; a JSON object came');
  },
};
const gateway: Gateway = { json: messages, text: format };
export default gateway;

const escape = String.fromCharCode(0x1b);
const colours = new RegExp(`${escape}\\[[\\d;]{0,12}m`, 'g');

/** gin colours status, latency and method on a terminal. */
const withoutColours = (text: string): string => (text.includes(escape) ? text.replaceAll(colours, '') : text);

const signs: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '"': '"', '\\': '\\' };

/** A text as Go quotes it; a line that was cut has no quote at its end. Source: pkg.go.dev/strconv, Quote. */
function goUnquoted(quoted: string): string {
  const text = quoted.slice(1, quoted.endsWith('"') ? -1 : undefined);
  if (!text.includes('\\')) return text;
  return text.replaceAll(
    /((?:\\x[\da-f]{2})+)|\\u([\da-f]{4})|\\U(00(?:0[\da-f]|10)[\da-f]{4})|\\([abfnrtv"\\])/g,
    (_, bytes: string | undefined, short: string | undefined, long: string | undefined, sign: string) => {
      if (bytes !== undefined) return textOfBytes(bytes);
      return signs[sign] ?? String.fromCodePoint(Number.parseInt(short ?? long ?? '', 16));
    },
  );
}
