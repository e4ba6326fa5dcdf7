/** The contract of a verb of the command line, and what all of them share. Source of names and exit codes: the command-line contract. */
import { AuditError } from '../core/errors.ts';
import { refusalCodes } from '../sigma/yaml.ts';
import { flagOf, loadConfig, type Loaded, requireConfig, type Sources } from './config.ts';
import type { Config } from './settings.ts';

export type Flags = Readonly<Record<string, string | boolean | undefined>>;

export interface Verb {
  readonly description: string;
  /** In commander's notation: `<FILE...>` must be there, `[WHAT]` may. */
  readonly arguments?: readonly string[];
  /** Beside --config, --data, --json. */
  readonly options?: Readonly<Record<string, string>>;
  /** Gives the exit code where it is not 0. A role returns when it runs, and ends with its process. */
  run(flags: Flags, args: readonly string[]): Promise<number | void>;
}

export const exitCodes = { failed: 1, usage: 2, findings: 3, later: 75 } as const;

/** What only a person can mend: trying again, or starting a role again, would not help. */
const forPeople: ReadonlySet<string> = new Set([
  'CONFIG_INVALID',
  'SCHEMA_TOO_NEW',
  'MIGRATION_CHANGED',
  'PORT_IN_USE',
  'SIGN_IN_REFUSED',
  'DATA_DIR_UNUSABLE',
  'ENGINE_NOT_INSTALLED',
  ...refusalCodes,
  'TOKENS_NOT_HELD',
  'BAD_USER_INPUT',
]);

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof AuditError)) return exitCodes.failed;
  if (forPeople.has(error.code)) return exitCodes.usage;
  return error.retryable ? exitCodes.later : exitCodes.failed;
}

/** Flags by the path of their setting, as the configuration takes them. */
function sources(flags: Flags): Sources {
  const given = Object.entries(flagOf).map(([path, flag]) => [path, text(flags, flag.slice(2))] as const);
  return { flags: { ...Object.fromEntries(given), config: text(flags, 'config') }, env: process.env, cwd: process.cwd() };
}

export const read = (flags: Flags): Loaded => loadConfig(sources(flags));

/** @throws CONFIG_INVALID with every fault, one a line */
export const configOf = (flags: Flags): Config => requireConfig(sources(flags));

export function text(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
}

export function print(value: unknown): void {
  process.stdout.write(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`);
}

export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
