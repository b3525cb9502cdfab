// The engine's own index over the benchmark's vectors, on one thread, without a server around it.
import { closeSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { loadKernels } from '#server/adapters/wasm/kernel-binary.js';
import { buildScratchBytes, planIvf, writeIvf } from '#server/core/index/build.js';
import { searchFlat } from '#server/core/index/flat.js';
import type { IvfView } from '#server/core/index/layout.js';
import { BLOCK_ENTRIES, blockBytes } from '#server/core/index/layout.js';
import type { IvfInput } from '#server/core/index/plan.js';
import { searchIvf } from '#server/core/index/search.js';
import { Arena } from '#server/core/memory/arena.js';
import type { Kernels } from '#server/core/vector/kernels.js';
import { instantiateKernels } from '#server/core/vector/kernels.js';
import type { Metric } from '#server/core/vector/metric.js';
import { factorOfNorm, squaredNorm } from '#server/core/vector/metric.js';
import { Scratch } from '#server/core/vector/scratch.js';
import type { Searcher } from './engine-measure.js';
import { cpuSeconds } from './engine-measure.js';
import { percentile } from './report.js';

const SCRATCH_BYTES = 16 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

export interface OwnIndex {
  readonly variant: string;
  /** Clustering, copying the rows in their new order, coding, calibrating. */
  readonly buildSeconds: number;
  readonly planSeconds: number;
  readonly calibrateSeconds: number;
  readonly view: IvfView;
  /** Rows, factors, centroids and postings. */
  readonly bytes: number;
  readonly truth: readonly Uint32Array[];
  searcher(options: { readonly nprobe?: number; readonly recallTarget?: number }): Searcher;
  /** Bytes of the postings that a query reads, mean over all queries: row numbers and 7-bit codes. */
  postingBytes(nprobe: number): number;
  /**
   * The mean recall when only a share of the rows, chosen at random, may be returned; and the median latency,
   * µs.
   */
  filtered(share: number): { readonly recall: number; readonly p50Us: number };
  /** Writes what a segment keeps in memory, for the process that measures its memory. */
  save(file: string): void;
}

/** `base` holds vectors without gaps, their number of dimensions a multiple of 4. */
export function buildOwn(
  base: Float32Array,
  queries: readonly Float32Array[],
  k: number,
  metric: Metric = 'cosine',
): OwnIndex {
  const dimensions = queries[0]?.length ?? 1;
  const rows = base.length / dimensions;
  const space = openSpace(base.byteLength * 3 + rows * 600 + 256 * 1024 * 1024);
  const { arena, kernels, variant } = space;
  const built = buildSegment(space, placeRows(space, base, dimensions, metric));
  const { view, order, pieces } = built;
  const bitmap = space.allocate(Math.ceil(rows / 64) * 8);
  const work = new Scratch(space.allocate(SCRATCH_BYTES), SCRATCH_BYTES);
  return {
    ...built,
    variant,
    bytes: pieces.reduce((sum, [, bytes]) => sum + bytes, 0),
    truth: queries.map((query) => {
      return searchFlat(kernels, work, view, query, { k }).rows.map((row) => order[row] ?? 0);
    }),
    searcher: (options) => (query) => {
      const vector = queries[query] ?? new Float32Array(dimensions);
      const hits = searchIvf(kernels, work, view, vector, { k, ...options });
      return hits.rows.map((row) => order[row] ?? 0);
    },
    postingBytes: (nprobe) => {
      const entries = queries.map((query) => searchIvf(kernels, work, view, query, { k, nprobe }).scanned);
      const all = entries.reduce((sum, scanned) => sum + scanned, 0);
      return (all / queries.length / BLOCK_ENTRIES) * blockBytes(view.groups, view.terms);
    },
    filtered: (share) => {
      const matching = fillBitmap(arena, bitmap, rows, share);
      const times = new Float64Array(queries.length);
      let found = 0;
      let all = 0;
      queries.forEach((query, index) => {
        const truth = searchFlat(kernels, work, view, query, { k, allow: bitmap }).rows;
        const started = performance.now();
        const hits = searchIvf(kernels, work, view, query, { k, allow: bitmap, matching });
        times[index] = (performance.now() - started) * 1000;
        const returned = new Set(hits.rows);
        all += truth.length;
        for (const row of truth) if (returned.has(row)) found++;
      });
      return { recall: found / all, p50Us: percentile(times.sort(), 0.5) };
    },
    save: (file) => {
      writeFileSync(file, Buffer.concat(pieces.map(([at, bytes]) => arena.bytes(at, bytes).slice())));
    },
  };
}

interface Space {
  readonly arena: Arena;
  readonly kernels: Kernels;
  readonly variant: string;
  allocate(bytes: number): number;
}

function openSpace(bytes: number): Space {
  const arena = new Arena(bytes);
  const { variant, module } = loadKernels();
  const kernels = instantiateKernels(module, arena.memory);
  return { arena, kernels, variant, allocate: (size) => arena.allocate(size, 'the benchmark').pointer };
}

function placeRows(space: Space, base: Float32Array, dimensions: number, metric: Metric): IvfInput {
  const { arena } = space;
  const rows = base.length / dimensions;
  const raw = space.allocate(base.byteLength);
  const factors = space.allocate(rows * 4);
  arena.f32.set(base, raw / 4);
  for (let row = 0; row < rows; row++) {
    const norm = squaredNorm(base.subarray(row * dimensions, (row + 1) * dimensions));
    arena.f32[factors / 4 + row] = factorOfNorm(metric, norm);
  }
  return { metric, dimensions, rows, raw, factors, seed: 1 };
}

interface BuiltSegment {
  readonly view: IvfView;
  /** The number in the base of every row. */
  readonly order: Uint32Array;
  /** Address and size of everything a segment keeps in memory for searching. */
  readonly pieces: readonly (readonly [number, number])[];
  readonly buildSeconds: number;
  readonly planSeconds: number;
  readonly calibrateSeconds: number;
}

function buildSegment(space: Space, input: IvfInput): BuiltSegment {
  const { arena, kernels } = space;
  const { rows, dimensions } = input;
  const scratch = new Scratch(space.allocate(buildScratchBytes(input)), buildScratchBytes(input));
  const started = process.cpuUsage();
  const plan = planIvf(kernels, scratch, input);
  const planSeconds = cpuSeconds(started);
  const pointers = {
    raw: space.allocate(rows * dimensions * 4),
    factors: space.allocate(rows * 4),
    centroids: space.allocate(plan.sizes.centroids),
    postingTable: space.allocate(plan.sizes.postingTable),
    centroidRows: space.allocate(plan.sizes.centroidRows),
    postings: space.allocate(plan.sizes.postings),
  };
  plan.order.forEach((source, row) => {
    const from = input.raw / 4 + source * dimensions;
    arena.f32.copyWithin(pointers.raw / 4 + row * dimensions, from, from + dimensions);
    arena.f32[pointers.factors / 4 + row] = arena.f32[input.factors / 4 + source] ?? 0;
  });
  const copied = cpuSeconds(started);
  const { view } = writeIvf(kernels, scratch, plan, pointers);
  const buildSeconds = cpuSeconds(started);
  const pieces = [
    [pointers.raw, rows * dimensions * 4],
    [pointers.factors, rows * 4],
    [pointers.centroids, plan.sizes.centroids],
    [pointers.postingTable, plan.sizes.postingTable],
    [pointers.centroidRows, plan.sizes.centroidRows],
    [pointers.postings, plan.sizes.postings],
  ] as const;
  return {
    view,
    order: plan.order,
    pieces,
    buildSeconds,
    planSeconds,
    calibrateSeconds: buildSeconds - copied,
  };
}

/** Sets the bits of about `share` of the rows; returns how many. */
function fillBitmap(arena: Arena, bitmap: number, rows: number, share: number): number {
  arena.u8.fill(0, bitmap, bitmap + Math.ceil(rows / 64) * 8);
  let state = 42;
  let matching = 0;
  for (let row = 0; row < rows; row++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (state / 2 ** 32 >= share) continue;
    matching++;
    const byte = bitmap + (row >>> 3);
    arena.u8[byte] = (arena.u8[byte] ?? 0) | (1 << (row & 7));
  }
  return matching;
}

/** Reads what `save` wrote into a fresh arena, as a server holds it. */
export function loadOwn(file: string): { readonly arena: Arena; readonly kernels: Kernels } {
  const { size } = statSync(file);
  const { arena, kernels } = openSpace(size + SCRATCH_BYTES * 2);
  const pointer = arena.allocate(size, 'the benchmark').pointer;
  // In pieces: a buffer of the whole file would count as memory too.
  const piece = new Uint8Array(PIECE_BYTES);
  const input = openSync(file, 'r');
  for (let at = 0; at < size;) {
    const read = readSync(input, piece);
    arena.u8.set(piece.subarray(0, read), pointer + at);
    at += read;
  }
  closeSync(input);
  return { arena, kernels };
}
