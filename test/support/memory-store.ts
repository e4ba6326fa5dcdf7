/**
 * Ledger and tables in memory, with the engine's ways that the write protocol is made against: tokens with a window, a token
 * burnt by a crash, a request that lands after its client gave up, lost requests and lost answers. Blocks are JSON here, but for
 * markers and replays.
 */
import { AuditError } from '../../core/errors.ts';
import { grouped } from '../../core/grouped.ts';
import { type BatchMaker, createBatchMaker, maxBlockRows } from '../../ingest/batch.ts';
import type { LogMessage } from '../../ingest/log.ts';
import type { BatchStore, Found } from '../../storage/batch-store.ts';
import type { LetterStore, StoredLetter } from '../../storage/dead-letters.ts';
import { type Claim, effective, type Ledger, type PartitionKey } from '../../storage/ledger.ts';
import { readPlaces, type ReplayLedger } from '../../storage/replays.ts';
import { storageRows } from './native.ts';
import { lineDecoder } from './writer.ts';

/** What becomes of one insert under a token: the next in line that names its table is used up. */
export type Fault = 'lost request' | 'lost answer' | 'held' | 'burnt' | 'refused' | 'read only';

interface Row {
  readonly position: string;
  readonly replay: number;
  readonly batchEvents: number;
  readonly normaliser: string;
  readonly attempt: number;
}

interface Block {
  readonly positions: readonly string[];
  readonly replay: number;
  /** 0: the marker. */
  readonly batchEvents: number;
  readonly normaliser: string;
  readonly attempt: number;
}

type Table = 'batches' | 'events';

export interface MemoryStore {
  readonly ledger: Ledger;
  readonly replays: ReplayLedger;
  readonly store: BatchStore;
  readonly letters: LetterStore;
  /** Dead letters whole, by position, as a replay finds them. */
  readonly stored: Map<string, StoredLetter>;
  /** Rows as they stand. */
  readonly claims: Claim[];
  readonly events: Row[];
  /** Tokens of the inserts that were sent, in order. */
  readonly sent: Record<Table, string[]>;
  /** What happens to the next inserts into a table. */
  fail(table: Table, ...faults: Fault[]): void;
  /** What was held reaches the engine now. */
  deliver(): void;
  /** The window has moved on: no token is known any more. */
  forgetTokens(): void;
  floor: number;
  /** A position that the table refuses for good, as a constraint would. */
  refusedPosition: string;
  /** The code of each, by `NORMALISER POSITION`. */
  readonly deadLetters: Map<string, string>;
}

export function memoryStore(): MemoryStore {
  const tokens = new Set<string>();
  const held: (() => void)[] = [];
  const faults: Record<Table, Fault[]> = { batches: [], events: [] };
  const down = () => new AuditError('BACKEND_UNAVAILABLE', 'no answer');

  /** `work` stores the rows, and gives false where there is none to store: then the token is not used up. */
  function insert(table: Table, token: string, work: () => boolean): void {
    const engine = () => {
      if (!tokens.has(`${table} ${token}`) && work()) tokens.add(`${table} ${token}`);
    };
    state.sent[table].push(token);
    const fault = faults[table].shift();
    if (fault === 'lost request') throw down();
    if (fault === 'refused') throw new AuditError('BACKEND_REFUSED', 'refused', { facts: { clickhouseCode: 469 } });
    if (fault === 'read only') throw new AuditError('BACKEND_REFUSED', 'read only', { facts: { clickhouseCode: 242 } });
    if (fault === 'held') held.push(engine);
    else if (fault === 'burnt') tokens.add(`${table} ${token}`);
    else engine();
    if (fault !== undefined) throw down();
  }

  const rowsFrom = (from: number) =>
    state.claims
      .filter(({ firstOffset, replay }) => replay === undefined && firstOffset >= from)
      .toSorted((a, b) => a.firstOffset - b.firstOffset);

  const replaysOf = (isWanted: (claim: Claim) => boolean) =>
    [
      ...grouped(
        state.claims.filter((claim) => claim.replay !== undefined && isWanted(claim)),
        placeOfReplay,
      ).values(),
    ].flatMap(effective);

  function insertClaim(claim: Claim, token: string, isAllowed: () => boolean): void {
    insert('batches', token, () => {
      if (!isAllowed()) return false;
      state.claims.push(onlyClaim(claim));
      return true;
    });
  }

  const state: MemoryStore = {
    claims: [],
    events: [],
    sent: { batches: [], events: [] },
    floor: 0,
    refusedPosition: '',
    deadLetters: new Map(),
    fail: (table, ...next) => faults[table].push(...next),
    deliver() {
      for (const late of held.splice(0)) late();
    },
    forgetTokens: () => tokens.clear(),
    ledger: {
      sourceEpoch: async () => 1,
      claimsFrom: async (_key, from, limit) => effective(rowsFrom(from)).slice(0, limit),
      tail: async () => effective(rowsFrom(-1)).at(-1) ?? null,
      insertClaim: async (_key, claim, token) => insertClaim(claim, token, () => rowsFrom(claim.firstOffset).length === 0),
      insertRevision: async (_key, claim, token) =>
        insertClaim(claim, token, () => {
          const rows = state.claims.filter(({ firstOffset, replay }) => firstOffset === claim.firstOffset && replay === claim.replay);
          const isObserved = rows.some(({ lastOffset, revision }) => lastOffset === claim.lastOffset && revision === claim.revision - 1);
          return isObserved && rows.every(({ revision }) => revision < claim.revision);
        }),
    },
    replays: {
      of: async (_key, first) => replaysOf((claim) => claim.firstOffset === first),
      insert: async (_key, claim, token) =>
        insertClaim(
          claim,
          token,
          () => !state.claims.some(({ firstOffset, replay }) => firstOffset === claim.firstOffset && replay === claim.replay),
        ),
      logOf: async () => 'log',
      open: async () =>
        replaysOf(() => true)
          .filter(({ settled }) => !settled)
          .map(({ firstOffset, replay = 0 }) => ({
            key: { logId: 'log', sourceEpoch: 1, topic: 'gw', partition: 0 },
            firstOffset,
            replay,
          })),
    },
    stored: new Map(),
    letters: {
      async restate(letters) {
        for (const letter of letters) if (state.stored.get(placeOf(letter))?.replayedAt === null) state.stored.set(placeOf(letter), letter);
      },
      async markReplayed(_key, { firstOffset, note }, at) {
        for (const place of readPlaces(note, firstOffset)) {
          const letter = state.stored.get(placeOf(place));
          if (letter?.replayedAt === null) state.stored.set(placeOf(place), { ...letter, replayedAt: at });
        }
      },
    },
    store: {
      async insertEvents(bytes, token) {
        const { positions, replay, batchEvents, normaliser, attempt } = toBlock(bytes);
        if (positions.includes(state.refusedPosition)) faults.events.unshift('refused');
        insert('events', token, () => {
          state.events.push(...positions.map((position) => ({ position, replay, batchEvents, normaliser, attempt })));
          return true;
        });
      },
      async insertDeadLetters(_key, { normaliser }, letters) {
        for (const { offset, index, code } of letters) state.deadLetters.set(`${normaliser} ${offset}/${index}`, code);
      },
      found: async (_key, claim) => found(state, claim),
      accepts: async (bytes) => !toBlock(bytes).positions.includes(state.refusedPosition),
      hasEventsBeyond: async () => false,
      now: async () => 0,
      floor: async () => state.floor,
    },
  };
  return state;
}

/** A row has the columns of a claim and nothing else. */
function onlyClaim(claim: Claim & Partial<PartitionKey>): Claim {
  const { logId: _, sourceEpoch: __, topic: ___, partition: ____, ...row } = claim;
  return row;
}

function found({ events, deadLetters }: MemoryStore, { firstOffset, lastOffset, replay = 0 }: Claim): Found {
  const isInRange = (position: string) => firstOffset <= Number.parseInt(position, 10) && Number.parseInt(position, 10) <= lastOffset;
  const rows = events.filter((row) => row.replay === replay && isInRange(row.position));
  const letters: Record<string, number> = {};
  for (const letter of deadLetters.keys()) {
    const [normaliser = '', position = ''] = letter.split(' ');
    if (isInRange(position)) letters[normaliser] = (letters[normaliser] ?? 0) + 1;
  }
  return {
    events: rows.length,
    distinct: new Set(rows.map(({ position }) => position)).size,
    batchEvents: [...new Set(rows.map(({ batchEvents }) => batchEvents))],
    normalisers: [...new Set(rows.map(({ normaliser }) => normaliser))],
    deadLetters: letters,
  };
}

const placeOf = ({ offset, index }: { readonly offset: number; readonly index: number }) => `${offset}/${index}`;
const placeOfReplay = ({ firstOffset, replay }: Claim) => `${firstOffset} ${replay}`;

function toBlock(bytes: Buffer): Block {
  if (bytes[0] === 0x7b) return { replay: 0, ...(JSON.parse(bytes.toString()) as Omit<Block, 'replay'>) };
  const rows = storageRows(bytes);
  return { ...(rows[0] ?? { replay: 0, batchEvents: 0, normaliser: '', attempt: 0 }), positions: rows.map(placeOf) };
}

/** The product's batches of lines, in blocks that the store above can read; `blockRows`: what one block takes. */
export function memoryBatches(normaliser = 'test', blockRows = maxBlockRows): BatchMaker {
  const maker = createBatchMaker(lineDecoder(normaliser));
  const batches: BatchMaker = {
    ...maker,
    open(key, receivedAt, refusal) {
      const open = maker.open(key, receivedAt, refusal);
      const messages: LogMessage[] = [];
      return {
        add(message) {
          messages.push(message);
          open.add(message);
        },
        get rows() {
          return open.rows;
        },
        get textLength() {
          return open.textLength;
        },
        close: (range) => batches.make(key, { ...range, messages }, receivedAt, refusal),
      };
    },
    make(key, range, receivedAt, refusal) {
      const positions: string[] = [];
      const sink = {
        event: (_event: object, offset: number, index: number) => void positions.push(`${offset}/${index}`),
        rejected: () => {},
        skipped: () => {},
      };
      for (const message of range.messages) lineDecoder(normaliser).decode(message, key.topic, receivedAt, sink);
      const kept = positions.filter((position) => !refusal?.has(position));
      const block = { positions: kept.length === 0 ? [`${range.firstOffset}/0`] : kept, batchEvents: kept.length, normaliser };
      return {
        ...maker.make(key, range, receivedAt, refusal),
        fitsOneBlock: kept.length <= blockRows,
        encode: (attempt) => Buffer.from(JSON.stringify({ ...block, attempt })),
      };
    },
  };
  return batches;
}
