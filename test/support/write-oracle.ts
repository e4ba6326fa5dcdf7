/** Judges what a history of the write model left in the tables, by its own reading of the messages. */
import type { LogMessage } from '../../ingest/log.ts';
import type { Claim } from '../../storage/ledger.ts';
import { kindOf, readingOf, type Version } from './light-batches.ts';
import { type MemoryEngine, placeOf } from './memory-engine.ts';
import type { PartitionKey } from '../../storage/ledger.ts';
import type { SharedLog } from './shared-log.ts';

interface Judged {
  readonly engine: MemoryEngine;
  readonly log: SharedLog;
  readonly key: PartitionKey;
}

/** Positions that stand twice, whatever else there is. */
export function doubled({ events }: MemoryEngine): string[] {
  const seen = new Set<string>();
  return events.flatMap(({ place, offset, index, batchEvents }) => {
    const position = `${place} ${offset}/${index} ${batchEvents === 0}`;
    if (seen.has(position)) return [`stored twice: ${position}`];
    seen.add(position);
    return [];
  });
}

/** The row that counts of each claim of the partition, in order. */
export function claimsNow({ engine, key }: Judged): Claim[] {
  const claims = new Map<number, Claim>();
  for (const { key: of, claim } of engine.claims) {
    if (of.sourceEpoch !== key.sourceEpoch) continue;
    const other = claims.get(claim.firstOffset);
    if (!other || claim.revision > other.revision || (claim.revision === other.revision && claim.attempt > other.attempt))
      claims.set(claim.firstOffset, claim);
  }
  return [...claims.values()].toSorted((a, b) => a.firstOffset - b.firstOffset);
}

/** After everything came to rest: every message is in one claim, in order, and each claim has what it says. */
export function historyFaults(world: Judged): string[] {
  const claims = claimsNow(world);
  const faults = claims.flatMap((claim) => claimFaults(world, claim));
  claims.forEach((claim, at) => {
    const before = claims[at - 1];
    if (!before) {
      if (claim.firstOffset !== -1) faults.push(`the chain begins at ${claim.firstOffset}`);
      return;
    }
    if (claim.firstOffset !== before.lastOffset + 1) faults.push(`the claim at ${claim.firstOffset} follows ${before.lastOffset}`);
    if (claim.sequence !== before.sequence + 1) faults.push(`sequence ${claim.sequence} follows ${before.sequence}`);
    if (claim.receivedAt < before.receivedAt) faults.push(`the claim at ${claim.firstOffset} arrived before the one ahead of it`);
  });
  for (const { offset, receivedAt } of world.engine.events)
    if (receivedAt < world.engine.floor) faults.push(`${offset} came back below the floor`);
  const end = claims.at(-1)?.lastOffset;
  if (end !== world.log.high - 1) faults.push(`the chain ends at ${end}, the log at ${world.log.high - 1}`);
  return faults;
}

/** What is wrong with what is stored of a claim, as its newest revision says it. */
export function claimFaults(world: Judged, { firstOffset }: Pick<Claim, 'firstOffset'>): string[] {
  const claim = claimsNow(world).find((each) => each.firstOffset === firstOffset);
  if (claim === undefined) return [`no claim at ${firstOffset}`];
  const stored = storedOf(world, claim);
  const fault = (text: string) => [`claim ${claim.firstOffset}-${claim.lastOffset}: ${text}`];
  if (claim.receivedAt < world.engine.floor) return []; // closed by definition, whatever is there
  if (claim.gapReason === 'RETENTION_OVERRUN') {
    if (stored.events.length > 0) return fault('a gap that has events');
    return claim.firstOffset < world.log.low ? [] : fault('a gap that the log still has');
  }
  if (claim.firstOffset === -1) return [];
  return readFaults(world, claim, stored).flatMap(fault);
}

interface Stored {
  readonly events: readonly string[];
  readonly letters: ReadonlyMap<string, string>;
  readonly normalisers: ReadonlySet<string>;
  readonly markers: number;
  readonly arrivals: ReadonlySet<number>;
}

function storedOf({ engine, key }: Judged, { firstOffset, lastOffset, normaliser }: Claim): Stored {
  const isHere = ({ place, offset }: { place: string; offset: number }) =>
    place === placeOf(key) && firstOffset <= offset && offset <= lastOffset;
  const rows = engine.events.filter(isHere);
  const events = rows.filter(({ batchEvents }) => batchEvents > 0);
  const letters = [...engine.letters.values()].filter((letter) => isHere(letter) && letter.normaliser === normaliser);
  return {
    events: events.map(({ offset, index }) => `${offset}/${index}`),
    letters: new Map(letters.map(({ offset, index, code }) => [`${offset}/${index}`, code])),
    normalisers: new Set(rows.map((row) => row.normaliser)),
    markers: rows.length - events.length,
    arrivals: new Set(rows.map(({ receivedAt }) => receivedAt)),
  };
}

function readFaults(world: Judged, claim: Claim, stored: Stored): string[] {
  const messages = world.log.appended.filter(({ offset }) => claim.firstOffset <= offset && offset <= claim.lastOffset);
  const expected = readAs(claim.normaliser as Version, messages);
  const faults: string[] = [];
  const all = [...stored.events, ...stored.letters.keys()].toSorted();
  if (String(all) !== String([...expected.events, ...expected.letters].toSorted()))
    faults.push(
      `events ${stored.events.join(' ')} and dead letters ${[...stored.letters.keys()].join(' ')} of ${messages.map(kindOf).join(' ')}`,
    );
  const first = world.engine.claims.find(
    (row) => row.key.sourceEpoch === world.key.sourceEpoch && row.claim.firstOffset === claim.firstOffset,
  );
  for (const position of expected.events) {
    const mayBeRefused = expected.poison.has(position) || first?.claim.events === 0;
    if (stored.letters.has(position) && !(mayBeRefused && stored.letters.get(position) === 'STORE_REFUSED'))
      faults.push(`${position} became a dead letter`);
  }
  for (const position of expected.letters) if (!stored.letters.has(position)) faults.push(`${position} became an event`);
  if ([...stored.normalisers].some((normaliser) => normaliser !== claim.normaliser)) faults.push('rows of another reader');
  if ([...stored.arrivals].some((at) => at !== claim.receivedAt)) faults.push('rows of another arrival');
  if (claim.events !== stored.events.length || claim.rejected !== stored.letters.size)
    faults.push(`it says ${claim.events} and ${claim.rejected}`);
  if (claim.records !== claim.events + claim.rejected + claim.skipped) faults.push('its records are not the sum of what became of them');
  if (stored.markers > 1 || (stored.markers === 1 && stored.events.length > 0)) faults.push('a marker beside events');
  return faults;
}

function readAs(version: Version, messages: readonly LogMessage[]) {
  const [events, letters]: [string[], string[]] = [[], []];
  const poison = new Set<string>();
  for (const message of messages) {
    const { events: count, rejected } = readingOf(version, message);
    for (let index = 0; index < count; index += 1) {
      events.push(`${message.offset}/${index}`);
      if (kindOf(message) === 'poison') poison.add(`${message.offset}/${index}`);
    }
    for (let at = 0; at < rejected; at += 1) letters.push(`${message.offset}/${count + at}`);
  }
  return { events, letters, poison };
}
