/** Values by a key, in their order. */
export function grouped<Key, Value>(values: Iterable<Value>, keyOf: (value: Value) => Key): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

/** Consecutive parts of `size` values, the last one shorter; none of an empty list. */
export function slices<Value>(values: readonly Value[], size: number): Value[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, at) => values.slice(at * size, (at + 1) * size));
}

/** Consecutive parts whose sizes add up to `most` at most, of one value at least. */
export function slicesBySize<Value>(values: readonly Value[], sizeOf: (value: Value) => number, most: number): Value[][] {
  const parts: Value[][] = [];
  let size = Infinity;
  for (const value of values) {
    size += sizeOf(value);
    if (size > most) {
      parts.push([]);
      size = sizeOf(value);
    }
    parts.at(-1)?.push(value);
  }
  return parts;
}
