/** Which classes of retention may stand together: none below its legal minimum, and none that no event is left for. */
import { formatDuration } from '../core/duration.ts';
import { dayMs, type Members, overlapping } from '../storage/retention-policy.ts';

export interface DeclaredClass extends Members {
  readonly name: string;
  /** Milliseconds. */
  readonly keep: number;
  /** A law of those below, or any other text with a minimum beside it. */
  readonly basis?: string | undefined;
  readonly minimum?: number | undefined;
}

export interface ClassFault {
  readonly path: readonly (string | number)[];
  /** What was expected. */
  readonly message: string;
}

/** What a law or a standard asks for at least. Twelve months may hold 29 February, six years two of them. */
const legalMinimums: Readonly<Record<string, { readonly ms: number; readonly why: string }>> = {
  pci: { ms: 366 * dayMs, why: 'PCI DSS 10.5.1 asks for twelve months' },
  hipaa: { ms: 2_192 * dayMs, why: 'HIPAA 164.316(b)(2) asks for six years' },
};

/** Milliseconds below which a class may not be kept, and who says so. */
function leastOf({ basis, minimum = 0 }: Pick<DeclaredClass, 'basis' | 'minimum'>) {
  const legal = legalMinimums[basis ?? ''];
  if (legal !== undefined && legal.ms >= minimum) return legal;
  return { ms: minimum, why: basis ?? 'its minimum says so' };
}

export function faultsOfClass({ tenants, dataClasses, keep, basis, minimum = 0 }: DeclaredClass): ClassFault[] {
  const least = leastOf({ basis, minimum });
  const faults: ClassFault[] = [];
  if (tenants.length + dataClasses.length === 0) faults.push({ path: ['tenants'], message: 'expected at least one tenant or data class' });
  if (basis !== undefined && legalMinimums[basis] === undefined && minimum === 0) {
    const message = `expected ${Object.keys(legalMinimums).join(', ')}, or any other text with a minimum beside it`;
    faults.push({ path: ['basis'], message });
  }
  if (keep < least.ms) {
    const message = `expected at least ${formatDuration(least.ms)}, the legal minimum of this class (${least.why}); keep it longer, or mend basis and minimum if they do not bind these events`;
    faults.push({ path: ['keep'], message });
  }
  return faults;
}

/** Each against those before it: an event is in the first class that has it. */
export function faultsOfOrder(classes: readonly DeclaredClass[]): ClassFault[] {
  const names = classes.map(({ name }) => name);
  return classes.flatMap((one, at) => {
    const before = classes.slice(0, at).filter(overlapping(one));
    const isTwice = names.indexOf(one.name) < at;
    return [
      ...(isTwice ? [{ path: ['name'], message: 'expected a name that no class before has' }] : []),
      ...emptied(one, before),
      ...cutShort(one, before),
    ].map(({ path, message }) => ({ path: [at, ...path], message }));
  });
}

function emptied(one: DeclaredClass, before: readonly DeclaredClass[]): ClassFault[] {
  return (one.tenants.length > 0 ? one.tenants : ['']).flatMap((tenant) => {
    const first = before.find((other) => hasAll(other, one, tenant));
    if (!first) return [];
    const what = tenant === '' ? 'that have these data classes' : `of ${tenant}`;
    const message = `expected events that are in no class before: ${first.name} has all ${what} already`;
    return [{ path: [tenant === '' ? 'dataClasses' : 'tenants'], message }];
  });
}

function cutShort(one: DeclaredClass, before: readonly DeclaredClass[]): ClassFault[] {
  const shorter = before.find(({ keep }) => keep < leastOf(one).ms);
  if (!shorter) return [];
  const message = `expected it before ${shorter.name}, which may have events of it and keeps them shorter than their legal minimum`;
  return [{ path: [], message }];
}

/** Whether no event of the tenant, of anybody where it is '', is left for `one` behind the other. */
const hasAll = (other: Members, one: Members, tenant: string): boolean =>
  (other.tenants.length === 0 || other.tenants.includes(tenant)) &&
  (other.dataClasses.length === 0 || (one.dataClasses.length > 0 && one.dataClasses.every((name) => other.dataClasses.includes(name))));
