import { expect } from 'chai';
import { searchAllowed, searchFlat, searchRows } from '#server/core/index/flat.js';
import { METRICS } from '#server/core/vector/metric.js';
import { SeededRng } from '../../support/seeded-rng.js';
import { VectorSpace, exactScore, exactScores, randomRows, rowOf } from '../../support/vector-space.js';

describe('Exact search', () => {
  const space = new VectorSpace(undefined, 32 * 1024 * 1024, 4 * 1024 * 1024);
  const { kernels, scratch } = space;

  for (const metric of METRICS) {
    for (const dimensions of [1, 3, 4, 30, 129]) {
      it(`finds the nearest rows by ${metric} in ${dimensions} dimensions`, () => {
        for (const count of [1, 2, 3, 5, 501]) {
          const rows = randomRows(count + dimensions, count, dimensions);
          const view = space.store(metric, rows);
          const query = rowOf(randomRows(77, 1, dimensions), 0);
          const hits = searchFlat(kernels, scratch, view, query, { k: 10 });
          const truth = exactScores(metric, rows, query, 10);
          expect(hits.rows.length).to.equal(Math.min(10, count));
          hits.scores.forEach((score, index) => {
            expect(score).to.be.closeTo(truth[index] ?? NaN, 1e-4);
            const own = exactScore(metric, rowOf(rows, hits.rows[index] ?? 0), query);
            expect(score).to.be.closeTo(own, 1e-4);
          });
        }
      });
    }
  }

  it('leaves out deleted rows and rows that are not allowed', () => {
    const rows = randomRows(4, 203, 8);
    const view = space.store('l2', rows);
    const query = rowOf(rows, 17);
    const deleted = space.bitmap(203, [17, 18, 202]);
    const allow = space.bitmap(203, [16, 17, 19, 202]);
    const hits = searchFlat(kernels, scratch, view, query, { k: 10, deleted, allow });
    expect([...hits.rows].sort((a, b) => a - b)).to.deep.equal([16, 19]);
  });

  it('scores exactly the rows of a list', () => {
    const rng = new SeededRng(8);
    const rows = randomRows(5, 400, 20);
    const view = space.store('cosine', rows);
    const query = rowOf(randomRows(6, 1, 20), 0);
    for (const size of [0, 1, 2, 3, 4, 50]) {
      const list = [...new Set(Array.from({ length: size }, () => rng.below(400)))];
      const hits = searchRows(kernels, scratch, view, query, Uint32Array.from(list), { k: 400 });
      expect([...hits.rows].sort((a, b) => a - b)).to.deep.equal([...list].sort((a, b) => a - b));
      hits.rows.forEach((row, index) => {
        expect(hits.scores[index]).to.be.closeTo(exactScore('cosine', rowOf(rows, row), query), 1e-5);
      });
    }
  });

  it('compares only the rows of a bitmap when few match', () => {
    const rows = randomRows(15, 1003, 6);
    const view = space.store('dot', rows);
    const query = rowOf(randomRows(16, 1, 6), 0);
    const matching = [0, 63, 64, 127, 128, 500, 959, 960, 1002];
    const allow = space.bitmap(1003, matching);
    const deleted = space.bitmap(1003, [500]);
    const options = { k: 20, allow, matching: matching.length, deleted };
    const hits = searchAllowed(kernels, scratch, view, query, options);
    expect([...hits.rows].sort((a, b) => a - b)).to.deep.equal(matching.filter((row) => row !== 500));
    for (const [from, to, count] of [
      [0, 1003, 9],
      [0, 0, 0],
      [63, 65, 2],
      [65, 127, 0],
      [1, 960, 6],
      [128, 129, 1],
    ] as const) {
      expect(kernels.call.countBits(allow, from, to), `${from} to ${to}`).to.equal(count);
    }
  });

  it('does not lose small squared distances far from the origin', () => {
    const rows = { dimensions: 2, values: Float32Array.of(10_000, 10_000, 10_000, 10_000.5, 10_001, 10_000) };
    const view = space.store('l2', rows);
    const hits = searchFlat(kernels, scratch, view, Float32Array.of(10_000, 10_000), { k: 3 });
    expect([...hits.scores]).to.deep.equal([0, -0.25, -1]);
  });
});
