/** Who read or changed what in Gatetrail itself. Written before the answer goes out; no caller can switch it off. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { Caller } from './access.ts';
import type { ClickHouse } from './clickhouse.ts';

export interface AccessRecord {
  /** Null where nobody was recognised. */
  readonly caller: Caller | null;
  readonly address: string;
  readonly action: string;
  readonly target?: string;
  readonly operation?: string;
  readonly variablesHash?: string;
  readonly rows?: number;
  readonly reason?: string;
  readonly allowed: boolean;
}

export interface AccessLog {
  write(record: AccessRecord): Promise<void>;
}

export function openAccessLog(clickhouse: ClickHouse, clock: Clock): AccessLog {
  return {
    write: ({ caller, address, action, allowed, ...rest }) =>
      clickhouse.insertRows('access_log', [
        {
          id: randomUUID(),
          at: new Date(clock.now()).toISOString(),
          actor: caller?.name ?? '',
          key_id: caller?.keyId ?? '',
          roles: caller?.roles ?? [],
          tenants: caller?.tenants ?? [],
          address,
          action,
          target: rest.target ?? '',
          operation: rest.operation ?? '',
          variables_hash: rest.variablesHash ?? '',
          rows: rest.rows ?? null,
          reason: rest.reason ?? '',
          allowed: allowed ? 1 : 0,
        },
      ]),
  };
}
