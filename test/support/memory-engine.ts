/**
 * The engine in memory, as it was measured: what the write protocol relies on, and what it has to survive. Tokens hold
 * within a ClickHouse partition and for a number of blocks; an engine that dies at a rename has written the token and not
 * the rows; dropping a day frees its tokens, deleting rows keeps them. Blocks are JSON here, but for the marker of a gap.
 */
import { AuditError } from '../../core/errors.ts';
import { gapNormaliser } from '../../ingest/marker.ts';
import type { BatchStore, Found } from '../../storage/batch-store.ts';
import { type Claim, effective, type Ledger, type PartitionKey } from '../../storage/ledger.ts';

export interface MemoryEvent {
  readonly place: string;
  readonly offset: number;
  readonly index: number;
  readonly receivedAt: number;
  /** 0: a marker, no event. */
  readonly batchEvents: number;
  readonly normaliser: string;
  readonly attempt: number;
}

export interface MemoryClaim {
  readonly place: string;
  readonly key: PartitionKey;
  readonly claim: Claim;
}

export interface MemoryLetter {
  readonly place: string;
  readonly offset: number;
  readonly index: number;
  readonly normaliser: string;
  readonly code: string;
}

/** What a block of the tests' own batches holds. */
export interface MemoryBlock {
  readonly place: string;
  readonly receivedAt: number;
  readonly normaliser: string;
  readonly attempt: number;
  readonly batchEvents: number;
  readonly rows: readonly (readonly [offset: number, index: number])[];
  /** A constraint of the table keeps the block out for good. */
  readonly isRefused?: boolean;
}

export interface MemoryEngine {
  readonly ledger: Ledger;
  readonly store: BatchStore;
  readonly events: readonly MemoryEvent[];
  readonly claims: readonly MemoryClaim[];
  readonly letters: ReadonlyMap<string, MemoryLetter>;
  /** The engine dies between the deduplication log and the rename of what `work` inserts. */
  burning<Answer>(work: () => Answer): Answer;
  /** So many blocks that every token is forgotten. */
  passWindow(): void;
  readonly floor: number;
  /** To the start of its day. */
  raiseFloor(at: number): void;
  /** Frees the tokens of the days that go. */
  dropBelowFloor(): void;
  /** Keeps the tokens. */
  deleteEvents(isGone: (row: MemoryEvent) => boolean): void;
  deleteClaims(isGone: (row: MemoryClaim) => boolean): void;
}

const dayMs = 86_400_000;
const dayOf = (ms: number) => Math.floor(ms / dayMs);

/** Where a partition's rows are, in events and dead letters; the ledger has the log beside it. */
export const placeOf = ({ sourceEpoch, topic, partition }: PartitionKey) => `${sourceEpoch}/${topic}/${partition}`;

interface TokenTable<Row> {
  rows: Row[];
  insert(token: string, partition: number, block: readonly Row[], isBurnt: boolean): void;
  forget(isForgotten: (partition: number) => boolean): void;
}

function tokenTable<Row>(window: number): TokenTable<Row> {
  /** In the order of their inserts: the first ones are forgotten first. */
  const tokens = new Map<string, number>();
  return {
    rows: [],
    insert(token, partition, block, isBurnt) {
      const id = `${partition} ${token}`;
      if (block.length === 0 || tokens.has(id)) return;
      tokens.set(id, partition);
      for (const oldest of tokens.keys()) {
        if (tokens.size <= window) break;
        tokens.delete(oldest);
      }
      if (!isBurnt) this.rows.push(...block);
    },
    forget(isForgotten) {
      for (const [id, partition] of tokens) if (isForgotten(partition)) tokens.delete(id);
    },
  };
}

export function memoryEngine({ window = 100_000, now = () => 0 }: { window?: number; now?: () => number } = {}): MemoryEngine {
  const events = tokenTable<MemoryEvent>(window);
  const batches = tokenTable<MemoryClaim>(window);
  const letters = new Map<string, MemoryLetter>();
  let floor = 0;
  let isBurning = false;

  const inLog = (key: PartitionKey) => `${key.logId}/${placeOf(key)}`;
  const rowsOf = (key: PartitionKey) => batches.rows.filter(({ place }) => place === inLog(key)).map(({ claim }) => claim);

  /** The ledger is not partitioned. A statement whose condition does not hold has no block, and uses up no token. */
  function insertClaim(key: PartitionKey, claim: Claim, token: string, isAllowed: boolean): void {
    if (isAllowed) batches.insert(token, 0, [{ place: inLog(key), key, claim: onlyClaim(claim) }], isBurning);
  }

  const ledger: Ledger = {
    async sourceEpoch(logId, topic) {
      const epochs = batches.rows
        .filter(({ key }) => (logId === null || key.logId === logId) && key.topic === topic)
        .map(({ key }) => key.sourceEpoch);
      return Math.max(1, ...epochs);
    },
    async claimsFrom(key, from, limit) {
      const rows = rowsOf(key).filter(({ firstOffset }) => firstOffset >= from);
      return effective(rows.toSorted(inOrder).slice(0, limit * 3)).slice(0, limit);
    },
    async tail(key) {
      const rows = rowsOf(key);
      const last = Math.max(...rows.map(({ firstOffset }) => firstOffset));
      return effective(rows.filter(({ firstOffset }) => firstOffset === last).toSorted(inOrder)).at(-1) ?? null;
    },
    async insertClaim(key, claim, token) {
      insertClaim(key, claim, token, !rowsOf(key).some(({ firstOffset }) => firstOffset >= claim.firstOffset));
    },
    async insertRevision(key, claim, token) {
      const rows = rowsOf(key).filter(({ firstOffset }) => firstOffset === claim.firstOffset);
      const isObserved = rows.some(({ lastOffset, revision }) => lastOffset === claim.lastOffset && revision === claim.revision - 1);
      insertClaim(key, claim, token, isObserved && rows.every(({ revision }) => revision < claim.revision));
    },
  };

  const store: BatchStore = {
    async insertEvents(bytes, token) {
      const block = toBlock(bytes, token);
      if (block.isRefused) throw new AuditError('BACKEND_REFUSED', 'refused', { facts: { clickhouseCode: 469 } });
      const { rows, isRefused: _, ...constants } = block;
      const stored = rows.map(([offset, index]) => ({ ...constants, offset, index }));
      events.insert(token, dayOf(block.receivedAt), stored, isBurning);
    },
    async insertDeadLetters(key, { normaliser }, rejected) {
      for (const { offset, index, code } of rejected) {
        const place = placeOf(key);
        letters.set(`${place} ${offset}/${index} ${normaliser}`, { place, offset, index, normaliser, code });
      }
    },
    async found(key, { firstOffset, lastOffset, receivedAt }) {
      const isHere = (row: { place: string; offset: number }) =>
        row.place === placeOf(key) && firstOffset <= row.offset && row.offset <= lastOffset;
      const isNear = (row: MemoryEvent) => Math.abs(row.receivedAt - receivedAt) <= dayMs;
      return found(
        events.rows.filter((row) => isHere(row) && isNear(row)),
        [...letters.values()].filter(isHere),
      );
    },
    accepts: async (bytes) => toBlock(bytes, '').isRefused !== true,
    async hasEventsBeyond(key, { lastOffset, receivedAt }) {
      const isBeyond = (row: MemoryEvent) => row.place === placeOf(key) && row.offset > lastOffset && row.receivedAt >= receivedAt - dayMs;
      return events.rows.some(isBeyond);
    },
    now: async () => now(),
    floor: async () => floor,
  };

  return {
    ledger,
    store,
    letters,
    get events() {
      return events.rows;
    },
    get claims() {
      return batches.rows;
    },
    get floor() {
      return floor;
    },
    burning(work) {
      isBurning = true;
      try {
        return work();
      } finally {
        isBurning = false;
      }
    },
    passWindow() {
      events.forget(() => true);
      batches.forget(() => true);
    },
    raiseFloor(at) {
      floor = Math.max(floor, dayOf(at) * dayMs);
    },
    dropBelowFloor() {
      events.rows = events.rows.filter(({ receivedAt }) => receivedAt >= floor);
      events.forget((day) => day < dayOf(floor));
    },
    deleteEvents(isGone) {
      events.rows = events.rows.filter((row) => !isGone(row));
    },
    deleteClaims(isGone) {
      batches.rows = batches.rows.filter((row) => !isGone(row));
    },
  };
}

const inOrder = (a: Claim, b: Claim) => a.firstOffset - b.firstOffset || a.revision - b.revision || a.attempt - b.attempt;

/** A row has the columns of a claim and nothing else. */
function onlyClaim(claim: Claim & Partial<PartitionKey>): Claim {
  const { logId: _, sourceEpoch: __, topic: ___, partition: ____, ...row } = claim;
  return row;
}

function found(rows: readonly MemoryEvent[], rejected: readonly MemoryLetter[]): Found {
  const deadLetters: Record<string, number> = {};
  for (const { normaliser } of rejected) deadLetters[normaliser] = (deadLetters[normaliser] ?? 0) + 1;
  return {
    events: rows.length,
    distinct: new Set(rows.map(({ offset, index }) => `${offset}/${index}`)).size,
    batchEvents: [...new Set(rows.map(({ batchEvents }) => batchEvents))],
    normalisers: [...new Set(rows.map(({ normaliser }) => normaliser))],
    deadLetters,
  };
}

/** The marker of a gap is a Native block of the product: one row, whose first column is its arrival; its token says where. */
function toBlock(bytes: Buffer, token: string): MemoryBlock {
  if (bytes[0] === 0x7b) return JSON.parse(bytes.toString()) as MemoryBlock; // made by the tests' own batches
  const [, epoch, topic, partition, offset] = token.split(':');
  const type = "DateTime64(3, 'UTC')";
  const receivedAt = Number(bytes.readBigInt64LE(bytes.indexOf(type) + type.length));
  return {
    place: `${epoch}/${topic}/${partition}`,
    receivedAt,
    normaliser: gapNormaliser,
    attempt: Number(/:r(\d+)$/.exec(token)?.[1] ?? 0),
    batchEvents: 0,
    rows: [[Number(offset), 0]],
  };
}
