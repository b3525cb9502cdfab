/*
 * A sum over a set of records that tells whether two sets are equal without looking at their order: the books
 * of a collection. What was logged is either live in a segment or was replaced or deleted since; the three
 * sums must balance at every fold and merge, so a row that got lost or came twice stops the job that did it.
 *
 * Method: additive multiset hash, the sum of a hash of each element (Clarke et al., "Incremental Multiset
 * Hash Functions", 2003), here four lanes of 32 bits of a mix of the id's hash and the sequence number. It
 * finds mistakes, not forgeries; the bytes themselves are covered by checksums.
 */
import { hash64 } from '../bytes/hash64.js';
import { invariant } from '../errors.js';
import { crossMix, finalMix } from '../segment/mixing.js';

const LANES = 4;
const DIGITS = 8 * LANES;

export class Setsum {
  readonly #lanes = new Uint32Array(LANES);

  /** Reads what `toString` gave. */
  static parse(text: string): Setsum {
    invariant(isSetsum(text), 'a setsum is 32 hex digits');
    const sum = new Setsum();
    for (let lane = 0; lane < LANES; lane++) {
      sum.#lanes[lane] = Number.parseInt(text.slice(lane * 8, lane * 8 + 8), 16);
    }
    return sum;
  }

  /** Adds the write of an id, in UTF-8, with its sequence number. */
  add(id: Uint8Array, sequence: number): this {
    return this.#mix(id, sequence, 1);
  }

  /** Takes a write out again. */
  remove(id: Uint8Array, sequence: number): this {
    return this.#mix(id, sequence, -1);
  }

  plus(other: Setsum): Setsum {
    return this.#combined(other, 1);
  }

  minus(other: Setsum): Setsum {
    return this.#combined(other, -1);
  }

  equals(other: Setsum): boolean {
    return this.#lanes.every((value, lane) => value === other.#lanes[lane]);
  }

  /** 32 hex digits; all zero for the empty set. */
  toString(): string {
    return Array.from(this.#lanes, (value) => value.toString(16).padStart(8, '0')).join('');
  }

  #mix(id: Uint8Array, sequence: number, sign: 1 | -1): this {
    const { high, low } = hash64(id);
    const write = crossMix(sequence >>> 0, Math.floor(sequence / 0x1_0000_0000) + 1);
    const lanes = this.#lanes;
    lanes[0] = (lanes[0] ?? 0) + sign * crossMix(high, write);
    lanes[1] = (lanes[1] ?? 0) + sign * crossMix(low, write);
    lanes[2] = (lanes[2] ?? 0) + sign * crossMix(finalMix(high + 1), write);
    lanes[3] = (lanes[3] ?? 0) + sign * crossMix(finalMix(low + 1), write);
    return this;
  }

  #combined(other: Setsum, sign: 1 | -1): Setsum {
    const sum = new Setsum();
    for (let lane = 0; lane < LANES; lane++) {
      sum.#lanes[lane] = (this.#lanes[lane] ?? 0) + sign * (other.#lanes[lane] ?? 0);
    }
    return sum;
  }
}

/** Whether a text is a setsum. */
export function isSetsum(text: unknown): text is string {
  return typeof text === 'string' && text.length === DIGITS && /^[0-9a-f]+$/.test(text);
}
