/** What log shippers put around a record: objects with the record inside, and words in front of a line. */
import { isObject, type Json } from '../core/fields.ts';
import { maxElementBytes } from './element-size.ts';

/** What an object is opened to. A text is opened only where it can be read: beside other words it is no wrapper. */
export interface Opened {
  readonly contents: readonly unknown[];
  /** Whether a text among them is a record for sure, so that one which cannot be read is its own fault. */
  readonly isSure: boolean;
  /** What the envelope says, as attributes of each event. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Nothing inside is a request. */
  readonly skipped?: string;
}

type Wrapper = (document: Json) => Opened | null;

const sure = (contents: readonly unknown[]): Opened => ({ contents, isSure: true });
const text = (value: unknown): Opened | null => (typeof value === 'string' && value !== '' ? { contents: [value], isSure: false } : null);

/** In this order. Sources: gateways' and shippers' own documentation, by the name in front. */
const wrappers: readonly Wrapper[] = [
  // Azure diagnostic settings.
  ({ records }) => (Array.isArray(records) ? sure(records) : null),
  // Amazon CloudWatch Logs, subscription filters.
  ({ messageType, logEvents }) => {
    if (!Array.isArray(logEvents) || typeof messageType !== 'string') return null;
    const contents = logEvents.map((each) => (isObject(each) ? (each['message'] ?? null) : each));
    return { ...sure(contents), ...(messageType === 'CONTROL_MESSAGE' && { skipped: 'not a request: a control message' }) };
  },
  // CloudEvents, structured mode.
  ({ specversion, data, id, source }) =>
    typeof specversion === 'string' && data !== undefined ? { ...sure([data]), attributes: cloudEvent(id, source) } : null,
  // Elasticsearch documents.
  ({ _source: source }) => (isObject(source) ? sure([source]) : null),
  // Tyk pump, stdout.
  (document) => (isObject(document['tyk-analytics-record']) ? sure([document['tyk-analytics-record']]) : null),
  // Elastic Common Schema: the line as it was before somebody parsed it.
  (document) => text(document['event.original'] ?? (isObject(document['event']) ? document['event']['original'] : undefined)),
  // Filebeat, Vector.
  ({ message }) => text(message),
  // Fluent Bit, Docker json-file.
  ({ log }) => text(log),
];

/** Of several texts the first that is readable: one that a parser has taken apart may stand beside the line that it came from. */
export function openWrapper(document: Json, isReadable: (text: string) => boolean): Opened | null {
  for (const wrapper of wrappers) {
    const opened = wrapper(document);
    if (opened !== null && (opened.isSure || opened.contents.every((content) => isReadable(String(content))))) return opened;
  }
  return null;
}

/** The two attributes that name a CloudEvent. They never identify an event of ours. */
export function cloudEvent(id: unknown, source: unknown): Record<string, string> {
  return {
    ...(typeof id === 'string' && { cloudevents_event_id: id }),
    ...(typeof source === 'string' && { cloudevents_event_source: source }),
  };
}

const cri = /^\d{4}-\d\d-\d\dT\S{1,40} (?:stdout|stderr) [FP] /;
// RFC 5424: priority and version, then time, host, program, process, message id, and structured data; RFC 3164: priority, time,
// maybe a host, and a tag.
const syslog5424 = /^<\d{1,3}>\d \S{1,64} \S{1,255} \S{1,48} \S{1,128} \S{1,32} (?:-|(?:\[(?:[^\]\\"]|"(?:[^"\\]|\\.)*")*\])+) ?\ufeff?/;
const syslog3164 = /^(?:<\d{1,3}>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?:\S{1,255} )?[\w./-]{1,48}(?:\[\d{1,10}\])?: /;
// Of rsyslog, RSYSLOG_FileFormat and RSYSLOG_ForwardFormat: as of RFC 3164, with a time of RFC 3339 and always a host. Source:
// rsyslog.com/doc, reserved template names.
const rsyslog = /^(?:<\d{1,3}>)?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) \S{1,255} [\w./-]{1,48}(?:\[\d{1,10}\])?: /;
// A priority alone, as on stderr for systemd. Source: sd-daemon(3); haproxy/haproxy, doc/configuration.txt, `log`, format short.
const priority = /^<\d{1,3}>/;

/** A line without what a container runtime or syslog put in front of it. One that is too long to be read stays as it is. */
export function withoutPrefix(line: string): string {
  if (line.length > maxElementBytes) return line;
  const bare = line.replace(cri, '');
  return bare[0] === '<' || /^[A-Z]/.test(bare) ? bare.replace(syslog5424, '').replace(syslog3164, '') : bare;
}

/** Also without what no line of a format that is built in begins with; a pattern of the configuration may ask for it. */
export function withoutAnyPrefix(line: string): string {
  const bare = withoutPrefix(line);
  if ((bare[0] !== '<' && bare[4] !== '-') || bare.length > maxElementBytes) return bare;
  return bare.replace(rsyslog, '').replace(priority, '');
}
