import { expect } from 'chai';
import * as fc from 'fast-check';
import { compilePatterns } from '#server/transport/auth/collection-pattern.js';

describe('Patterns of collection names', () => {
  const covers = (patterns: string[], name: string): boolean | undefined => compilePatterns(patterns)?.(name);

  it('match whole names', () => {
    expect(covers(['docs'], 'docs')).to.equal(true);
    expect(covers(['docs'], 'docs2')).to.equal(false);
    expect(covers(['a', 'b'], 'b')).to.equal(true);
    expect(covers([], 'a')).to.equal(false);
  });

  it('have stars for any characters, also none', () => {
    for (const name of ['docs-', 'docs-1', 'docs-*']) expect(covers(['docs-*'], name), name).to.equal(true);
    expect(covers(['*'], 'anything')).to.equal(true);
    expect(covers(['a*b*c'], 'axxbyyc')).to.equal(true);
    expect(covers(['a*a'], 'a')).to.equal(false);
    expect(covers(['a*bc*c'], 'abc')).to.equal(false);
  });

  it('take a dot as a dot', () => {
    expect(covers(['a.b'], 'axb')).to.equal(false);
  });

  it('are refused when they hold what no name holds, or are too many', () => {
    for (const patterns of [['a/b'], [''], ['a b'], ['x'.repeat(129)], Array<string>(65).fill('a')]) {
      expect(compilePatterns(patterns)).to.equal(undefined);
    }
  });

  it('agree with regular expressions', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 8 });
    const names = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(letters, names, (pattern, name) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name);
        expect(covers([pattern], name)).to.equal(expected);
      }),
    );
  });
});
