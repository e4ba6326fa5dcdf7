/** What every resolver runs under: the caller's roles, and an entry in the access log before the answer, whatever it is. */
import { isUtf8 } from 'node:buffer';
import type { GraphQLResolveInfo } from 'graphql/index.js'; // the file that Node takes for 'graphql': a bundler takes another copy
import type { Clock } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import { keyedHash, type PurposeKey } from '../core/keys.ts';
import type { TimeRange } from '../schemas/api.ts';
import type { RuleDocument } from '../schemas/rule.ts';
import type { Access, Caller, Role } from '../storage/access.ts';
import type { AccessLog } from '../storage/access-log.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import type { ClosedReader } from '../storage/closed.ts';
import type { StoredLetter } from '../storage/dead-letters.ts';
import { openScope, type Range, type Scope } from '../storage/scope.ts';
import type { LoadedCatalogue } from './catalogue.ts';
import { createOldest } from './oldest.ts';
import { resolveRange } from './range.ts';

export interface ReadLimits {
  /** Of what is kept longest. */
  readonly retentionMs: number;
  /** Of what these tenants see, milliseconds; `retentionMs` where nothing is said. */
  readonly retentionOf?: (tenants: readonly string[]) => number;
  readonly maxRangeMs: number;
  readonly maxPageSize: number;
  readonly maxGroups: number;
  readonly maxPoints: number;
  readonly queriesPerMinute: number;
}

export interface ReadOptions {
  readonly clickhouse: ClickHouse;
  readonly access: Access;
  readonly accessLog: AccessLog;
  readonly cursorKeys: readonly [PurposeKey, ...PurposeKey[]];
  /** The keys that raw keys of consumers are hashed with, the current one first; none where nothing is said. */
  readonly credentialKeys?: readonly PurposeKey[];
  readonly limits: ReadLimits;
  readonly clock: Clock;
  readonly version: string;
  /** How far the data is stored. */
  readonly closed: ClosedReader;
  /** End offsets of the log by `TOPIC/PARTITION`, where it can be asked. */
  readonly ends?: () => Promise<ReadonlyMap<string, number>>;
  /** Rules as they are loaded; none where nothing is said. */
  readonly rules?: readonly RuleDocument[];
  /** Null without one. */
  readonly catalogue?: LoadedCatalogue | null;
  /** Reads dead letters again; where nothing is said there is no log to read them from. */
  readonly replays?: Replays;
  /** Why this process is not ready; it is when nothing is said. */
  readonly notReady?: () => Promise<readonly string[]>;
}

/** What reads dead letters again. */
export interface Replays {
  /** Whether the bytes of each are still in the log or kept. */
  replayable(letters: readonly StoredLetter[]): Promise<readonly boolean[]>;
  /** A dry run stores nothing, and counts what would be. Each problem tells why so many were not read again. */
  replay(letters: readonly StoredLetter[], isDry: boolean): Promise<ReplayAnswer>;
}

interface ReplayAnswer {
  readonly replayed: number;
  readonly rejectedAgain: number;
  readonly problems: readonly { readonly code: string; readonly count: number; readonly message: string }[];
}

export interface ReadContext {
  readonly caller: Caller;
  readonly address: string;
  readonly request: Request;
}

type Resolve<Parent, Args, Answer> = (parent: Parent, args: Args, context: ReadContext, info: GraphQLResolveInfo) => Answer;

export interface Rules<Parent, Answer> {
  readonly roles?: readonly Role[];
  /** How many rows the answer shows; 1 when nothing is said. */
  readonly rows?: (answer: NonNullable<Answer>) => number;
  /** It changes something: that stands in the access log before it is done, too. */
  readonly changes?: true;
  /** Of which thing it is a read; the argument `id` when nothing is said. */
  readonly target?: (parent: Parent) => string;
}

export interface Guard {
  /** Only who has one of the roles comes through, and what was read, refused or failed is written down before the answer. */
  readonly guarded: <Parent, Args extends object, Answer>(
    resolve: (args: Args, context: ReadContext, info: GraphQLResolveInfo, parent: Parent) => Answer | Promise<Answer>,
    rules?: Rules<Parent, Answer>,
  ) => Resolve<Parent, Args, Promise<Answer>>;
  /** For fields within lists that ask a statement each. @throws QUERY_TOO_EXPENSIVE beyond a thousand of them in one request */
  readonly nested: <Parent, Args, Answer>(resolve: Resolve<Parent, Args, Answer>) => Resolve<Parent, Args, Answer>;
  /** Events of the caller, stopped when the request is. */
  readonly scopeOf: (context: ReadContext) => Scope;
  readonly rangeOf: (input: TimeRange) => Range;
  /** @throws BAD_USER_INPUT beyond limits.maxPageSize */
  readonly pageSize: (first: number | null | undefined) => number;
}

const maxNested = 1_000;
const readers: readonly Role[] = ['admin', 'viewer', 'analyst', 'auditor', 'operator'];

export function createGuard(options: ReadOptions): Guard {
  const { accessLog, clickhouse, clock, limits } = options;
  const spent = new WeakMap<Request, number>();
  const oldest = createOldest(clickhouse);
  const isEarly = (args: { readonly range?: TimeRange }) => (args.range?.absolute?.to ?? Infinity) <= clock.now() - limits.retentionMs;
  return {
    guarded:
      (resolve, rules = {}) =>
      async (parent, args, context, info) => {
        const target = rules.target?.(parent) ?? ('id' in args ? args.id : undefined);
        const record = {
          caller: context.caller,
          address: context.address,
          action:
            info.parentType.name === 'Query' || info.parentType.name === 'Mutation'
              ? info.fieldName
              : `${info.parentType.name}.${info.fieldName}`,
          operation: info.operation.name?.value ?? '',
          variablesHash: keyedHash(options.cursorKeys[0], JSON.stringify([args, info.variableValues]), 32),
          reason: reasonIn(context.request.headers),
          ...(typeof target === 'string' && { target: target.slice(0, 500) }),
        };
        const { roles } = context.caller;
        if (!roles.some((role) => (rules.roles ?? readers).includes(role))) {
          await accessLog.write({ ...record, allowed: false });
          throw new AuditError('FORBIDDEN', `The roles of this key (${roles.join(', ')}) do not allow ${record.action}`);
        }
        if (rules.changes === true) await accessLog.write({ ...record, allowed: true });
        try {
          // What ends before retention alone would say may be an archive that arrived since.
          if (isEarly(args)) await oldest.ask();
          const answer = await resolve(args, context, info, parent);
          const rows = answer === null || answer === undefined ? 0 : (rules.rows?.(answer) ?? 1);
          await accessLog.write({ ...record, allowed: true, rows });
          return answer;
        } catch (error) {
          // Rows stay unknown: whoever looks sees that it was tried and showed nothing.
          await accessLog.write({ ...record, allowed: true });
          throw error;
        }
      },
    nested: (resolve) => (parent, args, context, info) => {
      const count = (spent.get(context.request) ?? 0) + 1;
      spent.set(context.request, count);
      if (count <= maxNested) return resolve(parent, args, context, info);
      throw new AuditError(
        'QUERY_TOO_EXPENSIVE',
        `Fields within lists would need more than ${maxNested} statements: ask for shorter lists`,
      );
    },
    scopeOf: ({ caller, request }) => ({
      ...openScope(clickhouse, caller.tenants, request.signal),
      credentialKeys: options.credentialKeys ?? [],
    }),
    rangeOf: (input) => resolveRange(input, clock.now(), { ...limits, oldestEvent: oldest.seen }),
    pageSize(first) {
      const size = first ?? 50;
      if (size >= 0 && size <= limits.maxPageSize) return size;
      throw new AuditError('BAD_USER_INPUT', `first is 0 to ${limits.maxPageSize}, got ${size}`);
    },
  };
}

/** The bytes of a header are UTF-8 mostly, and come as Latin-1. */
function reasonIn(headers: Headers): string {
  const given = headers.get('x-access-reason') ?? '';
  const bytes = Buffer.from(given, 'latin1');
  return (isUtf8(bytes) ? bytes.toString() : given).slice(0, 500);
}
