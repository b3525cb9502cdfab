import { expect } from 'chai';
import { chooseKernels } from '#server/adapters/wasm/kernel-binary.js';
import { loadQuery } from '#server/core/index/flat.js';
import { addOneBit } from '#server/core/index/one-bit/build.js';
import type { Candidates } from '#server/core/index/one-bit/candidates.js';
import { CandidateRows, promising } from '#server/core/index/one-bit/candidates.js';
import type { OneBitView } from '#server/core/index/one-bit/layout.js';
import { oneBitBytes, oneBitPlan, oneBitRange, openOneBit } from '#server/core/index/one-bit/layout.js';
import type { OneBitOptions } from '#server/core/index/one-bit/scan.js';
import { scanOneBit } from '#server/core/index/one-bit/scan.js';
import { calibratedProbes, rankCentroids, roundQuery } from '#server/core/index/search.js';
import { openSegment } from '#server/core/segment/segment-view.js';
import type { KernelVariant } from '#server/core/vector/kernels.js';
import type { Metric } from '#server/core/vector/metric.js';
import { METRICS } from '#server/core/vector/metric.js';
import { SegmentSpace } from '../../support/segment-space.js';
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

const K = 10;

interface Coded {
  readonly index: BuiltIndex;
  readonly view: OneBitView;
  readonly address: number;
}

function build(space: VectorSpace, metric: Metric, rows: Rows, seed = 1): Coded {
  const index = space.build(metric, rows, { seed });
  const address = space.allocate(oneBitBytes(index.plan));
  const measured = { report: index.report, membership: index.plan };
  const at = { address, seed };
  return { index, address, view: addOneBit(space.kernels, index.scratch, index.view, measured, at) };
}

/** Estimates of the rows in the nearest `probes` postings. */
function scan(
  space: VectorSpace,
  { view, address }: Coded,
  query: Float32Array,
  probes: number,
  options: OneBitOptions = {},
): Candidates {
  const { kernels, scratch } = space;
  const mark = scratch.mark();
  const target = loadQuery(kernels, scratch, view.ivf.metric, query);
  const rounded = roundQuery(kernels, scratch, view.ivf, target);
  const list = rankCentroids(kernels, scratch, view.ivf, rounded, probes) / 4;
  const pieces = Array.from(kernels.u32.slice(list, list + probes), (cluster) => {
    const { offset, blocks } = oneBitRange(view, cluster);
    return { cluster, address: address + offset, blocks };
  });
  const found = scanOneBit(kernels, scratch, view, target, pieces, options);
  scratch.release(mark);
  return found;
}

/** Errors of all estimates, in deviations. */
function errorsOf(
  coded: Coded,
  metric: Metric,
  rows: Rows,
  query: Float32Array,
  found: Candidates,
): number[] {
  return Array.from(found.rows, (row, at) => {
    const exact = exactScore(metric, rowOf(rows, coded.index.order[row] ?? 0), query);
    const error = (found.scores[at] ?? NaN) - exact;
    // Beside the deviation, f32 has an error of its own.
    const tolerance = 1e-5 * Math.max(Math.abs(exact), Math.abs(found.scores[at] ?? 0));
    return Math.max(0, Math.abs(error) - tolerance) / Math.max(1e-37, found.deviations[at] ?? 0);
  });
}

const scaled = (rows: Rows, by: number): Rows => ({
  dimensions: rows.dimensions,
  values: rows.values.map((value) => value * by),
});

/** Rows with few values that are not zero: without a rotation their signs would say nothing. */
function sparse(seed: number, count: number, dimensions: number): Rows {
  const rows = randomRows(seed, count, dimensions);
  return {
    dimensions,
    values: rows.values.map((value, at) => ((at * 7 + (at >> 5)) % 31 === 0 ? value : 0)),
  };
}

describe('Estimates from 1-bit codes', function () {
  this.timeout(120_000);

  for (const dimensions of [256, 257, 384, 1000, 1536, 4096]) {
    it(`are as far off as their deviations say, for ${dimensions} dimensions and all metrics`, () => {
      const kinds: readonly (readonly [string, Rows])[] = [
        ['clustered', clusteredRows(dimensions, 330, dimensions, 8)],
        ['random and huge', scaled(randomRows(dimensions + 1, 330, dimensions), 1e6)],
        ['sparse and tiny', scaled(sparse(dimensions + 2, 330, dimensions), 1e-6)],
      ];
      for (const metric of METRICS) {
        const errors: number[] = [];
        for (const [at, [, rows]] of kinds.entries()) {
          for (const seed of dimensions < 1000 ? [1, 2] : [at + 1]) {
            const space = new VectorSpace(undefined, 48 * 1024 * 1024, 8 * 1024 * 1024);
            const [base, queries] = splitRows(rows, 30);
            const coded = build(space, metric, base, seed);
            for (let q = 0; q < 30; q++) {
              const query = rowOf(queries, q);
              const found = scan(space, coded, query, coded.view.ivf.clusters);
              expect(found.rows.length, 'every row once').to.equal(300);
              errors.push(...errorsOf(coded, metric, base, query, found));
            }
          }
        }
        for (const deviations of [1.5, 2, 3]) {
          const share = errors.filter((error) => error > deviations).length / errors.length;
          const bound = 2 * Math.exp(-(deviations ** 2) / 2);
          expect(share, `${metric}: beyond ${deviations} deviations`).to.be.at.most(bound);
        }
        const square = errors.reduce((sum, error) => sum + error * error, 0) / errors.length;
        expect(Math.sqrt(square), `${metric}: root mean square`).to.be.within(0.3, 1.15);
      }
    });
  }

  it('are nearly exact for a query that is a centroid, and right for zero', () => {
    const space = new VectorSpace(undefined, 64 * 1024 * 1024, 8 * 1024 * 1024);
    const rows = clusteredRows(3, 1000, 256, 8);
    const coded = build(space, 'l2', rows);
    const found = scan(space, coded, new Float32Array(256), coded.view.ivf.clusters);
    const off = errorsOf(coded, 'l2', rows, new Float32Array(256), found).filter((error) => error > 3);
    expect(off.length / found.rows.length).to.be.at.most(0.02);
    const zero = build(space, 'dot', rows);
    const none = scan(space, zero, new Float32Array(256), zero.view.ivf.clusters);
    expect([...none.scores].every((score) => score === 0)).to.equal(true);
  });

  it('are the same bits with both kernel binaries', () => {
    const variants: readonly KernelVariant[] =
      chooseKernels() === 'relaxed' ? ['relaxed', 'plain'] : ['plain'];
    for (const dimensions of [256, 300, 1100]) {
      const rows = randomRows(dimensions, 400, dimensions);
      const results = variants.map((variant) => {
        const space = new VectorSpace(variant, 32 * 1024 * 1024, 8 * 1024 * 1024);
        const coded = build(space, 'cosine', rows);
        const bytes = space.arena.bytes(coded.address, oneBitBytes(coded.index.plan)).slice();
        return { bytes, found: scan(space, coded, rowOf(rows, 7), coded.view.ivf.clusters) };
      });
      const [first, second = first] = results;
      expect(Buffer.compare(first?.bytes ?? Buffer.of(), second?.bytes ?? Buffer.of())).to.equal(0);
      expect(first?.found).to.deep.equal(second?.found);
    }
  });

  it('leave out rows that are deleted or not allowed, and those below a floor', () => {
    const space = new VectorSpace(undefined, 64 * 1024 * 1024, 8 * 1024 * 1024);
    const rows = clusteredRows(5, 1000, 256, 8);
    const coded = build(space, 'cosine', rows);
    const all = coded.view.ivf.clusters;
    const query = rowOf(rows, 3);
    const deleted = space.bitmap(1000, [1, 2, 3]);
    const allow = space.bitmap(1000, [2, 3, 4, 5]);
    const found = scan(space, coded, query, all, { deleted, allow });
    expect([...found.rows].sort((a, b) => a - b)).to.deep.equal([4, 5]);
    const floored = scan(space, coded, query, all, { floor: 0.5, slack: 2 });
    expect(floored.rows.length).to.be.within(1, 999);
  });
});

describe('Searching by 1-bit codes', function () {
  this.timeout(120_000);
  const equal = (count: number): Rows => {
    const row = randomRows(9, 1, 256).values;
    return {
      dimensions: 256,
      values: Float32Array.from({ length: count * 256 }, (_, at) => row[at % 256] ?? 0),
    };
  };
  const twice = (rows: Rows): Rows => ({
    dimensions: rows.dimensions,
    values: Float32Array.of(...rows.values, ...rows.values),
  });
  const kinds: readonly (readonly [string, Rows, number])[] = [
    ['clustered rows', clusteredRows(1, 4060, 256, 100), 60],
    ['random rows', randomRows(2, 2060, 256), 60],
    ['rows that stand there twice', twice(clusteredRows(3, 150, 256, 10)), 30],
    ['equal rows', equal(700), 10],
    ['rows near zero', scaled(clusteredRows(4, 2030, 256, 20), 1e-12), 30],
    ['rows of great length', scaled(clusteredRows(5, 2030, 256, 20), 1e12), 30],
    ['rows far from the origin', shifted(clusteredRows(6, 3050, 256, 40), 20), 50],
  ];
  for (const metric of METRICS) {
    for (const [name, rows, count] of kinds) {
      it(`reaches the recall asked for by ${metric} on ${name}`, () => {
        const space = new VectorSpace(undefined, 96 * 1024 * 1024, 8 * 1024 * 1024);
        const [base, queries] = splitRows(rows, count);
        const coded = build(space, metric, base);
        let recall = 0;
        for (let q = 0; q < count; q++) {
          const query = rowOf(queries, q);
          const probes = calibratedProbes(coded.view.ivf, K, 0.95);
          const plan = oneBitPlan(coded.view, 0.95, probes);
          const found = scan(space, coded, query, plan.probes);
          const kept = promising([found], K, plan.slack)[0]?.rows ?? new Uint32Array();
          const scores = Array.from(kept, (row) => {
            return exactScore(metric, rowOf(base, coded.index.order[row] ?? 0), query);
          });
          recall += scoreRecall(
            scores.sort((a, b) => b - a).slice(0, K),
            exactScores(metric, base, query, K),
          );
        }
        expect(recall / count).to.be.at.least(0.94);
      });
    }
  }

  it('compares few rows where estimates are clear', () => {
    const space = new VectorSpace(undefined, 96 * 1024 * 1024, 8 * 1024 * 1024);
    const [base, queries] = splitRows(clusteredRows(1, 6100, 256, 150), 100);
    const coded = build(space, 'cosine', base);
    let kept = 0;
    for (let q = 0; q < 100; q++) {
      const found = scan(space, coded, rowOf(queries, q), 8);
      kept += promising([found], K, 1.5)[0]?.rows.length ?? 0;
    }
    expect(kept / 100).to.be.within(K, 100);
  });
});

describe('1-bit codes of a segment', () => {
  it('are written from 256 dimensions on, and a segment without them says so', () => {
    const space = new VectorSpace(undefined, 64 * 1024 * 1024, 8 * 1024 * 1024);
    const small = space.build('cosine', randomRows(1, 600, 255));
    expect(oneBitBytes(small.plan)).to.equal(0);
    expect(openOneBit(space.kernels, small.view)).to.equal(null);
    const { view, index } = build(space, 'cosine', randomRows(1, 600, 256), 7);
    expect(openOneBit(space.kernels, index.view)).to.deep.equal(view);
    expect(oneBitBytes(index.plan)).to.equal((view.pages[view.ivf.clusters] ?? 0) * 4096);
    for (let cluster = 0; cluster < view.ivf.clusters; cluster++) {
      const { offset, bytes } = oneBitRange(view, cluster);
      expect(offset % 4096).to.equal(0);
      expect(offset + bytes).to.be.at.most((view.pages[cluster + 1] ?? 0) * 4096);
    }
  });

  it('are trusted more when less recall is asked for, and wholly beyond what was measured', () => {
    const space = new VectorSpace(undefined, 64 * 1024 * 1024, 8 * 1024 * 1024);
    const { view } = build(space, 'cosine', clusteredRows(1, 4000, 256, 80));
    expect(oneBitPlan(view, 0.8, 3).slack).to.be.at.most(oneBitPlan(view, 1, 3).slack);
    expect(oneBitPlan(view, 1, 3)).to.deep.equal({ probes: 3, slack: 3 });
    expect(oneBitPlan(view, 0.95, view.ivf.clusters).probes).to.equal(view.ivf.clusters);
  });
});

describe('1-bit codes through flush and merge', function () {
  this.timeout(60_000);

  it('stand before the skeleton of a segment of long vectors, and are made anew by a merge', async () => {
    const space = new SegmentSpace('cosine', 256);
    const rows = clusteredRows(11, 2600, 256, 30);
    const [head, tail] = splitRows(rows, 1300);
    const parts = [await space.write(head, 0), await space.write(tail, 1300)];
    for (const made of [...parts, await space.merge(parts.map(({ part }) => part))]) {
      const bytes = space.bytesOf(made);
      const segment = openSegment(bytes, { verify: true });
      const view = openOneBit(space.kernels, space.index(made));
      if (view === null) throw new Error('the segment has no 1-bit codes');
      const section = segment.required('codes1bit');
      expect(section.length).to.equal((view.pages[view.ivf.clusters] ?? 0) * 4096);
      expect(segment.offsetOf('codes1bit')).to.be.below(segment.offsetOf('headerCopy'));
      expect(segment.offsetOf('codes1bit')).to.be.above(segment.offsetOf('postings'));
      // The same entries in the same order as in the byte codes, whose unused ones are at their ends.
      const words = new Uint32Array(section.slice().buffer);
      space.postings(made).forEach((entries, cluster) => {
        const { offset, blocks } = oneBitRange(view, cluster);
        const own = Array.from({ length: blocks * 16 }, (_, entry) => {
          return words[(offset + Math.floor(entry / 16) * view.blockBytes) / 4 + (entry % 16)] ?? 0;
        });
        expect(own.filter((row) => row !== 0xffffffff)).to.deep.equal(entries);
      });
    }
  });

  it('are not written for short vectors', async () => {
    const space = new SegmentSpace('l2', 32);
    const made = await space.write(clusteredRows(12, 1200, 32, 10), 0);
    expect(openSegment(space.bytesOf(made), { verify: true }).section('codes1bit')).to.equal(undefined);
    expect(openOneBit(space.kernels, space.index(made))).to.equal(null);
  });
});

describe('Candidates', () => {
  it('join two estimates of one row to one between them that is surer than either', () => {
    const rows = new CandidateRows(4);
    rows.add(5, 1, 0.1);
    rows.add(9, 3, 0.2);
    rows.add(5, 2, 0.1);
    const { rows: found, scores, deviations } = rows.take();
    expect([...found]).to.deep.equal([5, 9]);
    expect(scores[0]).to.be.closeTo(1.5, 1e-6);
    expect(deviations[0]).to.be.below(0.1);
  });

  it('keep what could be among the nearest, of all lists together, and what cannot be told', () => {
    const list = (rows: number[], scores: number[]): Candidates => ({
      rows: Uint32Array.from(rows),
      scores: Float32Array.from(scores),
      deviations: new Float32Array(rows.length).fill(0.1),
    });
    const lists = [list([1, 2, 3], [0.5, 0.9, 0.1]), list([1, 7], [0.72, NaN])];
    expect(promising(lists, 2, 1).map(({ rows }) => [...rows])).to.deep.equal([[2], [1, 7]]);
    expect(promising(lists, 2, 2).map(({ rows }) => [...rows].sort())).to.deep.equal([
      [1, 2],
      [1, 7],
    ]);
    expect(promising(lists, 2, 1, 0.95).map(({ rows }) => [...rows])).to.deep.equal([[2], [7]]);
    expect(promising(lists, 9, 1).map(({ rows }) => rows.length)).to.deep.equal([3, 2]);
  });
});

function shifted(rows: Rows, by: number): Rows {
  return { dimensions: rows.dimensions, values: rows.values.map((value) => value + by) };
}
