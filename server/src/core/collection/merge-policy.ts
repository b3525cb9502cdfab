/*
 * Which segments to merge into one.
 *
 * Few segments make queries fast (each costs a ranking of its centroids and a minimum of postings), every
 * merge writes its inputs again. The rule keeps sizes geometric (Bentley and Saxe, 1980): a segment is taken
 * into a merge when it is at most `ratio` times as large as all smaller ones together. So a row is rewritten
 * O(log n) times, and a collection at rest has O(log n) segments. While writes arrive, merging is put off
 * until there are `patience` segments, because each merge would soon be merged again.
 *
 * A merge needs its inputs, its output and room to work in memory at once, so its inputs are bounded by a
 * share of that memory. A segment of more than half the bound is full: it may still take in what is not much
 * smaller, but being many is no reason to write such segments again.
 */

export interface MergeCandidate {
  readonly bytes: number;
  readonly rows: number;
  readonly deletedRows: number;
  /** To be rewritten in any case. */
  readonly foreign?: boolean;
}

export interface MergeOptions {
  /** Writes have stopped: bring the collection to its resting shape. */
  readonly quiet: boolean;
  /** Inputs of one merge, in bytes: bounds its time and memory. */
  readonly bytesMax: number;
}

const MERGE_BYTES_MAX = 1024 * 1024 * 1024;
/** Inputs, output and the working memory of a build come to some 2.2 times the inputs. */
const MERGE_SHARE = 1 / 4;

/** What the inputs of one merge may have, in an arena of this size. */
export function mergeBytesMax(capacity: number): number {
  return Math.min(MERGE_BYTES_MAX, Math.floor(capacity * MERGE_SHARE));
}

const RATIO_BUSY = 2;
const RATIO_QUIET = 8;
const PATIENCE = 12;
/** A segment with a larger share of deleted rows is rewritten without them. */
const DELETED_SHARE_MAX = 0.3;

/**
 * Indexes of the segments to merge, or none. A single index means: rewrite it alone, to drop its deleted
 * rows.
 */
export function pickMerge(segments: readonly MergeCandidate[], { quiet, bytesMax }: MergeOptions): number[] {
  const order = segments.map((_, index) => index).sort((a, b) => bytesOf(segments, b) - bytesOf(segments, a));
  const open = order.filter((index) => bytesOf(segments, index) <= bytesMax / 2);
  if (quiet || open.length >= PATIENCE) {
    const ratio = quiet ? RATIO_QUIET : RATIO_BUSY;
    for (let from = 0; from < order.length - 1; from++) {
      const inputs = order.slice(from);
      const total = totalOf(segments, inputs);
      const largest = bytesOf(segments, order[from] ?? 0);
      if (total <= bytesMax && largest <= ratio * (total - largest)) return inputs;
    }
    // Too many of very different sizes: the smaller half goes together, or as much of it as one merge may
    // have.
    for (let from = open.length >>> 1; open.length >= PATIENCE && from < open.length - 1; from++) {
      const inputs = open.slice(from);
      if (totalOf(segments, inputs) <= bytesMax) return inputs;
    }
  }
  const stale = order.find((index) => {
    const segment = segments[index];
    if (segment === undefined || segment.rows === 0) return false;
    const deleted = segment.deletedRows / segment.rows;
    // What it is written as is in memory beside it.
    const fits = segment.bytes * (2 - deleted) <= 2 * bytesMax;
    return fits && (segment.foreign === true || deleted > DELETED_SHARE_MAX);
  });
  return stale === undefined ? [] : [stale];
}

function totalOf(segments: readonly MergeCandidate[], indexes: readonly number[]): number {
  return indexes.reduce((sum, index) => sum + bytesOf(segments, index), 0);
}

function bytesOf(segments: readonly MergeCandidate[], index: number): number {
  return segments[index]?.bytes ?? 0;
}
