/** docker-compose.yml as Docker Compose reads it: merged, its variables filled in, its services in the order of `depends_on`. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Service {
  readonly name: string;
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly restart?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

/** @throws when a variable that must be set is not, or when `depends_on` names nobody or goes round in a circle */
export function readCompose(file: string, variables: Readonly<Record<string, string>>): Service[] {
  const { services } = filled(parse(readFileSync(file, 'utf8'), { merge: true }), variables) as {
    services: Record<string, Omit<Service, 'name'>>; // the tests assert on each part that they use
  };
  return inOrder(Object.entries(services).map(([name, service]) => ({ ...service, name })));
}

function filled(value: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') return fill(value, variables);
  if (Array.isArray(value)) return value.map((part) => filled(part, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, filled(part, variables)]));
}

/** `$$`, `${NAME}`, `${NAME:-fallback}`, `${NAME:?message}`. */
function fill(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(
    /\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_match, name: string | undefined, mark: string | undefined, rest: string) => {
      if (name === undefined) return '$';
      const value = variables[name] ?? '';
      if (value === '' && mark === '?') throw new Error(`required variable ${name} is missing a value: ${rest}`);
      return value === '' && mark === '-' ? rest : value;
    },
  );
}

function inOrder(services: readonly Service[]): Service[] {
  const sorted: Service[] = [];
  while (sorted.length < services.length) {
    const next = services.find(
      (service) =>
        !sorted.includes(service) && Object.keys(service.depends_on ?? {}).every((name) => sorted.some((one) => one.name === name)),
    );
    if (!next) throw new Error(`depends_on names nobody, or goes round in a circle, after ${sorted.map(({ name }) => name).join(', ')}`);
    sorted.push(next);
  }
  return sorted;
}
