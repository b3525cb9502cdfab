/*
 * A segment as it is read: sections in place, without copies, from shared memory too. Parts that take work to
 * open are opened when they are first asked for.
 */
import { invariant, OmenError } from '../errors.js';
import { Setsum } from '../log/setsum.js';
import type { Metric } from '../vector/metric.js';
import { rowStride } from '../vector/metric.js';
import { AttributeIndexView } from './attribute-index.js';
import type { DirectoryEntry, SegmentFooter } from './footer.js';
import { decodeFooter } from './footer.js';
import type { SegmentHeader } from './header.js';
import { decodeHeader } from './header.js';
import { IdIndexView } from './id-index.js';
import { verifySegment, verifySkeleton } from './integrity.js';
import type { SectionKind } from './layout.js';
import { HEADER_BYTES, SKELETON_SECTIONS } from './layout.js';
import type { RowPieces } from './row-heap.js';
import { RowHeapView } from './row-heap.js';
import { readSequence } from './sequences.js';

export interface OpenOptions {
  /** Check every byte. Without it header, footer and sizes are checked, which costs microseconds. */
  readonly verify: boolean;
  /** The collection that the segment must belong to. */
  readonly collectionId?: string;
  /** What to call the segment in errors: its key. */
  readonly source?: string;
}

/** Where the bytes come from, when they are only the end of a segment. */
export interface SkeletonOptions extends OpenOptions {
  /** Offset of their first byte in the segment. */
  readonly base: number;
}

/**
 * Opens a segment.
 *
 * @param bytes The whole object and nothing more, at an address that is a multiple of 8.
 * @throws OmenError `DATA_CORRUPTED` naming the section and the offset.
 */
export function openSegment(bytes: Uint8Array, options: OpenOptions): SegmentView {
  const source = options.source ?? 'segment';
  invariant(bytes.byteOffset % 8 === 0, 'a segment lies at an address that is no multiple of 8');
  const footer = decodeFooter(bytes, source);
  const header = decodeHeader(bytes, source);
  if (options.verify) verifySegment(bytes, footer, source);
  checkOwner(header, options, source);
  return new SegmentView(bytes, header, footer, { source, base: 0 });
}

/**
 * Opens the skeleton of a segment: what a query plans with. Other sections are missing until they are
 * attached.
 *
 * @param bytes The segment from byte `base`, a multiple of 8, to its end, at an address that is one.
 * @throws OmenError `DATA_CORRUPTED` naming the section and the offset.
 */
export function openSkeleton(bytes: Uint8Array, options: SkeletonOptions): SegmentView {
  const { source = 'segment', base } = options;
  invariant((bytes.byteOffset | base) % 8 === 0, 'a skeleton lies at an address that is no multiple of 8');
  const footer = decodeFooter(bytes, source, base);
  const copy = footer.entries.find(({ kind }) => kind === SKELETON_SECTIONS[0]);
  if (copy === undefined || copy.offset < base) {
    throw new OmenError('DATA_CORRUPTED', `${source} has no skeleton from byte ${base} on`);
  }
  const header = decodeHeader(bytes.subarray(copy.offset - base), source);
  if (options.verify) verifySkeleton(bytes, footer, { source, base });
  checkOwner(header, options, source);
  return new SegmentView(bytes, header, footer, { source, base });
}

function checkOwner(header: SegmentHeader, options: Omit<OpenOptions, 'verify'>, source: string): void {
  if (options.collectionId === undefined || options.collectionId === header.collectionId) return;
  throw new OmenError(
    'DATA_CORRUPTED',
    `${source} belongs to collection ${header.collectionId}, expected was ${options.collectionId}`,
    { metadata: { section: 'header', offset: '48' } },
  );
}

/** A section of a segment is needed that is not in memory: whoever can read it has to attach it. */
export class SectionAbsent extends Error {
  constructor(readonly kind: SectionKind) {
    super(`section ${kind} of a segment is not in memory`);
  }
}

/** Made by `openSegment` or `openSkeleton`. Valid as long as the memory behind it is. */
export class SegmentView {
  /** Bytes of the whole segment. */
  readonly bytes: number;
  readonly rows: number;
  readonly dimensions: number;
  readonly metric: Metric;
  readonly #sections = new Map<SectionKind, Uint8Array>();
  #ids: RowHeapView | undefined;
  #idIndex: IdIndexView | undefined;
  #attributes: RowHeapView | undefined;
  #attributeIndex: AttributeIndexView | undefined;

  constructor(
    private readonly memory: Uint8Array,
    readonly header: SegmentHeader,
    readonly footer: SegmentFooter,
    private readonly origin: { readonly source: string; readonly base: number },
  ) {
    const { base } = origin;
    this.bytes = footer.size;
    this.rows = header.rows;
    this.dimensions = header.dimensions;
    this.metric = header.metric;
    for (const { kind, offset, length } of footer.entries) {
      if (kind === undefined || offset < base) continue;
      this.#sections.set(kind, memory.subarray(offset - base, offset - base + length));
    }
  }

  /** Adds a section that was read and checked by itself, or takes it out of sight again. */
  attach(kind: SectionKind, bytes: Uint8Array | null): void {
    if (bytes === null) this.#sections.delete(kind);
    else this.#sections.set(kind, bytes);
    this.#ids = this.#idIndex = this.#attributes = this.#attributeIndex = undefined;
  }

  /** Where a section lies in the object, whether it is in memory or not. Throws like `required`. */
  placeOf(kind: SectionKind): DirectoryEntry {
    const entry = this.footer.entries.find((each) => each.kind === kind);
    if (entry === undefined) throw this.#damaged(kind, HEADER_BYTES, 'the section is missing');
    return entry;
  }

  /** The bytes of a section, undefined when the segment has none. */
  section(kind: SectionKind): Uint8Array | undefined {
    return this.#sections.get(kind);
  }

  /** Where a section begins, counted from the begin of the segment. Throws like `required`. */
  offsetOf(kind: SectionKind): number {
    return this.required(kind).byteOffset - this.memory.byteOffset;
  }

  /** The bytes of a section that this segment must have. Throws `DATA_CORRUPTED` when it has none. */
  required(kind: SectionKind): Uint8Array {
    const section = this.#sections.get(kind);
    if (section !== undefined) return section;
    this.placeOf(kind);
    throw new SectionAbsent(kind);
  }

  get ids(): RowHeapView {
    return (this.#ids ??= this.#heap('ids'));
  }

  get idIndex(): IdIndexView {
    return (this.#idIndex ??= new IdIndexView(this.required('idIndex'), this.#pieces('ids')));
  }

  /** Encoded attributes by row. */
  get attributes(): RowHeapView {
    return (this.#attributes ??= this.#heap('attributes'));
  }

  get attributeIndex(): AttributeIndexView {
    return (this.#attributeIndex ??= new AttributeIndexView(
      this.required('attributeIndex'),
      this.rows,
      this.#pieces('attributes'),
    ));
  }

  /** The row of an id, or -1. Knows nothing of deletions. */
  find(id: string): number {
    return this.idIndex.lookup(id);
  }

  idOf(row: number): string {
    return this.ids.textOf(row);
  }

  /** A copy of the encoded attributes of a row; empty when it has none. */
  attributesOf(row: number): Uint8Array {
    return this.attributes.bytesOf(row).slice();
  }

  /** A copy of the vector of a row, as the user gave it. */
  vectorOf(row: number): Float32Array {
    const raw = this.required('raw');
    const at = raw.byteOffset + row * rowStride(this.dimensions) * 4;
    return new Float32Array(raw.buffer, at, this.dimensions).slice();
  }

  /** Sequence number of the write that made the row. */
  sequenceOf(row: number): number {
    return readSequence(this.required('sequences'), row);
  }

  /** Setsum of some of the rows. */
  setsumOf(rows: Iterable<number>): Setsum {
    const sum = new Setsum();
    for (const row of rows) sum.add(this.ids.bytesOf(row), this.sequenceOf(row));
    return sum;
  }

  /** A heap that is opened when a row of it is asked for: it may not be in memory, nor be needed. */
  #pieces(kind: 'ids' | 'attributes'): RowPieces & { readonly rows: number } {
    const open = (): RowHeapView => this[kind];
    return {
      rows: this.rows,
      get bytes() {
        return open().bytes;
      },
      from: (row) => open().from(row),
    };
  }

  #heap(kind: 'ids' | 'attributes'): RowHeapView {
    const bytes = this.required(kind);
    const least = (this.rows + 1) * 4;
    const heap = bytes.length >= least ? new RowHeapView(bytes, this.rows) : undefined;
    if (heap?.from(this.rows) !== bytes.length) {
      throw this.#damaged(kind, this.offsetOf(kind), `${bytes.length} bytes do not hold ${this.rows} rows`);
    }
    return heap;
  }

  #damaged(kind: SectionKind, offset: number, what: string): OmenError {
    return new OmenError(
      'DATA_CORRUPTED',
      `${this.origin.source} is damaged: section ${kind} at byte ${offset}: ${what}`,
      {
        metadata: { section: kind, offset: String(offset) },
      },
    );
  }
}
