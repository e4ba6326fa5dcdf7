// What a gateway's records give of the canonical event, counted over its fixtures: through the readers of dist/, before redaction and
// enrichment, so that it is what the gateway says and nothing of ours.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '..');
const dist = (file) => import(pathToFileURL(join(root, 'dist', file)).href);
const { loadGateways } = await dist('ingest/pipeline.js');
const { createRecognisers } = await dist('ingest/recognise.js');
const { unwrap } = await dist('ingest/unwrap.js');
const { createOrigins } = await dist('ingest/source.js');
const { deriveKey } = await dist('core/keys.js');
const { emptyEvent, timeSources } = await dist('schemas/event.js');

const fixtureFolder = join(root, 'test/fixtures/gateways');
/** A second form with fewer records in the fixtures is an oddity of the first, as the JSON of NGINX that is none. */
const leastOfSecondForm = 3;

/** Per form, `json` or `text`, the events of its records. */
function eventsOf(gateways, name) {
  const recogniserOf = createRecognisers(gateways);
  const events = { json: [], text: [] };
  for (const { message, settings = {}, expected } of fixturesOf(name)) {
    if ('fields' in settings || 'formats' in settings) continue; // a layout of the configuration, not the gateway's own
    const origin = originOf(settings);
    for (const [index, element] of elementsOf(message, recogniserOf(origin.format), origin.columns).entries()) {
      if (expected[index]?.kind !== 'event' || element.format !== name) continue;
      const event = emptyEvent();
      element.read(event, origin.settings);
      events[typeof element.value === 'string' ? 'text' : 'json'].push(event);
    }
  }
  return events;
}

const credentials = deriveKey('no record is stored, so no key is hidden', 'credentials');

/** What the configuration says of the source of a fixture. */
function originOf(settings) {
  const sources = [{ topic: 'fixture', ...settings }];
  return createOrigins({ sources, defaultTenant: '', intakeTopic: 'none', credentials })({ headers: {} }, 'fixture');
}

const fixturesOf = (name) =>
  readdirSync(join(fixtureFolder, name))
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(fixtureFolder, name, file), 'utf8')));

/** None of a message that is refused as a whole. */
function elementsOf(message, recogniser, columns) {
  try {
    return unwrap(bytesOf(message), { recogniser, columns, attributes: {} });
  } catch {
    return [];
  }
}

/** A text as its bytes, anything else as JSON; `{"gzip": …}` compressed. */
function bytesOf(message) {
  if (message?.gzip !== undefined) return gzipSync(bytesOf(message.gzip));
  return Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
}

/**
 * Per gateway its formats as they are recognised, and per form that it gives events in: how many records there were, the words of
 * `time_source`, and for each field `most` (of at least half of the records), `some` or `never`.
 */
export async function coverages() {
  const gateways = await loadGateways();
  return [...gateways].map(([name, gateway]) => ({
    name,
    gateway,
    forms: formsOf(eventsOf(gateways, name)),
  }));
}

function formsOf(events) {
  const forms = Object.entries(events).filter(([, list]) => list.length > 0);
  const shown = forms.filter(([, list]) => forms.length === 1 || list.length >= leastOfSecondForm);
  return Object.fromEntries(shown.map(([form, list]) => [form, coverageOf(list)]));
}

function coverageOf(events) {
  const given = Object.fromEntries(
    Object.keys(emptyEvent()).map((field) => {
      const count = events.filter((event) => isGiven(event, field)).length;
      return [field, count * 2 >= events.length ? 'most' : count > 0 ? 'some' : 'never'];
    }),
  );
  return {
    records: events.length,
    timeSources: timeSources.filter((source) => events.some((event) => event.time_source === source)),
    given,
  };
}

/** The time inside the gateway is worked out of the two others where it does not say it. */
function isGiven(event, field) {
  if (field === 'gateway_duration_ms') return event[field] !== null || (event.duration_ms !== null && event.upstream_duration_ms !== null);
  const value = event[field];
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : value !== '' && value !== null;
}

/** Names of the formats of a form, in the order in which they are tried. */
export const orderOf = (gateways, form) =>
  [...gateways]
    .filter(([, gateway]) => gateway[form] !== undefined && gateway[form].order < Infinity)
    .toSorted(([, a], [, b]) => a[form].order - b[form].order)
    .map(([name]) => name);
