// What a record of each format costs beyond the parser: unwrap, recognise, map and redact, as a ratio to JSON.parse of the same
// bytes, or to the split of a line. The records are those of the fixtures, with other ids, addresses and numbers in paths each.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deriveKey } from '../dist/core/keys.js';
import { loadGateways } from '../dist/ingest/pipeline.js';
import { createRecognisers } from '../dist/ingest/recognise.js';
import { createRedaction } from '../dist/ingest/redact.js';
import { createOrigins } from '../dist/ingest/source.js';
import { unwrap } from '../dist/ingest/unwrap.js';
import { emptyEvent } from '../dist/schemas/event.js';
import { median } from './steady.mjs';
import { round } from './table.mjs';

const folder = join(import.meta.dirname, '../test/fixtures/gateways');
/** One gateway writes records of few shapes. */
const shapes = 3;
const redact = createRedaction({ allowedQueryKeys: new Set(['page']) });

export async function measureFormats({ records, rounds }, print) {
  const gateways = await loadGateways();
  const rows = [];
  for (const format of readdirSync(folder).toSorted()) {
    for (const form of ['json', 'text']) {
      const messages = messagesOf(format, form, records);
      if (messages.length === 0) continue;
      const row = { format, form, ...measureOne({ format, form, messages, rounds, gateways }) };
      rows.push(row);
      print(JSON.stringify(row));
    }
  }
  const json = rows.filter(({ form }) => form === 'json');
  return {
    table: rows.map(({ format, form, bytes, floorUs, ratio, pinned }) => ({
      format: `${format}, ${form}`,
      'bytes a record': bytes,
      'floor, us': floorUs,
      'all beside it ÷ floor': ratio,
      'recognition, pinned ÷ floor': pinned,
    })),
    ratios: {
      'JSON formats, median': median(json.map(({ ratio }) => ratio)),
      'JSON formats, worst': Math.max(...json.map(({ ratio }) => ratio)),
      'recognition of a pinned source, worst JSON format': Math.max(...json.map(({ pinned }) => pinned)),
    },
  };
}

/** The fullest fixtures that are one record each, which is a request. */
function messagesOf(format, form, records) {
  const originals = readdirSync(join(folder, format))
    .map((file) => JSON.parse(readFileSync(join(folder, format, file), 'utf8')))
    .filter(({ expected, settings = {} }) => settings.fields === undefined && expected.length === 1 && expected[0].kind === 'event')
    .filter(({ message }) => (typeof message === 'string' && !/^\s*(?:\{|\[\s*[{[])/.test(message) ? 'text' : 'json') === form)
    .map(({ message, settings }) => ({ text: typeof message === 'string' ? message : JSON.stringify(message), settings }))
    .toSorted((a, b) => b.text.length - a.text.length)
    .slice(0, shapes);
  if (originals.length === 0) return [];
  return Array.from({ length: records }, (_, at) => {
    const { text, settings } = originals[at % originals.length];
    return { value: Buffer.from(varied(text, at)), settings };
  });
}

/** The same record of another request: ids, the last part of IPv4 addresses and numbers in paths are new, lengths are the same. */
function varied(text, seed) {
  let state = (seed + 1) * 2_654_435_761;
  const next = () => (state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) >>> 0);
  return text
    .replaceAll(/[0-9a-f]{8,}(?:-[0-9a-f]{4,})*/g, (id) =>
      /[a-f]/.test(id) ? id.replaceAll(/[0-9a-f]/g, () => (next() % 16).toString(16)) : id,
    )
    .replaceAll(/\b(\d{1,3}\.\d{1,3}\.\d{1,3}\.)\d{1,3}\b/g, (_, network) => `${network}${10 + (next() % 90)}`)
    .replaceAll(/(?<!\d)\/(\d{2,6})(?=[/?" ])/g, (_, number) => `/${String(next()).padStart(6, '1').slice(0, number.length)}`);
}

function measureOne({ format, form, messages, rounds, gateways }) {
  const floorOf = form === 'json' ? (value) => JSON.parse(value.toString()) : (value) => value.toString().split(' ');
  const recogniserOf = createRecognisers(gateways);
  const work = messages.map(({ value, settings }) => ({ value, origin: originWith(settings) }));
  let seen = 0;
  const all = () => {
    for (const { value, origin } of work) seen += readOne(value, origin, recogniserOf);
  };
  const floor = () => {
    for (const { value } of work) seen += floorOf(value) === null ? 1 : 0;
  };
  const recognise = recognition(recogniserOf(format), form, messages);
  const runs = [];
  for (let at = -2; at < rounds; at += 1) {
    const [floorS, allS, pinnedS] = [cpuOf(floor), cpuOf(all), cpuOf(recognise)];
    if (at >= 0) runs.push({ floorS, ratio: (allS - floorS) / floorS, pinned: pinnedS / floorS }); // the first ones warm up
  }
  if (seen !== (rounds + 2) * messages.length) throw new Error(`${format}: ${seen} events were read`);
  return {
    bytes: Math.round(messages.reduce((sum, { value }) => sum + value.length, 0) / messages.length),
    floorUs: round((median(runs.map(({ floorS }) => floorS)) / messages.length) * 1e6),
    ratio: round(median(runs.map(({ ratio }) => ratio))),
    pinned: round(median(runs.map(({ pinned }) => pinned)), 4),
  };
}

/** As the decoder does it, without what every event gets whatever its format. */
function readOne(value, origin, recogniserOf) {
  const elements = unwrap(value, { recogniser: recogniserOf(origin.format), columns: origin.columns, attributes: origin.attributes });
  let events = 0;
  for (const element of elements) {
    if (element.skips() !== '') continue;
    const event = emptyEvent();
    element.read(event, origin.settings);
    redact(event);
    events += 1;
  }
  return events;
}

function recognition(recogniser, form, messages) {
  const values = messages.map(({ value }) => (form === 'json' ? JSON.parse(value.toString()) : value.toString()));
  return () => {
    for (const value of values) recogniser[form](value);
  };
}

const origins = new Map();

function originWith(settings = {}) {
  const key = JSON.stringify(settings);
  if (!origins.has(key)) origins.set(key, makeOrigin(settings));
  return origins.get(key);
}

function makeOrigin(settings) {
  const originOf = createOrigins({
    sources: [{ topic: 'edge', ...settings }],
    defaultTenant: 'default',
    intakeTopic: 'in',
    credentials: deriveKey('bench', 'credentials'),
  });
  return originOf({ headers: {} }, 'edge');
}

/** CPU seconds of this process. */
function cpuOf(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
