/*
 * The shared memory that all engines scan: segments, memtables and engine scratch space lie in one
 * `WebAssembly.Memory`.
 *
 * Only the main thread allocates and frees; engines get addresses. The memory has its full size from the
 * start: a shared memory is reserved, not filled, so untouched pages cost nothing, and a view of it never
 * goes stale through growth. Invariant: regions never overlap, every region begins on a multiple of 64 bytes
 * (a cache line, and enough for any SIMD load), and address 0 is never given out, so 0 can mean "none".
 */
import { invariant, OmenError } from '../errors.js';

const ALIGNMENT = 64;
const WASM_PAGE = 65_536;
/** Kept for bitmaps of deleted rows, which are needed to apply a write that is durable already. */
const HEADROOM_SHARE = 1 / 64;

/**
 * The most one WebAssembly memory can hold: 4 GiB less one page, so that every end address fits into 32 bits.
 */
export const ARENA_BYTES_MAX = 65_535 * WASM_PAGE;

/** What regions are for, as metrics tell it apart. */
export const ARENA_USES = ['memtables', 'scratch', 'segments'] as const;
export type ArenaUse = (typeof ARENA_USES)[number];

/** By the purpose that an allocation names. Everything else is room to work in. */
const USES: Readonly<Record<string, ArenaUse>> = {
  'a segment': 'segments',
  'the skeleton of a segment': 'segments',
  'pieces of segments': 'segments',
  'a bitmap of deleted rows': 'segments',
  'the memtable': 'memtables',
};

/** A piece of the arena with shared ownership: freed when the last owner lets go. */
export class Region {
  #owners = 1;

  constructor(
    private readonly arena: Arena,
    readonly pointer: number,
    /** Usable bytes, a multiple of 64. */
    public bytes: number,
    readonly use: ArenaUse,
  ) {}

  /** One more owner; returns itself. */
  retain(): this {
    invariant(this.#owners > 0, 'a region is retained after it was freed');
    this.#owners++;
    return this;
  }

  release(): void {
    invariant(this.#owners > 0, 'a region is released once too often');
    if (--this.#owners === 0) this.arena.free(this);
  }

  /** Gives back everything behind the first `bytes` bytes. Only for a sole owner. */
  shrink(bytes: number): void {
    invariant(this.#owners === 1, 'a shared region is shrunk');
    this.arena.shrink(this, bytes);
  }

  get owners(): number {
    return this.#owners;
  }
}

interface Hole {
  pointer: number;
  bytes: number;
}

/** First-fit allocator with coalescing. Holes are few (tens), so a sorted array serves. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly capacity: number;
  /** The whole arena by bytes, words and floats: indexing these is cheaper than a view for every access. */
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly #holes: Hole[];
  /**
   * Called when an allocation of so many bytes does not fit: frees what is only kept, and says whether it
   * did.
   */
  reclaim: (bytes: number) => boolean = () => false;
  #used = 0;
  readonly #usedFor: Record<ArenaUse, number> = { segments: 0, memtables: 0, scratch: 0 };

  /** @param bytes Capacity, rounded up to 64 KiB, at most `ARENA_BYTES_MAX`. */
  constructor(bytes: number) {
    const pages = Math.ceil(Math.min(bytes, ARENA_BYTES_MAX) / WASM_PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.capacity = pages * WASM_PAGE;
    this.u8 = new Uint8Array(this.buffer);
    this.u32 = new Uint32Array(this.buffer);
    this.f32 = new Float32Array(this.buffer);
    this.f64 = new Float64Array(this.buffer);
    // The first page stays free: kernels compiled with a data segment keep it there, and address 0 must not
    // be given out.
    this.#holes = [{ pointer: WASM_PAGE, bytes: this.capacity - WASM_PAGE }];
  }

  /** Bytes in regions. */
  get used(): number {
    return this.#used;
  }

  /** Bytes in regions by what they are for. */
  get usedFor(): Readonly<Record<ArenaUse, number>> {
    return this.#usedFor;
  }

  get buffer(): SharedArrayBuffer {
    return this.memory.buffer as unknown as SharedArrayBuffer;
  }

  /**
   * Throws `MEMORY_EXHAUSTED` when no hole is large enough. The bytes are not cleared.
   * @param priority `urgent` may use the last of the arena: for what a durable write needs to be applied.
   */
  allocate(bytes: number, purpose: string, priority: 'normal' | 'urgent' = 'normal'): Region {
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    let index = this.#holeFor(size, priority);
    while (index < 0 && this.reclaim(size)) index = this.#holeFor(size, priority);
    const hole = this.#holes[index];
    if (hole === undefined) {
      throw new OmenError(
        'MEMORY_EXHAUSTED',
        `${purpose} needs ${size} bytes of engine memory, ${this.capacity - this.#used} of ${this.capacity} are free ` +
          `(the largest piece has ${Math.max(0, ...this.#holes.map((h) => h.bytes))}); raise OMENDB_MEMORY_BYTES`,
        { retryAfterMs: 1000 },
      );
    }
    const region = new Region(this, hole.pointer, size, USES[purpose] ?? 'scratch');
    hole.pointer += size;
    hole.bytes -= size;
    if (hole.bytes === 0) this.#holes.splice(index, 1);
    this.#count(region.use, size);
    return region;
  }

  /** Index of the first hole that is large enough, -1 when there is none. */
  #holeFor(size: number, priority: 'normal' | 'urgent'): number {
    const most = (this.capacity - WASM_PAGE) * (1 - HEADROOM_SHARE);
    if (priority === 'normal' && this.#used + size > most) return -1;
    return this.#holes.findIndex((hole) => hole.bytes >= size);
  }

  /** @internal Called by the region's last owner. */
  free(region: Region): void {
    this.#count(region.use, -region.bytes);
    this.#addHole(region.pointer, region.bytes);
  }

  /** @internal */
  shrink(region: Region, bytes: number): void {
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    invariant(size <= region.bytes, 'a region cannot grow');
    if (size === region.bytes) return;
    this.#count(region.use, size - region.bytes);
    this.#addHole(region.pointer + size, region.bytes - size);
    region.bytes = size;
  }

  /** A view of `bytes` bytes at `pointer`. Valid for the life of the region. */
  bytes(pointer: number, bytes: number): Uint8Array {
    return new Uint8Array(this.buffer, pointer, bytes);
  }

  floats(pointer: number, count: number): Float32Array {
    return new Float32Array(this.buffer, pointer, count);
  }

  words(pointer: number, count: number): Uint32Array {
    return new Uint32Array(this.buffer, pointer, count);
  }

  #count(use: ArenaUse, bytes: number): void {
    this.#used += bytes;
    this.#usedFor[use] += bytes;
  }

  #addHole(pointer: number, bytes: number): void {
    let at = this.#holes.findIndex((hole) => hole.pointer > pointer);
    if (at < 0) at = this.#holes.length;
    const before = this.#holes[at - 1];
    const after = this.#holes[at];
    const joinsBefore = before !== undefined && before.pointer + before.bytes === pointer;
    const joinsAfter = after !== undefined && pointer + bytes === after.pointer;
    if (joinsBefore && joinsAfter) {
      before.bytes += bytes + after.bytes;
      this.#holes.splice(at, 1);
    } else if (joinsBefore) {
      before.bytes += bytes;
    } else if (joinsAfter) {
      after.pointer = pointer;
      after.bytes += bytes;
    } else {
      this.#holes.splice(at, 0, { pointer, bytes });
    }
  }
}
