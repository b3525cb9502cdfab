/*
 * From floats to 7-bit codes: per dimension a centre and a step, from a sample of the rows (weighted by their
 * factors under cosine).
 *
 * A code is 64 + round((x − centre) / step), within 0..127. The centre is the dimension's mean, so a common
 * offset of all rows costs no precision. Under cosine the step covers the dimension's spread at once; under
 * l2 and dot it only says how the dimensions compare, and every row has its own scale on top, so that one
 * huge row does not coarsen the others.
 */
import type { Kernels } from '../vector/kernels.js';
import type { Metric } from '../vector/metric.js';

/**
 * Standard deviations that 63 steps cover under cosine. Values beyond are clipped, which the exact comparison
 * afterwards repairs.
 */
const SPREAD = 4;

export interface Quantizer {
  /** Addresses of `stride` f32 each. */
  readonly centres: number;
  readonly steps: number;
  /** 1 / step. */
  readonly inverses: number;
}

/** Rows in memory that are read by number. */
export interface RowArray {
  readonly raw: number;
  /** f32 per row, 0 for rows that are taken as they are. */
  readonly factors: number;
  /** Floats per row. */
  readonly stride: number;
}

/** Fills the quantizer's arrays from the sampled rows. */
export function fitQuantizer(
  kernels: Kernels,
  metric: Metric,
  dimensions: number,
  rows: RowArray,
  sample: Uint32Array,
  target: Quantizer,
): void {
  const means = new Float64Array(dimensions);
  const squares = new Float64Array(dimensions);
  forEachValue(kernels, rows, sample, dimensions, (dimension, value) => {
    means[dimension] = (means[dimension] ?? 0) + value;
  });
  for (let d = 0; d < dimensions; d++) means[d] = (means[d] ?? 0) / Math.max(1, sample.length);
  forEachValue(kernels, rows, sample, dimensions, (dimension, value) => {
    const difference = value - (means[dimension] ?? 0);
    squares[dimension] = (squares[dimension] ?? 0) + difference * difference;
  });
  const spreads = squares.map((sum) => Math.sqrt(sum / Math.max(1, sample.length)));
  const widest = spreads.reduce((a, b) => Math.max(a, b), 0);
  for (let d = 0; d < rows.stride; d++) {
    const used = d < dimensions;
    // A dimension that is constant in the sample still gets a step: other rows may differ there.
    const spread = widest > 0 ? Math.max(spreads[d] ?? 0, widest * 0.01) : 1;
    const step = metric === 'cosine' ? (spread * SPREAD) / 63 : spread;
    kernels.f32[target.centres / 4 + d] = used ? (means[d] ?? 0) : 0;
    kernels.f32[target.steps / 4 + d] = used ? step : 0;
    kernels.f32[target.inverses / 4 + d] = used ? 1 / step : 0;
  }
}

function forEachValue(
  kernels: Kernels,
  rows: RowArray,
  sample: Uint32Array,
  dimensions: number,
  visit: (dimension: number, value: number) => void,
): void {
  for (const row of sample) {
    const weight = rows.factors === 0 ? 1 : (kernels.f32[rows.factors / 4 + row] ?? 0);
    const at = rows.raw / 4 + row * rows.stride;
    for (let d = 0; d < dimensions; d++) visit(d, (kernels.f32[at + d] ?? 0) * weight);
  }
}
