/*
 * One piece of bytes per row, of any length: the ids and the encoded attributes of a segment.
 *
 * Layout: `rows + 1` u32 offsets, then the pieces in row order without gaps; row r has the bytes from offset
 * r to offset r + 1, counted from the first piece. Read in place, from shared memory too.
 */
import { invariant } from '../errors.js';
import { decodeText } from '../record/text.js';

/** Bytes of a heap whose pieces have `total` bytes together. */
export function rowHeapBytes(rows: number, total: number): number {
  return (rows + 1) * 4 + total;
}

/** Fills a heap in place, row after row. */
export class RowHeapWriter {
  readonly #offsets: DataView;
  readonly #start: number;
  #row = 0;
  #end = 0;

  /** @param into Exactly `rowHeapBytes(rows, total)` bytes. */
  constructor(
    private readonly into: Uint8Array,
    private readonly rows: number,
  ) {
    this.#start = (rows + 1) * 4;
    invariant(into.length >= this.#start, `a heap of ${rows} rows does not fit into ${into.length} bytes`);
    this.#offsets = new DataView(into.buffer, into.byteOffset, into.byteLength);
    this.#offsets.setUint32(0, 0, true);
  }

  /** The bytes of the next row. */
  append(bytes: Uint8Array): void {
    invariant(this.#row < this.rows, `a heap of ${this.rows} rows gets one more`);
    this.into.set(bytes, this.#start + this.#end);
    this.#end += bytes.length;
    this.#offsets.setUint32(++this.#row * 4, this.#end, true);
  }

  /** Checks that every row was written and that nothing is left over. */
  finish(): void {
    const seen = `${this.#row} of ${this.rows} rows, ${this.#start + this.#end} of ${this.into.length} bytes`;
    invariant(
      this.#row === this.rows && this.#start + this.#end === this.into.length,
      `a heap is unfinished: ${seen}`,
    );
  }
}

/** A heap of its own memory, for callers that do not know the size beforehand. */
export function buildRowHeap(pieces: readonly Uint8Array[]): Uint8Array {
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const bytes = new Uint8Array(rowHeapBytes(pieces.length, total));
  const writer = new RowHeapWriter(bytes, pieces.length);
  for (const piece of pieces) writer.append(piece);
  writer.finish();
  return bytes;
}

/** What readers of single rows need of a heap. */
export type RowPieces = Pick<RowHeapView, 'bytes' | 'from'>;

/** Reads a heap where it lies. Rows must be below `rows`. */
export class RowHeapView {
  /** Where the pieces begin in `bytes`. */
  readonly start: number;
  readonly #offsets: Uint32Array;

  /** @param bytes The section, at an address that is a multiple of 4. */
  constructor(
    readonly bytes: Uint8Array,
    readonly rows: number,
  ) {
    this.start = (rows + 1) * 4;
    this.#offsets = new Uint32Array(bytes.buffer, bytes.byteOffset, rows + 1);
  }

  /** Where row `row` begins in `bytes`; `from(rows)` is the end of the last row. */
  from(row: number): number {
    return this.start + (this.#offsets[row] as number);
  }

  /** Bytes of row `row`. */
  length(row: number): number {
    return (this.#offsets[row + 1] as number) - (this.#offsets[row] as number);
  }

  /** A view of row `row`, valid as long as the heap's memory is. */
  bytesOf(row: number): Uint8Array {
    return this.bytes.subarray(this.from(row), this.from(row + 1));
  }

  /** Row `row` as text. Throws `DATA_CORRUPTED` when it is not UTF-8. */
  textOf(row: number): string {
    return decodeText(this.bytes, this.from(row), this.from(row + 1));
  }
}
