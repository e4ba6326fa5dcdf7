/**
 * The configuration as it was given: flags win over environment, environment over file. All faults are told at once; a secret is
 * never printed.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { formatDuration } from '../core/duration.ts';
import { AuditError, messageOf } from '../core/errors.ts';
import { type ConfigFile, readConfigFile } from './config-file.ts';
import { together } from './config-rules.ts';
import { place, shown, type Tree, valueAt } from './config-tree.ts';
import { check, type Config, type Issue, settings } from './settings.ts';

export interface Fault {
  readonly path: string;
  /** `gatetrail.yaml:3`, `GATETRAIL_PORT`, `--port`, or what would have to be set. */
  readonly from: string;
  /** What was expected and what came. */
  readonly message: string;
}

export interface Sources {
  /** By path of the setting; `config` names the file. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export interface Loaded {
  /** Null when there are faults. */
  readonly config: Config | null;
  readonly faults: readonly Fault[];
}

/** Flags that set a setting; verbs offer them by these names. */
export const flagOf: Readonly<Record<string, string>> = { dataDir: '--data', 'http.port': '--port' };

/** Variables that are no setting: the service that verbs of the command line ask. */
const otherVariables = new Set(['GATETRAIL_URL', 'GATETRAIL_KEY']);

export function loadConfig({ flags, env, cwd }: Sources): Loaded {
  const file = readConfigFile(flags['config'], cwd);
  const faults: Fault[] = file.faults.map((message) => ({ path: '', from: file.name, message }));
  const values: Tree = structuredClone(file.values);
  const origins = new Map<string, string>();
  const put = (path: string, value: unknown, from: string) => {
    place(values, path.split('.'), value);
    origins.set(path, from);
  };
  for (const { path, env: name, secret } of settings) {
    if (name === null) continue;
    const given = variable(env, name, { secret, cwd });
    if ('fault' in given) faults.push({ path, from: given.from, message: given.fault });
    else if (given.value !== undefined) put(path, given.value, given.from);
  }
  for (const [path, name] of Object.entries(flagOf)) if (flags[path] !== undefined) put(path, flags[path], name);
  faults.push(...unknownVariables(env));
  const checked = check(values);
  if ('issues' in checked) faults.push(...checked.issues.map((issue) => faultOf(issue, { values, origins, file })));
  for (const { path, message } of together(values)) {
    if (!faults.some((fault) => fault.path === path)) faults.push({ path, from: namesOf(path), message });
  }
  return { config: faults.length === 0 && 'config' in checked ? checked.config : null, faults };
}

/** @throws CONFIG_INVALID with every fault in the message and in the facts. */
export function requireConfig(sources: Sources): Config {
  const { config, faults } = loadConfig(sources);
  if (config) return config;
  const lines = faults.map((fault) => `  ${describeFault(fault)}`);
  throw new AuditError(
    'CONFIG_INVALID',
    `The configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${lines.join('\n')}`,
    {
      facts: { faults },
    },
  );
}

export function describeFault({ path, from, message }: Fault): string {
  return `${from}: ${path === '' || path === from ? '' : `${path}: `}${message}`;
}

/** With secrets masked, spans as text. */
export function printable(config: Config): unknown {
  return masked(config, '');
}

type Given = { readonly from: string; readonly value: string | undefined } | { readonly from: string; readonly fault: string };

/** An empty variable is none: compose files pass on what is not set so. */
function variable(env: Sources['env'], name: string, { secret, cwd }: { secret: boolean; cwd: string }): Given {
  const file = secret ? env[`${name}_FILE`] : undefined;
  if (!file) return { from: name, value: env[name] || undefined };
  const from = `${name}_FILE`;
  if (env[name]) return { from, fault: `expected either ${name} or ${from}, both came` };
  try {
    return { from, value: readFileSync(resolve(cwd, file), 'utf8').trimEnd() };
  } catch (error) {
    return { from, fault: `expected the path of a file that can be read: ${messageOf(error)}` };
  }
}

function unknownVariables(env: Sources['env']): Fault[] {
  const known = new Set(settings.flatMap(({ env: name, secret }) => (name === null ? [] : secret ? [name, `${name}_FILE`] : [name])));
  return Object.keys(env)
    .filter((name) => name.startsWith('GATETRAIL_') && !known.has(name) && !otherVariables.has(name))
    .map((name) => ({ path: '', from: name, message: 'no setting has this name; gatetrail config reference lists them' }));
}

interface Read {
  readonly values: Tree;
  readonly origins: ReadonlyMap<string, string>;
  readonly file: ConfigFile;
}

function faultOf({ path, message, came }: Issue, { values, origins, file }: Read): Fault {
  const name = path.join('.');
  const setting = settings.find((one) => name === one.path || name.startsWith(`${one.path}.`));
  const from = origins.get(setting?.path ?? name) ?? file.placeOf(path);
  if (came === null) return { path: name, from, message };
  const got = setting?.secret ? 'a value that is not shown' : (came ?? shown(valueAt(values, path)));
  return { path: name, from, message: `${message}, got ${got}` };
}

function namesOf(path: string): string {
  const env = settings.find((setting) => setting.path === path)?.env;
  return env ? `${path} (${env})` : path;
}

const spans = new Set([
  'kafka.sessionTimeout',
  'journal.keep',
  'deadLetters.keep',
  'retention.default',
  'retention.classes.keep',
  'retention.classes.minimum',
  'alerts.lateness',
  'alerts.groupWait',
]);

function masked(value: unknown, path: string): unknown {
  if (value === undefined) return undefined;
  if (settings.some((setting) => setting.path === path && setting.secret)) return isEmpty(value) ? undefined : '***';
  if (spans.has(path) && typeof value === 'number') return formatDuration(value);
  if (Array.isArray(value)) return value.map((part) => masked(part, path));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, masked(part, path === '' ? name : `${path}.${name}`)]));
}

const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && 'current' in value === false;
