// Bugs that a change could bring, as replacements in the built server. The simulation must catch each of
// them: a check that misses a planted bug would miss a real one.

export interface Mutant {
  readonly name: string;
  /** Of the built server, below `server/dist`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Seeds whose worlds show it. */
  readonly seeds: readonly number[];
  /** How many of the seeds 1 to 500 show it, as `node test/dist/mutants/measure.js` counted. */
  readonly of500: number;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no boundary check: a slot counts wherever the floor of the log is',
    file: 'app/log/commit-loop.js',
    find: "root.walFloor < attempt.slot.slot ? { kind: 'committed' } : { kind: 'overtaken' }",
    replace: "{ kind: 'committed' }",
    seeds: [76, 80],
    of500: 15,
  },
  {
    name: 'the collector reads the root first: what a job registers afterwards is garbage to it',
    file: 'app/maintenance/collect-garbage.js',
    find: 'const { root } = await rootStore.refresh();',
    replace: 'const { root } = { root: prepared };',
    seeds: [6, 16],
    of500: 59,
  },
  {
    name: 'the nonce is not compared: an own slot whose answer was lost is taken for another writer’s',
    file: 'app/log/commit-loop.js',
    find: 'found?.nonce === attempt.slot.nonce',
    replace: 'found === null',
    seeds: [25, 46],
    of500: 22,
  },
  {
    name: 'a job publishes after its right was revoked',
    file: 'core/log/transitions.js',
    find: 'function checkJob(root, jobId) {',
    replace: 'function checkJob(root, jobId) {\n    return;',
    seeds: [16, 40],
    of500: 28,
  },
  {
    name: 'a memtable is counted beside the segment made of it',
    file: 'core/collection/state.js',
    find: 'this.#frozen = this.#frozen.filter((other) => other !== frozen);',
    replace: 'frozen.memtable.release = () => undefined;',
    seeds: [1, 2],
    of500: 422,
  },
  {
    name: 'the checksums of a log slot are not compared',
    file: 'core/log/wal-slot.js',
    find: 'if (crc32c(body.subarray(offset, offset + length)) !== checksum) {',
    replace: 'if (checksum < 0) {',
    seeds: [15, 23],
    of500: 67,
  },
  {
    name: 'the checksums of a segment are not compared',
    file: 'core/segment/integrity.js',
    find: 'if (seen !== view.getUint32((entry.firstChecksum + block) * 4, true)) {',
    replace: 'if (seen < 0) {',
    seeds: [15, 16],
    of500: 17,
  },
  {
    name: 'a strong read does not look for newer writes',
    file: 'app/collections/freshness.js',
    find: 'if (this.#running === null)\n            await this.#look();',
    replace: 'if (this.#running === null)\n            return false;',
    seeds: [2, 3],
    of500: 329,
  },
  {
    name: 'a reader applies slots without reading the root behind them',
    file: 'app/log/log-follower.js',
    find: 'if (root.walFloor > this.position.slot) {',
    replace: 'if (root.walFloor < 0) {',
    seeds: [3, 9],
    of500: 88,
  },
  {
    name: 'a merge forgets which rows were deleted while it ran',
    file: 'core/collection/state.js',
    find: 'segment.remove(source.idOf(row), sequence)',
    replace: 'void sequence',
    seeds: [2, 4],
    of500: 273,
  },
  {
    name: 'a flush forgets to persist deleted rows',
    file: 'core/collection/open-segment.js',
    find: 'at <= sequence',
    replace: 'at < 0',
    seeds: [1, 2],
    of500: 433,
  },
  {
    name: 'remembered requests are lost with the log',
    file: 'app/maintenance/write-request-window.js',
    find: 'if (entries.length === 0)',
    replace: 'if (entries.length >= 0)',
    seeds: [1, 2],
    of500: 499,
  },
  {
    name: 'a write leaves the older row of its record visible in a segment',
    file: 'core/collection/state.js',
    find: 'if (segment.remove(id, sequence))',
    replace: 'if (id === "")',
    seeds: [1, 3],
    of500: 422,
  },
];
