import { expect } from 'chai';
import { searchIvf } from '#server/core/index/search.js';
import type { Metric } from '#server/core/vector/metric.js';
import type { Rows } from '../support/vector-space.js';
import {
  VectorSpace,
  clusteredRows,
  exactScores,
  rowOf,
  scoreRecall,
  splitRows,
} from '../support/vector-space.js';

const QUERIES = 25;
const K = 10;

/** Each row four times. */
function duplicated(rows: Rows): Rows {
  const values = new Float32Array(rows.values.length * 4);
  for (let copy = 0; copy < 4; copy++) values.set(rows.values, copy * rows.values.length);
  return { dimensions: rows.dimensions, values };
}

/** What is written changes slowly: the last rows lie elsewhere than the first. */
function drifting(rows: Rows): Rows {
  const { dimensions } = rows;
  const count = rows.values.length / dimensions;
  const values = rows.values.map((value, at) => value + (12 * Math.floor(at / dimensions)) / count);
  return { dimensions, values };
}

describe('Recall on data that is not like the data of a textbook', function () {
  this.timeout(60_000);

  const cases: readonly (readonly [string, Metric, Rows])[] = [
    ['with every record four times', 'l2', duplicated(clusteredRows(41, 1700, 32, 40))],
    ['that drifts', 'dot', drifting(clusteredRows(42, 6000, 32, 60))],
    ['of 1 536 dimensions', 'cosine', clusteredRows(43, 4400, 1536, 30, 1)],
    ['of 3 072 dimensions', 'dot', clusteredRows(44, 2200, 3072, 20, 1)],
  ];
  for (const [name, metric, rows] of cases) {
    it(`scenario 40: reaches the recall asked for on data ${name}`, () => {
      const space = new VectorSpace(undefined, 512 * 1024 * 1024);
      const [base, queries] = splitRows(rows, QUERIES);
      const index = space.build(metric, base);
      let recall = 0;
      for (let query = 0; query < QUERIES; query++) {
        const vector = rowOf(queries, query);
        const hits = searchIvf(space.kernels, space.scratch, index.view, vector, { k: K });
        expect(hits.rows.length).to.equal(K);
        recall += scoreRecall(hits.scores, exactScores(metric, base, vector, K)) / QUERIES;
      }
      expect(recall).to.be.at.least(0.94);
    });
  }
});
