import { expect } from 'chai';
import { openIvf } from '#server/core/index/layout.js';
import type { IvfOptions } from '#server/core/index/search.js';
import { searchIvf } from '#server/core/index/search.js';
import type { Metric } from '#server/core/vector/metric.js';
import { METRICS } from '#server/core/vector/metric.js';
import { SeededRng } from '../../support/seeded-rng.js';
import type { BuiltIndex, Rows } from '../../support/vector-space.js';
import {
  VectorSpace,
  clusteredRows,
  exactScore,
  exactScores,
  randomRows,
  rowOf,
  scoreRecall,
  splitRows,
} from '../../support/vector-space.js';

const QUERIES = 100;
const K = 10;

/** Mean recall over all queries; checks on the way that what is returned is right, whatever was missed. */
function measure(
  space: VectorSpace,
  index: BuiltIndex,
  data: { readonly metric: Metric; readonly base: Rows; readonly queries: Rows },
  options: Partial<IvfOptions> = {},
  allowed: (row: number) => boolean = () => true,
): number {
  let sum = 0;
  for (let q = 0; q < QUERIES; q++) {
    const query = rowOf(data.queries, q);
    const hits = searchIvf(space.kernels, space.scratch, index.view, query, { k: K, ...options });
    const truth = exactScores(data.metric, data.base, query, K, (row) => allowed(row));
    expect(hits.rows.length, 'hits').to.equal(truth.length);
    expect(new Set(hits.rows).size, 'different rows').to.equal(hits.rows.length);
    hits.rows.forEach((row, at) => {
      const source = index.order[row] ?? 0;
      expect(allowed(source), `row ${source} is allowed`).to.equal(true);
      const own = exactScore(data.metric, rowOf(data.base, source), query);
      expect(hits.scores[at]).to.be.closeTo(own, 1e-4 * Math.max(1, Math.abs(own)));
    });
    sum += scoreRecall(hits.scores, truth);
  }
  return sum / QUERIES;
}

describe('Search in a clustered segment', function () {
  this.timeout(120_000);
  const space = new VectorSpace(undefined, 512 * 1024 * 1024);
  const kinds: readonly (readonly [string, Rows])[] = [
    ['clustered', clusteredRows(1, 12_100, 32, 150)],
    ['random', randomRows(2, 6100, 24)],
    ['off-centre', shifted(clusteredRows(3, 8100, 20, 40), 50)],
  ];

  for (const metric of METRICS) {
    for (const [kind, rows] of kinds) {
      it(`scenario 40: reaches the recall asked for on ${kind} data by ${metric}`, () => {
        const [base, queries] = splitRows(rows, QUERIES);
        const index = space.build(metric, base);
        const data = { metric, base, queries };
        expect(measure(space, index, data)).to.be.at.least(0.94);
        expect(measure(space, index, data, { recallTarget: 0.99 })).to.be.at.least(0.98);
        expect(measure(space, index, data, { recallTarget: 1 })).to.be.at.least(0.995);
      });
    }
  }

  for (const selectivity of [0.001, 0.01, 0.1, 0.5]) {
    it(`scenarios 33, 40: is never short of hits and keeps its recall when ${selectivity * 100} % of the rows match`, () => {
      const [base, queries] = splitRows(clusteredRows(7, 20_100, 32, 100), QUERIES);
      const index = space.build('cosine', base);
      const rng = new SeededRng(selectivity * 1000);
      const matching = new Set(
        [...index.order.keys()].filter(() => rng.chance(selectivity)).map((row) => index.order[row] ?? 0),
      );
      const rows = [...index.order.keys()].filter((row) => matching.has(index.order[row] ?? 0));
      const allow = space.bitmap(index.view.rows, rows);
      const data = { metric: 'cosine', base, queries } as const;
      const options = { allow, matching: rows.length };
      expect(measure(space, index, data, options, (row) => matching.has(row))).to.be.at.least(0.95);
    });
  }

  it('finds matching rows wherever they are when the filter follows the clusters', () => {
    const [base, queries] = splitRows(clusteredRows(8, 10_100, 16, 50), QUERIES);
    const index = space.build('l2', base);
    // The last clusters only: far from nearly every query.
    const rows = [...index.order.keys()].slice(-900);
    const matching = new Set(rows.map((row) => index.order[row] ?? 0));
    const options = { allow: space.bitmap(index.view.rows, rows), matching: rows.length };
    const data = { metric: 'l2', base, queries } as const;
    expect(measure(space, index, data, options, (row) => matching.has(row))).to.be.at.least(0.95);
  });

  it('leaves out deleted rows and finds others instead', () => {
    const [base, queries] = splitRows(clusteredRows(9, 8100, 16, 50), QUERIES);
    const index = space.build('dot', base);
    const rng = new SeededRng(3);
    const gone = new Set([...index.order.keys()].filter(() => rng.chance(0.5)));
    const deleted = space.bitmap(index.view.rows, gone);
    const goneSources = new Set([...gone].map((row) => index.order[row] ?? 0));
    const data = { metric: 'dot', base, queries } as const;
    const recall = measure(space, index, data, { deleted }, (row) => !goneSources.has(row));
    expect(recall).to.be.at.least(0.93);
  });
});

describe('Building a clustered segment', function () {
  this.timeout(60_000);
  const space = new VectorSpace(undefined, 256 * 1024 * 1024);

  it('gives the same bytes for the same seed and others for another', () => {
    const rows = clusteredRows(4, 3000, 12, 20);
    const [a, b, c] = [5, 5, 6].map((seed) => space.build('cosine', rows, { seed }));
    expect(a?.bytes).to.deep.equal(b?.bytes);
    expect(a?.order).to.deep.equal(b?.order);
    expect(c?.order).to.not.deep.equal(a?.order);
  });

  it('numbers every row once, in the order of the first postings', () => {
    const rows = clusteredRows(5, 2000, 12, 20);
    const index = space.build('l2', rows);
    expect([...index.order].sort((a, b) => a - b)).to.deep.equal([...index.order.keys()]);
    expect(index.view.entries).to.equal(4000);
    expect(entriesOf(space, index)).to.have.length(4000);
  });

  const degenerate: readonly (readonly [string, Rows, number])[] = [
    ['equal rows', repeated(Float32Array.of(1, 2, 3, 4, 5), 3000), 5],
    ['three different rows, a thousand times each', interleaved(3, 3000, 6), 6],
    ['one row', repeated(Float32Array.of(0.5, -1), 1), 2],
    ['two rows', randomRows(1, 2, 7), 7],
    ['rows on a line', line(2500), 3],
    ['zeros', repeated(new Float32Array(4), 500), 4],
    ['rows of very different lengths', mixedScales(2000), 8],
  ];
  for (const metric of METRICS) {
    for (const [name, rows, dimensions] of degenerate) {
      if (metric === 'cosine' && name === 'zeros') continue;
      it(`scenario 21: ends and answers right by ${metric} on ${name}`, () => {
        const count = rows.values.length / dimensions;
        const index = space.build(metric, rows);
        for (const row of [0, count >> 1, count - 1]) {
          const query = rowOf(rows, row);
          const options = { k: 5, recallTarget: 1 };
          const hits = searchIvf(space.kernels, space.scratch, index.view, query, options);
          const truth = exactScores(metric, rows, query, 5);
          expect(hits.rows.length).to.equal(Math.min(5, count));
          expect(scoreRecall(hits.scores, truth)).to.equal(1);
        }
      });
    }
  }

  it('works with fewer rows than clusters are asked for', () => {
    const index = space.build('l2', randomRows(3, 10, 4), { clusters: 64 });
    expect(index.view.clusters).to.be.at.most(10);
  });

  it('refuses to open bytes that contradict themselves', () => {
    const index = space.build('cosine', clusteredRows(6, 1000, 8, 10));
    const pointers = { ...index.flat, ...index.pointers };
    const { sizes } = index;
    expect(openIvf(space.kernels, pointers, sizes)).to.deep.equal(index.view);
    expect(() => openIvf(space.kernels, pointers, { ...sizes, postings: sizes.postings - 64 })).to.throw(
      'short',
    );
    expect(() => openIvf(space.kernels, pointers, { ...sizes, centroids: 256 })).to.throw('short');
    for (const [at, what] of [
      [pointers.centroids, 'OIVF'],
      [pointers.centroids + 4, 'version'],
      [pointers.centroids + 28, 'short|ends'],
      [pointers.postingTable + 4, 'ascending|ends'],
    ] as const) {
      const before = space.arena.u32[at / 4] ?? 0;
      space.arena.u32[at / 4] = before ^ 0x00ffff00;
      expect(() => openIvf(space.kernels, pointers, sizes)).to.throw(new RegExp(what));
      space.arena.u32[at / 4] = before;
    }
  });
});

function entriesOf(space: VectorSpace, index: BuiltIndex): number[] {
  const { view } = index;
  const words = (64 + 64 * view.terms + 64 * view.groups) / 4;
  const rows: number[] = [];
  for (let block = 0; block < view.blocks; block++) {
    const at = view.postingBlocks / 4 + block * words;
    rows.push(...space.arena.u32.slice(at, at + 16));
  }
  return rows.filter((row) => row !== 0xffffffff);
}

function shifted(rows: Rows, by: number): Rows {
  return { dimensions: rows.dimensions, values: rows.values.map((value) => value + by) };
}

function repeated(row: Float32Array, count: number): Rows {
  const values = new Float32Array(row.length * count);
  for (let index = 0; index < count; index++) values.set(row, index * row.length);
  return { dimensions: row.length, values };
}

function interleaved(different: number, count: number, dimensions: number): Rows {
  const few = randomRows(12, different, dimensions);
  const values = new Float32Array(count * dimensions);
  for (let row = 0; row < count; row++) values.set(rowOf(few, row % different), row * dimensions);
  return { dimensions, values };
}

function line(count: number): Rows {
  const values = new Float32Array(count * 3);
  for (let row = 0; row < count; row++) values.set([row + 1, 2 * row + 1, 0], row * 3);
  return { dimensions: 3, values };
}

function mixedScales(count: number): Rows {
  const rows = randomRows(13, count, 8);
  return { dimensions: 8, values: rows.values.map((value, at) => value * 10 ** (((at >> 3) % 3) - 1)) };
}
