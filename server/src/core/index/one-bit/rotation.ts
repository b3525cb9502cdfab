/*
 * The random rotation before signs are taken: it spreads what a vector has over all dimensions, so that each
 * sign says about equally much, whatever the data (Gao and Long, RaBitQ, 2024).
 *
 * A rotation is four rounds of random signs and Walsh–Hadamard transforms, done by a kernel. It is defined by
 * a seed, which stays the same for the life of a segment.
 */
import { seededRandom } from '../random.js';

/** Rounds of signs and transforms. */
export const ROTATION_ROUNDS = 4;

/** What the kernel `rotate` needs. */
export interface Rotation {
  /** Dimensions after the rotation, which are the bits of a code: a multiple of 8. */
  readonly size: number;
  /** The greatest power of two within `size`. */
  readonly power: number;
  /** `ROTATION_ROUNDS` × `size` factors, random signs that keep the length of a vector. */
  readonly signs: Float32Array;
}

/** Bits of a code: the dimensions, rounded up to whole bytes. */
export function codeBits(dimensions: number): number {
  return (dimensions + 7) & ~7;
}

/** The rotation with this seed. */
export function rotationOf(dimensions: number, seed: number): Rotation {
  const size = codeBits(dimensions);
  const power = 2 ** Math.floor(Math.log2(size));
  const random = seededRandom(seed);
  const factor = 1 / Math.sqrt(2 * power);
  const signs = new Float32Array(ROTATION_ROUNDS * size);
  for (let at = 0; at < signs.length; at += 8) {
    const bits = random.uint32();
    for (let bit = 0; bit < 8; bit++) signs[at + bit] = ((bits >>> (bit * 4)) & 1) === 0 ? factor : -factor;
  }
  return { size, power, signs };
}
