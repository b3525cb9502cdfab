// Vectors in an arena of their own, the kernels over it, and exact answers computed by the plainest code
// there is.
import { loadKernels } from '#server/adapters/wasm/kernel-binary.js';
import { buildScratchBytes, planIvf, writeIvf } from '#server/core/index/build.js';
import type { CalibrationReport } from '#server/core/index/calibrate.js';
import type { FlatView } from '#server/core/index/flat.js';
import type { IvfSizes, IvfView } from '#server/core/index/layout.js';
import type { IvfPlan } from '#server/core/index/plan.js';
import { Arena } from '#server/core/memory/arena.js';
import type { Kernels, KernelVariant } from '#server/core/vector/kernels.js';
import { instantiateKernels } from '#server/core/vector/kernels.js';
import type { Metric } from '#server/core/vector/metric.js';
import { factorOfNorm, rowStride, squaredNorm } from '#server/core/vector/metric.js';
import { Scratch } from '#server/core/vector/scratch.js';
import { SeededRng } from './seeded-rng.js';

/** Rows without gaps. */
export interface Rows {
  readonly dimensions: number;
  readonly values: Float32Array;
}

export class VectorSpace {
  readonly arena: Arena;
  readonly kernels: Kernels;
  readonly scratch: Scratch;

  constructor(variant?: KernelVariant, bytes = 256 * 1024 * 1024, scratchSize = 64 * 1024 * 1024) {
    this.arena = new Arena(bytes);
    this.kernels = instantiateKernels(loadKernels(variant).module, this.arena.memory);
    this.scratch = new Scratch(this.allocate(scratchSize), scratchSize);
  }

  allocate(bytes: number): number {
    return this.arena.allocate(bytes, 'a test').pointer;
  }

  /** Copies rows into the arena, in the order given. */
  store(metric: Metric, rows: Rows, order?: Uint32Array): FlatView {
    const { dimensions, values } = rows;
    const count = values.length / dimensions;
    const stride = rowStride(dimensions);
    const raw = this.allocate(count * stride * 4);
    const factors = this.allocate(count * 4);
    this.arena.f32.fill(0, raw / 4, raw / 4 + count * stride);
    for (let row = 0; row < count; row++) {
      const source = order?.[row] ?? row;
      const vector = values.subarray(source * dimensions, (source + 1) * dimensions);
      this.arena.f32.set(vector, raw / 4 + row * stride);
      this.arena.f32[factors / 4 + row] = factorOfNorm(metric, squaredNorm(vector));
    }
    return { metric, dimensions, rows: count, raw, factors };
  }

  /** Builds an index; `order` leads from its row numbers back to the rows given. */
  build(metric: Metric, rows: Rows, options: { seed?: number; clusters?: number } = {}): BuiltIndex {
    const flat = this.store(metric, rows);
    const input = {
      ...flat,
      seed: options.seed ?? 1,
      ...(options.clusters ? { clusters: options.clusters } : {}),
    };
    const scratch = new Scratch(this.allocate(buildScratchBytes(input)), buildScratchBytes(input));
    const plan = planIvf(this.kernels, scratch, input);
    const stored = this.store(metric, rows, plan.order);
    const pointers = {
      raw: stored.raw,
      factors: stored.factors,
      centroids: this.allocate(plan.sizes.centroids),
      postingTable: this.allocate(plan.sizes.postingTable),
      centroidRows: this.allocate(plan.sizes.centroidRows),
      postings: this.allocate(plan.sizes.postings),
    };
    const { view, report } = writeIvf(this.kernels, scratch, plan, pointers);
    const bytes = Object.entries(plan.sizes).map(([name, size]) =>
      this.arena.bytes(pointers[name as keyof IvfSizes], size).slice(),
    );
    const { order, sizes } = plan;
    return { view, report, order, bytes, sizes, pointers, flat: stored, plan, scratch };
  }

  /** A bitmap with the bits of these rows set. */
  bitmap(rows: number, set: Iterable<number>): number {
    const words = Math.ceil(rows / 32);
    const pointer = this.allocate(words * 4);
    this.arena.u32.fill(0, pointer / 4, pointer / 4 + words);
    for (const row of set) {
      const byte = pointer + (row >>> 3);
      this.arena.u8[byte] = (this.arena.u8[byte] ?? 0) | (1 << (row & 7));
    }
    return pointer;
  }
}

export interface BuiltIndex {
  readonly view: IvfView;
  readonly report: CalibrationReport;
  readonly order: Uint32Array;
  /** The sections. */
  readonly bytes: readonly Uint8Array[];
  readonly sizes: IvfSizes;
  readonly pointers: Readonly<Record<keyof IvfSizes, number>>;
  /** The rows in the index's order. */
  readonly flat: FlatView;
  readonly plan: IvfPlan;
  /** Enough for every step of a build. */
  readonly scratch: Scratch;
}

export function rowOf(rows: Rows, row: number): Float32Array {
  return rows.values.subarray(row * rows.dimensions, (row + 1) * rows.dimensions);
}

/** Independent values around zero: no structure at all, the hardest case for an index. */
export function randomRows(seed: number, count: number, dimensions: number): Rows {
  const rng = new SeededRng(seed);
  return { dimensions, values: Float32Array.from({ length: count * dimensions }, () => gaussian(rng)) };
}

/** Rows around `centres` random places; `spread` is relative to the distance between places. */
export function clusteredRows(
  seed: number,
  count: number,
  dimensions: number,
  centres: number,
  spread = 0.4,
): Rows {
  const rng = new SeededRng(seed);
  const places = Float32Array.from({ length: centres * dimensions }, () => gaussian(rng));
  const values = new Float32Array(count * dimensions);
  for (let row = 0; row < count; row++) {
    const place = rng.below(centres) * dimensions;
    for (let d = 0; d < dimensions; d++) {
      values[row * dimensions + d] = (places[place + d] ?? 0) + spread * gaussian(rng);
    }
  }
  return { dimensions, values };
}

/** The first rows and the last ones. */
export function splitRows(rows: Rows, last: number): readonly [Rows, Rows] {
  const at = rows.values.length - last * rows.dimensions;
  return [
    { dimensions: rows.dimensions, values: rows.values.subarray(0, at) },
    { dimensions: rows.dimensions, values: rows.values.subarray(at) },
  ];
}

/** In double precision, by definition: higher is nearer. */
export function exactScore(metric: Metric, a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let difference = 0;
  for (let d = 0; d < a.length; d++) {
    dot += (a[d] ?? 0) * (b[d] ?? 0);
    difference += ((a[d] ?? 0) - (b[d] ?? 0)) ** 2;
  }
  if (metric === 'dot') return dot;
  return metric === 'l2' ? -difference : dot / Math.sqrt(squaredNorm(a) * squaredNorm(b));
}

/** The scores of the `k` nearest among the rows that `allowed` lets through, best first. */
export function exactScores(
  metric: Metric,
  rows: Rows,
  query: Float32Array,
  k: number,
  allowed: (row: number) => boolean = () => true,
): number[] {
  const count = rows.values.length / rows.dimensions;
  const scores: number[] = [];
  for (let row = 0; row < count; row++) {
    if (allowed(row)) scores.push(exactScore(metric, rowOf(rows, row), query));
  }
  return scores.sort((a, b) => b - a).slice(0, k);
}

/** Share of the true scores that are reached: rows at the same distance stand for each other. */
export function scoreRecall(found: ArrayLike<number>, truth: readonly number[]): number {
  if (truth.length === 0) return 1;
  const worst = truth[truth.length - 1] ?? 0;
  const tolerance = 1e-5 * Math.max(1e-3, Math.abs(worst));
  return Array.from(found).filter((score) => score >= worst - tolerance).length / truth.length;
}

function gaussian(rng: SeededRng): number {
  // Sum of uniforms: near enough to a bell curve, and the same on every machine.
  return rng.unit() + rng.unit() + rng.unit() + rng.unit() - 2;
}
