/** The contract of a verb of the command line, and what all of them share. Source of names and exit codes: the command-line contract. */
import { AuditError } from '../core/errors.ts';
import { type Config, type Fault, loadConfig } from './config.ts';

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

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof AuditError)) return exitCodes.failed;
  if (error.code === 'CONFIG_INVALID' || error.code === 'SCHEMA_TOO_NEW' || error.code === 'MIGRATION_CHANGED') return exitCodes.usage;
  return error.code === 'NOT_READY' ? exitCodes.later : exitCodes.failed;
}

/** Settings that have a flag of their own. */
const flagged: Readonly<Record<string, string>> = { data: 'dataDir', port: 'http.port' };

export function read(flags: Flags): { readonly config: Config | null; readonly faults: readonly Fault[] } {
  const values = Object.entries(flagged).flatMap(([flag, path]) => (typeof flags[flag] === 'string' ? [[path, flags[flag]] as const] : []));
  const file = flags['config'];
  return loadConfig({ flags: Object.fromEntries(values), env: process.env, file: typeof file === 'string' ? file : undefined });
}

/** @throws CONFIG_INVALID with every fault, one a line */
export function configOf(flags: Flags): Config {
  const { config, faults } = read(flags);
  if (config !== null) return config;
  const lines = faults.map(({ where, message }) => `  ${where}: ${message}`);
  throw new AuditError('CONFIG_INVALID', `the configuration has ${faults.length} fault(s)\n${lines.join('\n')}`);
}

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
