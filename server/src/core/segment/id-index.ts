/*
 * Finds the row of an id in a segment, and lists rows in the order of a scan and ids in their own order.
 *
 * Rows stand sorted by the 64-bit hash of their id, equal hashes by the id's bytes. A fuse filter turns most
 * absent ids away; a table of buckets by the hash's leading bits leaves a handful of hashes to look at; the
 * stored bytes decide. A second list holds the rows in the order of their ids, for prefixes. Ids that were
 * made to collide only lengthen a binary search. Drawn in `server/docs/formats/segment.md`, section "Id
 * index".
 */
import { hash64 } from '../bytes/hash64.js';
import { OmenError, invariant } from '../errors.js';
import { compareBytes, encodeTextInto, equalBytes } from '../record/text.js';
import type { FuseShape } from './fuse-filter.js';
import { buildFuseFilter, mayContain } from './fuse-filter.js';
import { orderOfKeys, orderOfTexts } from './radix-order.js';
import type { RowHeapView, RowPieces } from './row-heap.js';

const HEADER_BYTES = 64;
/** Hashes of one bucket, on average at most. */
const BUCKET_ROWS = 8;

/** The hash of an id; tests pass one that collides. */
export type IdHash = (id: Uint8Array) => { readonly high: number; readonly low: number };

/** A place in the order of a scan. */
export interface HashPosition {
  readonly hashHigh: number;
  readonly hashLow: number;
  readonly id: string;
}

/** Builds the index of the ids of a segment, which must be distinct. Deterministic. */
export function buildIdIndex(ids: RowHeapView, hash: IdHash = hash64): Uint8Array {
  const rows = ids.rows;
  const byId = orderOfIds(ids);
  // Beginning from the order by id makes that the order among equal hashes, since the sort is stable.
  const high = new Uint32Array(rows);
  const low = new Uint32Array(rows);
  for (let index = 0; index < rows; index++) {
    const hashed = hash(ids.bytesOf(byId[index] as number));
    high[index] = hashed.high;
    low[index] = hashed.low;
  }
  const order = orderOfKeys(high, low);
  const sortedHigh = order.map((index) => high[index] as number);
  const sortedLow = order.map((index) => low[index] as number);
  const sortedRows = order.map((index) => byId[index] as number);
  const filter = buildFuseFilter(sortedHigh, sortedLow);
  const bits = bucketBits(rows);
  const words = 16 + (1 << bits) + 1 + 4 * rows;
  const bytes = new Uint8Array(words * 4 + (filter?.cells.length ?? 0));
  const target = new Uint32Array(bytes.buffer, 0, words);
  target.set([
    rows,
    bits,
    filter?.seed ?? 0,
    filter?.segmentLength ?? 0,
    filter?.span ?? 0,
    filter?.cells.length ?? 0,
  ]);
  let at = HEADER_BYTES / 4;
  target.set(bucketStarts(sortedHigh, bits), at);
  at += (1 << bits) + 1;
  for (const column of [sortedHigh, sortedLow, sortedRows, byId]) {
    target.set(column, at);
    at += rows;
  }
  if (filter !== null) bytes.set(filter.cells, words * 4);
  return bytes;
}

function orderOfIds(ids: RowHeapView): Uint32Array {
  const starts = new Uint32Array(ids.rows);
  const ends = new Uint32Array(ids.rows);
  for (let row = 0; row < ids.rows; row++) {
    starts[row] = ids.from(row);
    ends[row] = ids.from(row + 1);
  }
  return orderOfTexts(ids.bytes, starts, ends);
}

function bucketBits(rows: number): number {
  return rows <= BUCKET_ROWS ? 0 : Math.ceil(Math.log2(rows / BUCKET_ROWS));
}

function bucketStarts(sortedHigh: Uint32Array, bits: number): Uint32Array {
  const starts = new Uint32Array((1 << bits) + 1);
  for (const high of sortedHigh)
    starts[bucketOf(high, bits) + 1] = (starts[bucketOf(high, bits) + 1] as number) + 1;
  for (let bucket = 0; bucket < 1 << bits; bucket++) {
    starts[bucket + 1] = (starts[bucket + 1] as number) + (starts[bucket] as number);
  }
  return starts;
}

function bucketOf(high: number, bits: number): number {
  // A shift by 32 would be a shift by 0.
  return bits === 0 ? 0 : high >>> (32 - bits);
}

/** What filters on ids ask. */
export type IdLookup = Pick<IdIndexView, 'lookup' | 'rowsWithPrefix'>;

/** Reads the index where it lies. */
export class IdIndexView {
  readonly rows: number;
  readonly #bits: number;
  readonly #shape: FuseShape;
  readonly #cells: Uint8Array;
  readonly #buckets: Uint32Array;
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #rowOf: Uint32Array;
  readonly #byId: Uint32Array;
  #scratch = new Uint8Array(2048);

  /**
   * @param bytes The section, at an address that is a multiple of 4.
   * @throws OmenError `DATA_CORRUPTED` when the sizes do not fit together.
   */
  constructor(
    bytes: Uint8Array,
    private readonly ids: RowPieces & { readonly rows: number },
    private readonly hash: IdHash = hash64,
  ) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4));
    const [rows = 0, bits = 0, seed = 0, segmentLength = 0, span = 0, cells = 0] = words;
    const buckets = bits < 32 ? 2 ** bits + 1 : Infinity;
    const fixed = HEADER_BYTES + (buckets + 4 * rows) * 4;
    if (
      rows !== ids.rows ||
      bytes.length !== fixed + cells ||
      (cells > 0 && cells !== span + 2 * segmentLength)
    ) {
      throw new OmenError(
        'DATA_CORRUPTED',
        `an id index of ${bytes.length} bytes for ${rows} rows, ${buckets} buckets and ${cells} cells ` +
          `does not belong to a segment of ${ids.rows} rows`,
        { metadata: { section: 'idIndex', offset: '0' } },
      );
    }
    this.rows = rows;
    this.#bits = bits;
    this.#shape = { seed, segmentLength, span };
    let at = HEADER_BYTES / 4;
    const column = (length: number): Uint32Array => words.subarray(at, (at += length));
    this.#buckets = column(buckets);
    this.#high = column(rows);
    this.#low = column(rows);
    this.#rowOf = column(rows);
    this.#byId = column(rows);
    this.#cells = bytes.subarray(fixed);
  }

  /** The row of an id, or -1. */
  lookup(id: string | Uint8Array): number {
    const bytes = typeof id === 'string' ? this.#encode(id) : id;
    const { high, low } = this.hash(bytes);
    if (!this.mayHave(high, low)) return -1;
    const rank = this.#rankOf(high, low, bytes);
    if (rank === this.rows || this.#high[rank] !== high || this.#low[rank] !== low) return -1;
    const row = this.#rowOf[rank] as number;
    const { bytes: heap } = this.ids;
    return equalBytes(heap, this.ids.from(row), this.ids.from(row + 1), bytes, 0, bytes.length) ? row : -1;
  }

  /**
   * The rows whose ids have the hash of this id, almost always one or none. Needs no id in memory: whether it
   * is the id is the caller's to find out.
   */
  rowsLike(id: string): Uint32Array {
    const { high, low } = this.hash(this.#encode(id));
    if (!this.mayHave(high, low)) return this.#rowOf.subarray(0, 0);
    const bucket = bucketOf(high, this.#bits);
    let from = this.#buckets[bucket] as number;
    const end = this.#buckets[bucket + 1] as number;
    const before = (rank: number): boolean => {
      const byHash = (this.#high[rank] as number) - high || (this.#low[rank] as number) - low;
      return byHash < 0;
    };
    for (let to = end; from < to;) {
      const middle = (from + to) >>> 1;
      if (before(middle)) from = middle + 1;
      else to = middle;
    }
    let to = from;
    while (to < end && this.#high[to] === high && this.#low[to] === low) to++;
    return this.#rowOf.subarray(from, to);
  }

  /** False when surely no id has this hash. */
  mayHave(high: number, low: number): boolean {
    if (this.rows === 0) return false;
    return this.#cells.length === 0 || mayContain(this.#shape, this.#cells, high, low);
  }

  /**
   * How many rows come before or at this position in the order of a scan: by hash, then by the bytes of the
   * id. The next row of the scan has this rank.
   */
  rankAfter(position: HashPosition): number {
    const bytes = this.#encode(position.id);
    const rank = this.#rankOf(position.hashHigh, position.hashLow, bytes);
    return rank < this.rows && this.#compareAt(rank, position.hashHigh, position.hashLow, bytes) === 0
      ? rank + 1
      : rank;
  }

  /** Row of rank `rank` in the order of a scan. */
  rowAt(rank: number): number {
    return this.#rowOf[rank] as number;
  }

  /** Upper half of the hash of rank `rank`. */
  hashHighAt(rank: number): number {
    return this.#high[rank] as number;
  }

  /** Lower half of the hash of rank `rank`. */
  hashLowAt(rank: number): number {
    return this.#low[rank] as number;
  }

  /** The rows whose ids begin with `prefix`, in the order of their ids. A view of the index. */
  rowsWithPrefix(prefix: string): Uint32Array {
    if (!prefix.isWellFormed()) return this.#byId.subarray(0, 0);
    const bytes = this.#encode(prefix);
    const from = this.#firstById((row) => this.#comparePrefix(row, bytes) >= 0);
    const to = this.#firstById((row) => this.#comparePrefix(row, bytes) > 0);
    return this.#byId.subarray(from, to);
  }

  /** First rank that is not before (high, low, id). */
  #rankOf(high: number, low: number, id: Uint8Array): number {
    const bucket = bucketOf(high, this.#bits);
    let from = this.#buckets[bucket] as number;
    let to = this.#buckets[bucket + 1] as number;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#compareAt(middle, high, low, id) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #compareAt(rank: number, high: number, low: number, id: Uint8Array): number {
    const byHash = (this.#high[rank] as number) - high || (this.#low[rank] as number) - low;
    if (byHash !== 0) return byHash;
    const row = this.#rowOf[rank] as number;
    return compareBytes(this.ids.bytes, this.ids.from(row), this.ids.from(row + 1), id, 0, id.length);
  }

  #firstById(holds: (row: number) => boolean): number {
    let from = 0;
    let to = this.rows;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (holds(this.#byId[middle] as number)) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  /** Zero when the row's id begins with the prefix. */
  #comparePrefix(row: number, prefix: Uint8Array): number {
    const from = this.ids.from(row);
    const to = Math.min(this.ids.from(row + 1), from + prefix.length);
    return compareBytes(this.ids.bytes, from, to, prefix, 0, prefix.length);
  }

  /** The id's bytes, valid until the next call. */
  #encode(id: string): Uint8Array {
    if (this.#scratch.length < id.length * 3) this.#scratch = new Uint8Array(id.length * 3);
    const length = encodeTextInto(id, this.#scratch, 0);
    invariant(length <= this.#scratch.length, 'an id outgrew its buffer');
    return this.#scratch.subarray(0, length);
  }
}
