import { expect } from 'chai';
import { KERNEL_VARIANTS, relaxedSimdSupported } from '#server/core/vector/kernels.js';
import { METRICS } from '#server/core/vector/metric.js';
import type { Made } from '../../support/segment-space.js';
import { joined, SegmentSpace, sliced } from '../../support/segment-space.js';
import type { Rows } from '../../support/vector-space.js';
import { clusteredRows, randomRows, rowOf } from '../../support/vector-space.js';

const DIMENSIONS = 16;
const USUAL_ENTRIES = 256;
const LONGEST = 2.25 * USUAL_ENTRIES;

/** Rows once around the same places, whatever the seed of the rows themselves. */
function someRows(count: number): Rows {
  return clusteredRows(7, count, DIMENSIONS, 60);
}

/** Every row stands in one or two different postings, and first where its number says. */
function expectSound(space: SegmentSpace, made: Made): void {
  const { rows, firstRows } = space.index(made);
  const seen = new Uint8Array(rows);
  space.postings(made).forEach((posting, cluster) => {
    const [from = 0, to = 0] = space.arena.u32.subarray(firstRows / 4 + cluster, firstRows / 4 + cluster + 2);
    expect(posting.slice(0, to - from)).to.deep.equal(
      Array.from({ length: to - from }, (_, at) => from + at),
    );
    expect(new Set(posting).size).to.equal(posting.length);
    expect(posting.length, `posting ${cluster}`).to.be.within(1, LONGEST * 1.05);
    for (const row of posting) seen[row] = (seen[row] ?? 0) + 1;
  });
  expect([...seen].every((times) => times === 1 || times === 2)).to.equal(true);
}

/** Every row is where its nearest centroid is, but for few that are nearly as near to another. */
function expectNearest(space: SegmentSpace, made: Made, shareMin: number): void {
  const { clusters, centroidRows, firstRows, raw, stride } = space.index(made);
  const { f32, u32 } = space.arena;
  const distance = (row: number, cluster: number): number => {
    let sum = 0;
    for (let d = 0; d < stride; d++) {
      sum +=
        ((f32[raw / 4 + row * stride + d] ?? 0) - (f32[centroidRows / 4 + cluster * stride + d] ?? 0)) ** 2;
    }
    return sum;
  };
  let right = 0;
  let all = 0;
  for (let cluster = 0; cluster < clusters; cluster++) {
    const [from = 0, to = 0] = u32.subarray(firstRows / 4 + cluster, firstRows / 4 + cluster + 2);
    for (let row = from; row < to; row += 7, all++) {
      const own = distance(row, cluster);
      let nearest = true;
      for (let other = 0; other < clusters && nearest; other++) nearest = distance(row, other) >= own * 0.99;
      if (nearest) right++;
    }
  }
  expect(right / all).to.be.at.least(shareMin);
}

describe('Clusters through merges', function () {
  this.timeout(60_000);

  for (const metric of METRICS) {
    it(`go on from those of the largest input, with its rows and the new ones, by ${metric}`, async () => {
      const space = new SegmentSpace(metric, DIMENSIONS);
      const rows = someRows(8100);
      const base = sliced(rows, 0, 8000);
      const large = await space.write(sliced(base, 0, 6000), 0);
      const small = await space.write(sliced(base, 6000, 8000), 6000);
      const merged = await space.merge([small.part, large.part]);
      expect(merged.summary).to.include({ generation: 1 });
      expect(merged.rows).to.equal(8000);
      expectSound(space, merged);
      if (metric === 'l2') expectNearest(space, merged, 0.9);
      const { view } = space.open(merged);
      for (let row = 0; row < 8000; row += 113) {
        expect([...view.vectorOf(row)]).to.deep.equal([...rowOf(base, Number(view.idOf(row)))]);
      }
      expect(space.recall(merged, base, sliced(rows, 8000, 8100))).to.be.at.least(0.94);
    });
  }

  it('begin anew when no input has clusters for so many rows', async () => {
    const space = new SegmentSpace('l2', DIMENSIONS);
    const rows = someRows(6000);
    const parts = await Promise.all(
      [0, 1, 2].map((at) => space.write(sliced(rows, at * 2000, at * 2000 + 2000), at * 2000)),
    );
    const merged = await space.merge(parts.map(({ part }) => part));
    expect(merged.summary).to.include({ generation: 0, changes: 0 });
  });

  it('keep their recall and their size when half of the rows are replaced, ten times', async () => {
    for (const metric of ['l2', 'cosine'] as const) {
      const space = new SegmentSpace(metric, DIMENSIONS);
      const rows = someRows(18_100);
      const queries = sliced(rows, 18_000, 18_100);
      let present = Array.from({ length: 3000 }, (_, id) => id);
      let made = await space.write(sliced(rows, 0, 3000), 0);
      let kept = 0;
      for (let round = 1; round <= 10; round++) {
        const first = 1500 + round * 1500;
        const gone = new Set(present.filter((id) => (id + round) % 2 === 0).slice(0, 1500));
        const next = await space.write(sliced(rows, first, first + 1500), first, round);
        const older = space.without(made, (id) => gone.has(id));
        made = await space.merge([next.part, older], round);
        present = present.filter((id) => !gone.has(id));
        present.push(...Array.from({ length: 1500 }, (_, at) => first + at));
        kept += made.summary.generation === 0 ? 0 : 1;
        expectSound(space, made);
      }
      const living = joined(...present.map((id) => sliced(rows, id, id + 1)));
      const fresh = await space.write(living, 0);
      expect(kept, 'merges that kept their clusters').to.be.at.least(5);
      expect(space.recall(made, living, queries)).to.be.at.least(0.94);
      expect(made.bytes).to.be.at.most(fresh.bytes * 1.1);
    }
  });

  it('begin anew when the new rows lie elsewhere', async () => {
    const space = new SegmentSpace('l2', DIMENSIONS);
    const near = someRows(5000);
    const elsewhere = clusteredRows(8, 4100, DIMENSIONS, 60);
    const far = { dimensions: DIMENSIONS, values: elsewhere.values.map((value) => value + 3) };
    const [large, small] = [await space.write(near, 0), await space.write(sliced(far, 0, 4000), 5000)];
    const merged = await space.merge([large.part, small.part]);
    expect(merged.summary).to.include({ generation: 0, changes: 0 });
    expectSound(space, merged);
    const all = joined(near, sliced(far, 0, 4000));
    expect(space.recall(merged, all, sliced(far, 4000, 4100))).to.be.at.least(0.93);
  });

  it('begin anew when so many rows were deleted that there are too many clusters', async () => {
    const space = new SegmentSpace('l2', DIMENSIONS);
    const large = await space.write(someRows(8000), 0);
    const merged = await space.merge([space.without(large, (id) => id % 3 !== 0)]);
    expect(merged.summary).to.include({ generation: 0 });
    const some = await space.merge([space.without(large, (id) => id % 3 === 0)]);
    expect(some.summary).to.include({ generation: 1 });
    expectSound(space, some);
  });

  it('give the same bytes for the same task, with both kernels', async () => {
    const variants = KERNEL_VARIANTS.filter((variant) => variant === 'plain' || relaxedSimdSupported());
    const made: Uint8Array[] = [];
    for (const variant of [...variants, 'plain'] as const) {
      const space = new SegmentSpace('cosine', DIMENSIONS, { variant });
      const rows = someRows(5000);
      const large = await space.write(sliced(rows, 0, 3500), 0);
      const small = await space.write(sliced(rows, 3500, 5000), 3500);
      const merged = await space.merge([space.without(large, (id) => id % 9 === 0), small.part], 5);
      expect(merged.summary).to.include({ generation: 1 });
      made.push(space.bytesOf(merged));
    }
    for (const bytes of made) expect(bytes).to.deep.equal(made[0]);
  });

  const awkward: readonly (readonly [string, (seed: number) => Rows])[] = [
    ['one vector, over and over', (seed) => repeated(randomRows(seed, 1, DIMENSIONS), 6000)],
    [
      'one heap as large as all others',
      (seed) => joined(repeated(randomRows(seed, 1, DIMENSIONS), 3000), someRows(3000)),
    ],
    ['one tight heap', (seed) => clusteredRows(seed, 6000, DIMENSIONS, 1, 1e-3)],
    ['each row four times', (seed) => repeated(clusteredRows(seed, 1500, DIMENSIONS, 20), 6000)],
    ['rows that wander off', (seed) => wandering(clusteredRows(seed, 6000, DIMENSIONS, 40))],
  ];
  for (const [name, make] of awkward) {
    it(`scenario 21: stay bounded through merges of ${name}`, async () => {
      for (const seed of [1, 2]) {
        const space = new SegmentSpace('l2', DIMENSIONS);
        const rows = make(seed);
        let made = await space.write(sliced(rows, 0, 3000), 0, seed);
        for (let from = 3000; from < 6000; from += 1000) {
          const next = await space.write(sliced(rows, from, from + 1000), from, seed);
          made = await space.merge([made.part, next.part], seed);
          expectSound(space, made);
        }
        expect(space.recall(made, rows, sliced(rows, 2990, 3010)), `seed ${seed}`).to.be.at.least(0.93);
      }
    });
  }
});

function repeated({ dimensions, values }: Rows, count: number): Rows {
  const out = new Float32Array(count * dimensions);
  for (let at = 0; at < out.length; at++) out[at] = values[at % values.length] ?? 0;
  return { dimensions, values: out };
}

function wandering({ dimensions, values }: Rows): Rows {
  return { dimensions, values: values.map((value, at) => value + Math.floor(at / dimensions) / 1500) };
}
