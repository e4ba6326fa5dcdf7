/** Values of settings as they were given, by the steps of their paths. */
export type Tree = Record<string, unknown>;

export function place(tree: Tree, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) return void (tree[name] = value);
  const below = tree[name];
  // What stands there may be no section: then the schema says so, and this value is not lost either.
  if (typeof below !== 'object' || below === null) tree[name] = below === undefined || below === null ? {} : below;
  if (typeof tree[name] === 'object') place(tree[name] as Tree, rest, value);
}

export function valueAt(tree: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? (at as Tree)[name] : undefined), tree);
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200);
}
