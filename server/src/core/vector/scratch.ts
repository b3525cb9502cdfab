/*
 * Working memory of one engine thread: a stack over a region of the arena that belongs to the thread alone.
 * Every task starts with it empty, so nothing has to be freed and nothing leaks.
 */
import { invariant } from '../errors.js';

const ALIGNMENT = 64;

/** Bytes that `take` uses for a piece. */
export function scratchBytes(...pieces: readonly number[]): number {
  return pieces.reduce((sum, bytes) => sum + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT, 0);
}

export class Scratch {
  #at: number;

  /** @param pointer A multiple of 64. */
  constructor(
    readonly pointer: number,
    readonly bytes: number,
  ) {
    this.#at = pointer;
  }

  /** The address of `bytes` bytes, on a multiple of 64, not cleared. */
  take(bytes: number): number {
    const pointer = this.#at;
    const end = pointer + scratchBytes(bytes);
    invariant(
      end <= this.pointer + this.bytes,
      `scratch of ${this.bytes} bytes is too small for ${bytes} more`,
    );
    this.#at = end;
    return pointer;
  }

  /** Where the stack stands, for `release`. */
  mark(): number {
    return this.#at;
  }

  /** Gives back everything taken since `mark`. */
  release(mark: number): void {
    this.#at = mark;
  }
}
