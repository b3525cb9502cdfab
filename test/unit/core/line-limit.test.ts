import { expect } from 'chai';
import { LineLimit } from '#server/core/line-limit.js';

describe('A limit of log lines', () => {
  it('admits one line of a kind per period, and tells how many were kept back', () => {
    const limit = new LineLimit(1000);
    expect(limit.admit('a', 0)).to.equal(0);
    expect([1, 500, 999].map((ms) => limit.admit('a', ms))).to.deep.equal([undefined, undefined, undefined]);
    expect(limit.admit('b', 999)).to.equal(0);
    expect(limit.admit('a', 1000)).to.equal(3);
    expect(limit.admit('a', 1500)).to.equal(undefined);
    expect(limit.admit('a', 9000)).to.equal(1);
    expect(limit.admit('a', 10_000)).to.equal(0);
  });
});
