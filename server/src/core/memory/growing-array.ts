/*
 * An append-only array in the arena that moves to a region of twice the size when it is full. A snapshot that
 * holds the old region goes on reading it: what was appended before stays there unchanged.
 */
import type { Arena, Region } from './arena.js';

export class GrowingArray {
  #region: Region;
  #bytes = 0;

  constructor(
    private readonly arena: Arena,
    initialBytes: number,
    private readonly purpose: string,
  ) {
    this.#region = arena.allocate(initialBytes, purpose);
  }

  get pointer(): number {
    return this.#region.pointer;
  }

  get region(): Region {
    return this.#region;
  }

  /** Bytes appended so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Room for `bytes` more; nothing is appended yet, so a failure leaves the array as it was. */
  reserve(bytes: number): void {
    if (this.#bytes + bytes <= this.#region.bytes) return;
    const grown = this.#allocate(this.#bytes + bytes);
    this.arena.bytes(grown.pointer, this.#bytes).set(this.arena.bytes(this.#region.pointer, this.#bytes));
    this.#region.release();
    this.#region = grown;
  }

  /** Appends `bytes` bytes, to be filled by the caller through the address returned. Reserve first. */
  append(bytes: number): number {
    const pointer = this.#region.pointer + this.#bytes;
    this.#bytes += bytes;
    return pointer;
  }

  /** Twice the size, so that appending is cheap on average; what is needed when memory is short. */
  #allocate(needed: number): Region {
    try {
      return this.arena.allocate(Math.max(this.#region.bytes * 2, needed), this.purpose);
    } catch (error) {
      if (this.#region.bytes * 2 <= needed) throw error;
      return this.arena.allocate(needed, this.purpose);
    }
  }

  release(): void {
    this.#region.release();
  }
}
