import { expect } from 'chai';
import type { MergeCandidate } from '#server/core/collection/merge-policy.js';
import { pickMerge } from '#server/core/collection/merge-policy.js';
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
    const picked = pickMerge(segments, { quiet: false, bytesMax: 1e12 });
    expect(picked).to.have.members([0, 1, 2, 3, 4, 5, 6]);
  });
});
