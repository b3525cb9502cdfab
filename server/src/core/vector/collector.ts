/*
 * The best of many scored rows, collected by the kernels (`server/kernels/select.ts` draws the layout). A
 * collector keeps `keep` rows and needs room for more, so that throwing away the rest is seldom.
 */
import type { Kernels } from './kernels.js';
import type { Scratch } from './scratch.js';

const HEADER_BYTES = 32;
const KEY_BYTES = 8;

/** Which rows may be collected, as bitmaps over row numbers; 0 stands for none. */
export interface RowBitmaps {
  /** Bit set = the row is left out. */
  readonly deleted?: number;
  /** Bit set = the row may be returned. */
  readonly allow?: number;
}

/** Rows with their exact internal scores, best first. */
export interface Hits {
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
}

/** Entries that a collector holds at most between two selections of the `keep` best. */
export function collectorCapacity(keep: number): number {
  return keep + Math.max(32, keep);
}

/** Bytes of a collector that keeps the `keep` best. */
export function collectorBytes(keep: number): number {
  return HEADER_BYTES + collectorCapacity(keep) * KEY_BYTES;
}

/**
 * A new, empty collector. `seen`: a cleared bitmap that keeps a row from being collected twice, 0 for none.
 */
export function newCollector(
  kernels: Kernels,
  scratch: Scratch,
  keep: number,
  bitmaps: RowBitmaps = {},
  seen = 0,
): number {
  const collector = scratch.take(collectorBytes(keep));
  const { deleted = 0, allow = 0 } = bitmaps;
  kernels.call.collectorReset(collector, keep, collectorCapacity(keep), seen, deleted, allow);
  return collector;
}

/** How many rows are held: at least the number of rows that were taken and not more than the capacity. */
export function collectorCount(kernels: Kernels, collector: number): number {
  return kernels.u32[collector / 4 + 1] ?? 0;
}

/** The `keep` best, best first. */
export function takeHits(kernels: Kernels, scratch: Scratch, collector: number): Hits {
  const count = kernels.call.collectorSort(collector);
  const mark = scratch.mark();
  const rows = scratch.take(count * 4);
  const scores = scratch.take(count * 4);
  kernels.call.collectorTake(collector, rows, scores);
  scratch.release(mark);
  return {
    rows: kernels.u32.slice(rows / 4, rows / 4 + count),
    scores: kernels.f32.slice(scores / 4, scores / 4 + count),
  };
}

/**
 * Merges hits of several sources: `sources[i]` says which list hit `i` came from. Equal scores: the earlier
 * list, then the lower row.
 */
export function mergeHits(lists: readonly Hits[], k: number): Hits & { readonly sources: Uint32Array } {
  const total = Math.min(
    k,
    lists.reduce((sum, list) => sum + list.rows.length, 0),
  );
  const rows = new Uint32Array(total);
  const scores = new Float32Array(total);
  const sources = new Uint32Array(total);
  const next = lists.map(() => 0);
  for (let out = 0; out < total; out++) {
    let best = -1;
    let score = -Infinity;
    for (let index = 0; index < lists.length; index++) {
      const candidate = lists[index]?.scores[next[index] ?? 0];
      if (candidate !== undefined && (best < 0 || candidate > score)) {
        best = index;
        score = candidate;
      }
    }
    const at = next[best] ?? 0;
    rows[out] = lists[best]?.rows[at] ?? 0;
    scores[out] = score;
    sources[out] = best;
    next[best] = at + 1;
  }
  return { rows, scores, sources };
}
