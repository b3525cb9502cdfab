/*
 * One attribute of the index of a segment, read in place: conditions become runs of ordinals by binary
 * search, runs become rows.
 *
 * A row list is u32 row numbers in ascending order, or, where that is shorter, the number of rows and a
 * bitmap; a list of the length of the latter is one. So the lengths alone tell the kinds apart.
 */
import { addAllRows, addRows, bitmapWords, unite } from '../filter/bitmap.js';
import type { RowBounds } from '../filter/estimate.js';
import { exactly } from '../filter/estimate.js';
import type { NumberKey } from '../record/number-key.js';
import { compareBytes } from '../record/text.js';
import {
  bodyOffsets,
  ENTRY,
  EXTRA_ORDINALS,
  INLINE_TEXT_BYTES,
  LONG_TEXT_BYTES,
} from './attribute-layout.js';
import type { RowPieces } from './row-heap.js';

/** Ordinals from `from` up to and not including `to`. */
export interface Run {
  readonly from: number;
  readonly to: number;
}

const NOTHING: Run = { from: 0, to: 0 };

export class AttributeColumn {
  readonly presentRows: number;
  readonly #texts: number;
  readonly #numbers: number;
  readonly #valuesPerRowMax: number;
  readonly #words: number;
  readonly #nears: Float64Array;
  readonly #rests: Int16Array | undefined;
  readonly #textOffsets: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #dense: Uint32Array;
  readonly #lists: Uint32Array;
  readonly #checkpoints: Uint32Array;
  readonly #checkpointBitmaps: Uint32Array;
  readonly #textHeap: Uint8Array;

  /**
   * @param entry The attribute's words in the directory.
   * @param body Its bytes, at an address that is a multiple of 8.
   */
  constructor(
    entry: Uint32Array,
    body: Uint8Array,
    private readonly rows: number,
    private readonly attributes: RowPieces,
  ) {
    const word = (index: number): number => entry[index] as number;
    this.presentRows = word(ENTRY.presentRows);
    this.#texts = word(ENTRY.texts);
    this.#numbers = word(ENTRY.numbers);
    this.#valuesPerRowMax = word(ENTRY.valuesPerRowMax);
    this.#words = bitmapWords(rows);
    const listWords = word(ENTRY.listWords);
    const rests = word(ENTRY.rests) === 1;
    const dense = word(ENTRY.dense);
    const checkpoints = word(ENTRY.checkpoints);
    const at = bodyOffsets({
      texts: this.#texts,
      numbers: this.#numbers,
      dense,
      rests,
      listWords,
      checkpoints,
      bitmapWords: this.#words,
    });
    const words = (offset: number, length: number): Uint32Array =>
      new Uint32Array(body.buffer, body.byteOffset + offset, length);
    this.#nears = new Float64Array(body.buffer, body.byteOffset + at.nears, this.#numbers);
    this.#rests = rests ? new Int16Array(body.buffer, body.byteOffset + at.rests, this.#numbers) : undefined;
    this.#textOffsets = words(at.textOffsets, this.#texts + 1);
    this.#starts = words(at.listStarts, this.#texts + this.#numbers + EXTRA_ORDINALS + 1);
    this.#dense = words(at.dense, dense);
    this.#lists = words(at.lists, listWords);
    this.#checkpoints = words(at.checkpoints, checkpoints);
    this.#checkpointBitmaps = words(at.checkpoints + checkpoints * 4, checkpoints * this.#words);
    this.#textHeap = body.subarray(at.texts);
  }

  /** The run of a text: one ordinal or none. */
  equalText(operand: Uint8Array): Run {
    const from = this.#firstText((index) => this.#compareText(index, operand) >= 0);
    const found = from < this.#texts && this.#compareText(from, operand) === 0;
    return found ? { from, to: from + 1 } : NOTHING;
  }

  /** Texts before the operand, with the operand itself when `inclusive`. */
  textsBelow(operand: Uint8Array, inclusive: boolean): Run {
    const to = this.#firstText((index) => this.#compareText(index, operand) >= (inclusive ? 1 : 0));
    return { from: 0, to };
  }

  /** Texts after the operand, with the operand itself when `inclusive`. */
  textsAbove(operand: Uint8Array, inclusive: boolean): Run {
    return { from: this.textsBelow(operand, !inclusive).to, to: this.#texts };
  }

  textsWithPrefix(prefix: Uint8Array): Run {
    const from = this.#firstText((index) => this.#comparePrefix(index, prefix) >= 0);
    const to = this.#firstText((index) => this.#comparePrefix(index, prefix) > 0);
    return { from, to };
  }

  /** The run of a number: one ordinal or none. */
  equalNumber(operand: NumberKey): Run {
    const { to: from } = this.numbersBelow(operand, false);
    const { to } = this.numbersBelow(operand, true);
    return { from, to };
  }

  /** Numbers less than the operand, with the operand itself when `inclusive`. */
  numbersBelow(operand: NumberKey, inclusive: boolean): Run {
    let from = 0;
    let to = this.#numbers;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const order = this.#compareNumber(middle, operand);
      if (inclusive ? order <= 0 : order < 0) from = middle + 1;
      else to = middle;
    }
    return { from: this.#texts, to: this.#texts + from };
  }

  /** Numbers greater than the operand, with the operand itself when `inclusive`. */
  numbersAbove(operand: NumberKey, inclusive: boolean): Run {
    return { from: this.numbersBelow(operand, !inclusive).to, to: this.#texts + this.#numbers };
  }

  equalBoolean(operand: boolean): Run {
    const from = this.#texts + this.#numbers + (operand ? 1 : 0);
    return { from, to: from + 1 };
  }

  /** Bounds on the rows of a run, from the lengths of the lists alone. */
  bounds({ from, to }: Run): RowBounds {
    if (from >= to) return exactly(0);
    let entries = (this.#starts[to] as number) - (this.#starts[from] as number);
    for (let index = lowerBound(this.#dense, from); (this.#dense[index] ?? to) < to; index++) {
      const start = this.#starts[this.#dense[index] as number] as number;
      entries += (this.#lists[start] as number) - this.#words - 1;
    }
    // A row with several values may stand in several lists of the run.
    if (to === from + 1 || this.#valuesPerRowMax <= 1) return exactly(entries);
    return {
      atLeast: Math.ceil(entries / this.#valuesPerRowMax),
      atMost: Math.min(this.presentRows, entries),
    };
  }

  /** Adds the rows of a run to a bitmap. */
  addRun(run: Run, out: Uint32Array): void {
    // A run from ordinal 0 on begins at a checkpoint of its own, the empty one.
    const first = run.from === 0 ? -1 : lowerBound(this.#checkpoints, run.from);
    const last = lowerBound(this.#checkpoints, run.to + 1) - 1;
    if (last <= first) return this.#addLists(run, out);
    const bitmaps = this.#checkpointBitmaps;
    if (first < 0) unite(out, this.#words, bitmaps, last * this.#words);
    else this.#addBetween(first, last, out);
    this.#addLists({ from: run.from, to: first < 0 ? 0 : (this.#checkpoints[first] as number) }, out);
    this.#addLists({ from: this.#checkpoints[last] as number, to: run.to }, out);
  }

  /**
   * Adds the rows below checkpoint `last` that are not below checkpoint `first`: no row has two values here.
   */
  #addBetween(first: number, last: number, out: Uint32Array): void {
    const bitmaps = this.#checkpointBitmaps;
    const [below, upTo] = [first * this.#words, last * this.#words];
    for (let word = 0; word < this.#words; word++) {
      const rows = (bitmaps[upTo + word] as number) & ~(bitmaps[below + word] as number);
      out[word] = (out[word] as number) | rows;
    }
  }

  #addLists({ from, to }: Run, out: Uint32Array): void {
    if (from >= to) return;
    let next = from;
    for (let index = lowerBound(this.#dense, from); (this.#dense[index] ?? to) < to; index++) {
      const ordinal = this.#dense[index] as number;
      // The lists between two bitmaps lie side by side.
      addRows(out, this.#lists, this.#starts[next] as number, this.#starts[ordinal] as number);
      unite(out, this.#words, this.#lists, (this.#starts[ordinal] as number) + 1);
      next = ordinal + 1;
    }
    addRows(out, this.#lists, this.#starts[next] as number, this.#starts[to] as number);
  }

  /** Adds every row that has the attribute. */
  addPresent(out: Uint32Array): void {
    if (this.presentRows === this.rows) return addAllRows(out, this.rows);
    const ordinal = this.#texts + this.#numbers + 2;
    this.addRun({ from: ordinal, to: ordinal + 1 }, out);
  }

  #compareNumber(index: number, operand: NumberKey): number {
    const near = this.#nears[index] as number;
    if (near !== operand.near) return near < operand.near ? -1 : 1;
    return (this.#rests?.[index] ?? 0) - operand.rest;
  }

  #firstText(holds: (index: number) => boolean): number {
    let from = 0;
    let to = this.#texts;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (holds(middle)) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  #compareText(index: number, operand: Uint8Array): number {
    const from = this.#textOffsets[index] as number;
    const to = this.#textOffsets[index + 1] as number;
    if (to - from !== LONG_TEXT_BYTES)
      return compareBytes(this.#textHeap, from, to, operand, 0, operand.length);
    const end = Math.min(operand.length, INLINE_TEXT_BYTES);
    const order = compareBytes(this.#textHeap, from, from + INLINE_TEXT_BYTES, operand, 0, end);
    // An operand that ends within the beginning is shorter than the text, which the lengths have told.
    if (order !== 0) return order;
    const whole = this.#longText(from);
    return compareBytes(whole, INLINE_TEXT_BYTES, whole.length, operand, INLINE_TEXT_BYTES, operand.length);
  }

  /** Zero when the text begins with the prefix. */
  #comparePrefix(index: number, prefix: Uint8Array): number {
    const from = this.#textOffsets[index] as number;
    const to = this.#textOffsets[index + 1] as number;
    const long = to - from === LONG_TEXT_BYTES && prefix.length > INLINE_TEXT_BYTES;
    if (long) {
      const whole = this.#longText(from);
      return compareBytes(whole, 0, Math.min(whole.length, prefix.length), prefix, 0, prefix.length);
    }
    return compareBytes(this.#textHeap, from, Math.min(to, from + prefix.length), prefix, 0, prefix.length);
  }

  /** All bytes of a text of which the dictionary holds the beginning. */
  #longText(from: number): Uint8Array {
    const view = new DataView(this.#textHeap.buffer, this.#textHeap.byteOffset + from + INLINE_TEXT_BYTES, 8);
    const start = view.getUint32(0, true);
    return this.attributes.bytes.subarray(start, start + view.getUint32(4, true));
  }
}

/** Index of the first element of an ascending array that is not less than `value`. */
function lowerBound(ascending: Uint32Array, value: number): number {
  let from = 0;
  let to = ascending.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((ascending[middle] as number) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
