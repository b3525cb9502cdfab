/*
 * The three ways to compare vectors, and the one internal measure behind them.
 *
 * Inside the engine a score is an f32 and higher is nearer: the cosine, the inner product, or the negated
 * squared distance. A user sees the score and a distance (lower is nearer). Rows lie in memory as the user
 * gave them; what a metric needs to know beside the row is one f32, its factor, computed once when the row is
 * written.
 */

export const METRICS = ['cosine', 'l2', 'dot'] as const;

export type Metric = (typeof METRICS)[number];

/** The number that stands for a metric in kernels and in stored bytes: never renumbered. */
export const METRIC_NUMBERS = { cosine: 0, l2: 1, dot: 2 } as const satisfies Record<Metric, number>;

/** The metric that files and kernels know by this number, or undefined. */
export function metricOfNumber(number: number): Metric | undefined {
  return METRICS.find((metric) => METRIC_NUMBERS[metric] === number);
}

/**
 * Floats from one row to the next: kernels read four at a time, and the floats behind a row's last dimension
 * are zero.
 */
export function rowStride(dimensions: number): number {
  return (dimensions + 3) & ~3;
}

/** In double precision: no f32 row overflows it. */
export function squaredNorm(vector: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < vector.length; index++) {
    const value = vector[index] ?? 0;
    sum += value * value;
  }
  return sum;
}

/** What is stored beside a row: 1 / ‖x‖ under cosine, ‖x‖² / 2 under l2, 1 under dot. */
export function factorOfNorm(metric: Metric, squared: number): number {
  switch (metric) {
    case 'cosine':
      return squared > 0 ? 1 / Math.sqrt(squared) : 0;
    case 'l2':
      return squared / 2;
    case 'dot':
      return 1;
  }
}

/** The distance a user sees: 1 − cosine, the squared Euclidean distance, or the negated inner product. */
export function distanceOfScore(metric: Metric, score: number): number {
  // `0 - x` and not `-x`: a distance of minus zero would reach JSON as "-0" in some clients.
  return metric === 'cosine' ? 1 - score : 0 - score;
}
