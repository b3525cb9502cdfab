/*
 * Mixing of 32-bit numbers: every bit of the input changes every bit of the result with probability near 1/2.
 */

/** The finaliser of MurmurHash3 (Austin Appleby, public domain). Unsigned. */
export function finalMix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Mixes a second number into `value`. Unsigned. */
export function crossMix(value: number, salt: number): number {
  return finalMix(value ^ Math.imul(salt, 0x27d4eb2f) ^ (salt >>> 15));
}
