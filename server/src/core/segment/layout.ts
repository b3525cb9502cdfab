/*
 * Where the sections of a segment lie. A segment is one immutable object: a header, sections of bytes, and a
 * footer that finds them. The format is drawn byte by byte in `server/docs/formats/segment.md`.
 *
 * Invariant: sections follow one another in ascending order without overlap, each begins on a multiple of its
 * alignment, gaps between them are zero bytes, and the checksums section is the last before the footer.
 */
import { invariant } from '../errors.js';

/** Numbers stand in stored bytes: never renumbered, never used for something else. */
export const SECTION_NUMBERS = {
  /** Vectors as the user gave them. */
  raw: 1,
  /** What the metric needs to know beside a vector, one f32 per row. */
  factors: 2,
  centroids: 3,
  postings: 4,
  ids: 5,
  idIndex: 6,
  attributes: 7,
  attributeIndex: 8,
  sequences: 9,
  /** Short codes of postings, from 256 dimensions on. */
  codes1bit: 10,
  /** Kept for a graph of the centroids. */
  hnsw: 11,
  selfTest: 12,
  /** One checksum for every 4 KiB of every other section. */
  checksums: 13,
  /** Where postings and clusters begin. */
  postingTable: 14,
  /** Centroids as f32, which only a merge reads. */
  centroidRows: 15,
  /** Where the ids and attributes of a cluster's rows lie. */
  marks: 16,
  /** The header again. */
  headerCopy: 17,
} as const;

export type SectionKind = keyof typeof SECTION_NUMBERS;

export const SEGMENT_VERSION = 2;
export const HEADER_BYTES = 256;
export const DIRECTORY_ENTRY_BYTES = 32;
export const TAIL_BYTES = 64;
/** The piece of a section that one checksum covers: the least that can be read and checked alone. */
export const CHECKSUM_BLOCK_BYTES = 4096;
/**
 * The end of a segment, from the first of these on, is its skeleton: what a query plans with. They are the
 * last sections, so one read of an object's end opens it.
 */
export const SKELETON_SECTIONS = [
  'headerCopy',
  'centroids',
  'postingTable',
  'marks',
  'checksums',
] as const satisfies readonly SectionKind[];

const SECTION_ALIGNMENT = 64;
/** A page of memory and of a disk: rows are read back one group of pages at a time. */
const RAW_ALIGNMENT = 4096;

export interface SectionLength {
  readonly kind: SectionKind;
  readonly length: number;
}

/** `offset` counts from the begin of the segment; `firstChecksum` is an index into the checksums section. */
export interface PlannedSection extends SectionLength {
  readonly offset: number;
  readonly firstChecksum: number;
}

export interface SegmentPlan {
  /** In the order of their offsets; the checksums section is the last. */
  readonly sections: readonly PlannedSection[];
  /** Where the directory begins. */
  readonly directory: number;
  /** Bytes of the whole segment. */
  readonly size: number;
  /** Where the skeleton begins; the size, when there is none. */
  readonly skeleton: number;
}

/** Offsets for sections of these lengths, in this order; the checksums section is added. Pure. */
export function planSegment(sections: readonly SectionLength[]): SegmentPlan {
  const planned: PlannedSection[] = [];
  let end = HEADER_BYTES;
  let checksums = 0;
  for (const { kind, length } of sections) {
    invariant(Number.isSafeInteger(length) && length >= 0, `section ${kind} of ${length} bytes`);
    invariant(
      kind !== 'checksums' && planned.every((other) => other.kind !== kind),
      `section ${kind} is planned twice`,
    );
    const offset = alignUp(end, alignmentOf(kind));
    planned.push({ kind, length, offset, firstChecksum: checksums });
    checksums += blocksOf(length);
    end = offset + length;
  }
  const offset = alignUp(end, SECTION_ALIGNMENT);
  planned.push({ kind: 'checksums', length: checksums * 4, offset, firstChecksum: 0 });
  const directory = alignUp(offset + checksums * 4, SECTION_ALIGNMENT);
  return {
    sections: planned,
    directory,
    size: directory + planned.length * DIRECTORY_ENTRY_BYTES + TAIL_BYTES,
    skeleton: planned.find(({ kind }) => kind === SKELETON_SECTIONS[0])?.offset ?? offset,
  };
}

/** Sections of a kind begin on a multiple of this. */
export function alignmentOf(kind: SectionKind): number {
  return kind === 'raw' ? RAW_ALIGNMENT : SECTION_ALIGNMENT;
}

/** Checksums that a section of this length has. */
export function blocksOf(length: number): number {
  return Math.ceil(length / CHECKSUM_BLOCK_BYTES);
}

/** The next multiple of `alignment`, a power of two. */
function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

const KINDS_BY_NUMBER: ReadonlyMap<number, SectionKind> = new Map(
  (Object.keys(SECTION_NUMBERS) as SectionKind[]).map((kind) => [SECTION_NUMBERS[kind], kind]),
);

/** The kind with this number, undefined for one that this version does not know. */
export function sectionKindOf(number: number): SectionKind | undefined {
  return KINDS_BY_NUMBER.get(number);
}
