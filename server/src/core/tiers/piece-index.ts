/*
 * Where each of some million pieces lies, in few bytes per piece.
 *
 * Method: open addressing with linear probing and backward-shift deletion (Knuth, TAOCP 3, 6.4, algorithm R)
 * in columns of numbers, not objects. The table is cut into shards by the highest bits of the hash; each
 * grows by itself, so that no growth takes longer than a fraction of a millisecond for a million pieces.
 *
 * A piece is known by 64 bits of its key's hash alone: whoever reads it must compare the key that is stored
 * with it. Invariants: a hash is in at most once; `live(slab)` is the number of pieces that lie in that slab;
 * `bytes` is never above the limit.
 */
import type { Hash64 } from '../bytes/hash64.js';

/** Where a piece lies. */
export interface PiecePlace {
  /** Below `SLABS_MAX`, or `PENDING_SLAB`. */
  readonly slab: number;
  /** Bytes from the start of the slab, a multiple of `PLACE_UNIT_BYTES`. */
  readonly offset: number;
}

/** Pieces begin at multiples of so many bytes. */
export const PLACE_UNIT_BYTES = 16;
/** Slab numbers are below this. */
export const SLABS_MAX = 0xfffe;
/** The slab of a piece that is not written yet. */
export const PENDING_SLAB = 0xfffe;
/** Shards to go through for what concerns all pieces, one per turn of the event loop. */
export const INDEX_SHARDS = 256;
/** A count of uses goes no higher. */
export const USES_MAX = 3;

const FREE = 0xffff;
const FIRST_SLOTS = 8;
/** Two words of hash, one of object, offset, slab, uses. */
const SLOT_BYTES = 19;

/** Hash of a key to its place, with a small count of uses. */
export class PieceIndex {
  readonly #shards: Shard[];
  readonly #live = new Uint32Array(SLABS_MAX + 1);
  #size = 0;
  #bytes: number;

  /** @param bytesMax Beyond this, pieces are refused. */
  constructor(private readonly bytesMax: number) {
    this.#shards = Array.from({ length: INDEX_SHARDS }, () => new Shard(FIRST_SLOTS));
    this.#bytes = INDEX_SHARDS * FIRST_SLOTS * SLOT_BYTES + this.#live.byteLength;
  }

  /** Number of pieces, those that are not written yet among them. */
  get size(): number {
    return this.#size;
  }

  /** Memory of the tables. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Pieces that lie in a slab. */
  live(slab: number): number {
    return this.#live[slab] ?? 0;
  }

  /** Where the piece lies, undefined when it is not known. */
  find(hash: Hash64): PiecePlace | undefined {
    const shard = this.#shardOf(hash);
    const slot = shard.find(hash);
    return slot < 0 ? undefined : shard.placeAt(slot);
  }

  /** Notes a use, up to `USES_MAX`. */
  touch(hash: Hash64): void {
    const shard = this.#shardOf(hash);
    const slot = shard.find(hash);
    if (slot >= 0) shard.uses[slot] = Math.min(USES_MAX, (shard.uses[slot] ?? 0) + 1);
  }

  /** Uses of the piece if it lies there, else -1. */
  usesAt(hash: Hash64, place: PiecePlace): number {
    const shard = this.#shardOf(hash);
    const slot = shard.find(hash);
    return slot >= 0 && shard.liesAt(slot, place) ? (shard.uses[slot] ?? 0) : -1;
  }

  /**
   * Says where a piece lies from now on. False when it is new and there is no memory for it.
   *
   * @param object Hash of the object's key, for `removeObjects`.
   */
  set(hash: Hash64, object: number, place: PiecePlace, uses = 0): boolean {
    const shard = this.#shardOf(hash);
    let slot = shard.find(hash);
    if (slot >= 0) {
      this.#live[shard.slab[slot] as number] = this.live(shard.slab[slot] as number) - 1;
    } else {
      if (!this.#makeRoom(shard)) return false;
      slot = shard.add(hash);
      this.#size++;
    }
    shard.fill(slot, object, place, uses);
    this.#live[place.slab] = this.live(place.slab) + 1;
    return true;
  }

  /** Removes a piece if it lies there, or wherever it lies when no place is given. */
  remove(hash: Hash64, place?: PiecePlace): boolean {
    const shard = this.#shardOf(hash);
    const slot = shard.find(hash);
    if (slot < 0 || (place !== undefined && !shard.liesAt(slot, place))) return false;
    this.#removeSlot(shard, slot);
    return true;
  }

  /** Removes the pieces of some objects, given by the hashes of their keys, from one shard. */
  removeObjects(objects: ReadonlySet<number>, shardNumber: number): void {
    this.#removeWhere(shardNumber, (shard, slot) => objects.has(shard.object[slot] as number));
  }

  /** Removes the pieces that lie in a slab from one shard. */
  removeSlab(slab: number, shardNumber: number): void {
    this.#removeWhere(shardNumber, (shard, slot) => shard.slab[slot] === slab);
  }

  #removeWhere(shardNumber: number, matches: (shard: Shard, slot: number) => boolean): void {
    const shard = this.#shards[shardNumber];
    if (shard === undefined) return;
    for (let slot = 0; slot < shard.slab.length;) {
      // What a removal moves into the slot is looked at too.
      if (shard.slab[slot] !== FREE && matches(shard, slot)) this.#removeSlot(shard, slot);
      else slot++;
    }
  }

  #removeSlot(shard: Shard, slot: number): void {
    const slab = shard.slab[slot] as number;
    this.#live[slab] = this.live(slab) - 1;
    shard.removeAt(slot);
    this.#size--;
  }

  #makeRoom(shard: Shard): boolean {
    if (shard.size + 1 <= shard.slots * 0.75) return true;
    const more = shard.slots * SLOT_BYTES;
    if (this.#bytes + more <= this.bytesMax) {
      shard.grow();
      this.#bytes += more;
      return true;
    }
    // Slower to search, but no larger.
    return shard.size + 1 <= shard.slots * 0.9;
  }

  #shardOf({ high }: Hash64): Shard {
    return this.#shards[high >>> 24] as Shard;
  }
}

class Shard {
  size = 0;
  high!: Uint32Array;
  low!: Uint32Array;
  object!: Uint32Array;
  offset!: Uint32Array;
  slab!: Uint16Array;
  uses!: Uint8Array;

  /** @param slots A power of two. */
  constructor(public slots: number) {
    this.#allocate(slots);
  }

  /** The slot of a hash, or -1. */
  find({ high, low }: Hash64): number {
    const mask = this.slots - 1;
    for (let slot = low & mask; this.slab[slot] !== FREE; slot = (slot + 1) & mask) {
      if (this.low[slot] === low && this.high[slot] === high) return slot;
    }
    return -1;
  }

  /** A slot for a hash that is not in; there is room. */
  add({ high, low }: Hash64): number {
    const mask = this.slots - 1;
    let slot = low & mask;
    while (this.slab[slot] !== FREE) slot = (slot + 1) & mask;
    this.high[slot] = high;
    this.low[slot] = low;
    this.size++;
    return slot;
  }

  fill(slot: number, object: number, { slab, offset }: PiecePlace, uses: number): void {
    this.object[slot] = object;
    this.slab[slot] = slab;
    this.offset[slot] = offset / PLACE_UNIT_BYTES;
    this.uses[slot] = uses;
  }

  placeAt(slot: number): PiecePlace {
    return { slab: this.slab[slot] as number, offset: (this.offset[slot] as number) * PLACE_UNIT_BYTES };
  }

  liesAt(slot: number, { slab, offset }: PiecePlace): boolean {
    return this.slab[slot] === slab && (this.offset[slot] as number) * PLACE_UNIT_BYTES === offset;
  }

  /** Closes the gap, so that every search still finds its way. */
  removeAt(slot: number): void {
    const mask = this.slots - 1;
    let gap = slot;
    for (let next = (gap + 1) & mask; this.slab[next] !== FREE; next = (next + 1) & mask) {
      const home = (this.low[next] as number) & mask;
      // It may move only if its own place does not lie behind the gap.
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      this.#copySlot(this, next, gap);
      gap = next;
    }
    this.slab[gap] = FREE;
    this.size--;
  }

  grow(): void {
    const old = { ...this, slots: this.slots };
    this.#allocate(this.slots * 2);
    this.size = 0;
    for (let slot = 0; slot < old.slots; slot++) {
      if (old.slab[slot] === FREE) continue;
      const to = this.add({ high: old.high[slot] as number, low: old.low[slot] as number });
      this.#copySlot(old, slot, to);
    }
  }

  #copySlot(
    from: Pick<Shard, 'high' | 'low' | 'object' | 'offset' | 'slab' | 'uses'>,
    slot: number,
    to: number,
  ) {
    this.high[to] = from.high[slot] as number;
    this.low[to] = from.low[slot] as number;
    this.object[to] = from.object[slot] as number;
    this.offset[to] = from.offset[slot] as number;
    this.slab[to] = from.slab[slot] as number;
    this.uses[to] = from.uses[slot] as number;
  }

  #allocate(slots: number): void {
    this.slots = slots;
    this.high = new Uint32Array(slots);
    this.low = new Uint32Array(slots);
    this.object = new Uint32Array(slots);
    this.offset = new Uint32Array(slots);
    this.slab = new Uint16Array(slots).fill(FREE);
    this.uses = new Uint8Array(slots);
  }
}
