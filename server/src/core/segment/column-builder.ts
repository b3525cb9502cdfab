/*
 * Gathers the values of one attribute while the records of a segment pass by, then puts them in order.
 *
 * Texts stay where they are, in the heap of attributes: they are told apart by hash and bytes and sorted in
 * place.
 */
import { hash64 } from '../bytes/hash64.js';
import type { AttributeCursor } from '../record/attribute-cursor.js';
import { readDouble, VALUE_KINDS } from '../record/attribute-cursor.js';
import { nearOfInt64, restOfInt64 } from '../record/number-key.js';
import { equalBytes } from '../record/text.js';
import { EXTRA_ORDINALS } from './attribute-layout.js';
import type { OrderedNumbers, OrderedTexts } from './built-column.js';
import { BuiltColumn } from './built-column.js';
import { orderOfKeys, orderOfTexts } from './radix-order.js';
import type { RowHeapView } from './row-heap.js';
import { RowLists } from './row-lists.js';

/** Gathers the values of one attribute. Names and texts are kept as places in the heap of attributes. */
export class ColumnBuilder {
  readonly #present: number[] = [];
  readonly #false: number[] = [];
  readonly #true: number[] = [];
  readonly #numberRows: number[] = [];
  readonly #nears: number[] = [];
  readonly #rests: number[] = [];
  #anyRest = false;
  readonly #textRows: number[] = [];
  /** Number of the text of each entry of `#textRows`. */
  readonly #textOf: number[] = [];
  readonly #textStarts: number[] = [];
  readonly #textEnds: number[] = [];
  #textByHash: Map<number, number> | null = null;
  #valuesPerRowMax = 0;

  constructor(
    readonly nameFrom: number,
    readonly nameTo: number,
  ) {}

  isNamed(cursor: AttributeCursor): boolean {
    return equalBytes(cursor.bytes, cursor.nameFrom, cursor.nameTo, cursor.bytes, this.nameFrom, this.nameTo);
  }

  /** Takes up all elements of the cursor's current attribute. Rows come in ascending order. */
  add(row: number, cursor: AttributeCursor): void {
    this.#present.push(row);
    let values = 0;
    while (cursor.nextElement()) {
      values++;
      this.#addElement(row, cursor);
    }
    this.#valuesPerRowMax = Math.max(this.#valuesPerRowMax, values);
  }

  #addElement(row: number, cursor: AttributeCursor): void {
    const { bytes, elementFrom: from, elementTo: to } = cursor;
    switch (cursor.elementKind) {
      case VALUE_KINDS.text:
        this.#textRows.push(row);
        this.#textOf.push(this.#intern(bytes, from, to));
        break;
      case VALUE_KINDS.int64: {
        const near = nearOfInt64(bytes, from, to);
        this.#addNumber(row, near, restOfInt64(bytes, from, to, near));
        break;
      }
      case VALUE_KINDS.double:
        // Adding zero makes minus zero the same number as zero.
        this.#addNumber(row, readDouble(bytes, from) + 0, 0);
        break;
      case VALUE_KINDS.true:
        this.#true.push(row);
        break;
      default:
        this.#false.push(row);
    }
  }

  #addNumber(row: number, near: number, rest: number): void {
    this.#numberRows.push(row);
    this.#nears.push(near);
    this.#rests.push(rest);
    if (rest !== 0) this.#anyRest = true;
  }

  /**
   * The number of a text seen before, or a new one. Two numbers for one text do no harm: `build` joins them.
   */
  #intern(bytes: Uint8Array, from: number, to: number): number {
    const key = hashKey(bytes, from, to);
    // Made late: most attributes of a hostile batch have no text at all.
    this.#textByHash ??= new Map();
    const known = this.#textByHash.get(key);
    if (known !== undefined) {
      const start = this.#textStarts[known] as number;
      if (equalBytes(bytes, from, to, bytes, start, this.#textEnds[known] as number)) return known;
    }
    const number = this.#textStarts.length;
    this.#textStarts.push(from);
    this.#textEnds.push(to);
    this.#textByHash.set(key, number);
    return number;
  }

  build(attributes: RowHeapView): BuiltColumn {
    const texts = this.#orderTexts(attributes.bytes);
    const numbers = this.#orderNumbers();
    const ordinals = texts.starts.length + numbers.nears.length + EXTRA_ORDINALS;
    const lists = new RowLists(ordinals, attributes.rows);
    const everywhere = this.#present.length === attributes.rows;
    lists.fill((entry) => {
      for (let index = 0; index < this.#textRows.length; index++) {
        entry(texts.ordinalOf[this.#textOf[index] as number] as number, this.#textRows[index] as number);
      }
      let base = texts.starts.length;
      for (let index = 0; index < this.#numberRows.length; index++) {
        entry(base + (numbers.ordinalOf[index] as number), this.#numberRows[index] as number);
      }
      base += numbers.nears.length;
      for (const row of this.#false) entry(base, row);
      for (const row of this.#true) entry(base + 1, row);
      if (!everywhere) for (const row of this.#present) entry(base + 2, row);
    });
    const facts = {
      rows: attributes.rows,
      presentRows: this.#present.length,
      valuesPerRowMax: this.#valuesPerRowMax,
    };
    const name = attributes.bytes.slice(this.nameFrom, this.nameTo);
    return new BuiltColumn(name, attributes.bytes, texts, numbers, lists, facts);
  }

  #orderTexts(bytes: Uint8Array): OrderedTexts {
    const starts = Uint32Array.from(this.#textStarts);
    const ends = Uint32Array.from(this.#textEnds);
    const ordinalOf = new Uint32Array(starts.length);
    const distinct: number[] = [];
    for (const number of orderOfTexts(bytes, starts, ends)) {
      const last = distinct.at(-1);
      const [from, to] = [starts[number] as number, ends[number] as number];
      const isNew =
        last === undefined ||
        !equalBytes(bytes, from, to, bytes, starts[last] as number, ends[last] as number);
      if (isNew) distinct.push(number);
      ordinalOf[number] = distinct.length - 1;
    }
    return {
      ordinalOf,
      starts: Uint32Array.from(distinct, (number) => starts[number] as number),
      ends: Uint32Array.from(distinct, (number) => ends[number] as number),
    };
  }

  #orderNumbers(): OrderedNumbers {
    const order = orderOfKeys(...sortableKeys(this.#nears));
    if (this.#anyRest) this.#orderRests(order);
    const ordinalOf = new Uint32Array(order.length);
    const nears: number[] = [];
    const rests: number[] = [];
    for (const index of order) {
      const near = this.#nears[index] as number;
      const rest = this.#rests[index] as number;
      if (near !== nears.at(-1) || rest !== rests.at(-1)) {
        nears.push(near);
        rests.push(rest);
      }
      ordinalOf[index] = nears.length - 1;
    }
    return {
      ordinalOf,
      nears: Float64Array.from(nears),
      rests: this.#anyRest ? Int16Array.from(rests) : null,
    };
  }

  /** Sorts runs of equal doubles by their remainders. */
  #orderRests(order: Uint32Array): void {
    for (let from = 0, to = 1; from < order.length; from = to, to = from + 1) {
      const near = this.#nears[order[from] as number];
      while (to < order.length && this.#nears[order[to] as number] === near) to++;
      const run = order.subarray(from, to);
      if (run.some((index) => this.#rests[index] !== 0)) {
        run.sort((a, b) => (this.#rests[a] as number) - (this.#rests[b] as number) || a - b);
      }
    }
  }
}

/** 53 bits of the hash of `bytes[from, to)`. */
export function hashKey(bytes: Uint8Array, from: number, to: number): number {
  const { high, low } = hash64(bytes.subarray(from, to));
  return high * 0x20_0000 + (low >>> 11);
}

/** Unsigned 64-bit keys in the order of the doubles: the sign bit flipped, for negative numbers all bits. */
function sortableKeys(values: readonly number[]): [Uint32Array, Uint32Array] {
  const words = new Uint32Array(Float64Array.from(values).buffer);
  const high = new Uint32Array(values.length);
  const low = new Uint32Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const top = words[index * 2 + 1] as number;
    const bottom = words[index * 2] as number;
    high[index] = top >= 0x8000_0000 ? ~top : top ^ 0x8000_0000;
    low[index] = top >= 0x8000_0000 ? ~bottom : bottom;
  }
  return [high, low];
}
