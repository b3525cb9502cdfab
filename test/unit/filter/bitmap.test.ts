import { expect } from 'chai';
import fc from 'fast-check';
import {
  addAllRows,
  addRow,
  addRows,
  BitmapStack,
  bitmapWords,
  complement,
  countRows,
  forEachRow,
  hasRow,
  intersect,
  isEmpty,
  subtract,
  unite,
} from '#server/core/filter/bitmap.js';

/** A row count and two sets of rows below it. */
const anySets = fc.integer({ min: 0, max: 130 }).chain((rows) => {
  const anySet = fc.subarray(Array.from({ length: rows }, (_, row) => row));
  return fc.tuple(fc.constant(rows), anySet, anySet);
});

/** The bitmap with a word behind it that must stay as it is. */
function bitmapOf(rows: number, members: readonly number[]): Uint32Array {
  const bitmap = new Uint32Array(bitmapWords(rows) + 1);
  bitmap[bitmapWords(rows)] = 0xdeadbeef;
  addRows(bitmap, Uint32Array.from(members));
  return bitmap;
}

function members(rows: number, bitmap: Uint32Array): number[] {
  expect(bitmap[bitmapWords(rows)]).to.equal(0xdeadbeef);
  const found: number[] = [];
  forEachRow(bitmap, bitmapWords(rows), (row) => found.push(row));
  return found;
}

describe('Bitmap of rows', () => {
  it('combines sets as sets are combined, and touches nothing behind them', () => {
    fc.assert(
      fc.property(anySets, ([rows, a, b]) => {
        const words = bitmapWords(rows);
        const all = Array.from({ length: rows }, (_, row) => row);
        const other = bitmapOf(rows, b);
        const changed = (change: (bitmap: Uint32Array) => void): number[] => {
          const bitmap = bitmapOf(rows, a);
          change(bitmap);
          return members(rows, bitmap);
        };
        const those = (holds: (row: number) => boolean): number[] => all.filter(holds);
        expect(changed(() => undefined)).to.deep.equal(those((row) => a.includes(row)));
        expect(changed((it) => unite(it, words, other))).to.deep.equal(
          those((row) => a.includes(row) || b.includes(row)),
        );
        expect(changed((it) => intersect(it, words, other))).to.deep.equal(
          those((row) => a.includes(row) && b.includes(row)),
        );
        expect(changed((it) => subtract(it, words, other))).to.deep.equal(
          those((row) => a.includes(row) && !b.includes(row)),
        );
        expect(changed((it) => complement(it, rows))).to.deep.equal(those((row) => !a.includes(row)));
        expect(changed((it) => addAllRows(it, rows))).to.deep.equal(all);
      }),
    );
  });

  it('counts and asks', () => {
    fc.assert(
      fc.property(anySets, ([rows, a]) => {
        const bitmap = bitmapOf(rows, a);
        expect(countRows(bitmap, bitmapWords(rows))).to.equal(a.length);
        expect(isEmpty(bitmap, bitmapWords(rows))).to.equal(a.length === 0);
        for (let row = 0; row < rows; row++) expect(hasRow(bitmap, row)).to.equal(a.includes(row));
      }),
    );
  });

  it('takes rows one by one', () => {
    const bitmap = new Uint32Array(3);
    for (const row of [0, 31, 32, 95]) addRow(bitmap, row);
    expect([...bitmap]).to.deep.equal([0x80000001, 1, 0x80000000]);
  });
});

describe('Bitmap stack', () => {
  it('gives empty bitmaps that are not in use, and uses them again', () => {
    const stack = new BitmapStack();
    const first = stack.take(2).fill(7);
    const second = stack.take(2).fill(7);
    expect(second).not.to.equal(first);
    stack.give();
    expect(stack.take(1)).to.equal(second);
    expect([...second]).to.deep.equal([0, 7]);
    stack.give();
    stack.give();
    expect([...stack.take(4)]).to.deep.equal([0, 0, 0, 0]);
  });
});
