/** Dimensions of figures as expressions over events: Nullable(String), null where a value is absent. */
import { addressText } from '../storage/address-text.ts';
import { listColumns, numberColumns, textColumns } from './filter.ts';

const camel = (dimension: string) => dimension.toLowerCase().replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
const firstOf = (columns: readonly string[]) => `coalesce(${columns.map((column) => `nullIf(toString(${column}), '')`).join(', ')})`;

/** Columns of events that a dimension is read from. */
export function dimensionColumns(dimension: string): readonly string[] {
  const name = camel(dimension);
  if (dimension === 'STATUS_CLASS') return ['http_response_status_code'];
  // What is no text is in no row of counters.
  return textColumns[name] ?? [dimension];
}

/** Columns of which one event has several values. */
export const dimensionList = (dimension: string): string | undefined => listColumns[camel(dimension)];

/** A filter and the dimension of the same name read the same columns. */
export function dimensionExpression(dimension: string): string {
  const name = camel(dimension);
  if (dimension === 'STATUS_CLASS') return `concat(toString(intDiv(http_response_status_code, 100)), 'xx')`;
  if (dimension === 'OUTCOME') return 'upper(toString(outcome))';
  if (dimension === 'LIFECYCLE') return "nullIf(upper(toString(lifecycle)), '')";
  if (dimension === 'CLIENT_ADDRESS') return `nullIf(${addressText}, '')`;
  const list = listColumns[name];
  if (list !== undefined) return `nullIf(arrayJoin(if(empty(${list}), [''], arrayMap(value -> toString(value), ${list}))), '')`;
  if (numberColumns[name] !== undefined) return `toString(${numberColumns[name]})`;
  return firstOf(textColumns[name] ?? []); // each dimension that is left is the filter of a text
}

/** One text per combination: a JSON array, so that it can be compared, bound and read back. */
export function groupKey(dimensions: readonly string[]): string {
  const values = dimensions.map((dimension) => `CAST(${dimensionExpression(dimension)} AS Nullable(String))`);
  return values.length === 0 ? "'[]'" : `toJSONString([${values.join(', ')}])`;
}
