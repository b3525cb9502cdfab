import { expect } from 'chai';
import fc from 'fast-check';
import { nextSlab, survivors } from '#server/core/tiers/slab-policy.js';

const fresh = (sequence: number, live = 1, bytes = 10) => ({ kind: 'new' as const, sequence, bytes, live });
const main = (sequence: number, live = 1, bytes = 10) => ({ kind: 'main' as const, sequence, bytes, live });

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
  const piece = fc.record({ bytes: fc.integer({ min: 1, max: 40 }), uses: fc.integer({ min: -1, max: 3 }) });
  const sum = (pieces: readonly { readonly bytes: number }[]): number =>
    pieces.reduce((total, { bytes }) => total + bytes, 0);

  it('are those in use, the most used first, of a main slab up to three quarters of its bytes', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 50 }), (pieces) => {
        const room = sum(pieces) * 0.75;
        const kept = survivors(pieces, main(1, 1, sum(pieces)));
        expect(sum(kept)).to.be.at.most(room);
        expect(kept.every(({ uses }) => uses > 0)).to.equal(true);
        // Whoever was left out had no room beside those that were used as much or more.
        for (const out of pieces.filter((one) => one.uses > 0 && !kept.includes(one))) {
          expect(sum(kept.filter(({ uses }) => uses >= out.uses)) + out.bytes).to.be.above(room);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are all of those in use of a new slab', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 50 }), (pieces) => {
        const used = pieces.filter(({ uses }) => uses > 0);
        expect(survivors(pieces, fresh(1, 1, sum(pieces)))).to.have.members(used);
      }),
      { numRuns: 100 },
    );
  });

  it('are all of those in use when they are few', () => {
    const pieces = [
      { bytes: 10, uses: 0 },
      { bytes: 10, uses: 1 },
      { bytes: 10, uses: 3 },
      { bytes: 70, uses: -1 },
    ];
    expect(survivors(pieces, main(1, 1, 100))).to.deep.equal([pieces[2], pieces[1]]);
  });
});
