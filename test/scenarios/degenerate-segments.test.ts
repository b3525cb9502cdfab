import { expect } from 'chai';
import { searchIvf } from '#server/core/index/search.js';
import type { BuiltIndex, Rows } from '../support/vector-space.js';
import {
  clusteredRows,
  exactScores,
  randomRows,
  rowOf,
  scoreRecall,
  VectorSpace,
} from '../support/vector-space.js';

const K = 10;

describe('A clustered segment of awkward data', function () {
  this.timeout(30_000);
  const space = new VectorSpace(undefined, 256 * 1024 * 1024);

  const tableOf = ({ view }: BuiltIndex): Uint32Array =>
    space.arena.u32.subarray(view.table / 4, view.table / 4 + view.clusters + 1);
  const rowsOfCluster = ({ view }: BuiltIndex, cluster: number): number[] => {
    const at = view.firstRows / 4 + cluster;
    const [from = 0, to = 0] = space.arena.u32.subarray(at, at + 2);
    return Array.from({ length: to - from }, (_, index) => from + index);
  };

  it('scenario 21: 100 000 equal vectors, or two heaps of them, are clustered within bounds and found', () => {
    for (const different of [1, 2]) {
      const few = randomRows(1, different, 8);
      const values = new Float32Array(100_000 * 8);
      for (let row = 0; row < 100_000; row++) values.set(rowOf(few, row % different), row * 8);
      const rows: Rows = { dimensions: 8, values };
      const index = space.build('l2', rows);
      expect(index.view.entries).to.be.at.most(200_000);
      const longest = Math.max(...tableOf(index).map((block, at, all) => (all[at + 1] ?? block) - block));
      // 16 entries a block; a usual posting has 256.
      expect(longest, 'blocks of the longest posting').to.be.at.most(2.25 * 16 + 1);
      for (let query = 0; query < different; query++) {
        const hits = searchIvf(space.kernels, space.scratch, index.view, rowOf(few, query), { k: K });
        expect(hits.rows.length).to.equal(K);
        expect(new Set(hits.rows).size).to.equal(K);
        expect([...hits.scores].every((score) => Math.abs(score) < 1e-6)).to.equal(true);
      }
    }
  });

  it('scenario 22: postings whose rows are all deleted are passed over, and no hit is missing', () => {
    const rows = clusteredRows(2, 6000, 16, 40);
    const index = space.build('l2', rows);
    const gone = new Set<number>();
    for (let cluster = 0; cluster < index.view.clusters; cluster += 2) {
      for (const row of rowsOfCluster(index, cluster)) gone.add(row);
    }
    const deleted = space.bitmap(index.view.rows, gone);
    const living = (source: number): boolean => !goneSources.has(source);
    const goneSources = new Set([...gone].map((row) => index.order[row] ?? 0));
    for (const row of [...gone].slice(0, 50)) {
      const query = rowOf(rows, index.order[row] ?? 0);
      const hits = searchIvf(space.kernels, space.scratch, index.view, query, {
        k: K,
        deleted,
        recallTarget: 1,
      });
      expect(hits.rows.length).to.equal(K);
      expect([...hits.rows].some((hit) => gone.has(hit))).to.equal(false);
      expect(scoreRecall(hits.scores, exactScores('l2', rows, query, K, living))).to.be.at.least(0.9);
    }
  });

  it('scenario 22: a centroid of an empty posting costs nothing and hides nothing', () => {
    const rows = clusteredRows(3, 4000, 16, 30);
    const index = space.build('cosine', rows);
    const table = tableOf(index);
    // Its blocks become part of the posting behind.
    const cluster = index.view.clusters >> 1;
    table[cluster + 1] = table[cluster] ?? 0;
    for (const row of rowsOfCluster(index, cluster)) {
      const query = rowOf(rows, index.order[row] ?? 0);
      const options = { k: K, nprobe: index.view.clusters };
      const hits = searchIvf(space.kernels, space.scratch, index.view, query, options);
      expect(scoreRecall(hits.scores, exactScores('cosine', rows, query, K))).to.equal(1);
      expect(
        searchIvf(space.kernels, space.scratch, index.view, query, { k: K, nprobe: 1 }).rows.length,
      ).to.equal(K);
    }
  });
});
