/** The configuration file as plain values, and in which line each of them stands. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { messageOf } from '../core/errors.ts';

export interface ConfigFile {
  /** As it was named, for messages. */
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Why it cannot be read; then there are no values. */
  readonly faults: readonly string[];
  /** `gatetrail.yaml:3` of what stands at a path, or of its nearest parent. */
  placeOf(path: readonly PropertyKey[]): string;
}

export const defaultFile = 'gatetrail.yaml';

/** A file that was named must be there; `gatetrail.yaml` may be missing. */
export function readConfigFile(named: string | undefined, cwd: string): ConfigFile {
  const name = named ?? defaultFile;
  const file = resolve(cwd, name);
  if (named === undefined && !existsSync(file)) return without(name, []);
  try {
    return parsed(name, readFileSync(file, 'utf8'));
  } catch (error) {
    return without(name, [`expected a YAML file that can be read: ${messageOf(error)}`]);
  }
}

function parsed(name: string, text: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    return without(
      name,
      document.errors.map(({ message }) => message.split('\n')[0] ?? message),
    );
  }
  const values: unknown = document.toJS({ maxAliasCount: 100 });
  if (values === null || values === undefined) return without(name, []);
  if (typeof values !== 'object' || Array.isArray(values)) return without(name, ['expected settings by name']);
  return {
    name,
    values: values as Record<string, unknown>, // an object with the keys of a YAML mapping
    faults: [],
    placeOf(path) {
      for (let length = path.length; length > 0; length -= 1) {
        const node = document.getIn(path.slice(0, length), true);
        if (isNode(node) && node.range) return `${name}:${lines.linePos(node.range[0]).line}`;
      }
      return name;
    },
  };
}

const without = (name: string, faults: readonly string[]): ConfigFile => ({ name, values: {}, faults, placeOf: () => name });
