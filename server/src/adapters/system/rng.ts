import { randomFillSync } from 'node:crypto';
import type { Rng } from '../../ports/rng.js';

const POOL_BYTES = 4096;

/**
 * The system's secure source. Small draws come from a pool, because a call to the source costs as much as 4
 * KiB of it.
 */
export class SystemRng implements Rng {
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;

  uint32(): number {
    return this.#pool.readUInt32LE(this.#take(4));
  }

  bytes(length: number): Uint8Array {
    if (length > POOL_BYTES / 4) return randomFillSync(new Uint8Array(length));
    const start = this.#take(length);
    const drawn = Uint8Array.from(this.#pool.subarray(start, start + length));
    // What was given out must not be found in memory by who reads the pool.
    this.#pool.fill(0, start, start + length);
    return drawn;
  }

  #take(length: number): number {
    if (this.#used + length > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    return start;
  }
}
