// How the bytes that a query may read are shared among segments.
import { expect } from 'chai';
import { withinBudget } from '#server/app/tiers/posting-budget.js';

const bytes = (item: number): number => item;

describe('The budget of postings', () => {
  it('leaves everything when it suffices', () => {
    const lists = [[5, 5], [], [10]];
    expect(withinBudget(lists, bytes, 20)).to.deep.equal({ kept: lists, cut: false });
  });

  it('keeps the same share of every list, the best of each, whatever their order', () => {
    const long = Array.from({ length: 100 }, () => 1);
    const short = Array.from({ length: 20 }, () => 1);
    for (const [lists, shares] of [
      [
        [long, short],
        [50, 10],
      ],
      [
        [short, long],
        [10, 50],
      ],
    ] as const) {
      const { kept, cut } = withinBudget(lists, bytes, 60);
      expect(cut).to.equal(true);
      expect(kept.map(({ length }) => length)).to.deep.equal(shares);
    }
    expect(withinBudget([[1, 2, 3, 4]], bytes, 6).kept).to.deep.equal([[1, 2, 3]]);
  });
});
