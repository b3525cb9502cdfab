/*
 * A small generator for choices inside the index build, so that the same rows and seed give the same bytes.
 * `sfc32` of PractRand.
 */

export interface Random {
  /** Uniform in [0, 2^32). */
  uint32(): number;
  /** Uniform in [0, bound), bound at least 1. */
  below(bound: number): number;
}

/** A generator that gives the same numbers for the same seed. */
export function seededRandom(seed: number): Random {
  let a = seed >>> 0;
  let b = Math.floor(seed / 2 ** 32) >>> 0;
  let c = 0x9e3779b9;
  let counter = 1;
  const uint32 = (): number => {
    const value = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + value) >>> 0;
    return value;
  };
  for (let round = 0; round < 12; round++) uint32();
  return { uint32, below: (bound) => Math.floor((uint32() / 2 ** 32) * bound) };
}

/** `count` different numbers below `bound`, ascending. */
export function sampleNumbers(random: Random, count: number, bound: number): Uint32Array {
  const sample = new Uint32Array(Math.min(count, bound));
  // Selection sampling: number n is taken with the chance that what is still wanted bears to what is still
  // left.
  for (let number = 0, taken = 0; taken < sample.length; number++) {
    if (random.below(bound - number) < sample.length - taken) sample[taken++] = number;
  }
  return sample;
}
