/*
 * What an engine can be asked about segments of which only the skeleton is in memory, as plain data. A search
 * there goes in stages, between which the caller fetches bytes: which postings are near (`rank`), which of
 * their rows are candidates (`scan`), how near those are exactly (`compare`).
 */
import type { SectionKind } from '../segment/layout.js';
import type { Metric } from '../vector/metric.js';
import type { SearchTask } from './tasks.js';

/** A section that was brought into memory beside the skeleton. */
export interface AttachedSection {
  readonly kind: SectionKind;
  readonly pointer: number;
  readonly bytes: number;
}

/** A clustered segment whose skeleton lies in the arena. */
export interface PagedPart {
  readonly kind: 'paged';
  readonly tag: number;
  /** Address and size of the skeleton, and its offset in the object. */
  readonly pointer: number;
  readonly bytes: number;
  readonly base: number;
  readonly rows: number;
  /** Address of the bitmap of deleted rows (bit set = gone), 0 for none. */
  readonly deleted: number;
  readonly deletedRows: number;
  readonly sections: readonly AttachedSection[];
}

/** What all stages of one search have in common. */
export interface StagedSearch extends Omit<SearchTask, 'parts' | 'exact'> {
  readonly parts: readonly PagedPart[];
}

/** Asks for the postings to read, by part. */
export interface RankTask extends StagedSearch {
  readonly stage: 'rank';
  /** By part, postings to name at least: more than before, when those did not hold enough rows. */
  readonly atLeast?: readonly number[];
}

/** Where the answer of a part is to be found. */
export interface RankedPart {
  /** Postings to read, nearest first. */
  readonly postings: Uint32Array;
  /** Few rows match the filter: they are compared, no posting is read. Ascending. */
  readonly rows: Uint32Array | null;
  /** Every posting that can hold a row is named. */
  readonly all: boolean;
  /** To be read by their 1-bit codes; null: by their byte codes. */
  readonly oneBit: OneBitPostings | null;
}

/** Where the 1-bit codes of the postings lie, in the order of the postings. */
export interface OneBitPostings {
  /** From the begin of the section `codes1bit`; multiples of 4 KiB. */
  readonly offsets: Float64Array;
  readonly bytes: Uint32Array;
  readonly blocks: Uint32Array;
  /** Deviations by which an estimate may be wrong. */
  readonly slack: number;
}

/** Postings that were brought into memory: pairs of the address of the first block and their number. */
export type PostingPieces = Uint32Array;

/** Asks for the candidates among the entries of some postings, by part. */
export interface ScanTask extends StagedSearch {
  readonly stage: 'scan';
  readonly pieces: readonly PostingPieces[];
  /** By part, what the pieces are of when they are 1-bit codes; null: they are byte codes. */
  readonly oneBit: readonly (OneBitScan | null)[];
}

/** Postings, by number, whose 1-bit codes are scanned. */
export interface OneBitScan {
  readonly postings: Uint32Array;
  readonly slack: number;
}

/** Rows by estimated nearness, best first. */
export interface Candidates {
  readonly rows: Uint32Array;
  /** Entries whose code was compared. */
  readonly scanned: number;
  /** The order is that of 1-bit codes. */
  readonly vague?: boolean;
}

/** Asks for exact scores of rows that were brought into memory. */
export interface CompareTask {
  readonly stage: 'compare';
  readonly dimensions: number;
  readonly metric: Metric;
  readonly query: Float32Array;
  readonly topK: number;
  /** By part: the rows, ascending, and the address of their vectors, one behind the other. */
  readonly lists: readonly { readonly rows: Uint32Array; readonly raw: number }[];
  /** Where one f32 per row may be put, for all lists together. */
  readonly factors: number;
}

export type StageTask = RankTask | ScanTask | CompareTask;

/** What became of a stage. */
export type StageOutcome =
  | { readonly stage: 'rank'; readonly parts: readonly RankedPart[] }
  | { readonly stage: 'scan'; readonly parts: readonly Candidates[] }
  | { readonly stage: 'compare'; readonly hits: readonly ExactHits[] }
  /** The section has to be attached first. */
  | { readonly stage: 'missing'; readonly section: SectionKind };

/** Rows with their exact internal scores, best first. */
export interface ExactHits {
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
}
