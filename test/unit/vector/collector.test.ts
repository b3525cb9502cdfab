import { expect } from 'chai';
import { mergeHits } from '#server/core/vector/collector.js';
import { Scratch } from '#server/core/vector/scratch.js';

describe('Merging of hits', () => {
  const hits = (rows: readonly number[], scores: readonly number[]) => ({
    rows: Uint32Array.from(rows),
    scores: Float32Array.from(scores),
  });

  it('takes the best of all lists and says where each came from', () => {
    const merged = mergeHits([hits([7, 8], [3, 1]), hits([], []), hits([1, 2], [2, 0])], 3);
    expect([...merged.rows]).to.deep.equal([7, 1, 8]);
    expect([...merged.sources]).to.deep.equal([0, 2, 0]);
    expect([...merged.scores]).to.deep.equal([3, 2, 1]);
  });

  it('prefers the earlier list among equal scores and ends when all are used up', () => {
    const merged = mergeHits([hits([5], [1]), hits([4], [1])], 10);
    expect([...merged.rows]).to.deep.equal([5, 4]);
  });
});

describe('Scratch', () => {
  it('gives back what was taken since a mark and refuses more than it has', () => {
    const scratch = new Scratch(64, 256);
    const first = scratch.take(10);
    const mark = scratch.mark();
    expect([first, scratch.take(65)]).to.deep.equal([64, 128]);
    scratch.release(mark);
    expect(scratch.take(128)).to.equal(128);
    expect(() => scratch.take(65)).to.throw('too small');
  });
});
