import { expect } from 'chai';
import fc from 'fast-check';
import { nextSlab, survivors } from '#server/core/tiers/slab-policy.js';

const fresh = (sequence: number, live = 1) => ({ kind: 'new' as const, sequence, bytes: 10, live });
const main = (sequence: number, live = 1) => ({ kind: 'main' as const, sequence, bytes: 10, live });

describe('The choice of a slab to free', () => {
  it('is the oldest of the new ones while they hold more than their share', () => {
    expect(nextSlab([main(1), fresh(4), fresh(3)], 10)?.sequence).to.equal(3);
  });

  it('is the oldest of the main ones otherwise', () => {
    expect(nextSlab([main(5), main(2), fresh(1)], 10)?.sequence).to.equal(2);
  });

  it('is one in which nothing can be found any more, before all others', () => {
    expect(nextSlab([main(1), fresh(2), main(9, 0), main(8, 0)], 0)?.sequence).to.equal(8);
  });

  it('is a new one when there is no other, and none when there is none', () => {
    expect(nextSlab([fresh(2)], 100)?.sequence).to.equal(2);
    expect(nextSlab([], 100)).to.equal(undefined);
  });
});

describe('The pieces that are written again', () => {
  it('are those in use, the most used first, and never more than half of the slab', () => {
    const piece = fc.record({
      bytes: fc.integer({ min: 1, max: 40 }),
      uses: fc.integer({ min: -1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 50 }), (pieces) => {
        const slabBytes = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
        const kept = survivors(pieces, slabBytes);
        const keptBytes = kept.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(keptBytes).to.be.at.most(slabBytes / 2);
        expect(kept.every(({ uses }) => uses > 0)).to.equal(true);
        // Whoever was left out though it was used more would not have fitted.
        const least = Math.min(...kept.map(({ uses }) => uses));
        const out = pieces.filter((one) => !kept.includes(one) && one.uses > 0 && one.uses > least);
        const better = kept.filter(({ uses }) => uses > least);
        const betterBytes = better.reduce((sum, { bytes }) => sum + bytes, 0);
        for (const { bytes } of out) expect(betterBytes + bytes).to.be.above(slabBytes / 2 - 40);
      }),
      { numRuns: 300 },
    );
  });

  it('are all of those in use when they are few', () => {
    const pieces = [
      { bytes: 10, uses: 0 },
      { bytes: 10, uses: 1 },
      { bytes: 10, uses: 3 },
      { bytes: 70, uses: -1 },
    ];
    expect(survivors(pieces, 100)).to.deep.equal([pieces[2], pieces[1]]);
  });
});
