/** The `detection:` of a rule: named selections and the condition over them, as one tree of tests. What is not judged exactly is refused. */
import { messageOf } from '../core/errors.ts';
import { type Condition, readCondition } from './condition.ts';
import { type FieldName, fieldNames, keywordFields, notLogged } from './fields.ts';
import { isMapping, mapping, refusal } from './yaml.ts';
import { type Place, readValue, type Value } from './value.ts';

/** Holds when one of the fields has the value: a word that is bound to no field is looked for in several. */
export interface Test {
  readonly fields: readonly FieldName[];
  readonly value: Value;
}
export type Detection = Condition<Test>;

export function readDetection(value: unknown, source: string): Detection {
  const place = '/detection';
  const { condition, ...selections } = mapping(value, source, place);
  // Of the form that Sigma had before correlations.
  if ('timeframe' in selections) throw refusal(source, `${place}/timeframe`, 'CORRELATION_UNSUPPORTED', 'write a correlation instead');
  const named = new Map(
    Object.entries(selections).map(([name, selection]) => [name, readSelection(selection, { source, place: `${place}/${name}` })]),
  );
  const texts = Array.isArray(condition) ? condition : [condition];
  const parts = texts.map((text) => {
    try {
      if (typeof text !== 'string') throw new Error(`expected a condition, found ${JSON.stringify(text)}`);
      return readCondition(text, named);
    } catch (error) {
      throw refusal(source, `${place}/condition`, 'CORRELATION_UNSUPPORTED', messageOf(error));
    }
  });
  return joined('any', parts, { source, place: `${place}/condition` });
}

/** A mapping asks for all of its fields, a list for one of its entries. */
function readSelection(selection: unknown, at: Place): Detection {
  if (isMapping(selection)) {
    const fields = Object.entries(selection);
    return joined(
      'all',
      fields.map(([key, value]) => readField(key, value, at)),
      at,
    );
  }
  if (!Array.isArray(selection)) return readField('', selection, at);
  return joined(
    'any',
    selection.map((each) => (isMapping(each) ? readSelection(each, at) : readField('', [each], at))),
    at,
  );
}

function readField(key: string, value: unknown, { source, place: selection }: Place): Detection {
  const [name = '', ...modifiers] = key.split('|');
  const at = { source, place: key === '' ? selection : `${selection}/${key}` };
  const fields = name === '' ? keywordFields : [fieldOf(name, at)];
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const own = modifiers.filter((each) => each !== 'all' && each !== 'neq');
  const tests = values.map((each) => ({ kind: 'test', test: { fields, value: readOne(each) } }) as const);
  if (modifiers.includes('neq') && values.length > 1) throw refusal(source, at.place, 'UNKNOWN_KEY', 'expected one value beside neq');
  const all = joined(modifiers.includes('all') ? 'all' : 'any', tests, at);
  return modifiers.includes('neq') ? { kind: 'not', part: all } : all;

  function readOne(one: unknown): Value {
    if (one === null) {
      if (Array.isArray(value) || name === '') throw refusal(source, at.place, 'NULL_IN_LIST', 'null is no value to compare with');
      if (own.length > 0) throw refusal(source, at.place, 'UNKNOWN_KEY', 'expected no modifier beside null');
      return { kind: 'exists', expected: false };
    }
    if (name === '') return readKeyword(one, own, at);
    if (name === 'cs-referer' && String(one).includes('/'))
      throw refusal(source, at.place, 'FIELD_NOT_LOGGED', 'of a referer only the host is kept, which holds no slash');
    return readValue(one, own, at);
  }
}

/** Somewhere in the request. */
function readKeyword(value: unknown, modifiers: readonly string[], at: Place): Value {
  const wrong = modifiers.find((each) => !['contains', 'cased', 're', 'i', 'm', 's'].includes(each));
  if (wrong !== undefined) throw refusal(at.source, at.place, 'UNKNOWN_KEY', `the modifier ${wrong} is not read without a field`);
  return readValue(value, modifiers.includes('re') || modifiers.includes('contains') ? modifiers : ['contains', ...modifiers], at);
}

function fieldOf(name: string, { source, place }: Place): FieldName {
  if (notLogged.includes(name)) throw refusal(source, place, 'FIELD_NOT_LOGGED', 'no record of a gateway holds it');
  const field = Object.hasOwn(fieldNames, name) ? fieldNames[name] : undefined;
  if (field === undefined) throw refusal(source, place, 'FIELD_UNKNOWN', `expected one of ${Object.keys(fieldNames).join(', ')}`);
  return field;
}

function joined(kind: 'all' | 'any', parts: readonly Detection[], { source, place }: Place): Detection {
  const [only] = parts;
  if (!only) throw refusal(source, place, 'UNKNOWN_KEY', 'expected at least one value');
  return parts.length === 1 ? only : { kind, parts };
}
