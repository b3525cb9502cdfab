/*
 * Rows with estimated scores, and which of them have to be compared exactly.
 *
 * A row is compared when it could be among the nearest `k`: when its upper bound reaches the k-th greatest
 * lower bound. So a clear case costs `k` comparisons, and an unclear one as many as it needs.
 */

/**
 * Errors of two estimates of a row are not quite independent, since one rotation made both: their mean
 * deviates by so much more than if they were (measured: correlation 0.2).
 */
const JOINT = 1.12;

/** Different rows in no particular order, with estimates of their scores and deviations of these. */
export interface Candidates {
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
  readonly deviations: Float32Array;
}

/** Collects estimates and joins those of one row. */
export class CandidateRows {
  readonly #rows: Uint32Array;
  readonly #scores: Float32Array;
  readonly #deviations: Float32Array;
  /** Numbers of rows by hash, plus one; 0 is a free place. */
  readonly #places: Uint32Array;
  #count = 0;

  /** @param most Estimates that will be added at most. */
  constructor(most: number) {
    this.#rows = new Uint32Array(most);
    this.#scores = new Float32Array(most);
    this.#deviations = new Float32Array(most);
    this.#places = new Uint32Array(2 ** Math.ceil(Math.log2(most + 1) + 1));
  }

  add(row: number, score: number, deviation: number): void {
    const mask = this.#places.length - 1;
    let place = Math.imul(row, 0x9e3779b1) & mask;
    for (;;) {
      const taken = this.#places[place] ?? 0;
      if (taken === 0) break;
      if (this.#rows[taken - 1] === row) {
        this.#join(taken - 1, score, deviation);
        return;
      }
      place = (place + 1) & mask;
    }
    const index = this.#count++;
    this.#places[place] = index + 1;
    this.#rows[index] = row;
    this.#scores[index] = score;
    this.#deviations[index] = deviation;
  }

  take(): Candidates {
    return {
      rows: this.#rows.subarray(0, this.#count),
      scores: this.#scores.subarray(0, this.#count),
      deviations: this.#deviations.subarray(0, this.#count),
    };
  }

  /** The mean of both, each weighted by its precision. */
  #join(index: number, score: number, deviation: number): void {
    const other = this.#deviations[index] ?? 0;
    const sum = other * other + deviation * deviation;
    if (sum > 0 && sum < Infinity) {
      const share = (other * other) / sum;
      const old = this.#scores[index] ?? 0;
      this.#scores[index] = old + share * (score - old);
      const joint = (JOINT * other * deviation) / Math.sqrt(sum);
      this.#deviations[index] = Math.min(joint, other, deviation);
    }
  }
}

/**
 * For each list those rows that have to be compared exactly so that the `k` nearest of all are among them, as
 * far as estimates hold within `slack` deviations; the most promising first. `floor`: a score that `k` rows
 * found elsewhere reach.
 */
export function promising(
  lists: readonly Candidates[],
  k: number,
  slack: number,
  floor = -Infinity,
): Candidates[] {
  const least = Math.max(floor, greatestLower(lists, k, slack));
  return lists.map(({ rows, scores, deviations }) => {
    const kept: number[] = [];
    for (let index = 0; index < rows.length; index++) {
      const upper = (scores[index] ?? 0) + slack * (deviations[index] ?? 0);
      // Not "at least": a row whose estimate is not a number has to be compared.
      if (!(upper < least)) kept.push(index);
    }
    kept.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || 0);
    return {
      rows: Uint32Array.from(kept, (index) => rows[index] ?? 0),
      scores: Float32Array.from(kept, (index) => scores[index] ?? 0),
      deviations: Float32Array.from(kept, (index) => deviations[index] ?? 0),
    };
  });
}

/** The k-th greatest lower bound; minus infinity when there are fewer. */
function greatestLower(lists: readonly Candidates[], k: number, slack: number): number {
  // A heap of the greatest so far, the least of them first; the rest falls off at one comparison each.
  const heap = new Float64Array(k).fill(-Infinity);
  for (const { scores, deviations } of lists) {
    for (let index = 0; index < scores.length; index++) {
      const bound = (scores[index] ?? 0) - slack * (deviations[index] ?? 0);
      if (bound > (heap[0] ?? Infinity)) replaceLeast(heap, bound);
    }
  }
  return heap[0] ?? -Infinity;
}

function replaceLeast(heap: Float64Array, value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child++;
    const least = heap[child] ?? 0;
    if (least >= value) break;
    heap[at] = least;
    at = child;
  }
  heap[at] = value;
}
