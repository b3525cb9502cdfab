/*
 * One attribute of the index with its values in order: knows how many bytes it takes and writes them.
 */
import { bitmapWords } from '../filter/bitmap.js';
import type { BodySizes } from './attribute-layout.js';
import { bodyOffsets, ENTRY, INLINE_TEXT_BYTES, LONG_TEXT_BYTES } from './attribute-layout.js';
import type { RowLists } from './row-lists.js';

/** Distinct texts in the order of their bytes, as places in the heap of attributes. */
export interface OrderedTexts {
  /** Ordinal of each interned text. */
  readonly ordinalOf: Uint32Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** Distinct numbers in the order of their exact values. */
export interface OrderedNumbers {
  /** Ordinal among the numbers of each entry. */
  readonly ordinalOf: Uint32Array;
  readonly nears: Float64Array;
  readonly rests: Int16Array | null;
}

/** What a column says of itself beside its values. */
export interface ColumnFacts {
  readonly rows: number;
  readonly presentRows: number;
  readonly valuesPerRowMax: number;
}

/** One attribute, ready to be written. */
export class BuiltColumn {
  readonly length: number;
  readonly #sizes: BodySizes;
  readonly #checkpoints: { readonly ordinals: Uint32Array; readonly bitmaps: Uint32Array };

  constructor(
    readonly name: Uint8Array,
    private readonly heap: Uint8Array,
    private readonly texts: OrderedTexts,
    private readonly numbers: OrderedNumbers,
    private readonly lists: RowLists,
    private readonly facts: ColumnFacts,
  ) {
    const values = texts.starts.length + numbers.nears.length;
    this.#checkpoints = lists.checkpoints(facts.valuesPerRowMax > 1 ? 0 : values);
    this.#sizes = {
      texts: texts.starts.length,
      numbers: numbers.nears.length,
      dense: lists.dense.length,
      rests: numbers.rests !== null,
      listWords: lists.words.length,
      checkpoints: this.#checkpoints.ordinals.length,
      bitmapWords: bitmapWords(facts.rows),
    };
    let textBytes = 0;
    for (let index = 0; index < texts.starts.length; index++) textBytes += this.#storedBytes(index);
    this.length = bodyOffsets(this.#sizes).texts + textBytes;
  }

  write(entry: Uint32Array, bytes: Uint8Array, at: number): void {
    entry[ENTRY.presentRows] = this.facts.presentRows;
    entry[ENTRY.valuesPerRowMax] = this.facts.valuesPerRowMax;
    entry[ENTRY.texts] = this.#sizes.texts;
    entry[ENTRY.numbers] = this.#sizes.numbers;
    entry[ENTRY.dense] = this.#sizes.dense;
    entry[ENTRY.rests] = this.#sizes.rests ? 1 : 0;
    entry[ENTRY.listWords] = this.#sizes.listWords;
    entry[ENTRY.checkpoints] = this.#sizes.checkpoints;
    const offsets = bodyOffsets(this.#sizes);
    const { nears, rests } = this.numbers;
    new Float64Array(bytes.buffer, at + offsets.nears, nears.length).set(nears);
    if (rests !== null) new Int16Array(bytes.buffer, at + offsets.rests, rests.length).set(rests);
    const { starts, dense, words } = this.lists;
    new Uint32Array(bytes.buffer, at + offsets.listStarts, starts.length).set(starts);
    new Uint32Array(bytes.buffer, at + offsets.dense, dense.length).set(dense);
    new Uint32Array(bytes.buffer, at + offsets.lists, words.length).set(words);
    const { ordinals, bitmaps } = this.#checkpoints;
    const checkpoints = at + offsets.checkpoints;
    new Uint32Array(bytes.buffer, checkpoints, ordinals.length).set(ordinals);
    new Uint32Array(bytes.buffer, checkpoints + ordinals.length * 4, bitmaps.length).set(bitmaps);
    const textOffsets = new Uint32Array(bytes.buffer, at + offsets.textOffsets, this.#sizes.texts + 1);
    this.#writeTexts(textOffsets, bytes, at + offsets.texts);
  }

  #writeTexts(textOffsets: Uint32Array, bytes: Uint8Array, at: number): void {
    const view = new DataView(bytes.buffer);
    let end = 0;
    for (let index = 0; index < this.#sizes.texts; index++) {
      const from = this.texts.starts[index] as number;
      const to = this.texts.ends[index] as number;
      const inline = Math.min(to, from + INLINE_TEXT_BYTES);
      for (let source = from, target = at + end; source < inline; source++, target++) {
        bytes[target] = this.heap[source] as number;
      }
      if (inline < to) {
        view.setUint32(at + end + INLINE_TEXT_BYTES, from, true);
        view.setUint32(at + end + INLINE_TEXT_BYTES + 4, to - from, true);
      }
      end += this.#storedBytes(index);
      textOffsets[index + 1] = end;
    }
  }

  #storedBytes(index: number): number {
    const length = (this.texts.ends[index] as number) - (this.texts.starts[index] as number);
    return length > INLINE_TEXT_BYTES ? LONG_TEXT_BYTES : length;
  }
}
