/*
 * Cuts a list of rows that is too long into pieces of neighbouring rows.
 *
 * Two means are found on a sample of the list; the rows are put in the order of how much nearer they are to
 * the one than to the other, equal ones by number, and cut where that changes sign, but never closer to an
 * end than a quarter. So every piece gets shorter at every cut, whatever the data: equal rows are cut by
 * number.
 */
import type { Kernels } from '../vector/kernels.js';
import type { RowArray } from './quantizer.js';

const SAMPLE = 256;
const ROUNDS = 5;
const SMALLEST_SHARE = 1 / 4;

/** Pieces of at most `most` rows (at least 4), at least two of them when there are two rows. */
export function cutRows(kernels: Kernels, rows: RowArray, list: Uint32Array, most: number): Uint32Array[] {
  const pieces: Uint32Array[] = [];
  const waiting = [list];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.length < 2 || (next.length <= most && next !== list)) {
      pieces.push(next.sort());
      continue;
    }
    const [near, far] = halve(kernels, rows, next);
    waiting.push(far, near);
  }
  return pieces;
}

/** Two parts, neither smaller than a quarter of the rows. */
function halve(kernels: Kernels, rows: RowArray, list: Uint32Array): readonly [Uint32Array, Uint32Array] {
  const step = Math.max(1, Math.floor(list.length / SAMPLE));
  const sample = list.filter((_, index) => index % step === 0);
  const [a, b] = twoMeans(kernels, rows, sample);
  // ‖x − a‖² − ‖x − b‖², without what is the same for all rows.
  const axis = a.map((value, d) => (b[d] ?? 0) - value);
  const middle = a.reduce((sum, value, d) => sum + ((b[d] ?? 0) ** 2 - value ** 2) / 2, 0);
  const sides = new Float64Array(list.length);
  list.forEach((row, index) => {
    sides[index] = dotOf(kernels, rows, row, axis) - middle;
  });
  const order = Uint32Array.from(list.keys()).sort((x, y) => (sides[x] ?? 0) - (sides[y] ?? 0) || x - y);
  const least = Math.max(1, Math.floor(list.length * SMALLEST_SHARE));
  const natural = sides.reduce((count, side) => count + (side < 0 ? 1 : 0), 0);
  // Rows that are all on one side have no two heaps: then the middle is as good as any place.
  const wanted = natural === 0 || natural === list.length ? list.length >>> 1 : natural;
  const at = Math.min(list.length - least, Math.max(least, wanted));
  const sorted = order.map((index) => list[index] ?? 0);
  return [sorted.slice(0, at), sorted.slice(at)];
}

function twoMeans(
  kernels: Kernels,
  rows: RowArray,
  sample: Uint32Array,
): readonly [Float64Array, Float64Array] {
  const start = meanOf(kernels, rows, sample);
  let a = rowOf(kernels, rows, farthest(kernels, rows, sample, start));
  let b = rowOf(kernels, rows, farthest(kernels, rows, sample, a));
  for (let round = 0; round < ROUNDS; round++) {
    const axis = a.map((value, d) => (b[d] ?? 0) - value);
    const middle = a.reduce((sum, value, d) => sum + ((b[d] ?? 0) ** 2 - value ** 2) / 2, 0);
    const side = sample.map((row) => (dotOf(kernels, rows, row, axis) < middle ? 0 : 1));
    const left = sample.filter((_, index) => side[index] === 0);
    const right = sample.filter((_, index) => side[index] === 1);
    if (left.length === 0 || right.length === 0) break;
    a = meanOf(kernels, rows, left);
    b = meanOf(kernels, rows, right);
  }
  return [a, b];
}

function farthest(kernels: Kernels, rows: RowArray, sample: Uint32Array, from: Float64Array): number {
  let best = sample[0] ?? 0;
  let distance = -1;
  for (const row of sample) {
    const d = squaredDistance(kernels, rows, row, from);
    if (d > distance) {
      distance = d;
      best = row;
    }
  }
  return best;
}

/** Mean of the rows, weighted by their factors. */
export function meanOf(kernels: Kernels, rows: RowArray, list: Uint32Array): Float64Array {
  const sum = new Float64Array(rows.stride);
  for (const row of list) {
    const weight = weightOf(kernels, rows, row);
    const at = rows.raw / 4 + row * rows.stride;
    for (let d = 0; d < rows.stride; d++) sum[d] = (sum[d] ?? 0) + (kernels.f32[at + d] ?? 0) * weight;
  }
  return sum.map((value) => value / Math.max(1, list.length));
}

/** Squared distance of a row, weighted by its factor, to a point. */
export function squaredDistance(
  kernels: Kernels,
  rows: RowArray,
  row: number,
  to: Float64Array | Float32Array,
): number {
  const weight = weightOf(kernels, rows, row);
  const at = rows.raw / 4 + row * rows.stride;
  let sum = 0;
  for (let d = 0; d < rows.stride; d++) {
    const difference = (kernels.f32[at + d] ?? 0) * weight - (to[d] ?? 0);
    sum += difference * difference;
  }
  return sum;
}

function dotOf(kernels: Kernels, rows: RowArray, row: number, axis: Float64Array): number {
  const at = rows.raw / 4 + row * rows.stride;
  let sum = 0;
  for (let d = 0; d < rows.stride; d++) sum += (kernels.f32[at + d] ?? 0) * (axis[d] ?? 0);
  return sum * weightOf(kernels, rows, row);
}

function rowOf(kernels: Kernels, rows: RowArray, row: number): Float64Array {
  const at = rows.raw / 4 + row * rows.stride;
  const weight = weightOf(kernels, rows, row);
  return Float64Array.from(kernels.f32.subarray(at, at + rows.stride), (value) => value * weight);
}

function weightOf(kernels: Kernels, rows: RowArray, row: number): number {
  return rows.factors === 0 ? 1 : (kernels.f32[rows.factors / 4 + row] ?? 0);
}
