/** A format as the configuration describes it: what is wrong with the description, and the gateway that comes of it. */
import { messageOf } from '../core/errors.ts';
import { type LinearPattern, linearPattern } from '../core/linear-pattern.ts';
import {
  type FieldMap,
  type FieldName,
  fieldNames,
  type FieldPlace,
  isDuration,
  mappedJson,
  mappedText,
  renamed,
} from './custom-format.ts';
import type { Gateway } from './gateway.ts';

/** One of three layouts: `fields` of JSON records, a `pattern` of lines, or `like` a known format with other `keys`. */
export interface DescribedFormat {
  readonly name: string;
  /** Kind of the gateway that writes it; a known format brings its own. */
  readonly gateway?: string | undefined;
  /** Canonical field by its place. A group of the pattern that is named as a field needs none. */
  readonly fields?: Readonly<Record<string, string | FieldPlace>> | undefined;
  readonly pattern?: string | undefined;
  readonly like?: string | undefined;
  /** Known top-level key by the one in the record. */
  readonly keys?: Readonly<Record<string, string>> | undefined;
}

export interface FormatFault {
  /** Inside the description. */
  readonly path: readonly string[];
  /** What was expected. */
  readonly message: string;
  /** What came, where it is not what stands at the path. */
  readonly came?: string;
}

type Gateways = ReadonlyMap<string, Gateway>;

/** Every fault of the description but those that a record shows. */
export function faultsOf(described: DescribedFormat, shipped: Gateways): readonly FormatFault[] {
  const { name, gateway, fields, pattern, like } = described;
  const faults: FormatFault[] = shipped.has(name)
    ? [{ path: ['name'], message: 'expected a name of its own, this one is of a format that is built in' }]
    : [];
  if (like !== undefined) return [...faults, ...faultsOfLike(described, shipped)];
  if (described.keys !== undefined)
    faults.push({ path: ['keys'], message: 'expected like beside it, the format whose keys have other names' });
  if (gateway === undefined) faults.push({ path: ['gateway'], message: 'expected the kind of the gateway that writes it, as apisix' });
  if (fields !== undefined || pattern !== undefined) return [...faults, ...faultsOfFields(described)];
  const message = 'expected fields (of JSON), a pattern (of lines), or like and keys (of a format that is built in)';
  return [...faults, { path: [], message, came: 'none' }];
}

function faultsOfLike({ like = '', ...other }: DescribedFormat, shipped: Gateways): FormatFault[] {
  // Of a document that holds several records the keys would be those of the document.
  const known = [...shipped].filter(([, { json }]) => json !== undefined && json.records === undefined).map(([name]) => name);
  const faults: FormatFault[] = known.includes(like) ? [] : [{ path: ['like'], message: `expected one of ${known.join(', ')}` }];
  if (other.keys === undefined) faults.push({ path: ['keys'], message: 'expected the keys that have other names' });
  for (const name of ['gateway', 'fields', 'pattern'] as const)
    if (other[name] !== undefined) faults.push({ path: [name], message: `expected no ${name} beside like, which brings its own` });
  return faults;
}

function faultsOfFields({ fields = {}, pattern }: DescribedFormat): FormatFault[] {
  const faults = Object.entries(fields).flatMap(([name, place]) => faultsOfField(name, placeOf(place)));
  const groups = pattern === undefined ? [] : groupsOf(pattern);
  if (typeof groups === 'string') return [...faults, { path: ['pattern'], message: groups }];
  if (pattern !== undefined) faults.push(...faultsOfGroups(fields, groups));
  if (fields['timestamp'] === undefined && !groups.includes('timestamp'))
    faults.push({ path: [pattern === undefined ? 'fields' : 'pattern'], message: 'expected timestamp among the fields' });
  return faults;
}

/** Each group is read, and each field is read from one. */
function faultsOfGroups(fields: NonNullable<DescribedFormat['fields']>, groups: readonly string[]): FormatFault[] {
  const paths = Object.entries(fields).map(([name, place]) => [name, placeOf(place).path ?? name] as const);
  const missing = paths.filter(([, path]) => !groups.includes(path));
  const unread = groups.filter((group) => !isField(group) && !paths.some(([, path]) => path === group));
  return [
    ...missing.map(([name]) => ({ path: ['fields', name], message: `expected a group of the pattern: ${groups.join(', ')}` })),
    ...unread.map((came) => ({ path: ['pattern'], message: 'expected groups that are named as fields, or that fields name', came })),
  ];
}

function faultsOfField(name: string, { unit, is }: FieldPlace): FormatFault[] {
  const path = ['fields', name];
  if (!isField(name)) return [{ path, message: `expected one of ${fieldNames.join(', ')}`, came: name }];
  const faults: FormatFault[] = [];
  if (unit !== undefined && !isDuration(name)) faults.push({ path, message: 'expected a unit on durations alone' });
  if (is !== undefined && name !== 'timestamp') faults.push({ path, message: 'expected start or end on timestamp alone' });
  return faults;
}

/** Of a description without faults. */
export function gatewayOf(described: DescribedFormat, shipped: Gateways): Gateway {
  return { ...layoutOf(described, shipped), definition: described };
}

function layoutOf({ gateway = '', fields = {}, pattern, like, keys = {} }: DescribedFormat, shipped: Gateways): Gateway {
  const known = like === undefined ? undefined : shipped.get(like)?.json;
  if (known !== undefined) return renamed(known, keys);
  const lines = pattern === undefined ? undefined : wholeLine(pattern);
  const own = (lines?.names ?? []).filter(isField).map((name) => [name, {}] as const);
  const given = Object.entries(fields).map(([name, place]) => [name, placeOf(place)] as const);
  const map: FieldMap = { gateway, fields: Object.fromEntries([...own, ...given]) };
  return lines === undefined ? mappedJson(map) : mappedText(lines, map);
}

const placeOf = (place: string | FieldPlace): FieldPlace => (typeof place === 'string' ? { path: place } : place);

const isField = (name: string): name is FieldName => (fieldNames as readonly string[]).includes(name);

/** @throws Error that says what is wrong with the pattern */
function wholeLine(pattern: string): LinearPattern {
  linearPattern(pattern); // alone, so that none of its brackets closes ours
  return linearPattern(`^(?:${pattern})$`);
}

/** Or what is wrong with the pattern. */
function groupsOf(pattern: string): LinearPattern['names'] | string {
  try {
    return wholeLine(pattern).names;
  } catch (error) {
    return messageOf(error);
  }
}
