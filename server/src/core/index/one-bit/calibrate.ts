/*
 * How far estimates from 1-bit codes are trusted, measured on the finished codes: rows of the segment serve
 * as queries, against their exact answers.
 *
 * A small slack compares few rows exactly and loses some answers, which more postings have to make up for.
 * For every recall target that slack is chosen with which a query reads the fewest bytes in all when nothing
 * is in memory.
 */
import type { Kernels } from '../../vector/kernels.js';
import type { Scratch } from '../../vector/scratch.js';
import { scratchBytes } from '../../vector/scratch.js';
import type { CalibrationReport, Membership } from '../calibrate.js';
import { probesFor, rankedClusters, ranksOf, rowVector } from '../calibrate.js';
import { loadQuery } from '../flat.js';
import { CALIBRATED_K, CALIBRATED_TARGETS } from '../layout.js';
import type { Candidates } from './candidates.js';
import { promising } from './candidates.js';
import type { OneBitCalibration, OneBitView } from './layout.js';
import { oneBitRange } from './layout.js';
import { oneBitScratchBytes, scanOneBit } from './scan.js';

/** Postings scanned for a target, by as many queries as that allows. */
const POSTINGS_MAX = 6000;
const K = 10;
const SLACKS = [0.7, 0.85, 1, 1.15, 1.3, 1.5, 1.75, 2, 2.5, 3] as const;
const SLACK_MAX = SLACKS[SLACKS.length - 1] ?? 3;
/** What a row costs beside its own bytes: it is read in pieces of 4 KiB, of which neighbours share some. */
const ROW_OVERHEAD_BYTES = 3072;

/** Scratch that `calibrateOneBit` needs beside that of a search. */
export function calibrateOneBitScratchBytes(dimensions: number): number {
  return scratchBytes(dimensions * 4 + 64) + oneBitScratchBytes(dimensions);
}

/** Measures on codes at `address`, and on answers that were found exactly. */
export function calibrateOneBit(
  kernels: Kernels,
  scratch: Scratch,
  view: OneBitView,
  address: number,
  { report, membership }: { readonly report: CalibrationReport; readonly membership: Membership },
): OneBitCalibration {
  const { ivf } = view;
  const answers = report.answers.map((rows) => rows.subarray(0, K));
  const lists = [...report.queries].map((row) => rankedClusters(kernels, scratch, ivf, row));
  const ranks = lists.map((list, index) => ranksOf(list, answers[index] ?? NONE, membership).sort());
  const calibration = {
    slack: new Float32Array(CALIBRATED_TARGETS.length),
    surplus: new Float32Array(CALIBRATED_TARGETS.length),
  };
  CALIBRATED_TARGETS.forEach((target, column) => {
    const level = CALIBRATED_K.indexOf(K) * CALIBRATED_TARGETS.length;
    const probes = ivf.calibration.nprobe[level + column] ?? ivf.clusters;
    const trials = SLACKS.map(() => new Trial());
    lists.slice(0, Math.ceil(POSTINGS_MAX / probes)).forEach((list, index) => {
      const row = report.queries[index] ?? 0;
      const found = candidatesOf(kernels, scratch, view, {
        address,
        row,
        clusters: list.subarray(0, probes),
      });
      tryAll(found, new Set(answers[index]), trials);
    });
    const wider = trials.map((trial) => probesFor(ranks, target / (1 - trial.loss()), ivf.clusters));
    const costs = trials.map((trial, at) => {
      // What is lost must not exceed what may be missing, however many postings are read.
      if (1 - trial.loss() < target) return Infinity;
      return (wider[at] ?? 0) * postingBytes(view) + trial.rows() * rowBytes(view);
    });
    const least = Math.min(...costs);
    const best = least === Infinity ? SLACKS.length - 1 : costs.indexOf(least);
    calibration.slack[column] = SLACKS[best] ?? SLACK_MAX;
    calibration.surplus[column] = Math.max(1, (wider[best] ?? probes) / probes);
  });
  return calibration;
}

const NONE = new Uint32Array(0);

/** What one slack does to the answers of all queries. */
class Trial {
  #queries = 0;
  #losses = 0;
  #rows = 0;

  add(loss: number, rows: number): void {
    this.#queries++;
    this.#losses += loss;
    this.#rows += rows;
  }

  /** The mean share of answers that is lost. */
  loss(): number {
    return Math.min(0.5, this.#losses / Math.max(1, this.#queries));
  }

  rows(): number {
    return this.#rows / Math.max(1, this.#queries);
  }
}

/**
 * What the greatest slack keeps of the postings of a query that is a row of the segment, without that row.
 */
function candidatesOf(
  kernels: Kernels,
  scratch: Scratch,
  view: OneBitView,
  query: { readonly address: number; readonly row: number; readonly clusters: Uint32Array },
): { readonly few: Candidates; readonly all: Uint32Array } {
  const mark = scratch.mark();
  const target = loadQuery(kernels, scratch, view.ivf.metric, rowVector(kernels, view.ivf, query.row));
  const pieces = Array.from(query.clusters, (cluster) => {
    const { offset, blocks } = oneBitRange(view, cluster);
    return { cluster, address: query.address + offset, blocks };
  });
  const found = scanOneBit(kernels, scratch, view, target, pieces);
  scratch.release(mark);
  const [{ rows, scores, deviations } = found] = promising([found], K + 1, SLACK_MAX);
  const others = [...rows.keys()].filter((index) => rows[index] !== query.row);
  const few = {
    rows: Uint32Array.from(others, (index) => rows[index] ?? 0),
    scores: Float32Array.from(others, (index) => scores[index] ?? 0),
    deviations: Float32Array.from(others, (index) => deviations[index] ?? 0),
  };
  return { few, all: found.rows };
}

/** What the greatest slack keeps holds all that lesser ones keep, and the bounds that they keep it by. */
function tryAll(
  { few, all }: { readonly few: Candidates; readonly all: Uint32Array },
  answers: ReadonlySet<number>,
  trials: readonly Trial[],
): void {
  const count = (rows: Uint32Array): number => {
    let sum = 0;
    for (const row of rows) if (answers.has(row)) sum++;
    return sum;
  };
  const there = count(all);
  trials.forEach((trial, at) => {
    const kept = promising([few], K, SLACKS[at] ?? SLACK_MAX)[0]?.rows ?? NONE;
    trial.add(there === 0 ? 0 : 1 - count(kept) / there, kept.length);
  });
}

function postingBytes(view: OneBitView): number {
  return ((view.pages[view.ivf.clusters] ?? 0) * 4096) / view.ivf.clusters;
}

function rowBytes(view: OneBitView): number {
  return view.ivf.stride * 4 + ROW_OVERHEAD_BYTES;
}
