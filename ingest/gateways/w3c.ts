/**
 * W3C extended log files, as IIS and CloudFront write them: a line of `#Fields` names the columns of those behind it, a dash is an
 * absent value. Date and time are UTC, and those of the end. `time-taken` is milliseconds for IIS and seconds for others; sizes are
 * on the wire. Source: w3.org/TR/WD-logfile; learn.microsoft.com, W3C Logging; docs.aws.amazon.com, CloudFront, standard logs.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, numberOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { decideClient, readForwarded } from '../forwarded.ts';
import { type Gateway, ReadFailure, type TextFormat } from '../gateway.ts';
import { readReferer } from '../headers.ts';
import { dashed, readStatus } from '../server-logs.ts';
import { hostOf, versionOf } from '../targets.ts';
import { isoDayMs } from '../calendar.ts';
import { endedAt, isoMicros, millisFromSeconds } from '../times.ts';

const directive = /^#(?:Version|Fields|Software|Start-Date|End-Date|Date|Remark):/;

const format: TextFormat = {
  order: 10,
  test: 'a directive, as #Fields:, and the lines behind it',
  recognises: (text) => directive.test(text),
  columns: (text) => (text.startsWith('#Fields:') ? text.slice(8).trim().split(/\s+/) : null),
  skips: (text) => (text[0] === '#' ? 'not a request: a directive or a remark of the file' : ''),
  read(text, event, source) {
    const line = lineOf(text, source.columns);
    event.gateway_kind = line.writer;
    readEnd(line, event);
    readRequest(line, event);
    event.client_address = readAddress(line.value('c-ip'));
    readForwarded(line.text('x-forwarded-for'), event);
    decideClient(event, source);
    readStatus(line.value('sc-status'), event);
    event.http_request_size = countOf(line.value('cs-bytes'));
    event.http_response_size = countOf(line.value('sc-bytes'));
    event.http_response_body_size = countOf(line.value('sc-content-len'));
    event.consumer_name = line.value('cs-username');
    event.user_agent_original = line.text('cs(user-agent)');
    readReferer(line.value('cs(referer)'), event);
    readAnswer(line, event);
  },
};
const gateway: Gateway = { text: format };
export default gateway;

type Writer = 'iis' | 'cloudfront' | 'w3c';

interface Layout {
  readonly writer: Writer;
  /** Places of the columns, by their names in lower case. */
  readonly places: ReadonlyMap<string, number>;
}

interface Line {
  readonly writer: Writer;
  /** As it is written, '' where there is none. */
  value(column: string): string;
  /** Of a text that a client sent, with the blanks that stood in it. */
  text(column: string): string;
}

/** @throws ReadFailure BAD_FIELD: one value more or less, and each would stand under the name of another. */
function lineOf(text: string, columns: readonly string[]): Line {
  if (columns.length === 0) throw new ReadFailure('BAD_FIELD', '', 'expected #Fields in front, or columns in the settings of the source');
  // A blank or a tab, by what stands behind the first value: the others can be a client's, with either in them.
  const values = text.split(/[ \t]/.exec(text)?.[0] ?? ' ');
  if (values.length !== columns.length)
    throw new ReadFailure('BAD_FIELD', '', `expected ${columns.length} values, as there are columns; ${values.length} came`);
  const { writer, places } = layoutOf(columns);
  const value = (column: string) => dashed(values[places.get(column) ?? -1] ?? '');
  return { writer, value, text: (column) => decoded(value(column), writer) };
}

const layouts = new WeakMap<readonly string[], Layout>();

/** Worked out once for the lines that share it. */
function layoutOf(columns: readonly string[]): Layout {
  let layout = layouts.get(columns);
  if (layout === undefined) {
    const names = columns.map((column) => column.toLowerCase());
    layout = { writer: writerOf(names), places: new Map(names.map((name, place) => [name, place])) };
    layouts.set(columns, layout);
  }
  return layout;
}

/** CloudFront has none of them, nor has Tomcat, which counts seconds and writes `s-ip`: tomcat.apache.org, ExtendedAccessLogValve. */
const ofIis: ReadonlySet<string> = new Set(['s-port', 'sc-substatus', 'sc-win32-status', 's-sitename', 's-computername']);

function writerOf(columns: readonly string[]): Writer {
  if (columns.some((column) => column.startsWith('x-edge-'))) return 'cloudfront';
  return columns.some((column) => ofIis.has(column)) ? 'iis' : 'w3c';
}

/** CloudFront encodes blanks as a URL does, some of its texts twice; IIS writes a plus for them. */
function decoded(text: string, writer: Writer): string {
  if (writer !== 'cloudfront') return text.replaceAll('+', ' ');
  const once = percentDecoded(text);
  return once.includes('%20') ? percentDecoded(once) : once;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `#Date` says when the file was begun, not on which day a request came: no column of it is replaced. @throws ReadFailure */
function readEnd({ writer, value }: Line, event: CanonicalEvent): void {
  const [date, time, taken] = [value('date'), value('time'), value('time-taken')];
  if (date === '' || time === '')
    throw new ReadFailure('MISSING_TIME', date === '' ? '$.date' : '$.time', 'expected a date and a time, one of them is absent');
  if (date.length !== 10 || Number.isNaN(isoDayMs(date)))
    throw new ReadFailure('BAD_TIME', '$.date', 'expected a date like 2026-11-22, something else came');
  event.duration_ms = writer === 'iis' ? durationOf(taken) : millisFromSeconds(numberOf(taken));
  endedAt(isoMicros(`${date}T${time}Z`, '$.time'), event);
}

function readRequest({ value }: Line, event: CanonicalEvent): void {
  event.http_request_method = value('cs-method');
  event.url_path = value('cs-uri-stem');
  event.url_query = value('cs-uri-query');
  event.url_scheme = value('cs-protocol');
  // Of CloudFront, cs(Host) is the name of the distribution, whatever host was asked for.
  event.server_address = hostOf(value('x-host-header') || value('cs-host') || value('cs(host)'));
  event.network_protocol_version = versionOf(value('cs-version') || value('cs-protocol-version'));
}

/** What CloudFront alone writes. */
function readAnswer({ value, text }: Line, event: CanonicalEvent): void {
  event.tls_protocol_version = value('ssl-protocol');
  event.tls_cipher = value('ssl-cipher');
  event.request_id = value('x-edge-request-id');
  if (value('x-edge-result-type') === 'Error') event.error_type = value('x-edge-detailed-result-type');
  const contentType = text('sc-content-type');
  if (contentType !== '') event.attributes['content_type'] = contentType;
}
