import { expect } from 'chai';
import fc from 'fast-check';
import { OmenError } from '#server/core/errors.js';
import {
  checkAttributes,
  decodeAttributes,
  decodeSelected,
  encodeAttributes,
} from '#server/core/record/attribute-codec.js';
import type { Attributes, AttributeValue } from '#server/core/record/record.js';
import { anyAttributes } from '../../support/attributes.js';

const attributes = (entries: Record<string, unknown>): Attributes =>
  new Map(Object.entries(entries) as [string, AttributeValue][]);

function refusal(entries: Record<string, unknown>): OmenError {
  try {
    checkAttributes(attributes(entries), 'records[3].attributes');
  } catch (error) {
    if (error instanceof OmenError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('Attribute codec', () => {
  it('gives back what it was given, in name order', () => {
    const given = attributes({
      z: 'text',
      a: 5n,
      m: -0.5,
      yes: true,
      no: false,
      empty: [],
      'naïve name 😀': ['é', '', '😀'.repeat(100)],
      ints: [0n, -1n, 255n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n, -(2n ** 32n)],
      doubles: [0, -0, 5e-324, Number.MAX_VALUE],
      booleans: [true, false],
    });
    const decoded = decodeAttributes(encodeAttributes(given));
    expect([...decoded.keys()]).to.deep.equal([...given.keys()].sort());
    for (const [name, value] of given) expect(decoded.get(name), name).to.deep.equal(value);
  });

  it('keeps a negative zero', () => {
    const decoded = decodeAttributes(encodeAttributes(attributes({ a: -0 })));
    expect(Object.is(decoded.get('a'), -0)).to.equal(true);
  });

  it('takes no bytes for no attributes', () => {
    expect(encodeAttributes(new Map())).to.have.lengthOf(0);
    expect(decodeAttributes(new Uint8Array())).to.have.lengthOf(0);
  });

  it('gives equal bytes for equal attributes, whatever their order', () => {
    const one = encodeAttributes(attributes({ a: 1, b: ['x'], c: 'y' }));
    const other = encodeAttributes(attributes({ c: 'y', a: 1, b: ['x'] }));
    expect(one).to.deep.equal(other);
  });

  it('holds whole numbers of every width', () => {
    for (let bit = 0n; bit <= 63n; bit++) {
      for (const near of [-1n, 0n, 1n]) {
        for (const sign of [1n, -1n]) {
          const value = BigInt.asIntN(64, sign * (1n << bit) + near);
          expect(decodeAttributes(encodeAttributes(attributes({ v: value }))).get('v')).to.equal(value);
        }
      }
    }
  });

  it('survives a round trip for any attributes, also in shared memory', () => {
    fc.assert(
      fc.property(anyAttributes, (given) => {
        const encoded = encodeAttributes(given);
        const shared = new Uint8Array(new SharedArrayBuffer(encoded.length + 3), 3);
        shared.set(encoded);
        for (const bytes of [encoded, shared]) {
          const decoded = decodeAttributes(bytes);
          expect(decoded.size).to.equal(given.size);
          for (const [name, value] of given) expect(decoded.get(name)).to.deep.equal(value);
        }
      }),
    );
  });

  it('decodes only the selected attributes', () => {
    const encoded = encodeAttributes(attributes({ a: 1, b: ['x', 'y'], c: 'y', d: 4n }));
    expect(decodeSelected(encoded, ['d', 'b', 'missing'])).to.deep.equal(
      attributes({ b: ['x', 'y'], d: 4n }),
    );
    const many = ['a', ...Array.from({ length: 20 }, (_, index) => `n${index}`)];
    expect(decodeSelected(encoded, many)).to.deep.equal(attributes({ a: 1 }));
    expect(decodeSelected(encoded, [])).to.have.lengthOf(0);
  });

  it('reports damage and never reads outside the bytes', () => {
    const encoded = encodeAttributes(attributes({ a: 1, b: ['x', 'é'], c: 'y', d: [4n], e: [true], f: 7n }));
    fc.assert(
      fc.property(
        fc.nat(encoded.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(encoded.length),
        (at, flip, cut) => {
          const damaged = encoded.slice(0, cut);
          if (at < cut) damaged[at] = (damaged[at] ?? 0) ^ flip;
          try {
            decodeAttributes(damaged);
          } catch (error) {
            expect((error as OmenError).reason).to.equal('DATA_CORRUPTED');
          }
        },
      ),
    );
  });
});

describe('Attribute limits', () => {
  const cases: readonly [string, Record<string, unknown>, string][] = [
    ['NaN', { a: NaN }, 'records[3].attributes.a'],
    ['infinity in an array', { a: [1, Infinity] }, 'records[3].attributes.a[1]'],
    ['an integer beyond 64 bits', { a: 2n ** 63n }, 'records[3].attributes.a'],
    ['an array of two kinds', { tags: ['x', 1] }, 'records[3].attributes.tags[1]'],
    ['an array of int64 and double', { tags: [1n, 1] }, 'records[3].attributes.tags[1]'],
    ['null', { a: null }, 'records[3].attributes.a'],
    ['an object', { a: {} }, 'records[3].attributes.a'],
    ['an array in an array', { a: [[1]] }, 'records[3].attributes.a[0]'],
    ['a lone surrogate', { a: '\uD800' }, 'records[3].attributes.a'],
    ['an empty name', { '': 1 }, 'records[3].attributes[""]'],
    ['a name that begins with $', { $eq: 1 }, 'records[3].attributes["$eq"]'],
    ['a long name', { ['é'.repeat(65)]: 1 }, `records[3].attributes["${'é'.repeat(65)}"]`],
    ['a name with a lone surrogate', { 'x\uDC00': 1 }, 'records[3].attributes["x\\udc00"]'],
    ['a long array', { a: new Array<number>(4097).fill(1) }, 'records[3].attributes.a'],
    ['long text', { a: 'é'.repeat(32_768) }, 'records[3].attributes'],
    ['very long text', { a: 'é'.repeat(1_000_000) }, 'records[3].attributes'],
    [
      'too many attributes',
      Object.fromEntries(Array.from({ length: 257 }, (_, index) => [`n${index}`, 1])),
      'records[3].attributes',
    ],
  ];
  for (const [what, entries, field] of cases) {
    it(`refuse ${what}`, () => {
      const error = refusal(entries);
      expect(error.reason).to.equal('INVALID_ATTRIBUTE');
      expect(error.violations.map((violation) => violation.field)).to.deep.equal([field]);
    });
  }

  it('allow what is just within them', () => {
    const names = Array.from({ length: 254 }, (_, index) => [`n${index}`, 1n] as const);
    const widest = {
      ...Object.fromEntries(names),
      ['é'.repeat(64)]: 'x',
      long: new Array<number>(4096).fill(1),
    };
    expect(checkAttributes(attributes(widest), 'a').length).to.be.greaterThan(4096 * 8);
    expect(checkAttributes(attributes({ a: [-(2n ** 63n), 2n ** 63n - 1n] }), 'a')).to.have.lengthOf(22);
    // One byte of name, name length and kind each, three of text length.
    expect(checkAttributes(attributes({ a: 'x'.repeat(65_536 - 6) }), 'a')).to.have.lengthOf(65_536);
  });

  it('return the encoded attributes', () => {
    const given = attributes({ a: 1, b: 'x' });
    expect(checkAttributes(given, 'a')).to.deep.equal(encodeAttributes(given));
  });
});
