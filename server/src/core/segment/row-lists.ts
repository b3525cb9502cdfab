/*
 * Which rows have each value of an attribute, as one array of words: a list of rows per ordinal, or a bitmap
 * where that is shorter. The form is described in `attribute-column.ts`, which reads it.
 */
import { bitmapWords } from '../filter/bitmap.js';

/** Row lists of all ordinals of one attribute. */
export class RowLists {
  readonly starts: Uint32Array;
  readonly dense: number[] = [];
  words = new Uint32Array();

  constructor(
    private readonly ordinals: number,
    private readonly rows: number,
  ) {
    this.starts = new Uint32Array(ordinals + 1);
  }

  /**
   * @param visit Calls back with every (ordinal, row), the rows of one ordinal in ascending order; is called
   * twice. The same pair may
   *   come several times in a row: it counts once.
   */
  fill(visit: (entry: (ordinal: number, row: number) => void) => void): void {
    const counts = new Uint32Array(this.ordinals);
    /** Row + 1 of the last entry of an ordinal. */
    const last = new Uint32Array(this.ordinals);
    visit((ordinal, row) => {
      if (last[ordinal] === row + 1) return;
      last[ordinal] = row + 1;
      counts[ordinal] = (counts[ordinal] as number) + 1;
    });
    const bitmap = bitmapWords(this.rows);
    for (let ordinal = 0, end = 0; ordinal < this.ordinals; ordinal++) {
      const count = counts[ordinal] as number;
      if (count > bitmap) this.dense.push(ordinal);
      end += count > bitmap ? bitmap + 1 : count;
      this.starts[ordinal + 1] = end;
    }
    this.words = new Uint32Array(this.starts[this.ordinals] as number);
    for (const ordinal of this.dense) this.words[this.starts[ordinal] as number] = counts[ordinal] as number;
    const next = this.starts.slice();
    last.fill(0);
    visit((ordinal, row) => {
      if (last[ordinal] === row + 1) return;
      last[ordinal] = row + 1;
      if ((counts[ordinal] as number) > bitmap) {
        const word = (this.starts[ordinal] as number) + 1 + (row >>> 5);
        this.words[word] = (this.words[word] as number) | (1 << (row & 31));
      } else {
        this.words[next[ordinal] as number] = row;
        next[ordinal] = (next[ordinal] as number) + 1;
      }
    });
  }
}
