/*
 * Which vectors can be stored and asked for. Runs on the main thread for every vector of a bulk load, so the
 * common case is one pass of multiplications without a branch; only a row that fails is looked at value by
 * value.
 */
import type { Metric } from './metric.js';

/** Squared distances of vectors up to this norm stay below the largest f32 (3.4e38) with room to spare. */
const NORM_MAX = 1e18;
/** Below this norm the reciprocal, an f32 factor under cosine, loses digits or overflows. */
const COSINE_NORM_MIN = 1e-18;

export const VECTOR_FAULTS = ['not-finite', 'zero', 'too-large'] as const;

export interface VectorFault {
  readonly fault: (typeof VECTOR_FAULTS)[number];
  /** Number of the row among those checked. */
  readonly row: number;
  /** The first bad value within the row; -1 when it is the row as a whole. */
  readonly dimension: number;
}

/**
 * The first fault in `vectors` (rows of `dimensions` values, without gaps), or null: a value that is NaN or
 * infinite, a norm above 1e18, or, under cosine, a norm of zero (below 1e-18).
 */
export function findVectorFault(
  vectors: Float32Array,
  dimensions: number,
  metric: Metric,
): VectorFault | null {
  const smallest = metric === 'cosine' ? COSINE_NORM_MIN * COSINE_NORM_MIN : 0;
  const rows = Math.floor(vectors.length / dimensions);
  for (let row = 0, at = 0; row < rows; row++) {
    const end = at + dimensions;
    let even = 0;
    let odd = 0;
    for (; at + 1 < end; at += 2) {
      const a = vectors[at] ?? 0;
      const b = vectors[at + 1] ?? 0;
      even += a * a;
      odd += b * b;
    }
    if (at < end) {
      const last = vectors[at] ?? 0;
      even += last * last;
      at++;
    }
    const squared = even + odd;
    // Also true for NaN.
    if (!(squared <= NORM_MAX * NORM_MAX && squared >= smallest)) {
      return explain(vectors, dimensions, row, squared);
    }
  }
  return null;
}

/** A sentence for people: what was seen and what is allowed. */
export function describeVectorFault(fault: VectorFault): string {
  switch (fault.fault) {
    case 'not-finite':
      return `value ${fault.dimension} is not a finite number: vectors hold finite 32-bit floats`;
    case 'too-large':
      return 'the norm of the vector is above 1e18: distances to it would overflow 32-bit floats';
    case 'zero':
      return 'the vector has a norm of zero: the cosine to it is not defined';
  }
}

function explain(vectors: Float32Array, dimensions: number, row: number, squared: number): VectorFault {
  const values = vectors.subarray(row * dimensions, (row + 1) * dimensions);
  const dimension = values.findIndex((value) => !Number.isFinite(value));
  if (dimension >= 0) return { fault: 'not-finite', row, dimension };
  return { fault: squared > 1 ? 'too-large' : 'zero', row, dimension: -1 };
}
