/** `gatetrail recognise FILE…`: how each record would be read; stores nothing. */
import { openGeo } from '../../ingest/geo.ts';
import { createDecoder } from '../../ingest/pipeline.ts';
import type { Decoder } from '../../ingest/decoder.ts';
import type { OnElement } from '../../ingest/drift.ts';
import { formatHeader } from '../../ingest/intake.ts';
import { deriveKey } from '../../core/keys.ts';
import { AuditError } from '../../core/errors.ts';
import { toEventJson } from '../event-json.ts';
import { gatewaysOf } from '../formats.ts';
import { assertReadable, contentOf } from '../import/files.ts';
import { cutContent } from '../import/cut.ts';
import { catalogueOf } from '../catalogue.ts';
import { loadIntakeRules, redactionOf } from '../decoder.ts';
import { configOf, exitCodes, print, text, type Verb } from '../verb.ts';
import { version } from '../version.ts';

const recognise: Verb = {
  description: 'shows how each record of the files would be read; stores nothing',
  arguments: ['<FILES...>'],
  options: { '--format <NAME>': 'read as this format, leave recognition out', '--events': 'print the bare events, which import takes' },
  async run(flags, files) {
    await assertReadable(files);
    const config = configOf(flags);
    const gateways = gatewaysOf(config.formats);
    const format = text(flags, 'format');
    if (format !== undefined && !gateways.has(format))
      throw new AuditError('BAD_USER_INPUT', `--format must be one of ${[...gateways.keys()].join(', ')}, not ${format}`);
    let found: Found = { test: '', also: [] };
    const onElement: OnElement = ({ format: name, test, value }, { recogniser }) => {
      found = { test, also: recogniser.matching(value).filter((other) => other !== name) };
    };
    const decoder = createDecoder({
      gateways,
      sources: config.sources,
      defaultTenant: config.tenant,
      intakeTopic: config.intake.topic,
      ...redactionOf(config),
      intakeRules: await loadIntakeRules(config.rules),
      // Nothing is stored, so no pseudonym is shown and the secret is not asked for.
      pseudonyms: deriveKey('recognise', 'pseudonyms'),
      credentials: deriveKey('recognise', 'credentials'),
      catalogue: await catalogueOf(config),
      geo: await openGeo(config.geoip),
      version,
      onElement,
    });
    let rejected = 0;
    for (const file of files)
      rejected += await show(file, decoder, {
        topic: config.intake.topic,
        format,
        found: () => found,
        events: flags['events'] === true,
        json: flags['json'] === true,
      });
    return rejected === 0 ? 0 : exitCodes.findings;
  },
};
export default recognise;

/** What an element was recognised by, and which formats match that come after. */
interface Found {
  readonly test: string;
  readonly also: readonly string[];
}

interface Showing {
  readonly topic: string;
  readonly format: string | undefined;
  /** Of the element at hand. */
  readonly found: () => Found;
  readonly events: boolean;
  readonly json: boolean;
}

/** Gives the number of elements that could not be read. */
async function show(file: string, decoder: Decoder, { topic, format, found, events, json }: Showing): Promise<number> {
  let rejected = 0;
  let message = 0;
  for await (const part of cutContent(contentOf(file))) {
    const place = { file, message };
    if ('oversize' in part) {
      rejected += 1;
      say({ ...place, index: 0, code: 'TOO_LARGE', message: `a message of ${part.oversize} bytes`, path: '' });
    } else {
      const headers = { ...part.headers, ...(format !== undefined && { [formatHeader]: format }) };
      decoder.decode({ offset: message, timestamp: -1, value: part.value, headers }, topic, Date.now(), {
        event: (event, _, index) =>
          events
            ? print(toEventJson(event))
            : say({ ...place, index, format: event.source_format, ...explained(found()), event: toEventJson(event) }),
        rejected: ({ index, code, message: why, path, detectedFormat }) => {
          rejected += 1;
          say({
            ...place,
            index,
            code,
            message: why,
            path: `$${path.replace(/^\$/, '')}`,
            ...(detectedFormat !== '' && { format: detectedFormat, ...explained(found()) }),
          });
        },
        skipped: (_, index, why) => say({ ...place, index, ...explained(found()), skipped: why }),
      });
    }
    message += 1;
  }
  return rejected;

  function say(line: Line): void {
    if (!events) print(json ? line : inWords(`${file}:${message}`, line));
  }
}

function explained({ test, also }: Found): Partial<Found> {
  return test === '' ? {} : { test, ...(also.length > 0 && { also }) };
}

/** What is told of an element. */
interface Line {
  readonly file: string;
  readonly index: number;
  /** Which message of the file; of a refused one, why. */
  readonly message: number | string;
  readonly format?: string;
  readonly test?: string;
  readonly also?: readonly string[];
  readonly event?: Readonly<Record<string, unknown>>;
  readonly code?: string;
  readonly path?: string;
  readonly skipped?: string;
}

/** One line for a person: where it stands, and what it was read as or why it was not. */
function inWords(where: string, { format, test, also, event, code, path, message, skipped }: Line): string {
  if (event === undefined) {
    const readAs = format === undefined ? '' : `; read as ${format}, recognised by ${test}`;
    return `${where} ${code === undefined ? `skipped: ${skipped}` : `${code} at ${path}: ${message}${readAs}`}`;
  }
  const { timestamp, http_request_method: method, url_path: target, http_response_status_code: status } = event;
  const words = [where, format, timestamp, method ?? '-', target ?? '-', status ?? '-'];
  return (also === undefined ? words : [...words, `(${also.join(', ')} would match too)`]).join(' ');
}
