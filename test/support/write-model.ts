/**
 * A world for the write path: processes that run the product's own loop over one partition, an engine and a log in memory,
 * and between them a network that does what a list of commands says. Nothing happens by itself, no time passes by itself:
 * the same commands give the same history.
 */
import { AuditError } from '../../core/errors.ts';
import { silentLogger } from '../../core/logger.ts';
import { runPartition } from '../../ingest/partition.ts';
import { createWriter } from '../../ingest/write.ts';
import type { PartitionKey } from '../../storage/ledger.ts';
import { beginEpoch, createDatabaseClock } from '../../storage/positions.ts';
import { lightBatches, type Version } from './light-batches.ts';
import { memoryEngine, type MemoryEngine } from './memory-engine.ts';
import { sharedLog, type SharedLog } from './shared-log.ts';
import { virtualTime } from './virtual-time.ts';
import { claimFaults, claimsNow, doubled, historyFaults } from './write-oracle.ts';

/** What becomes of a request. `slow`: it is done, and its answer waits. `held`: its client gives up, and it is done later. */
export type Fate = 'answered' | 'slow' | 'lost request' | 'lost answer' | 'held' | 'burnt';

export type Command =
  | { readonly do: 'append'; readonly kinds: readonly string[] }
  | { readonly do: 'hole'; readonly count: number }
  | { readonly do: 'trim'; readonly count: number }
  | { readonly do: 'replace'; readonly kinds: readonly string[] }
  /** A member gets the partition: a fresh process or one that runs; its owner is told, or goes on as a zombie. */
  | { readonly do: 'assign'; readonly to: number | Version; readonly rows: number; readonly isTold: boolean }
  | { readonly do: 'tell'; readonly who: number }
  | { readonly do: 'crash'; readonly who: number }
  | { readonly do: 'step'; readonly who: number; readonly fate: Fate }
  /** Every answer comes until an insert is on its way, which has this fate. */
  | { readonly do: 'insert'; readonly who: number; readonly fate: Fate }
  | { readonly do: 'land'; readonly which: number }
  | { readonly do: 'forget'; readonly which: number }
  | { readonly do: 'time'; readonly ms: number }
  | { readonly do: 'window' }
  /** A process stands still with an answer on its way, the others go on, and the window passes. */
  | { readonly do: 'sleep'; readonly who: number }
  | { readonly do: 'floor' }
  | { readonly do: 'drop' };

interface Request {
  readonly isInsert: boolean;
  readonly isOfEvents: boolean;
  readonly work: () => Promise<unknown>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** It is done, and this is on its way back. */
  answer?: Promise<unknown>;
}

/** One process. */
interface Process {
  readonly name: string;
  readonly version: Version;
  readonly skewMs: number;
}

/** One assignment of the partition to a process, as that process sees it. */
interface Life {
  readonly process: Process;
  readonly revoke: () => void;
  readonly rows: number;
  pending?: Request | undefined;
  isOver: boolean;
  /** Looks into the log that found nothing new, one after another. */
  idle: number;
}

export interface World {
  readonly engine: MemoryEngine;
  readonly log: SharedLog;
  readonly faults: string[];
  /** Of the life of the topic that is current. */
  readonly key: PartitionKey;
  obey(command: Command): Promise<void>;
  /** All requests arrive, all members come to rest, a fresh one reads to the end; then the tables are judged. */
  calm(version: Version): Promise<void>;
  end(): void;
}

/** Ten seconds before midnight. */
const startsAt = Date.parse('2026-11-22T23:59:50Z');
/** More steps than any history needs to come to rest. */
const patience = 3_000;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const away = () => new AuditError('BACKEND_UNAVAILABLE', 'no answer');

export function createWorld(): World {
  const time = virtualTime();
  Error.stackTraceLimit = 0; // a tenth of the time, and nobody reads them
  const now = () => startsAt + time.now();
  const engine = memoryEngine({ now });
  const log = sharedLog();
  const held: Request[] = [];
  const faults: string[] = [];
  let lives: Life[] = [];
  let owner: Life | undefined;
  let isReplaced = false;
  let before = { claims: 0, events: 0 };
  let [names, judged] = [0, 0];

  let key = { logId: 'log', sourceEpoch: 1, topic: 'gw', partition: 0 };
  const world: World = {
    engine,
    log,
    faults,
    obey,
    calm,
    end() {
      time.end();
      Error.stackTraceLimit = 10;
    },
    get key() {
      return key;
    },
  };

  function gated<Arguments extends unknown[], Answer>(
    life: Life,
    work: (...args: Arguments) => Promise<Answer>,
    { isInsert = false, isOfEvents = false } = {},
  ): (...args: Arguments) => Promise<Answer> {
    return (...args) =>
      new Promise<Answer>((resolve, reject) => {
        const given = resolve as (answer: unknown) => void; // what `work` gave
        life.pending = { isInsert, isOfEvents, work: () => work(...args), resolve: given, reject };
      });
  }

  function begin(process: Process, rows: number): Life {
    const control = new AbortController();
    const life: Life = { process, rows, revoke: () => control.abort(), isOver: false, idle: 0 };
    const member = log.member(control.signal, (next) => {
      const claim = claimsNow(world).find(({ lastOffset }) => lastOffset === next - 1);
      if (claim === undefined) faults.push(`committed ${next}, which no claim ends at`);
      else faults.push(...claimFaults(world, claim).map((fault) => `committed ${next} before it was stored: ${fault}`));
    });
    const isInsert = { isInsert: true };
    const { ledger, store } = engine;
    const gatedLedger = {
      sourceEpoch: gated(life, ledger.sourceEpoch),
      claimsFrom: gated(life, ledger.claimsFrom),
      tail: gated(life, ledger.tail),
      insertClaim: gated(life, ledger.insertClaim, isInsert),
      insertRevision: gated(life, ledger.insertRevision, isInsert),
    };
    const gatedStore = {
      ...store,
      insertEvents: gated(life, store.insertEvents, { isInsert: true, isOfEvents: true }),
      insertDeadLetters: gated(life, store.insertDeadLetters, isInsert),
      found: gated(life, store.found),
      hasEventsBeyond: gated(life, store.hasEventsBeyond),
      floor: gated(life, store.floor),
    };
    const next = gated(life, async (wanted: Parameters<typeof member.next>[0]) => {
      const fetched = await member.next(wanted);
      life.idle = fetched.to === fetched.from ? life.idle + 1 : 0;
      return fetched;
    });
    const maker = lightBatches(process.version);
    const parts = { ledger: gatedLedger, store: gatedStore, maker, logger: silentLogger };
    const onInconsistent = () => void faults.push('a batch did not read back as claimed');
    const databaseClock = createDatabaseClock(store, { now: () => now() + process.skewMs });
    const ending = async () => {
      await databaseClock.measure();
      await runPartition(
        { ...member, next, bounds: gated(life, member.bounds), commit: gated(life, member.commit) },
        {
          ...parts,
          writer: createWriter({ ...parts, writer: process.name, onInconsistent }),
          logId: 'log',
          start: 'earliest',
          limits: { rows, bytes: 1_000_000, ms: 1_000, behindMs: 1_000 },
          databaseClock,
          onStored: (_key, claim) => void faults.push(...claimFaults(world, claim).map((fault) => `told as stored: ${fault}`)),
          onStopped(_key, error) {
            if (error.code !== 'LOG_REPLACED' || !isReplaced) faults.push(`stood still: ${error.code} ${error.message}`);
          },
        },
      );
    };
    ending()
      .catch((error: unknown) => faults.push(`ended: ${String(error)}`))
      .finally(() => {
        life.isOver = true;
      });
    return life;
  }

  /** The process is gone; what it had sent may still arrive. */
  function crash(life: Life): void {
    for (const each of lives.filter(({ process }) => process === life.process)) {
      each.isOver = true;
      if (each.pending?.isInsert === true && each.pending.answer === undefined) held.push(each.pending);
      each.pending = undefined;
    }
  }

  async function assign(to: number | Version, rows: number, isTold: boolean): Promise<void> {
    if (isTold) owner?.revoke();
    const running = typeof to === 'number' ? lives[to % Math.max(1, lives.length)]?.process : undefined;
    for (const life of lives) if (life.process === running) life.revoke();
    owner = begin(running ?? fresh(typeof to === 'number' ? 'new' : to), rows);
    lives.push(owner);
    await turn();
  }

  function fresh(version: Version): Process {
    names += 1;
    return { name: `w${names}`, version, skewMs: ((names % 3) - 1) * 20_000 };
  }

  async function step(life: Life, fate: Fate): Promise<void> {
    const request = life.pending;
    if (request === undefined) {
      time.next();
      await turn();
    } else {
      life.pending = undefined;
      treat(life, request, fate);
      await settled(life);
    }
    if (life.isOver) lives = lives.filter(({ isOver }) => !isOver);
  }

  /** Until it asks for something again, sleeps, or is over. A turn of the event loop is sure, and ten times as slow. */
  async function settled(life: Life): Promise<void> {
    const { timers } = time;
    for (let hops = 0; hops < 100; hops += 1) {
      if (life.pending !== undefined || life.isOver || time.timers > timers) return;
      await Promise.resolve();
    }
    await turn();
  }

  function treat(life: Life, request: Request, fate: Fate): void {
    if (request.answer !== undefined) {
      if (fate === 'lost answer' && request.isInsert) request.reject(away());
      else deliver(request, request.answer);
    } else if (fate === 'slow') {
      request.answer = request.work();
      request.answer.catch(() => {}); // told when it is delivered
      life.pending = request;
    } else if (fate === 'answered' || !request.isInsert) deliver(request, request.work());
    else {
      if (fate === 'burnt') void engine.burning(request.work).catch(() => {});
      if (fate === 'lost answer') void request.work().catch(() => {});
      if (fate === 'held') held.push(request);
      request.reject(away());
    }
  }

  function deliver(request: Request, answer: Promise<unknown>): void {
    answer.then(request.resolve, request.reject);
  }

  async function land(which: number): Promise<void> {
    const [request] = held.splice(which % Math.max(1, held.length), 1);
    await request?.work().catch(() => {});
  }

  /** Far longer than a request lives, and so many inserts that all tokens are forgotten. */
  async function window(): Promise<void> {
    time.pass(600_000);
    await turn();
    for (const life of lives) if (life.pending?.isOfEvents === true && life.pending.answer === undefined) await step(life, 'held');
    for (let at = held.length - 1; at >= 0; at -= 1) if (held[at]?.isOfEvents === true) await land(at);
    engine.passWindow();
  }

  async function sleep(sleeper: Life): Promise<void> {
    if (sleeper.pending?.isInsert === false) await step(sleeper, 'slow');
    for (let steps = 0; steps < 30; steps += 1) for (const life of lives) if (life !== sleeper) await step(life, 'answered');
    await window();
  }

  async function obey(command: Command): Promise<void> {
    const life = 'who' in command ? lives[command.who % Math.max(1, lives.length)] : undefined;
    switch (command.do) {
      case 'append':
        log.append(command.kinds);
        break;
      case 'hole':
        if (!isReplaced) log.appendHole(command.count, 'COMPACTION'); // the message that tells the logs apart must not be missing
        break;
      case 'trim':
        if (!isReplaced) log.trim(command.count); // a new log that has lost its messages too cannot be told from the old one
        break;
      case 'replace':
        await replace(command.kinds);
        break;
      case 'assign':
        await assign(command.to, command.rows, command.isTold);
        break;
      case 'tell':
        life?.revoke();
        break;
      case 'crash':
        if (life) crash(life);
        break;
      case 'step':
        if (life) await step(life, command.fate);
        break;
      case 'insert':
        for (let at = 0; life && at < 20 && !isAtInsert(life) && !life.isOver; at += 1) await step(life, 'answered');
        if (life) await step(life, command.fate);
        break;
      case 'land':
        await land(command.which);
        break;
      case 'forget':
        held.splice(command.which % Math.max(1, held.length), 1);
        break;
      case 'time':
        time.pass(command.ms);
        break;
      case 'window':
        await window();
        break;
      case 'sleep':
        if (life) await sleep(life);
        break;
      case 'floor':
        engine.raiseFloor(now());
        break;
      case 'drop':
        engine.dropBelowFloor();
    }
    if (command.do !== 'step' && command.do !== 'insert' && command.do !== 'append') await turn();
    lives = lives.filter(({ isOver }) => !isOver);
    if (engine.events.length !== judged) faults.push(...doubled(engine));
    judged = engine.events.length;
  }

  const isAtInsert = ({ pending }: Life) => pending?.isInsert === true && pending.answer === undefined;

  /** All members lose the topic with it; what they had sent has arrived before there is another. */
  async function replace(kinds: readonly string[]): Promise<void> {
    for (const life of lives) crash(life);
    while (held.length > 0) await land(0);
    const tail = claimsNow(world).at(-1);
    const isKnown = tail !== undefined && tail.lastSha256 !== '' && tail.lastOffset >= log.low;
    if (isReplaced || !isKnown) return;
    isReplaced = true;
    engine.dropBelowFloor();
    before = { claims: engine.claims.length, events: engine.events.length };
    log.replace(kinds);
  }

  /** Until every member has found the end of the log, or has ended. */
  async function rest(): Promise<void> {
    for (let steps = 0; lives.some(({ isOver, idle }) => !isOver && idle < 3); steps += 1) {
      if (steps === patience) return void faults.push('the writers do not come to an end');
      for (const life of lives) if (!life.isOver && life.idle < 3) await step(life, 'answered');
    }
    for (const life of lives) life.revoke();
    for (let at = 0; lives.length > 0 && at < 10; at += 1) for (const life of lives) await step(life, 'answered');
  }

  async function calm(version: Version): Promise<void> {
    while (held.length > 0) await land(0);
    for (const life of lives) if (life !== owner) life.revoke();
    await rest();
    engine.dropBelowFloor();
    await assign(version, 4, true);
    await rest();
    if (isReplaced) await accept(version);
    faults.push(...doubled(engine), ...historyFaults(world));
  }

  /** Everybody stood still, and nothing was added; an operator says that the topic was made anew. */
  async function accept(version: Version): Promise<void> {
    if (engine.claims.length !== before.claims || engine.events.length > before.events) faults.push('the new log was read as the old one');
    const topic = { starts: [{ partition: 0, start: log.low }], receivedAt: now(), writer: 'operator', note: '' };
    key = { ...key, sourceEpoch: await beginEpoch(engine.ledger, key, topic) };
    await assign(version, 4, true);
    await rest();
  }

  return world;
}
