/** Values as ClickHouse string literals, and the settings of a request as one SET: the only door from a request's values into SQL text. */
import { refuse } from './refusal.ts';

/** Backslash and quote are the only signs that end or change a ClickHouse string; all other bytes stand for themselves. */
export function literal(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

export function identifier(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/** What a statement runs under. `allowed` holds the names that the engine itself lists in system.settings. */
export interface Terms {
  readonly settings: ReadonlyMap<string, string>;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * One SET with every setting and parameter. Values go in as strings: the engine reads them by the type of the
 * setting and refuses what does not fit.
 * @throws Refusal 115 for a name that the engine does not know, 455 for a parameter whose name is not a word.
 */
export function renderTerms(terms: Terms, allowed: ReadonlySet<string>): string {
  const parts: string[] = [];
  for (const [name, value] of terms.settings) {
    if (!allowed.has(name)) throw refuse(115, `Unknown setting '${name.slice(0, 100)}'`);
    parts.push(`${name} = ${literal(value)}`);
  }
  for (const [name, value] of terms.parameters) {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw refuse(455, `The name of the parameter '${name.slice(0, 100)}' is not a word`);
    parts.push(`param_${name} = ${literal(value)}`);
  }
  return `SET ${parts.join(', ')}`;
}
