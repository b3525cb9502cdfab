import { expect } from 'chai';
import { f, InvalidArgumentError } from '#sdk/index.js';
import { filterToWire } from '#sdk/filter/encode.js';
import { filterToJson } from '#sdk/gen/runtime/filter.js';

describe('A filter', () => {
  it('means the same whether written as an object or with the builder', () => {
    const pairs: [object, object][] = [
      [f.eq('a', 1), { a: { $eq: 1 } }],
      [f.eq('a', null), { a: null }],
      [f.ne('a', 'x'), { a: { $ne: 'x' } }],
      [
        f.and(f.gte('year', 1970), f.lt('year', 1990)),
        { $and: [{ year: { $gte: 1970 } }, { year: { $lt: 1990 } }] },
      ],
      [f.or(f.gt('a', 1), f.lte('a', -1)), { $or: [{ a: { $gt: 1 } }, { a: { $lte: -1 } }] }],
      [f.not(f.in('tag', ['x', 'y'])), { $not: { tag: { $in: ['x', 'y'] } } }],
      [f.nin('tag', ['x']), { tag: { $nin: ['x'] } }],
      [f.exists('a'), { a: { $exists: true } }],
      [f.exists('a', false), { a: { $exists: false } }],
      [f.containsAny('tags', ['x']), { tags: { $containsAny: ['x'] } }],
      [f.containsAll('tags', ['x']), { tags: { $containsAll: ['x'] } }],
      [f.prefix('name', 'al'), { name: { $prefix: 'al' } }],
      [f.ids(['1', '2']), { $id: { $in: ['1', '2'] } }],
      [f.idPrefix('doc/'), { $id: { $prefix: 'doc/' } }],
    ];
    for (const [built, written] of pairs) expect(filterToWire(built)).to.deep.equal(filterToWire(written));
  });

  it('keeps whole numbers whole, and all digits of a bigint', () => {
    expect(filterToWire({ a: 7 })).to.deep.equal(filterToWire({ a: 7n }));
    expect(filterToWire({ a: 2n ** 62n }).expr).to.have.nested.property('value.value.kind.value', 2n ** 62n);
    expect(filterToWire({ a: 0.5 }).expr).to.have.nested.property('value.value.kind.$case', 'doubleValue');
  });

  it('may have entries that are undefined, which ask for nothing', () => {
    expect(filterToJson(filterToWire({ a: undefined, b: { $gt: 1, $lt: undefined } }))).to.deep.equal({
      b: { $gt: 1 },
    });
    expect(filterToJson(filterToWire({ a: undefined }))).to.deep.equal({ $and: [] });
  });

  it('is refused before it is sent, with the path of every problem', () => {
    const bad = { year: { $like: 'x' }, tag: { $in: 'x' }, n: 2 ** 60 };
    expect(() => filterToWire(bad))
      .to.throw(InvalidArgumentError)
      .with.property('reason', 'UNKNOWN_OPERATOR');
    try {
      filterToWire(bad);
    } catch (error) {
      const { fieldViolations } = error as InvalidArgumentError;
      expect(fieldViolations.map(({ field }) => field)).to.deep.equal([
        'filter.year.$like',
        'filter.tag.$in',
        'filter.n',
      ]);
    }
  });
});
