/** A YAML file of the catalogue as plain values, and the faults that are found in it: all of them, each with its line. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { AuditError, messageOf } from '../core/errors.ts';
import { isObject, type Json, own } from '../core/fields.ts';

type Place = readonly (string | number)[];

/** Values by name, somewhere in the file. */
export interface Entry {
  readonly values: Json;
  readonly place: Place;
  /** What was expected and what came, of what stands below this entry. */
  fault(below: Place, message: string): void;
}

export interface CatalogueFault {
  /** `apis[0].routes[2]`. */
  readonly path: string;
  /** `catalogue.yaml:3`. */
  readonly from: string;
  readonly message: string;
}

/** @throws CONFIG_INVALID with every fault that the file has or `read` found, in the message and in the facts */
export async function readEntries<Result>(file: string, read: (entry: Entry) => Promise<Result>): Promise<Result> {
  const lines = new LineCounter();
  const name = basename(file);
  const document = parseDocument(await textOfFile(file), { lineCounter: lines });
  assertNone(
    file,
    document.errors.map(({ message }) => ({ path: '', from: name, message: message.split('\n')[0] ?? message })),
  );
  const lineOf = (place: Place): string => {
    for (let length = place.length; length > 0; length -= 1) {
      const node = document.getIn(place.slice(0, length), true);
      if (isNode(node) && node.range) return `:${lines.linePos(node.range[0]).line}`;
    }
    return '';
  };
  const found: CatalogueFault[] = [];
  const fault = (place: Place, message: string) => {
    found.push({ path: pathOf(place), from: `${name}${lineOf(place)}`, message });
  };
  const values = plainValues(document, (message) => fault([], message));
  if (!isObject(values)) fault([], 'expected apis, plans and consumers by name');
  const result = await read({ values: isObject(values) ? values : {}, place: [], fault });
  assertNone(file, found);
  return result;
}

/** An alias of nothing, and one of too much, show up only here. */
function plainValues(document: ReturnType<typeof parseDocument>, fault: (message: string) => void): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    fault(messageOf(error));
    return {};
  }
}

async function textOfFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const message = `cannot be read: ${messageOf(error)}`;
    const faults: CatalogueFault[] = [{ path: '', from: file, message }];
    throw new AuditError('CONFIG_INVALID', `The catalogue ${file} ${message}`, { cause: error, facts: { faults } });
  }
}

function assertNone(file: string, faults: readonly CatalogueFault[]): void {
  if (faults.length === 0) return;
  const count = `${faults.length} fault${faults.length === 1 ? '' : 's'}`;
  const lines = faults.map(({ path, from, message }) => `  ${from}: ${path === '' ? '' : `${path}: `}${message}`);
  throw new AuditError('CONFIG_INVALID', `The catalogue ${file} has ${count}:\n${lines.join('\n')}`, { facts: { faults } });
}

/** `apis[0].routes[2]`. */
function pathOf(place: Place): string {
  return place.map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${step}`)).join('');
}

/** Names that nobody reads are typing errors. */
export function onlyKnown(entry: Entry, known: readonly string[]): void {
  for (const key of Object.keys(entry.values)) if (!known.includes(key)) entry.fault([key], `expected one of ${known.join(', ')}`);
}

export function entryBelow({ place, fault }: Entry, below: Place, values: Json): Entry {
  return { values, place: [...place, ...below], fault: (deeper, message) => fault([...below, ...deeper], message) };
}

/** '' without one. */
export function textAt(entry: Entry, key: string): string {
  const value = entry.values[key];
  if (value === undefined || value === null) return '';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  entry.fault([key], `expected a text, got ${JSON.stringify(value)}`);
  return '';
}

/** '' without one. */
export function wordAt<Word extends string>(entry: Entry, key: string, words: readonly Word[]): Word | '' {
  const text = textAt(entry, key);
  const word = words.find((each) => each === text);
  if (word === undefined && text !== '') entry.fault([key], `expected ${words.join(' or ')}, got ${text}`);
  return word ?? '';
}

export function flagAt(entry: Entry, key: string): boolean | undefined {
  const value = entry.values[key];
  if (typeof value === 'boolean' || value === undefined) return value;
  entry.fault([key], `expected true or false, got ${JSON.stringify(value)}`);
  return undefined;
}

/** Empty without one. */
export function listAt(entry: Entry, key: string): readonly unknown[] {
  const value = entry.values[key];
  if (Array.isArray(value)) return value;
  if (value !== undefined && value !== null) entry.fault([key], `expected a list, got ${JSON.stringify(value)}`);
  return [];
}

/** Empty without one. */
export function objectAt({ values, fault }: Entry, key: string): Json {
  const value = own(values, key);
  if (isObject(value)) return value;
  if (value !== undefined && value !== null) fault([key], `expected values by name, got ${JSON.stringify(value)}`);
  return {};
}

export function textsAt(entry: Entry, key: string): readonly string[] {
  return listAt(entry, key).flatMap((each, at) => {
    if (typeof each === 'string' || typeof each === 'number') return [String(each)];
    entry.fault([key, at], `expected a text, got ${JSON.stringify(each)}`);
    return [];
  });
}

export function entriesAt(entry: Entry, key: string): readonly Entry[] {
  return listAt(entry, key).flatMap((each, at) => {
    if (isObject(each)) return [entryBelow(entry, [key, at], each)];
    entry.fault([key, at], `expected values by name, got ${JSON.stringify(each)}`);
    return [];
  });
}
