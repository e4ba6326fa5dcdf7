/** Totals of connections, told exactly up to a bound. */
import type { AuditEventConnectionTotalCountArgs, Count } from '../schemas/api.ts';

/** Null asks for the same bound as nothing does. */
export function countUpTo(found: number, { upTo }: AuditEventConnectionTotalCountArgs): Count {
  const most = upTo ?? 10_000;
  return { value: Math.min(found, most), relation: found > most ? 'AT_LEAST' : 'EXACT' };
}
