/*
 * Which rows have each value of an attribute, as one array of words: a list of rows per ordinal, or a bitmap
 * where that is shorter. The form is described in `attribute-column.ts`, which reads it.
 */
import { addRows, bitmapWords, unite } from '../filter/bitmap.js';
import { CHECKPOINT_ENTRIES_MIN, CHECKPOINT_VALUES_MIN, CHECKPOINTS } from './attribute-layout.js';

/** Row lists of all ordinals of one attribute. */
export class RowLists {
  readonly starts: Uint32Array;
  readonly dense: number[] = [];
  words = new Uint32Array();
  #entries = 0;

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
      this.#entries += count;
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

  /**
   * Ordinals that part the entries of ordinals 0 to `values` into equal shares, and for each the bitmap of
   * all rows with a smaller ordinal. Only for columns in which no row has two values: there, the rows of a
   * run are those of one bitmap without those of another.
   */
  checkpoints(values: number): { readonly ordinals: Uint32Array; readonly bitmaps: Uint32Array } {
    const none = { ordinals: new Uint32Array(), bitmaps: new Uint32Array() };
    if (this.#entries < CHECKPOINT_ENTRIES_MIN || values < CHECKPOINT_VALUES_MIN) return none;
    const words = bitmapWords(this.rows);
    const ordinals: number[] = [];
    const bitmaps = new Uint32Array(CHECKPOINTS * words);
    const below = new Uint32Array(words);
    const share = Math.ceil(this.#entries / CHECKPOINTS);
    let seen = 0;
    for (let ordinal = 0, dense = 0; ordinal < values; ordinal++) {
      const start = this.starts[ordinal] as number;
      if (this.dense[dense] === ordinal) {
        dense++;
        seen += this.words[start] as number;
        unite(below, words, this.words, start + 1);
      } else {
        seen += (this.starts[ordinal + 1] as number) - start;
        addRows(below, this.words, start, this.starts[ordinal + 1] as number);
      }
      if (seen < share * (ordinals.length + 1)) continue;
      bitmaps.set(below, ordinals.length * words);
      ordinals.push(ordinal + 1);
    }
    return { ordinals: Uint32Array.from(ordinals), bitmaps: bitmaps.subarray(0, ordinals.length * words) };
  }
}
