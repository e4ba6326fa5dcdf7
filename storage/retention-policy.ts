/** How long what is kept, and what is due at an instant. Time counts from arrival, in whole days (UTC); spans in milliseconds. */
import { formatDuration } from '../core/duration.ts';

/** Events of one of these tenants that have one of these data classes; an empty list asks for nothing. */
export interface Members {
  readonly tenants: readonly string[];
  readonly dataClasses: readonly string[];
}

export interface RetentionClass extends Members {
  readonly name: string;
  readonly keepMs: number;
}

export interface RetentionPolicy {
  /** Of events that are in no class; Infinity is for ever. */
  readonly defaultMs: number;
  /** An event is in the first that has it. */
  readonly classes: readonly RetentionClass[];
}

/** Rows of one class that stay shorter than the longest: they go out of days whose other rows stay. */
export interface Cut {
  readonly name: string;
  /** For people: name and span. */
  readonly policy: string;
  /** Null for the default, which has all that no class has. */
  readonly of: Members | null;
  /** Classes that stand before it: what they have is theirs. */
  readonly except: readonly Members[];
  /** Start of a day, milliseconds: what arrived before it is due. */
  readonly before: number;
}

export interface Due {
  /** Start of a day: nothing from before it is kept by anyone; 0 while one class is kept for ever. */
  readonly floor: number;
  readonly policy: string;
  readonly cuts: readonly Cut[];
}

export const dayMs = 86_400_000;
/** Start of the day (UTC). */
export const dayOf = (at: number): number => at - (at % dayMs);

export function dueAt({ defaultMs, classes }: RetentionPolicy, now: number): Due {
  const all = [
    { name: 'default', keepMs: defaultMs, of: null, except: classes.map(membersOf) },
    ...classes.map(({ name, keepMs, ...of }, at) => ({
      name,
      keepMs,
      of,
      except: classes.slice(0, at).filter(overlapping(of)).map(membersOf),
    })),
  ];
  const longest = all.reduce((most, one) => (one.keepMs > most.keepMs ? one : most));
  const cuts = all.filter(({ keepMs }) => keepMs < longest.keepMs);
  return {
    floor: Number.isFinite(longest.keepMs) ? dayOf(now - longest.keepMs) : 0,
    policy: policyText(longest),
    cuts: cuts.map(({ keepMs, ...one }) => ({ ...one, policy: policyText({ ...one, keepMs }), before: dayOf(now - keepMs) })),
  };
}

const membersOf = ({ tenants, dataClasses }: Members): Members => ({ tenants, dataClasses });

/** Whether an event may be in both. It may have any data classes, so that tenants alone tell two classes apart. */
export const overlapping =
  (one: Pick<Members, 'tenants'>) =>
  (other: Pick<Members, 'tenants'>): boolean =>
    one.tenants.length === 0 || other.tenants.length === 0 || one.tenants.some((tenant) => other.tenants.includes(tenant));

const policyText = ({ name, keepMs }: { readonly name: string; readonly keepMs: number }) =>
  `${name} ${Number.isFinite(keepMs) ? formatDuration(keepMs) : 'for ever'}`;

/** How long what these tenants see is kept at most; `*` stands for all. */
export function keptFor(policy: RetentionPolicy, tenants: readonly string[]): number {
  if (tenants.includes('*')) return Math.max(policy.defaultMs, ...policy.classes.map(({ keepMs }) => keepMs));
  return Math.max(...tenants.map((tenant) => longestOf(policy, tenant)));
}

function longestOf({ defaultMs, classes }: RetentionPolicy, tenant: string): number {
  const possible = classes.filter(overlapping({ tenants: [tenant] }));
  // Behind a class that asks for no data class stands nothing of its tenants.
  const last = possible.findIndex(({ dataClasses }) => dataClasses.length === 0);
  const spans = possible.map(({ keepMs }) => keepMs);
  return last < 0 ? Math.max(defaultMs, ...spans) : Math.max(...spans.slice(0, last + 1));
}
