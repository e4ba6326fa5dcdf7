// What each format costs beside its parser.
export default {
  title: 'Unwrap, recognise, map and redact / JSON.parse, by format',
  how: `The three fullest records of the fixtures of each format, with new ids, addresses and numbers in paths, through the
steps of the decoder. The floor is JSON.parse of the same bytes, for lines their split at blanks; CPU of this process, in turns,
medians of the rounds. Recognition: of a source whose format is pinned.`,
  sizes: { full: { records: 20_000, rounds: 7 }, quick: { records: 2_000, rounds: 3 } },
  goals: {
    'JSON formats, worst': { atMost: 0.6 },
    'recognition of a pinned source, worst JSON format': { atMost: 0.02 },
  },
  measure: async (sizes, print) => (await import('./format-cost.mjs')).measureFormats(sizes, print),
};
