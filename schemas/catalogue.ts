/** `catalogue.yaml`: what the organisation means by its traffic. APIs with their routes and lives, consumers with their plans and limits. */
import { parseDuration } from '../core/duration.ts';
import { isObject, numberOf, textOf } from '../core/fields.ts';
import { type CatalogueApi, readApi } from './catalogue-api.ts';
import { entriesAt, type Entry, entryBelow, listAt, objectAt, onlyKnown, readEntries, textAt, wordAt } from './catalogue-file.ts';

export interface PlanLimit {
  readonly requests: number;
  readonly perMs: number;
}

export interface CatalogueConsumer {
  readonly kind: 'human' | 'machine' | '';
  readonly plan: string;
  readonly owner: string;
  /** Its own, else those of its plan. */
  readonly limits: readonly PlanLimit[];
}

export interface Catalogue {
  readonly apis: readonly CatalogueApi[];
  readonly consumers: ReadonlyMap<string, CatalogueConsumer>;
}

export const emptyCatalogue: Catalogue = { apis: [], consumers: new Map() };

/** @throws CONFIG_INVALID with every fault and its place */
export function readCatalogue(file: string): Promise<Catalogue> {
  return readEntries(file, async (entry) => {
    onlyKnown(entry, ['apis', 'plans', 'consumers']);
    const apis = await Promise.all(entriesAt(entry, 'apis').map((each) => readApi(each, file)));
    for (const [at, { name, version }] of apis.entries())
      if (apis.findIndex((each) => each.name === name && each.version === version) < at)
        entry.fault(['apis', at], `expected a name and version that no API before has, got ${name} ${version}`.trimEnd());
    return { apis, consumers: consumersOf(entry, plansOf(entry)) };
  });
}

type Plans = ReadonlyMap<string, readonly PlanLimit[]>;

function plansOf(entry: Entry): Plans {
  const plans = objectAt(entry, 'plans');
  return new Map(
    Object.keys(plans).map((name) => {
      const plan = entryBelow(entry, ['plans', name], objectAt(entryBelow(entry, ['plans'], plans), name));
      onlyKnown(plan, ['limits']);
      return [name, limitsOf(plan)];
    }),
  );
}

function consumersOf(entry: Entry, plans: Plans): Map<string, CatalogueConsumer> {
  const consumers = new Map<string, CatalogueConsumer>();
  for (const each of entriesAt(entry, 'consumers')) {
    onlyKnown(each, ['name', 'kind', 'plan', 'owner', 'limits']);
    const name = textAt(each, 'name');
    if (name === '') each.fault([], 'expected a name');
    if (consumers.has(name)) each.fault(['name'], `expected a name that no consumer before has, got ${name}`);
    const plan = textAt(each, 'plan');
    if (plan !== '' && !plans.has(plan)) each.fault(['plan'], `no plan is named ${plan}`);
    const limits = each.values['limits'] === undefined ? (plans.get(plan) ?? []) : limitsOf(each);
    consumers.set(name, { kind: wordAt(each, 'kind', ['human', 'machine']), plan, owner: textAt(each, 'owner'), limits });
  }
  return consumers;
}

function limitsOf(entry: Entry): readonly PlanLimit[] {
  return listAt(entry, 'limits').flatMap((value, at) => {
    if (isObject(value)) onlyKnown(entryBelow(entry, ['limits', at], value), ['requests', 'per']);
    const requests = isObject(value) ? numberOf(value['requests']) : null;
    const perMs = isObject(value) ? parseDuration(textOf(value['per'])) : null;
    if (requests !== null && requests > 0 && perMs !== null && perMs > 0) return [{ requests, perMs }];
    entry.fault(['limits', at], 'expected requests above 0 and per as a span, for instance {requests: 600, per: PT1M}');
    return [];
  });
}

/** The limit of each consumer that has one for exactly this span. */
export function limitsFor({ consumers }: Catalogue, spanMs: number): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  for (const [name, { limits: all }] of consumers) {
    const limit = all.find(({ perMs }) => perMs === spanMs);
    if (limit) limits.set(name, limit.requests);
  }
  return limits;
}
