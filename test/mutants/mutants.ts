// Bugs that a change could bring, as replacements in the built server. The simulation must catch each of
// them: a check that misses a planted bug would miss a real one.

export interface Mutant {
  readonly name: string;
  /** Of the built server, below `server/dist`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Seeds whose histories show it. */
  readonly seeds: readonly number[];
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a merge forgets which rows were deleted while it ran',
    file: 'core/collection/state.js',
    find: 'segment.remove(source.idOf(row), sequence)',
    replace: 'void sequence',
    seeds: [2, 3],
  },
  {
    name: 'a flush forgets to persist deleted rows',
    file: 'core/collection/open-segment.js',
    find: 'at <= sequence',
    replace: 'at < 0',
    seeds: [1, 2],
  },
  {
    name: 'remembered requests are lost with the log',
    file: 'app/maintenance/flush.js',
    find: 'if (entries.length === 0)',
    replace: 'if (entries.length >= 0)',
    seeds: [1, 2],
  },
  {
    name: 'a write leaves the older row of its record visible in a segment',
    file: 'core/collection/state.js',
    find: 'if (segment.remove(id, sequence))',
    replace: 'if (id === "")',
    seeds: [1, 2],
  },
];
