/*
 * Estimating scores from 1-bit codes, wherever the codes of the probed postings lie in memory.
 *
 * An estimate comes with its standard deviation. It holds within e deviations but for a share of
 * 2 · exp(−e²/2) of all entries, for random rotations and any data. A row found in two postings has two
 * estimates, which are joined to one that is closer.
 */
import type { RowBitmaps } from '../../vector/collector.js';
import type { Kernels } from '../../vector/kernels.js';
import type { Scratch } from '../../vector/scratch.js';
import { scratchBytes } from '../../vector/scratch.js';
import { BLOCK_ENTRIES } from '../layout.js';
import type { OneBitView } from './layout.js';
import { ROTATION_ROUNDS, codeBits } from './rotation.js';
import { anchorAt, kappaOf } from './write.js';
import { CandidateRows } from './candidates.js';
import type { Candidates } from './candidates.js';

/** √(1 − 2/π): how much of a unit vector is orthogonal to its signs. */
const OFF_SIGNS = Math.sqrt(1 - 2 / Math.PI);
const RECORD_BYTES = 16;
/** Blocks whose records are kept at a time. */
const BLOCKS_AT_ONCE = 64;
const RECORDS_BYTES = BLOCKS_AT_ONCE * BLOCK_ENTRIES * RECORD_BYTES;

/** Codes of a posting, in memory. */
export interface OneBitPiece {
  readonly cluster: number;
  /** On a multiple of 16. */
  readonly address: number;
  readonly blocks: number;
}

export interface OneBitOptions extends RowBitmaps {
  /**
   * A score that `k` rows are known to have: entries whose estimate is below by `slack` deviations are
   * dropped.
   */
  readonly floor?: number;
  readonly slack?: number;
}

/** Scratch that `scanOneBit` needs. */
export function oneBitScratchBytes(dimensions: number): number {
  const vector = codeBits(dimensions) * 4;
  return scratchBytes(vector, vector * ROTATION_ROUNDS, vector, vector + 8, 16, RECORDS_BYTES);
}

/**
 * Estimates of all rows of these postings that the bitmaps let through. `target` is the query as `loadQuery`
 * left it in scratch.
 */
export function scanOneBit(
  kernels: Kernels,
  scratch: Scratch,
  view: OneBitView,
  target: number,
  pieces: readonly OneBitPiece[],
  options: OneBitOptions = {},
): Candidates {
  const mark = scratch.mark();
  const query = prepareQuery(kernels, scratch, view, target);
  const records = scratch.take(RECORDS_BYTES);
  const entries = pieces.reduce((sum, piece) => sum + piece.blocks * BLOCK_ENTRIES, 0);
  const rows = new CandidateRows(entries);
  for (const piece of pieces) scanPiece(kernels, view, query, piece, { ...options, records, rows });
  scratch.release(mark);
  return rows.take();
}

interface PreparedQuery {
  /** The query, under l2 counted from the quantizer's centre. */
  readonly vector: number;
  readonly tables: number;
  readonly factor: number;
  readonly shift: number;
  /** Squared length of the vector. */
  readonly square: number;
  /** Squared deviation that rounding the query adds to every sum of signs. */
  readonly rounding: number;
  /** Two f64. */
  readonly terms: number;
}

function prepareQuery(kernels: Kernels, scratch: Scratch, view: OneBitView, target: number): PreparedQuery {
  const { ivf, rotation } = view;
  const { size, power } = rotation;
  const vector = scratch.take(size * 4);
  const centre = ivf.metric === 'l2' ? ivf.centres : 0;
  kernels.call.loadRow(target, 1, centre, ivf.groups, size, vector);
  const signs = scratch.take(rotation.signs.byteLength);
  kernels.f32.set(rotation.signs, signs / 4);
  const rotated = scratch.take(size * 4);
  kernels.f32.copyWithin(rotated / 4, vector / 4, vector / 4 + size);
  kernels.call.rotate(rotated, signs, size, power, ROTATION_ROUNDS);
  const tables = scratch.take(size * 4 + 8);
  kernels.call.bitTables(rotated, size, tables);
  const tail = tables / 4 + size;
  const factor = kernels.f32[tail] ?? 0;
  let square = 0;
  for (let d = 0; d < ivf.dimensions; d++) square += (kernels.f32[vector / 4 + d] ?? 0) ** 2;
  return {
    ...{ vector, tables, factor, square },
    shift: kernels.f32[tail + 1] ?? 0,
    // The factor is two steps of the rounded query.
    rounding: ((factor / 2) ** 2 * size) / 12,
    terms: scratch.take(16),
  };
}

function scanPiece(
  kernels: Kernels,
  view: OneBitView,
  query: PreparedQuery,
  piece: OneBitPiece,
  { rows, records, ...options }: OneBitOptions & { readonly records: number; readonly rows: CandidateRows },
): void {
  const { ivf, rotation } = view;
  const { base, weight, left } = anchorOf(kernels, view, query, piece.cluster);
  const scale = ivf.metric === 'l2' ? 2 : 1;
  const spread = (OFF_SIGNS ** 2 * left * rotation.size) / (rotation.size - 1);
  for (let block = 0; block < piece.blocks; block += BLOCKS_AT_ONCE) {
    const found = kernels.call.scanBits(
      piece.address + block * view.blockBytes,
      Math.min(BLOCKS_AT_ONCE, piece.blocks - block),
      rotation.size / 8,
      query.tables,
      query.factor * scale,
      query.shift * scale,
      weight * scale,
      kappaOf(ivf, rotation.size) * scale,
      base,
      Math.sqrt(spread + query.rounding) * scale,
      options.slack ?? 0,
      options.floor ?? -Infinity,
      options.deleted ?? 0,
      options.allow ?? 0,
      records,
    );
    for (let at = records / 4; at < records / 4 + found * 4; at += 4) {
      rows.add(kernels.u32[at] ?? 0, kernels.f32[at + 1] ?? 0, kernels.f32[at + 2] ?? 0);
    }
  }
}

/**
 * The score of the centroid itself, how much of the centroid is taken off the query, and the squared length
 * of what is left of it.
 */
function anchorOf(
  kernels: Kernels,
  { ivf }: OneBitView,
  query: PreparedQuery,
  cluster: number,
): { readonly base: number; readonly weight: number; readonly left: number } {
  const { block, lane } = anchorAt(ivf, cluster);
  const mode = ivf.metric === 'l2' ? 1 : 0;
  kernels.call.anchorTerms(mode, query.vector, block, lane, ivf.centres, ivf.steps, ivf.groups, query.terms);
  const [first = 0, second = 0] = new Float64Array(kernels.u8.buffer, query.terms, 2);
  if (mode === 1) return { base: -first, weight: 1, left: first };
  const weight = second > 0 ? first / second : 0;
  return { base: first, weight, left: Math.max(0, query.square - weight * first) };
}
