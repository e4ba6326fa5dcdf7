/** `catalogue.yaml`: what the organisation means by its traffic. Read here: consumers, their plans and the plans' limits. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { parseDuration } from '../core/duration.ts';
import { AuditError, messageOf } from '../core/errors.ts';
import { isObject, listOf, numberOf, objectOf, own, textOf } from '../core/fields.ts';

export interface PlanLimit {
  readonly requests: number;
  readonly perMs: number;
}

export interface Catalogue {
  /** Limits of each consumer by name. */
  readonly consumers: ReadonlyMap<string, readonly PlanLimit[]>;
}

export const emptyCatalogue: Catalogue = { consumers: new Map() };

/** @throws CONFIG_INVALID with the place of the first fault */
export async function readCatalogue(file: string): Promise<Catalogue> {
  try {
    return toCatalogue(parse(await readFile(file, 'utf8')) as unknown);
  } catch (error) {
    throw new AuditError('CONFIG_INVALID', `The catalogue ${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function toCatalogue(document: unknown): Catalogue {
  if (!isObject(document)) throw new Error('expected plans and consumers by name');
  const plans = objectOf(document['plans']);
  const limitsOf = new Map(
    Object.keys(plans).map((name) => [
      name,
      listOf(objectOf(own(plans, name))['limits']).map((each, at) => toLimit(each, `plans.${name}.limits[${at}]`)),
    ]),
  );
  const consumers = new Map<string, readonly PlanLimit[]>();
  for (const [at, each] of listOf(document['consumers']).entries()) {
    if (!isObject(each) || textOf(each['name']) === '') throw new Error(`consumers[${at}]: expected a name`);
    const plan = textOf(each['plan']);
    const limits =
      each['limits'] === undefined
        ? limitsOf.get(plan)
        : listOf(each['limits']).map((limit, place) => toLimit(limit, `consumers[${at}].limits[${place}]`));
    if (plan !== '' && !limitsOf.has(plan)) throw new Error(`consumers[${at}]: no plan is named ${plan}`);
    consumers.set(textOf(each['name']), limits ?? []);
  }
  return { consumers };
}

function toLimit(value: unknown, place: string): PlanLimit {
  const requests = isObject(value) ? numberOf(value['requests']) : null;
  const perMs = isObject(value) ? parseDuration(textOf(value['per'])) : null;
  if (requests === null || requests <= 0 || perMs === null || perMs <= 0)
    throw new Error(`${place}: expected requests above 0 and per as a span, for instance {requests: 600, per: PT1M}`);
  return { requests, perMs };
}

/** The limit of each consumer that has one for exactly this span. */
export function limitsFor({ consumers }: Catalogue, spanMs: number): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  for (const [name, all] of consumers) {
    const limit = all.find(({ perMs }) => perMs === spanMs);
    if (limit) limits.set(name, limit.requests);
  }
  return limits;
}
