import { expect } from 'chai';
import fc from 'fast-check';
import type { Hash64 } from '#server/core/bytes/hash64.js';
import type { PiecePlace } from '#server/core/tiers/piece-index.js';
import { INDEX_SHARDS, PENDING_SLAB, PieceIndex } from '#server/core/tiers/piece-index.js';
import { SeededRng } from '../../../support/seeded-rng.js';

const SEED = Number(process.env['SEED'] ?? 20_261_124);
/** Few shards and few low bits, so that keys meet in one run of slots, also around the end of the table. */
const hashOf = (n: number): Hash64 => ({ high: ((n & 1) << 24) | (n >> 4), low: n & 7 });
const nameOf = ({ high, low }: Hash64): string => `${high}/${low}`;

describe('The index of pieces', () => {
  it('agrees with a map about every piece, whatever is done to it', () => {
    const step = fc.record({
      call: fc.constantFrom('set', 'set', 'set', 'touch', 'remove', 'remove place', 'slab', 'object'),
      n: fc.nat(120),
      slab: fc.nat(3),
      offset: fc.nat(3).map((unit) => unit * 16),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 250 }), (steps) => {
        const index = new PieceIndex(1 << 20);
        const model = new Map<string, { hash: Hash64; object: number; place: PiecePlace; uses: number }>();
        for (const { call, n, slab, offset } of steps) {
          const [hash, place] = [hashOf(n), { slab, offset }];
          const known = model.get(nameOf(hash));
          const there = known?.place.slab === slab && known.place.offset === offset;
          if (call === 'set') {
            expect(index.set(hash, n % 5, place)).to.equal(true);
            model.set(nameOf(hash), { hash, object: n % 5, place, uses: 0 });
          } else if (call === 'touch') {
            index.touch(hash);
            if (known !== undefined) known.uses = Math.min(3, known.uses + 1);
          } else if (call === 'remove') {
            expect(index.remove(hash)).to.equal(model.delete(nameOf(hash)));
          } else if (call === 'remove place') {
            expect(index.usesAt(hash, place)).to.equal(there ? known.uses : -1);
            expect(index.remove(hash, place)).to.equal(there);
            if (there) model.delete(nameOf(hash));
          } else {
            for (let shard = 0; shard < 2; shard++) {
              if (call === 'slab') index.removeSlab(slab, shard);
              else index.removeObjects(new Set([n % 5]), shard);
            }
            for (const [name, entry] of model) {
              if (call === 'slab' ? entry.place.slab === slab : entry.object === n % 5) model.delete(name);
            }
          }
        }
        expect(index.size).to.equal(model.size);
        for (let n = 0; n <= 120; n++) {
          expect(index.find(hashOf(n))).to.deep.equal(model.get(nameOf(hashOf(n)))?.place);
        }
        for (let slab = 0; slab <= 3; slab++) {
          const lie = [...model.values()].filter((entry) => entry.place.slab === slab);
          expect(index.live(slab)).to.equal(lie.length);
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('takes at most 64 bytes a piece when there are many', () => {
    const rng = new SeededRng(SEED);
    const index = new PieceIndex(64 << 20);
    const worst: number[] = [];
    for (let n = 1; n <= 200_000; n++) {
      index.set({ high: rng.uint32(), low: rng.uint32() }, 1, { slab: 5, offset: 16 * n });
      if (n > 20_000 && n % 1000 === 0) worst.push((index.bytes - 262_140) / index.size);
    }
    expect(Math.max(...worst)).to.be.below(64);
    expect(index.live(5)).to.equal(200_000);
  });

  it('refuses pieces beyond its memory, and keeps those it has', () => {
    const rng = new SeededRng(SEED);
    const bytesMax = 1 << 20;
    const index = new PieceIndex(bytesMax);
    const kept: Hash64[] = [];
    for (let n = 0; n < 60_000; n++) {
      const hash = { high: rng.uint32(), low: rng.uint32() };
      if (index.set(hash, 1, { slab: PENDING_SLAB, offset: 0 })) kept.push(hash);
      if (n % 500 === 0) expect(index.bytes).to.be.at.most(bytesMax);
    }
    expect(kept.length).to.be.within(15_000, 45_000);
    expect(kept.filter((hash) => index.find(hash)?.slab !== PENDING_SLAB)).to.deep.equal([]);
    for (let shard = 0; shard < INDEX_SHARDS; shard++) index.removeSlab(PENDING_SLAB, shard);
    expect(index.size).to.equal(0);
  });
});
