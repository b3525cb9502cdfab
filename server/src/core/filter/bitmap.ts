/*
 * Sets of rows as bitmaps: row r is bit r % 32 of word r / 32. Bits behind the last row are zero.
 */

/** Words of a bitmap for so many rows. */
export function bitmapWords(rows: number): number {
  return (rows + 31) >>> 5;
}

/** The set has row `row`. */
export function hasRow(bitmap: Uint32Array, row: number): boolean {
  return (((bitmap[row >>> 5] as number) >>> (row & 31)) & 1) === 1;
}

/** Adds row `row`. */
export function addRow(bitmap: Uint32Array, row: number): void {
  bitmap[row >>> 5] = (bitmap[row >>> 5] as number) | (1 << (row & 31));
}

/** Adds every row of `rows[from, to)`. */
export function addRows(bitmap: Uint32Array, rows: Uint32Array, from = 0, to = rows.length): void {
  for (let index = from; index < to; index++) {
    const row = rows[index] as number;
    bitmap[row >>> 5] = (bitmap[row >>> 5] as number) | (1 << (row & 31));
  }
}

/** Adds every row below `rows`. */
export function addAllRows(bitmap: Uint32Array, rows: number): void {
  const whole = rows >>> 5;
  bitmap.fill(0xffffffff, 0, whole);
  if ((rows & 31) !== 0) bitmap[whole] = (1 << (rows & 31)) - 1;
}

/** Adds every row of `other`, whose words from `at` on are taken. */
export function unite(bitmap: Uint32Array, words: number, other: Uint32Array, at = 0): void {
  for (let index = 0; index < words; index++) {
    bitmap[index] = (bitmap[index] as number) | (other[at + index] as number);
  }
}

/** Keeps only rows of `other`. */
export function intersect(bitmap: Uint32Array, words: number, other: Uint32Array): void {
  for (let index = 0; index < words; index++)
    bitmap[index] = (bitmap[index] as number) & (other[index] as number);
}

/** Takes away every row of `other`. */
export function subtract(bitmap: Uint32Array, words: number, other: Uint32Array): void {
  for (let index = 0; index < words; index++)
    bitmap[index] = (bitmap[index] as number) & ~(other[index] as number);
}

/** Turns the set into the rows below `rows` that were not in it. */
export function complement(bitmap: Uint32Array, rows: number): void {
  const words = bitmapWords(rows);
  for (let index = 0; index < words; index++) bitmap[index] = ~(bitmap[index] as number);
  if ((rows & 31) !== 0) bitmap[words - 1] = (bitmap[words - 1] as number) & ((1 << (rows & 31)) - 1);
}

/** Rows in the set. */
export function countRows(bitmap: Uint32Array, words: number): number {
  let count = 0;
  for (let index = 0; index < words; index++) {
    // Sums of neighbouring bits, pairs, nibbles, bytes (Warren, "Hacker's Delight", 5-1).
    let word = bitmap[index] as number;
    if (word === 0) continue;
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    word = (word + (word >>> 4)) & 0x0f0f0f0f;
    count += Math.imul(word, 0x01010101) >>> 24;
  }
  return count;
}

/** No row is in the set. */
export function isEmpty(bitmap: Uint32Array, words: number): boolean {
  for (let index = 0; index < words; index++) if (bitmap[index] !== 0) return false;
  return true;
}

/** Calls `visit` with every row in ascending order. */
export function forEachRow(bitmap: Uint32Array, words: number, visit: (row: number) => void): void {
  for (let index = 0; index < words; index++) {
    for (let word = bitmap[index] as number; word !== 0; word &= word - 1) {
      visit(index * 32 + 31 - Math.clz32(word & -word));
    }
  }
}

/** Bitmaps for intermediate results, kept between queries; they are taken and given back like a stack. */
export class BitmapStack {
  readonly #bitmaps: Uint32Array[] = [];
  #depth = 0;

  /** An empty bitmap of at least `words` words. */
  take(words: number): Uint32Array {
    const kept = this.#bitmaps[this.#depth];
    const bitmap =
      kept !== undefined && kept.length >= words ? kept.fill(0, 0, words) : new Uint32Array(words);
    this.#bitmaps[this.#depth++] = bitmap;
    return bitmap;
  }

  /** Gives back the bitmap taken last. */
  give(): void {
    this.#depth--;
  }
}
