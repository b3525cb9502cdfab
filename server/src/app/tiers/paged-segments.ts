/*
 * Reads of single rows and of ids in segments of which only the skeleton is in memory.
 */
import type { Snapshot } from '../../core/collection/snapshot.js';
import type { CollectionState } from '../../core/collection/state.js';
import type { OpenSegment, SegmentBody } from '../../core/collection/open-segment.js';
import type { Arena } from '../../core/memory/arena.js';
import { decodeText, encodeText, equalBytes } from '../../core/record/text.js';
import { IdIndexView } from '../../core/segment/id-index.js';
import type { SegmentView } from '../../core/segment/segment-view.js';
import { readSequence } from '../../core/segment/sequences.js';
import type { PieceCache, Piece, Pinned } from './piece-cache.js';
import type { Reading } from './reading.js';
import type { SectionRange } from './segment-pieces.js';
import { SegmentPieces } from './segment-pieces.js';

/** What is in memory of a segment, for as long as somebody reads it. */
export interface HeldSegment {
  readonly pieces: SegmentPieces;
  readonly dimensions: number;
  release(): void;
}

/** Ids to find out about, and whether their records are wanted as well. */
interface AskedIds {
  readonly ids: readonly string[];
  readonly records: boolean;
}

/** What is wanted of a row. */
export interface WantedColumns {
  readonly id?: boolean;
  readonly attributes?: boolean;
  readonly vector?: boolean;
  readonly sequence?: boolean;
}

/** What was read of a row; the rest is empty. */
export interface ReadRow {
  readonly id: Uint8Array;
  readonly attributes: Uint8Array;
  readonly vector: Float32Array;
  readonly sequence: number;
}

/** Rows in the order asked for. */
export interface ReadRows {
  readonly rows: readonly ReadRow[];
  /** Reads of the object store, one after the other. */
  readonly trips: number;
}

/** More bytes of a heap than these around one row: its offsets are read first, and then its bytes alone. */
const HEAP_AROUND_MAX = 64 * 1024;
const POSTING_BYTES_MAX = 64 * 1024 * 1024;
const NO_BYTES = new Uint8Array(0);
const NO_NUMBERS = new Float32Array(0);

export class PagedSegments {
  readonly #pieces = new WeakMap<SegmentView, SegmentPieces>();

  constructor(
    private readonly arena: Arena,
    private readonly cache: PieceCache,
    /** Most bytes of postings that a query reads. */
    readonly postingBytesMax = POSTING_BYTES_MAX,
  ) {}

  /**
   * Keeps what is in memory of a segment until it is released, whatever becomes of the segment meanwhile.
   *
   * @param body What a snapshot has of it, if it is for one.
   */
  hold(segment: OpenSegment, { view, region }: SegmentBody = segment.body): HeldSegment {
    let pieces = this.#pieces.get(view);
    if (pieces === undefined) {
      pieces = new SegmentPieces(segment, view);
      this.#pieces.set(view, pieces);
    }
    region.retain();
    return { pieces, dimensions: view.dimensions, release: () => region.release() };
  }

  /**
   * Columns of some rows, in two dependent reads at most; in one unless records are large.
   *
   * @param soon Rows whose ids and attributes will probably be asked for next: read along, to save a round
   * trip.
   */
  async readRows(
    { pieces, dimensions }: HeldSegment,
    rows: readonly number[],
    wanted: WantedColumns,
    reading: Reading,
    soon: readonly number[] = [],
  ): Promise<ReadRows> {
    const heaps = (['ids', 'attributes'] as const).filter((heap) =>
      heap === 'ids' ? wanted.id === true : wanted.attributes === true,
    );
    const first = new RangeReader(this.arena, this.cache, pieces);
    for (const row of rows) {
      if (wanted.vector === true) first.want(pieces.vectorOf(row));
      if (wanted.sequence === true) first.want(pieces.sequenceOf(row));
      for (const heap of heaps) wantHeap(first, pieces, heap, row);
    }
    const shown = reading.showsAttributes ? (['ids', 'attributes'] as const) : (['ids'] as const);
    for (const row of soon) for (const heap of shown) wantHeap(first, pieces, heap, row);
    let trips: number = await first.read(reading);
    const second = new RangeReader(this.arena, this.cache, pieces);
    try {
      const places = rows.map((row) => heaps.map((heap) => rangeOf(first, pieces, heap, row)));
      for (const place of places.flat()) if (!first.has(place)) second.want(place);
      trips += await second.read(reading);
      const bytesOf = (place: SectionRange | undefined): Uint8Array => {
        if (place === undefined || place.from === place.to) return NO_BYTES;
        return (first.has(place) ? first : second).bytes(place);
      };
      const read = rows.map((row, index) => ({
        id: wanted.id === true ? bytesOf(places[index]?.[0]) : NO_BYTES,
        attributes: wanted.attributes === true ? bytesOf(places[index]?.[heaps.length - 1]) : NO_BYTES,
        vector: wanted.vector === true ? vectorIn(first.bytes(pieces.vectorOf(row)), dimensions) : NO_NUMBERS,
        sequence: wanted.sequence === true ? readSequence(first.bytes(pieces.sequenceOf(row)), 0) : 0,
      }));
      return { rows: read, trips };
    } finally {
      first.release();
      second.release();
    }
  }

  /**
   * Finds out which rows ids have, so that the state can be asked for them and written. To be called again
   * until nothing is unresolved: the state may change meanwhile.
   */
  async resolve(
    state: CollectionState,
    ids: readonly string[],
    reading: Reading,
    records = false,
  ): Promise<void> {
    for (;;) {
      const open = state.unresolved(ids, records);
      if (open.size === 0) return;
      const trips = [...open].map(([segment, own]) =>
        this.#resolveIn(segment, { ids: own, records }, reading),
      );
      reading.roundTrips += Math.max(...(await Promise.all(trips)));
    }
  }

  /** Returns the reads of the object store, one after the other. */
  async #resolveIn(segment: OpenSegment, asked: AskedIds, reading: Reading): Promise<number> {
    const held = this.hold(segment);
    try {
      return await this.#resolveHeld(segment, held, asked, reading);
    } finally {
      held.release();
    }
  }

  async #resolveHeld(
    segment: OpenSegment,
    held: HeldSegment,
    { ids, records }: AskedIds,
    reading: Reading,
  ): Promise<number> {
    const before = segment.hasLookup ? 0 : await this.#attachLookup(segment, held, reading);
    // The state may have changed meanwhile: whoever resolves looks again.
    if (!segment.hasLookup || segment.isWhole) return before;
    const wanted = ids
      .filter((id) => !segment.knows(id, records))
      .map((id) => ({ id, rows: segment.rowsLike(id) }));
    const rows = [...new Set(wanted.flatMap((each) => each.rows))];
    const read = await this.readRows(
      held,
      rows,
      { id: true, sequence: true, vector: records, attributes: records },
      reading,
    );
    const byRow = new Map(rows.map((row, index) => [row, read.rows[index]]));
    segment.expectResolved(wanted.length);
    for (const { id, rows: like } of wanted) {
      const bytes = encodeText(id);
      const row = like.find((each) => {
        const own = byRow.get(each)?.id ?? NO_BYTES;
        return own.length === bytes.length && equalBytes(own, 0, own.length, bytes, 0, bytes.length);
      });
      const found = row === undefined ? undefined : byRow.get(row);
      if (row === undefined || found === undefined) segment.resolve(id, { row: -1, sequence: 0 });
      else segment.resolve(id, { row, sequence: found.sequence, ...(records ? { record: found } : {}) });
    }
    return before + read.trips;
  }

  async #attachLookup(segment: OpenSegment, { pieces }: HeldSegment, reading: Reading): Promise<number> {
    const piece = pieces.section('idIndex');
    const pinned = await this.cache.pin([piece], reading);
    // A segment that is gone meanwhile would keep it for ever.
    if (segment.hasLookup || segment.isReleased) {
      pinned.release();
      return pinned.trips;
    }
    const bytes = this.arena.bytes(pinned.pointers[0] ?? 0, piece.length);
    const noIds = { rows: segment.rows, bytes: NO_BYTES, from: () => 0 };
    segment.attachLookup({ index: new IdIndexView(bytes, noIds), release: pinned.release });
    return pinned.trips;
  }
}

/** Holds what a snapshot has of a part that is not in memory as a whole. */
export function holdPart(segments: PagedSegments, snapshot: Snapshot, part: number): HeldSegment {
  const body = snapshot.bodies[part];
  if (body === undefined || body === null) throw new Error('a part that is in memory is held');
  return segments.hold(snapshot.sources[part] as OpenSegment, body);
}

/** Text of an id that was read. */
export function idText(bytes: Uint8Array): string {
  return decodeText(bytes, 0, bytes.length);
}

/** Reads ranges of sections, together. */
class RangeReader {
  readonly #pieces = new Map<string, Piece>();
  #at = new Map<string, number>();
  #pinned: Pinned | null = null;

  constructor(
    private readonly arena: Arena,
    private readonly cache: PieceCache,
    private readonly pieces: SegmentPieces,
  ) {}

  want(range: SectionRange): void {
    for (const piece of this.pieces.blocks(range)) this.#pieces.set(piece.name, piece);
  }

  /** Returns whether the object store was waited for. */
  async read(reading: Reading): Promise<0 | 1> {
    const pieces = [...this.#pieces.values()];
    if (pieces.length === 0) return 0;
    this.#pinned = await this.cache.pin(pieces, reading);
    const { pointers } = this.#pinned;
    this.#at = new Map(pieces.map(({ name }, index) => [name, pointers[index] ?? 0]));
    return this.#pinned.trips;
  }

  has(range: SectionRange): boolean {
    return this.pieces.blocks(range).every(({ name }) => this.#at.has(name));
  }

  /** A copy of bytes that were read. */
  bytes(range: SectionRange): Uint8Array {
    const bytes = new Uint8Array(range.to - range.from);
    let skip = this.pieces.skipOf(range);
    let done = 0;
    for (const { name, length } of this.pieces.blocks(range)) {
      const pointer = this.#at.get(name);
      if (pointer === undefined) throw new Error(`piece ${name} was not read`);
      const take = Math.min(length - skip, bytes.length - done);
      bytes.set(this.arena.bytes(pointer + skip, take), done);
      done += take;
      skip = 0;
    }
    return bytes;
  }

  release(): void {
    this.#pinned?.release();
    this.#pinned = null;
  }
}

function wantHeap(reader: RangeReader, pieces: SegmentPieces, heap: 'ids' | 'attributes', row: number): void {
  reader.want(pieces.offsetsOf(heap, row));
  const around = pieces.heapAround(heap, row);
  if (around.to - around.from <= HEAP_AROUND_MAX) reader.want(around);
}

function rangeOf(
  offsets: RangeReader,
  pieces: SegmentPieces,
  heap: 'ids' | 'attributes',
  row: number,
): SectionRange {
  const bytes = offsets.bytes(pieces.offsetsOf(heap, row));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = pieces.heapStart;
  return { kind: heap, from: start + view.getUint32(0, true), to: start + view.getUint32(4, true) };
}

function vectorIn(bytes: Uint8Array, dimensions: number): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, dimensions);
}
