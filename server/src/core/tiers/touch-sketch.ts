/*
 * How often was a key touched lately? Approximately, in a few bytes per key, for keys that are not kept: what
 * is touched once a day is not worth a place in a cache.
 *
 * Method: the filter of TinyLFU (Einziger, Friedman, Manes: "TinyLFU: a highly efficient cache admission
 * policy", 2017). First touches are noted in a Bloom filter, the doorkeeper; only further ones go into a
 * count-min sketch of four rows with conservative update. Ageing is by time: after half a day all counts are
 * halved and the doorkeeper is renewed, the one before staying in use, so a touch is known for half a day to
 * a day. Keys without number cannot blind it: when a doorkeeper has taken what it was made for, half a day
 * counts as over.
 *
 * Invariant: an estimate can be too high by chance, but it is never below the number of touches (at most 16)
 * since counts were last halved, and the second of two touches is known as such when one renewal lies
 * between.
 */
import type { Hash64 } from '../bytes/hash64.js';

/** Size and pace. */
export interface TouchSketchOptions {
  /** Different keys in half a day for which estimates are good. */
  readonly keysExpected: number;
  /** Milliseconds after which counts are halved; half a day unless given. */
  readonly ageingMs?: number;
}

const HALF_A_DAY_MS = 12 * 3600 * 1000;
/** Four bits each, two to a byte. */
const COUNT_MAX = 15;
const ROWS = 4;
/** Bits of the doorkeeper for a key: with four probes about one in forty keys passes for one seen before. */
const DOOR_BITS_PER_KEY = 8;
const DOOR_PROBES = 4;

/** Estimates touches per key; keys are given by their hash. */
export class TouchSketch {
  readonly #counts: Uint8Array;
  readonly #countMask: number;
  readonly #doorMask: number;
  readonly #doorLimit: number;
  readonly #ageingMs: number;
  #door: Uint32Array;
  #doorBefore: Uint32Array;
  #doorKeys = 0;
  #agedMs: number | null = null;

  constructor({ keysExpected, ageingMs = HALF_A_DAY_MS }: TouchSketchOptions) {
    const width = powerOfTwo(Math.max(64, keysExpected));
    this.#counts = new Uint8Array((width * ROWS) / 2);
    this.#countMask = width - 1;
    this.#doorMask = width * DOOR_BITS_PER_KEY - 1;
    this.#door = new Uint32Array((width * DOOR_BITS_PER_KEY) / 32);
    this.#doorBefore = new Uint32Array(this.#door.length);
    this.#doorLimit = width;
    this.#ageingMs = ageingMs;
  }

  /** Bytes that it takes, fixed. */
  get bytes(): number {
    return this.#counts.byteLength + 2 * this.#door.byteLength;
  }

  /** Notes a touch and returns the estimate with it, from 1 to 16. */
  touch(hash: Hash64, nowMs: number): number {
    this.#age(nowMs);
    const before = this.#estimate(hash);
    if (!inDoor(this.#door, hash, this.#doorMask)) this.#enter(hash);
    if (before > 0 && before <= COUNT_MAX) this.#raise(hash, before);
    return Math.min(before + 1, COUNT_MAX + 1);
  }

  /** Touches within the last day or so, 0 to 16. */
  estimate(hash: Hash64, nowMs: number): number {
    this.#age(nowMs);
    return this.#estimate(hash);
  }

  #estimate(hash: Hash64): number {
    const known = inDoor(this.#door, hash, this.#doorMask) || inDoor(this.#doorBefore, hash, this.#doorMask);
    let least = COUNT_MAX;
    for (let row = 0; row < ROWS; row++) least = Math.min(least, this.#count(this.#cell(hash, row)));
    return least + (known ? 1 : 0);
  }

  #enter(hash: Hash64): void {
    for (let probe = 0; probe < DOOR_PROBES; probe++) {
      const bit = probeOf(hash, probe) & this.#doorMask;
      this.#door[bit >>> 5] = (this.#door[bit >>> 5] as number) | (1 << (bit & 31));
    }
    this.#doorKeys++;
  }

  /** Conservative update: only counts that are the estimate's reason grow. */
  #raise(hash: Hash64, estimate: number): void {
    // The doorkeeper stands for one touch of the estimate.
    const wanted = Math.min(COUNT_MAX, estimate);
    for (let row = 0; row < ROWS; row++) {
      const cell = this.#cell(hash, row);
      if (this.#count(cell) < wanted) this.#setCount(cell, wanted);
    }
  }

  #cell(hash: Hash64, row: number): number {
    return row * (this.#countMask + 1) + (probeOf(hash, DOOR_PROBES + row) & this.#countMask);
  }

  #count(cell: number): number {
    return ((this.#counts[cell >>> 1] as number) >>> ((cell & 1) * 4)) & 15;
  }

  #setCount(cell: number, value: number): void {
    const shift = (cell & 1) * 4;
    const others = (this.#counts[cell >>> 1] as number) & (0xf0 >>> shift);
    this.#counts[cell >>> 1] = others | (value << shift);
  }

  #age(nowMs: number): void {
    // A clock that was set back begins a new half day.
    if (this.#agedMs === null || nowMs < this.#agedMs) this.#agedMs = nowMs;
    let due = Math.min(8, Math.floor((nowMs - this.#agedMs) / this.#ageingMs));
    if (due > 0) this.#agedMs = nowMs;
    if (due === 0 && this.#doorKeys >= this.#doorLimit) due = 1;
    for (; due > 0; due--) this.#halve();
  }

  #halve(): void {
    for (let at = 0; at < this.#counts.length; at++) {
      this.#counts[at] = ((this.#counts[at] as number) >>> 1) & 0x77;
    }
    const oldest = this.#doorBefore;
    this.#doorBefore = this.#door;
    this.#door = oldest.fill(0);
    this.#doorKeys = 0;
  }
}

/** The i-th of many hashes made of two (Kirsch and Mitzenmacher, 2006). */
function probeOf({ high, low }: Hash64, index: number): number {
  return (high + Math.imul(index, low | 1) + (index * index * index - index) / 6) | 0;
}

function inDoor(door: Uint32Array, hash: Hash64, mask: number): boolean {
  for (let probe = 0; probe < DOOR_PROBES; probe++) {
    const bit = probeOf(hash, probe) & mask;
    if (((door[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false;
  }
  return true;
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast));
}
