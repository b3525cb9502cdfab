/*
 * Which bytes of an object a segment's parts are, in pieces that can be read, checked and kept alone: a
 * posting, a block of 8 KiB of a section, a whole section. Every piece begins and ends where a checksum does.
 */
import type { OpenSegment } from '../../core/collection/open-segment.js';
import { blockBytes, termsOfMetric } from '../../core/index/layout.js';
import type { DirectoryEntry } from '../../core/segment/footer.js';
import { verifyBlocks } from '../../core/segment/integrity.js';
import type { SectionKind } from '../../core/segment/layout.js';
import { CHECKSUM_BLOCK_BYTES } from '../../core/segment/layout.js';
import type { SegmentView } from '../../core/segment/segment-view.js';
import { firstRowsOf, markedRange } from '../../core/segment/marks.js';
import { rowStride } from '../../core/vector/metric.js';
import type { Piece } from './piece-cache.js';

/**
 * Bytes of a section that are read and kept together. Vectors are read in the smallest pieces there are: they
 * are most of what a cold query by 1-bit codes reads.
 */
function blockBytesOf(kind: SectionKind): number {
  return kind === 'raw' ? CHECKSUM_BLOCK_BYTES : 2 * CHECKSUM_BLOCK_BYTES;
}

/** A range of bytes of a section. */
export interface SectionRange {
  readonly kind: SectionKind;
  readonly from: number;
  readonly to: number;
}

/** A posting as a piece, and where in it the blocks begin. */
export interface PostingPiece {
  readonly piece: Piece;
  readonly skip: number;
  readonly blocks: number;
}

export class SegmentPieces {
  readonly #table: Uint32Array;
  readonly #firstRows: Uint32Array;
  readonly #marks: Uint8Array;
  readonly #checksums: Uint8Array;
  readonly #blockBytes: number;
  readonly #entries = new Map<SectionKind, DirectoryEntry>();

  /** @param view Its skeleton, or more of it. */
  constructor(
    private readonly segment: OpenSegment,
    private readonly view: SegmentView,
  ) {
    const postingTable = view.required('postingTable');
    this.#table = new Uint32Array(postingTable.buffer, postingTable.byteOffset, postingTable.length / 8);
    this.#firstRows = firstRowsOf(postingTable);
    this.#marks = view.required('marks');
    this.#checksums = view.required('checksums');
    this.#blockBytes = blockBytes(rowStride(view.dimensions) / 4, termsOfMetric(view.metric));
  }

  get clusters(): number {
    return this.#table.length - 1;
  }

  posting(posting: number): PostingPiece {
    const first = this.#table[posting] ?? 0;
    const blocks = (this.#table[posting + 1] ?? 0) - first;
    const from = first * this.#blockBytes;
    const start = alignDown(from, CHECKSUM_BLOCK_BYTES);
    const to = from + blocks * this.#blockBytes;
    const piece = this.#piece(`p${posting}`, { kind: 'postings', from: start, to }, CHECKSUM_BLOCK_BYTES);
    return { piece, skip: from - start, blocks };
  }

  /** The 1-bit codes of a posting, which lie at `offset` in their section. */
  oneBitPosting(posting: number, offset: number, bytes: number): Piece {
    const range = { kind: 'codes1bit', from: offset, to: offset + bytes } as const;
    return this.#piece(`b${posting}`, range, CHECKSUM_BLOCK_BYTES);
  }

  /** A whole section. */
  section(kind: SectionKind): Piece {
    const { length } = this.#entry(kind);
    return this.#piece(kind, { kind, from: 0, to: length }, CHECKSUM_BLOCK_BYTES);
  }

  /** The pieces that hold a range of a section, in order. */
  blocks({ kind, from, to }: SectionRange): Piece[] {
    const pieces: Piece[] = [];
    const bytes = blockBytesOf(kind);
    for (let at = alignDown(from, bytes); at < to; at += bytes) {
      pieces.push(this.#piece(`${kind}${at / bytes}`, { kind, from: at, to: at + bytes }, bytes));
    }
    return pieces;
  }

  /** Where in the first of `blocks(range)` the range begins. */
  skipOf({ kind, from }: SectionRange): number {
    return from - alignDown(from, blockBytesOf(kind));
  }

  /** The vector of a row. */
  vectorOf(row: number): SectionRange {
    const bytes = rowStride(this.view.dimensions) * 4;
    return { kind: 'raw', from: row * bytes, to: (row + 1) * bytes };
  }

  sequenceOf(row: number): SectionRange {
    return { kind: 'sequences', from: row * 8, to: (row + 1) * 8 };
  }

  /** The two offsets that say where a row lies in a heap. */
  offsetsOf(heap: 'ids' | 'attributes', row: number): SectionRange {
    return { kind: heap, from: row * 4, to: row * 4 + 8 };
  }

  /** The bytes of a heap that hold a row, and those of the other rows of its cluster. */
  heapAround(heap: 'ids' | 'attributes', row: number): SectionRange {
    return { kind: heap, ...markedRange(this.#marks, heap, this.#clusterOf(row)) };
  }

  /** Where the pieces of a heap begin, to which its offsets are relative. */
  get heapStart(): number {
    return (this.segment.rows + 1) * 4;
  }

  #clusterOf(row: number): number {
    let from = 0;
    let to = this.clusters;
    while (to - from > 1) {
      const middle = (from + to) >>> 1;
      if ((this.#firstRows[middle] ?? 0) <= row) from = middle;
      else to = middle;
    }
    return from;
  }

  #entry(kind: SectionKind): DirectoryEntry {
    let entry = this.#entries.get(kind);
    if (entry === undefined) {
      entry = this.view.placeOf(kind);
      this.#entries.set(kind, entry);
    }
    return entry;
  }

  #piece(name: string, { kind, from, to }: SectionRange, multiple: number): Piece {
    const entry = this.#entry(kind);
    const end = Math.min(entry.length, alignDown(to + multiple - 1, multiple));
    const { segment } = this;
    const checksums = this.#checksums;
    return {
      name: `${segment.tag}:${name}`,
      object: segment.location,
      offset: entry.offset + from,
      length: Math.max(0, end - from),
      verify: (bytes) => verifyBlocks(bytes, from / CHECKSUM_BLOCK_BYTES, entry, checksums, segment.key),
    };
  }
}

function alignDown(value: number, multiple: number): number {
  return Math.floor(value / multiple) * multiple;
}
