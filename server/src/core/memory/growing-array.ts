/*
 * An append-only array in the arena that moves to a region of twice the size when it is full. A snapshot that
 * holds the old region goes on reading it: what was appended before stays there unchanged. An array to which
 * nothing was appended takes no memory: a server has thousands of collections that nobody writes to.
 */
import type { Arena, Region } from './arena.js';

export class GrowingArray {
  #region: Region | null = null;
  #bytes = 0;

  constructor(
    private readonly arena: Arena,
    /** Size of the first region. */
    private readonly initialBytes: number,
    private readonly purpose: string,
  ) {}

  /** 0 while nothing was reserved. */
  get pointer(): number {
    return this.#region?.pointer ?? 0;
  }

  /** Null while nothing was reserved. */
  get region(): Region | null {
    return this.#region;
  }

  /** Bytes appended so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Room for `bytes` more; nothing is appended yet, so a failure leaves the array as it was. */
  reserve(bytes: number): void {
    if (this.#bytes + bytes <= (this.#region?.bytes ?? 0)) return;
    const grown = this.#allocate(this.#bytes + bytes);
    this.arena.bytes(grown.pointer, this.#bytes).set(this.arena.bytes(this.pointer, this.#bytes));
    this.#region?.release();
    this.#region = grown;
  }

  /** Appends `bytes` bytes, to be filled by the caller through the address returned. Reserve first. */
  append(bytes: number): number {
    const pointer = this.pointer + this.#bytes;
    this.#bytes += bytes;
    return pointer;
  }

  /** Twice the size, so that appending is cheap on average; what is needed when memory is short. */
  #allocate(needed: number): Region {
    const ample = this.#region === null ? this.initialBytes : this.#region.bytes * 2;
    try {
      return this.arena.allocate(Math.max(ample, needed), this.purpose);
    } catch (error) {
      if (ample <= needed) throw error;
      return this.arena.allocate(needed, this.purpose);
    }
  }

  release(): void {
    this.#region?.release();
  }
}
