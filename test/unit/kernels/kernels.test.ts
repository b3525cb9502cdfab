import { expect } from 'chai';
import { chooseKernels } from '#server/adapters/wasm/kernel-binary.js';
import { newCollector, takeHits } from '#server/core/vector/collector.js';
import type { KernelVariant } from '#server/core/vector/kernels.js';
import { SeededRng } from '../../support/seeded-rng.js';
import { VectorSpace, randomRows } from '../../support/vector-space.js';

describe('Kernels', () => {
  const variants: readonly KernelVariant[] = chooseKernels() === 'relaxed' ? ['relaxed', 'plain'] : ['plain'];

  for (const variant of variants) {
    describe(variant, () => {
      const space = new VectorSpace(variant, 16 * 1024 * 1024, 4 * 1024 * 1024);
      const { kernels, arena } = space;

      it('adds up codes and queries at the ends of their ranges without saturation', () => {
        for (const [query, code] of [
          [127, 127],
          [-127, 127],
          [-127, 0],
          [1, 1],
        ] as const) {
          const scores = scanOneBlock(
            space,
            1024,
            () => query,
            () => code,
          );
          expect(new Set(scores)).to.deep.equal(new Set([1024 * 4 * query * code]));
        }
      });

      it('computes the dot product of every entry exactly', () => {
        const rng = new SeededRng(5);
        for (const groups of [1, 2, 25, 96]) {
          const query = Array.from({ length: groups * 4 }, () => rng.below(255) - 127);
          const codes = Array.from({ length: groups * 64 }, () => rng.below(128));
          const scores = scanOneBlock(
            space,
            groups,
            (d) => query[d] ?? 0,
            (at) => codes[at] ?? 0,
          );
          for (let entry = 0; entry < 16; entry++) {
            const code = (d: number): number => codes[(d >> 2) * 64 + entry * 4 + (d & 3)] ?? 0;
            const expected = query.reduce((sum, value, d) => sum + value * code(d), 0);
            expect(scores[entry], `groups ${groups}, entry ${entry}`).to.equal(Math.fround(expected));
          }
        }
      });

      it('collects the best of many, in order, ties by ascending row', () => {
        const rng = new SeededRng(11);
        for (const [count, keep] of [
          [5, 10],
          [1000, 1],
          [1000, 10],
          [3000, 1000],
          [257, 256],
        ] as const) {
          const mark = space.scratch.mark();
          const scores = Float32Array.from({ length: count }, () => rng.below(200) - 100);
          const raw = space.scratch.take(count * 16);
          scores.forEach((score, row) => {
            arena.f32.set([score, 0, 0, 0], raw / 4 + row * 4);
          });
          const query = space.scratch.take(16);
          arena.f32.set([1, 0, 0, 0], query / 4);
          const collector = newCollector(kernels, space.scratch, keep);
          kernels.call.scanRange(2, raw, 16, 0, query, 0, count, collector);
          const hits = takeHits(kernels, space.scratch, collector);
          const expected = [...scores.keys()]
            .sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
            .slice(0, keep);
          expect([...hits.rows]).to.deep.equal(expected);
          expect([...hits.scores]).to.deep.equal(expected.map((row) => scores[row]));
          space.scratch.release(mark);
        }
      });

      it('checks bytes by CRC-32C', () => {
        const tables = space.scratch.take(8192);
        const text = space.scratch.take(64);
        kernels.call.crcTables(tables);
        arena.u8.set(new TextEncoder().encode('123456789'), text);
        expect(kernels.call.crc32c(tables, text, 9, 0) >>> 0).to.equal(0xe3069283);
        const head = kernels.call.crc32c(tables, text, 4, 0);
        expect(kernels.call.crc32c(tables, text + 4, 5, head) >>> 0).to.equal(0xe3069283);
      });
    });
  }

  it('give the same bytes and the same answers in both variants', () => {
    const rows = randomRows(3, 3000, 37);
    const results = variants.map((variant) => {
      const space = new VectorSpace(variant, 64 * 1024 * 1024, 4 * 1024 * 1024);
      return space.build('l2', rows, { seed: 9 });
    });
    const [first, second] = results;
    if (first === undefined || second === undefined) return;
    expect(Buffer.compare(first.bytes[0] ?? Buffer.of(), second.bytes[0] ?? Buffer.of())).to.equal(0);
    expect(Buffer.compare(first.bytes[1] ?? Buffer.of(), second.bytes[1] ?? Buffer.of())).to.equal(0);
    expect(first.order).to.deep.equal(second.order);
  });
});

/** Scores of the 16 entries of a block of bare codes. */
function scanOneBlock(
  space: VectorSpace,
  groups: number,
  query: (dimension: number) => number,
  code: (at: number) => number,
): number[] {
  const { kernels, arena, scratch } = space;
  const mark = scratch.mark();
  const block = scratch.take(64 + groups * 64);
  for (let entry = 0; entry < 16; entry++) arena.u32[block / 4 + entry] = entry;
  for (let at = 0; at < groups * 64; at++) arena.u8[block + 64 + at] = code(at);
  const rounded = scratch.take(groups * 4);
  for (let d = 0; d < groups * 4; d++) arena.u8[rounded + d] = query(d) & 0xff;
  const collector = newCollector(kernels, scratch, 16);
  kernels.call.scanBlocks(block, 1, groups, 0, rounded, 1, 0, collector);
  const hits = takeHits(kernels, scratch, collector);
  const scores = new Array<number>(16);
  hits.rows.forEach((row, at) => {
    scores[row] = hits.scores[at] ?? 0;
  });
  scratch.release(mark);
  return scores;
}
