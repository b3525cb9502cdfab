import { expect } from 'chai';
import type { MergeCandidate } from '#server/core/collection/merge-policy.js';
import { mergeBytesMax, pickMerge } from '#server/core/collection/merge-policy.js';
import { SeededRng } from '../../../support/seeded-rng.js';

const of = (...sizes: readonly number[]): MergeCandidate[] =>
  sizes.map((bytes) => ({ bytes, rows: bytes, deletedRows: 0 }));
const bytesOf = (segments: readonly MergeCandidate[], picked: readonly number[]): number =>
  picked.reduce((sum, index) => sum + (segments[index]?.bytes ?? 0), 0);

describe('What is merged', () => {
  it('is nothing while writes arrive and segments are few', () => {
    const segments = of(10, 10, 10, 10);
    expect(pickMerge(segments, { quiet: false, bytesMax: 1000 })).to.deep.equal([]);
    expect(pickMerge(segments, { quiet: true, bytesMax: 1000 })).to.have.members([0, 1, 2, 3]);
  });

  it('leaves out what is much larger than the rest', () => {
    expect(pickMerge(of(5, 1000, 7), { quiet: true, bytesMax: 10_000 })).to.have.members([0, 2]);
  });

  it('is one segment alone when many of its rows are deleted, or it lies in another collection', () => {
    const deleted = [...of(1000), { bytes: 10, rows: 10, deletedRows: 4 }];
    expect(pickMerge(deleted, { quiet: false, bytesMax: 10_000 })).to.deep.equal([1]);
    const foreign = [{ bytes: 10, rows: 10, deletedRows: 0, foreign: true }];
    expect(pickMerge(foreign, { quiet: false, bytesMax: 10_000 })).to.deep.equal([0]);
  });

  it('never has more bytes than one merge may have, however many segments there are', () => {
    const rng = new SeededRng(7);
    for (let round = 0; round < 300; round++) {
      const count = rng.below(40);
      const least = 1 + rng.below(900);
      const segments = of(
        ...Array.from({ length: count }, () => least + rng.below(2 ** (1 + rng.below(11)))),
      );
      const picked = pickMerge(segments, { quiet: rng.chance(0.5), bytesMax: 1000 });
      expect(picked.length === 0 || picked.length > 1, `round ${round}`).to.equal(true);
      expect(bytesOf(segments, picked), `round ${round}`).to.be.at.most(1000);
      expect(new Set(picked).size).to.equal(picked.length);
    }
  });

  it('goes on when segments are many and of very different sizes', () => {
    const segments = of(...Array.from({ length: 14 }, (_, index) => 10 ** index));
    const picked = pickMerge(segments, { quiet: false, bytesMax: 1e15 });
    expect(picked).to.have.members([0, 1, 2, 3, 4, 5, 6]);
  });

  it('has no more bytes than half of the memory holds twice, and never more than 1 GiB', () => {
    expect(mergeBytesMax(96 * 2 ** 20)).to.equal(24 * 2 ** 20);
    expect(mergeBytesMax(2 ** 32)).to.equal(2 ** 30);
    expect(mergeBytesMax(2 ** 40)).to.equal(2 ** 30);
  });

  it('never is a segment alone that does not fit into memory beside what it is written as', () => {
    const segments = [{ bytes: 1200, rows: 100, deletedRows: 40 }];
    expect(pickMerge(segments, { quiet: true, bytesMax: 1000 })).to.deep.equal([0]);
    expect(pickMerge(segments, { quiet: true, bytesMax: 900 })).to.deep.equal([]);
    const foreign = [{ bytes: 1200, rows: 100, deletedRows: 0, foreign: true }];
    expect(pickMerge(foreign, { quiet: true, bytesMax: 1000 })).to.deep.equal([]);
  });

  it('writes each row only a few times when a collection grows to many segments of the largest size', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const rng = new SeededRng(seed);
      const segments: MergeCandidate[] = [];
      let loaded = 0;
      let written = 0;
      const merge = (quiet: boolean): void => {
        for (;;) {
          const picked = new Set(pickMerge(segments, { quiet, bytesMax: 1000 }));
          if (picked.size === 0) return;
          const bytes = bytesOf(segments, [...picked]);
          written += bytes;
          const left = segments.filter((_, index) => !picked.has(index));
          segments.splice(0, segments.length, ...left, ...of(bytes));
        }
      };
      for (let flush = 0; flush < 1500; flush++) {
        const bytes = 5 + rng.below(20);
        loaded += bytes;
        segments.push(...of(bytes));
        merge(rng.chance(0.05));
      }
      merge(true);
      expect(segments.length, `seed ${seed}`).to.be.at.most((3 * loaded) / 1000 + 12);
      expect(written / loaded, `seed ${seed}`).to.be.at.most(8);
      const before = written;
      merge(true);
      expect(written, `seed ${seed}: at rest`).to.equal(before);
    }
  });
});
