// A seeded mixture of Gaussians, to have as many vectors as one likes with the traits of embeddings.
//
// Centres lie around a few dozen places, so that clusters have near neighbours; sizes follow a power law;
// each cluster spreads in 16 to 24 directions of its own, in each of them less than in the one before, and
// a little in all. Clusters overlap: the ten nearest of a vector are of several of them.
import { SeededRng } from '#support/seeded-rng.js';

export interface MixtureOptions {
  readonly dimensions: number;
  readonly clusters: number;
  readonly seed: number;
}

/** Centres per place that they lie around. */
const CENTRES_PER_PLACE = 24;
/** How far centres lie from their place, relative to how far places lie from each other. */
const CENTRE_SPREAD = 0.3;
/** Length of a cluster's spread in its own directions, in the same measure. */
const CLUSTER_SPREAD = 1.4;
const NOISE = 0.5;
/** Each direction is less wide than the one before, by this power of its number. */
const DECAY = 0.25;
const DIRECTIONS_MIN = 16;
const DIRECTIONS_MAX = 24;
/** The cluster of rank r has a weight of r to the power of minus this. */
const SIZE_EXPONENT = 0.8;
const NORMALS = 1 << 16;

export class Mixture {
  readonly #centres: Float32Array;
  readonly #directions: readonly Float32Array[];
  readonly #cumulative: Float64Array;
  /** Normal numbers to take from: drawing each anew would be most of the work. */
  readonly #normals: Float32Array;
  readonly #rng: SeededRng;

  constructor(readonly options: MixtureOptions) {
    const { dimensions, clusters, seed } = options;
    this.#rng = new SeededRng(seed);
    this.#normals = Float32Array.from({ length: NORMALS }, () => normal(this.#rng));
    const places = Math.ceil(clusters / CENTRES_PER_PLACE);
    const around = this.#vector(places * dimensions, 1);
    this.#centres = this.#vector(clusters * dimensions, CENTRE_SPREAD);
    for (let cluster = 0; cluster < clusters; cluster++) {
      const place = this.#rng.below(places) * dimensions;
      for (let d = 0; d < dimensions; d++) {
        const at = cluster * dimensions + d;
        this.#centres[at] = (this.#centres[at] ?? 0) + (around[place + d] ?? 0);
      }
    }
    this.#directions = Array.from({ length: clusters }, () => this.#spread());
    this.#cumulative = cumulated(clusters);
  }

  /** Unit vectors without gaps, each of a cluster drawn by size. */
  rows(count: number): Float32Array {
    const { dimensions } = this.options;
    const out = new Float32Array(count * dimensions);
    for (let row = 0; row < count; row++) this.draw(this.#cluster(), out, row * dimensions);
    return out;
  }

  /** Writes a unit vector of one cluster, 0 to `clusters` - 1 from large to small. */
  draw(cluster: number, out: Float32Array, at: number): void {
    const { dimensions } = this.options;
    const directions = this.#directions[cluster] ?? new Float32Array();
    const centre = cluster * dimensions;
    for (let d = 0; d < dimensions; d++)
      out[at + d] = (this.#centres[centre + d] ?? 0) + NOISE * this.#normal();
    for (let from = 0; from < directions.length; from += dimensions) {
      const length = this.#normal();
      for (let d = 0; d < dimensions; d++) {
        out[at + d] = (out[at + d] as number) + length * (directions[from + d] as number);
      }
    }
    normalise(out, at, dimensions);
  }

  #cluster(): number {
    const wanted = this.#rng.unit() * (this.#cumulative.at(-1) ?? 0);
    let low = 0;
    let high = this.#cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#cumulative[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The directions of one cluster, as long as the cluster is wide in them. */
  #spread(): Float32Array {
    const { dimensions } = this.options;
    const count = DIRECTIONS_MIN + this.#rng.below(DIRECTIONS_MAX - DIRECTIONS_MIN + 1);
    const shares = Array.from({ length: count }, (_, at) => (at + 1) ** -DECAY);
    const all = Math.hypot(...shares);
    const out = new Float32Array(count * dimensions);
    shares.forEach((share, at) => {
      out.set(this.#vector(dimensions, (CLUSTER_SPREAD * share) / all), at * dimensions);
    });
    return out;
  }

  #vector(length: number, scale: number): Float32Array {
    return Float32Array.from({ length }, () => scale * this.#normal());
  }

  #normal(): number {
    return this.#normals[this.#rng.uint32() & (NORMALS - 1)] as number;
  }
}

function cumulated(clusters: number): Float64Array {
  let sum = 0;
  return Float64Array.from({ length: clusters }, (_, rank) => (sum += (rank + 1) ** -SIZE_EXPONENT));
}

function normal(rng: SeededRng): number {
  return Math.sqrt(-2 * Math.log(1 - rng.unit())) * Math.cos(2 * Math.PI * rng.unit());
}

function normalise(out: Float32Array, at: number, dimensions: number): void {
  let squares = 0;
  for (let d = 0; d < dimensions; d++) squares += (out[at + d] as number) ** 2;
  const factor = 1 / Math.sqrt(squares);
  for (let d = 0; d < dimensions; d++) out[at + d] = (out[at + d] as number) * factor;
}
