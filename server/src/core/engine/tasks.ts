/*
 * What an engine can be asked, as plain data: tasks cross a thread boundary by structured clone, the bytes
 * they speak of lie in the arena.
 */
import type { Filter } from '../filter/ast.js';
import type { Metric } from '../vector/metric.js';

/** A segment in the arena. */
export interface SegmentPart {
  readonly kind: 'segment';
  readonly tag: number;
  readonly pointer: number;
  readonly bytes: number;
  /** Address of the bitmap of deleted rows (bit set = gone), 0 for none. */
  readonly deleted: number;
  /** Deleted rows, so that the visible rows are known without counting. */
  readonly deletedRows: number;
}

/** The first `rows` rows of a memtable. */
export interface MemtablePart {
  readonly kind: 'memtable';
  readonly tag: number;
  readonly rows: number;
  /** f32 rows, `stride` floats apart. */
  readonly raw: number;
  /** f32 per row, see `Metric`. */
  readonly factors: number;
  readonly deleted: number;
  readonly deletedRows: number;
  /** Address of `rows + 1` u32 offsets into `idHeap`. */
  readonly idOffsets: number;
  readonly idHeap: number;
  /** Address of `rows + 1` u32 offsets into `attributeHeap`. */
  readonly attributeOffsets: number;
  readonly attributeHeap: number;
  /** Address of one f64 sequence number per row. */
  readonly sequences: number;
}

export type Part = SegmentPart | MemtablePart;

interface PartsTask {
  readonly dimensions: number;
  readonly metric: Metric;
  readonly parts: readonly Part[];
  readonly filter?: Filter;
}

export interface SearchTask extends PartsTask {
  /** `dimensions` numbers, as the user gave them. */
  readonly query: Float32Array;
  readonly topK: number;
  readonly exact: boolean;
  readonly recallTarget: number;
  readonly nprobe?: number;
  readonly rerank?: number;
}

/** Rows by part and number, nearest first. */
export interface SearchOutcome {
  /** Index into the task's parts. */
  readonly parts: Uint32Array;
  readonly rows: Uint32Array;
  /** Exact internal scores, higher is nearer: cosine, inner product, or the negated squared distance. */
  readonly scores: Float32Array;
  /** Rows whose distance was estimated or computed. */
  readonly candidates: number;
  /** Every visible matching row was compared exactly. */
  readonly exact: boolean;
}

/** Which visible rows match: all of them, their number, or a page in id-hash order. */
export interface MatchTask extends PartsTask {
  readonly want: 'count' | 'rows' | 'page';
  /** For `page`: at most so many rows … */
  readonly limit?: number;
  /** … whose position is greater than this one. */
  readonly after?: ScanPosition;
}

/**
 * A place in the order of a scan: by 64-bit hash of the id, then by the id's bytes. Stable under flush and
 * merge.
 */
export interface ScanPosition {
  readonly hashHigh: number;
  readonly hashLow: number;
  readonly id: string;
}

export interface MatchOutcome {
  readonly count: number;
  /** For `rows` and `page`, in the order asked for. */
  readonly parts: Uint32Array;
  readonly rows: Uint32Array;
}

/** Makes one segment of all visible rows of the parts. An id occurs at most once among them. */
export interface BuildTask extends PartsTask {
  readonly collectionId: string;
  readonly jobId: string;
  /** Seed of the clustering: the same task gives the same bytes. */
  readonly seed: number;
  /** Below this many rows the segment stays flat. */
  readonly clusterFrom: number;
  /** Flushes do not wait behind long merges: each lane runs one build at a time. */
  readonly lane: BuildLane;
}

export const BUILD_LANES = ['flush', 'merge'] as const;
export type BuildLane = (typeof BUILD_LANES)[number];

export interface BuiltSegment {
  /** Where the segment lies in the arena; 0 when the parts had no visible row. */
  readonly pointer: number;
  readonly bytes: number;
  readonly rows: number;
  readonly minSequence: number;
  readonly maxSequence: number;
  /** Of the rows, see `Setsum`. */
  readonly setsum: string;
  readonly clustered: boolean;
  /**
   * Clusters, calibration and the like, kept in the root so that a query can be planned without opening the
   * segment.
   */
  readonly summary: Readonly<Record<string, unknown>>;
}
