/** Randomness. Production uses the system's secure source, tests a seed. */
export interface Rng {
  /** Uniform in [0, 2^32). */
  uint32(): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}
