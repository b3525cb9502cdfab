import { expect } from 'chai';
import fc from 'fast-check';
import { orderOfKeys, orderOfTexts } from '#server/core/segment/radix-order.js';

// More than the 256 below which a comparison sort does the work.
const MANY = { minLength: 257, maxLength: 700, size: 'max' } as const;

function orderOf(texts: readonly (readonly number[])[]): number[] {
  const starts: number[] = [];
  const bytes = texts.flatMap((text) => {
    starts.push(0);
    return text;
  });
  let end = 0;
  texts.forEach((text, index) => {
    starts[index] = end;
    end += text.length;
  });
  const ends = starts.map((start, index) => start + (texts[index]?.length ?? 0));
  return [...orderOfTexts(Uint8Array.from(bytes), Uint32Array.from(starts), Uint32Array.from(ends))];
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function expectedOrder(texts: readonly (readonly number[])[]): number[] {
  const indices = texts.map((_, index) => index);
  return indices.sort((a, b) => compareLists(texts[a] ?? [], texts[b] ?? []) || a - b);
}

describe('Order of keys', () => {
  it('is that of the 64-bit numbers, equal ones by index', () => {
    const anyWord = fc.oneof(fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff), fc.nat(0xffffffff));
    fc.assert(
      fc.property(fc.array(fc.tuple(anyWord, anyWord), { maxLength: 700, size: 'max' }), (keys) => {
        const order = orderOfKeys(
          Uint32Array.from(keys, ([high]) => high),
          Uint32Array.from(keys, ([, low]) => low),
        );
        const value = (index: number): number[] => [...(keys[index] ?? [])];
        const indices = keys.map((_, index) => index);
        expect([...order]).to.deep.equal(indices.sort((a, b) => compareLists(value(a), value(b)) || a - b));
      }),
    );
  });
});

describe('Order of texts', () => {
  it('is that of their bytes, equal ones by index', () => {
    const anyText = fc.array(fc.nat(255), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(anyText, MANY), (texts) => {
        expect(orderOf(texts)).to.deep.equal(expectedOrder(texts));
      }),
      { numRuns: 30 },
    );
  });

  it('puts a text before the same one with zero bytes behind', () => {
    const anyText = fc.array(fc.constantFrom(0, 0, 1), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(anyText, MANY), (texts) => {
        expect(orderOf(texts)).to.deep.equal(expectedOrder(texts));
      }),
      { numRuns: 30 },
    );
  });

  it('finds differences behind long common beginnings', () => {
    const texts = Array.from({ length: 600 }, (_, index) => [
      ...new Array<number>(1000 + (index % 3)).fill(7),
      (index * 37) % 256,
      index % 5,
    ]);
    expect(orderOf(texts)).to.deep.equal(expectedOrder(texts));
  });
});
