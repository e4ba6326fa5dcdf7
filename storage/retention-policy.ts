/** How long what is kept, and what is due at an instant. Time counts from arrival, in whole days (UTC); spans in milliseconds. */
import { formatDuration } from '../core/duration.ts';

export interface RetentionClass {
  readonly name: string;
  /** Each tenant is in one class at most. */
  readonly tenants: readonly string[];
  readonly keepMs: number;
}

export interface RetentionPolicy {
  /** Of tenants that no class names; Infinity is for ever. */
  readonly defaultMs: number;
  readonly classes: readonly RetentionClass[];
}

/** Rows of one class that stay shorter than the longest: they go out of days whose other rows stay. */
export interface Cut {
  readonly name: string;
  /** For people: name and span. */
  readonly policy: string;
  readonly tenants: readonly string[];
  /** The tenants are those that are spared: the default is for all that no class names. */
  readonly isDefault: boolean;
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
  const named = classes.flatMap(({ tenants }) => tenants);
  const all = [
    { name: 'default', tenants: named, keepMs: defaultMs, isDefault: true },
    ...classes.map((one) => ({ ...one, isDefault: false })),
  ];
  const longest = all.reduce((most, one) => (one.keepMs > most.keepMs ? one : most));
  const cuts = all.filter(({ keepMs }) => keepMs < longest.keepMs);
  return {
    floor: Number.isFinite(longest.keepMs) ? dayOf(now - longest.keepMs) : 0,
    policy: policyText(longest),
    cuts: cuts.map(({ keepMs, ...one }) => ({ ...one, policy: policyText({ ...one, keepMs }), before: dayOf(now - keepMs) })),
  };
}

const policyText = ({ name, keepMs }: { readonly name: string; readonly keepMs: number }) =>
  `${name} ${Number.isFinite(keepMs) ? formatDuration(keepMs) : 'for ever'}`;

/** How long what these tenants see is kept at most; `*` stands for all. */
export function keptFor({ defaultMs, classes }: RetentionPolicy, tenants: readonly string[]): number {
  if (tenants.includes('*')) return Math.max(defaultMs, ...classes.map(({ keepMs }) => keepMs));
  return Math.max(...tenants.map((tenant) => classes.find((one) => one.tenants.includes(tenant))?.keepMs ?? defaultMs));
}
