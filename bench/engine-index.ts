// The engine's own index over the benchmark's vectors, on one thread, without a server around it.
import { closeSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { loadKernels } from '#server/adapters/wasm/kernel-binary.js';
import { buildScratchBytes, planIvf, writeIvf } from '#server/core/index/build.js';
import { searchFlat } from '#server/core/index/flat.js';
import type { IvfView } from '#server/core/index/layout.js';
import { searchIvf } from '#server/core/index/search.js';
import { Arena } from '#server/core/memory/arena.js';
import type { Kernels } from '#server/core/vector/kernels.js';
import { instantiateKernels } from '#server/core/vector/kernels.js';
import { Scratch } from '#server/core/vector/scratch.js';
import type { Searcher } from './engine-measure.js';
import { cpuSeconds } from './engine-measure.js';

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
  /** Writes what a segment keeps in memory, for the process that measures its memory. */
  save(file: string): void;
}

/** `base` holds unit vectors without gaps, their number of dimensions a multiple of 4. */
export function buildOwn(base: Float32Array, queries: readonly Float32Array[], k: number): OwnIndex {
  const dimensions = queries[0]?.length ?? 1;
  const rows = base.length / dimensions;
  const arena = new Arena(base.byteLength * 3 + rows * 600 + 256 * 1024 * 1024);
  const { variant, module } = loadKernels();
  const kernels = instantiateKernels(module, arena.memory);
  const allocate = (bytes: number): number => arena.allocate(bytes, 'the benchmark').pointer;
  const input = {
    ...({ metric: 'cosine', dimensions, rows, seed: 1 } as const),
    ...{ raw: allocate(base.byteLength), factors: allocate(rows * 4) },
  };
  arena.f32.set(base, input.raw / 4);
  arena.f32.fill(1, input.factors / 4, input.factors / 4 + rows);
  const scratch = new Scratch(allocate(buildScratchBytes(input)), buildScratchBytes(input));

  const started = process.cpuUsage();
  const plan = planIvf(kernels, scratch, input);
  const planned = cpuSeconds(started);
  const pointers = {
    raw: allocate(base.byteLength),
    factors: allocate(rows * 4),
    centroids: allocate(plan.centroidBytes),
    postings: allocate(plan.postingBytes),
  };
  plan.order.forEach((source, row) => {
    const from = input.raw / 4 + source * dimensions;
    arena.f32.copyWithin(pointers.raw / 4 + row * dimensions, from, from + dimensions);
    arena.f32[pointers.factors / 4 + row] = 1;
  });
  const copied = cpuSeconds(started);
  const { view } = writeIvf(kernels, scratch, plan, pointers);
  const ended = cpuSeconds(started);

  const flat = { metric: 'cosine', dimensions, rows, raw: input.raw, factors: input.factors } as const;
  const work = new Scratch(allocate(SCRATCH_BYTES), SCRATCH_BYTES);
  const pieces = [
    [pointers.raw, base.byteLength],
    [pointers.factors, rows * 4],
    [pointers.centroids, plan.centroidBytes],
    [pointers.postings, plan.postingBytes],
  ] as const;
  return {
    variant,
    buildSeconds: ended,
    planSeconds: planned,
    calibrateSeconds: ended - copied,
    view,
    bytes: pieces.reduce((sum, [, bytes]) => sum + bytes, 0),
    truth: queries.map((query) => searchFlat(kernels, work, flat, query, { k }).rows),
    searcher: (options) => (query) => {
      const vector = queries[query] ?? new Float32Array(dimensions);
      const hits = searchIvf(kernels, work, view, vector, { k, ...options });
      return hits.rows.map((row) => plan.order[row] ?? 0);
    },
    save: (file) => {
      writeFileSync(file, Buffer.concat(pieces.map(([at, bytes]) => arena.bytes(at, bytes).slice())));
    },
  };
}

/** Reads what `save` wrote into a fresh arena, as a server holds it. */
export function loadOwn(file: string): { readonly arena: Arena; readonly kernels: Kernels } {
  const { size } = statSync(file);
  const arena = new Arena(size + SCRATCH_BYTES * 2);
  const kernels = instantiateKernels(loadKernels().module, arena.memory);
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
