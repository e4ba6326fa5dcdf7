/** What two versions of the reader make of the same two messages: for tests of their races. */
export type Readings = Readonly<Record<'old' | 'new', readonly string[]>>;

export const allReadings: readonly (readonly [string, Readings])[] = [
  ['each rejects what the other reads', { old: ['/a', 'bad'], new: ['bad', '/b'] }],
  ['the new one rejects all', { old: ['/a', 'bad'], new: ['bad', 'bad'] }],
  ['the old one rejects all', { old: ['bad', 'bad'], new: ['/a', 'bad'] }],
  ['both reject all, or skip it', { old: ['bad', 'bad'], new: ['bad', 'skip'] }],
  ['the new one finds more records', { old: ['bad', '/b'], new: ['e3', 'skip'] }],
];

/** The positions `offset/index` that are an event or a dead letter, sorted. */
export function positionsIn(values: readonly string[]): string[] {
  return values
    .flatMap((text, offset) => {
      const count = text === 'skip' ? 0 : Number(/^e(\d+)$/.exec(text)?.[1] ?? 1);
      return Array.from({ length: count }, (_, index) => `${offset}/${index}`);
    })
    .toSorted();
}
