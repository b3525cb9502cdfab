/*
 * 1-bit codes of a clustered segment: where they lie, and what a query needs to know to read them.
 *
 * Each posting has its 1-bit codes in as many blocks as it has byte codes, with the same entries in the same
 * order, from a multiple of 4 KiB of the section on, so a read of one posting reads nothing of another.
 * Rotation and calibration stand in bytes of the section `centroids` that are zero in a segment without
 * codes.
 *
 * Invariant: what `openOneBit` returns follows from the skeleton of the segment alone.
 */
import type { Kernels } from '../../vector/kernels.js';
import type { IvfView } from '../layout.js';
import { BLOCK_ENTRIES, CALIBRATED_TARGETS, CENTROIDS_HEADER_BYTES } from '../layout.js';
import type { IvfPlan } from '../plan.js';
import { NO_CLUSTER } from '../plan.js';
import type { Rotation } from './rotation.js';
import { codeBits, rotationOf } from './rotation.js';

/** Below, byte codes are short enough. */
export const ONE_BIT_DIMENSIONS_MIN = 256;

/** Where a posting may begin: the piece of a section that one checksum covers. */
const PAGE_BYTES = 4096;
const BLOCK_HEAD_BYTES = 128;
/** Offsets in the header of the section `centroids`: the seed, then a u32 per target. */
const SEED_AT = 36;
const TARGETS_AT = 40;
/** Slack and surplus are kept as thousandths, u16 each. */
const UNIT = 1000;
const MOST = 65_535;
/** For recall beyond what is calibrated: measured, one estimate in some hundreds is farther off. */
const SLACK_SURE = 3;

/** What was measured when the codes were written, for each of `CALIBRATED_TARGETS`. */
export interface OneBitCalibration {
  /** Deviations by which an estimate may be wrong: decides which rows are compared exactly. */
  readonly slack: Float32Array;
  /** Postings to read for each one that byte codes need, at least 1. */
  readonly surplus: Float32Array;
}

/** The 1-bit codes of a segment, as far as its skeleton tells. */
export interface OneBitView {
  readonly ivf: IvfView;
  readonly rotation: Rotation;
  readonly blockBytes: number;
  /** Number of blocks of each posting. */
  readonly blocks: Uint32Array;
  /** Where each posting begins in the section, in units of 4 KiB, and one more for the end. */
  readonly pages: Uint32Array;
  readonly calibration: OneBitCalibration;
}

/** Bytes of a block of 16 entries. */
export function oneBitBlockBytes(dimensions: number): number {
  return BLOCK_HEAD_BYTES + (codeBits(dimensions) / 8) * BLOCK_ENTRIES;
}

/** Bytes of the section `codes1bit` of a segment of this plan; 0 when it gets none. */
export function oneBitBytes(plan: IvfPlan): number {
  if (plan.dimensions < ONE_BIT_DIMENSIONS_MIN) return 0;
  const entries = new Uint32Array(plan.clusters);
  for (const clusters of [plan.first, plan.second]) {
    for (const c of clusters) if (c !== NO_CLUSTER) entries[c] = (entries[c] ?? 0) + 1;
  }
  const blocks = entries.map((count) => Math.ceil(count / BLOCK_ENTRIES));
  return (pagesOf(blocks, oneBitBlockBytes(plan.dimensions))[plan.clusters] ?? 0) * PAGE_BYTES;
}

/** The codes of a segment, or null when it has none. Reads the sections of the skeleton only. */
export function openOneBit(kernels: Kernels, ivf: IvfView): OneBitView | null {
  const header = headerOf(ivf);
  const seed = kernels.u32[(header + SEED_AT) / 4] ?? 0;
  if (seed === 0) return null;
  const table = kernels.u32.subarray(ivf.table / 4, ivf.table / 4 + ivf.clusters + 1);
  const blocks = new Uint32Array(ivf.clusters).map((_, c) => (table[c + 1] ?? 0) - (table[c] ?? 0));
  const words = kernels.u32.slice(
    (header + TARGETS_AT) / 4,
    (header + TARGETS_AT) / 4 + CALIBRATED_TARGETS.length,
  );
  const blockBytes = oneBitBlockBytes(ivf.dimensions);
  return {
    ivf,
    rotation: rotationOf(ivf.dimensions, seed),
    blockBytes,
    blocks,
    pages: pagesOf(blocks, blockBytes),
    calibration: {
      slack: Float32Array.from(words, (word) => (word & MOST) / UNIT),
      surplus: Float32Array.from(words, (word) => (word >>> 16) / UNIT),
    },
  };
}

/** Says in the section `centroids` that the segment has codes. The seed is not 0. */
export function writeOneBitHeader(
  kernels: Kernels,
  ivf: IvfView,
  seed: number,
  calibration: OneBitCalibration,
): void {
  const header = headerOf(ivf);
  kernels.u32[(header + SEED_AT) / 4] = seed;
  CALIBRATED_TARGETS.forEach((_, column) => {
    // Rounded up: rather a row too many than one too few.
    const unit = (value = 1): number => Math.min(MOST, Math.ceil(value * UNIT - 1e-3));
    const word = unit(calibration.slack[column]) + unit(calibration.surplus[column]) * (MOST + 1);
    kernels.u32[(header + TARGETS_AT) / 4 + column] = word;
  });
}

/**
 * How many postings to read and how far to trust estimates, for a recall target and what byte codes would
 * read.
 */
export function oneBitPlan(
  { ivf, calibration }: OneBitView,
  recallTarget: number,
  probes: number,
): { readonly probes: number; readonly slack: number } {
  const column = CALIBRATED_TARGETS.findIndex((value) => value >= recallTarget - 1e-9);
  if (column < 0) return { probes, slack: SLACK_SURE };
  const wider = Math.ceil(probes * (calibration.surplus[column] ?? 1) - 1e-6);
  return { probes: Math.min(ivf.clusters, wider), slack: calibration.slack[column] ?? SLACK_SURE };
}

/** Where the codes of a posting lie in the section `codes1bit`: one ranged read. */
export function oneBitRange(
  view: OneBitView,
  cluster: number,
): { readonly offset: number; readonly bytes: number; readonly blocks: number } {
  const blocks = view.blocks[cluster] ?? 0;
  return { offset: (view.pages[cluster] ?? 0) * PAGE_BYTES, bytes: blocks * view.blockBytes, blocks };
}

function headerOf(ivf: IvfView): number {
  return ivf.centres - CENTROIDS_HEADER_BYTES;
}

function pagesOf(blocks: Uint32Array, blockBytes: number): Uint32Array {
  const pages = new Uint32Array(blocks.length + 1);
  blocks.forEach((count, cluster) => {
    pages[cluster + 1] = (pages[cluster] ?? 0) + Math.ceil((count * blockBytes) / PAGE_BYTES);
  });
  return pages;
}
