/*
 * Pieces on their way to the disk, put together in chunks so that many small ones cost one write.
 *
 * Invariant: `bytes`, the memory of all chunks, filled, being filled, being written or kept for reuse, is
 * never above the limit; what does not fit is refused.
 */
import type { SlabKind } from '../../core/tiers/slab-policy.js';
import { SLAB_KINDS } from '../../core/tiers/slab-policy.js';
import type { CacheEpoch, PieceName } from './piece-record.js';
import { recordBytesOf, writeRecord } from './piece-record.js';
import type { SlabEntry } from './slab-format.js';

/** Records that are written in one go, one behind the other. */
export interface Chunk {
  readonly kind: SlabKind;
  readonly memory: Uint8Array;
  /** Bytes that are filled. */
  used: number;
  /** Offsets are from the start of the chunk. */
  readonly entries: SlabEntry[];
  /** Bytes of the pieces without headers. */
  payloadBytes: number;
}

/** How large chunks are, and all of them together. */
export interface WriteQueueOptions {
  readonly chunkBytes: number;
  readonly bytesMax: number;
}

/** Empty chunks that are kept for reuse. */
const SPARE_MAX = 2;

/** First in, first out. */
export class WriteQueue {
  #full: Chunk[] = [];
  readonly #filling = new Map<SlabKind, Chunk>();
  readonly #spare: Uint8Array[] = [];
  #bytes = 0;

  constructor(private readonly options: WriteQueueOptions) {}

  /** Memory that it takes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Copies a piece into the queue; false when there is no room. */
  offer(kind: SlabKind, name: PieceName, payload: Uint8Array, epoch: CacheEpoch): boolean {
    const recordBytes = recordBytesOf(name);
    const chunk = this.#chunkWith(kind, recordBytes);
    if (chunk === undefined) return false;
    writeRecord(chunk.memory.subarray(chunk.used, chunk.used + recordBytes), name, payload, epoch);
    const { hash, objectHash } = name;
    chunk.entries.push({ hash, objectHash, offset: chunk.used, recordBytes });
    chunk.used += recordBytes;
    chunk.payloadBytes += payload.length;
    return true;
  }

  /** The next chunk to write, to be given back with `release`; undefined when nothing waits. */
  take(): Chunk | undefined {
    const chunk = this.#full.shift();
    if (chunk !== undefined) return chunk;
    for (const kind of SLAB_KINDS) {
      const filling = this.#filling.get(kind);
      if (filling === undefined) continue;
      this.#filling.delete(kind);
      return filling;
    }
    return undefined;
  }

  /** The chunk is written or given up. */
  release({ memory }: Chunk): void {
    if (memory.length === this.options.chunkBytes && this.#spare.length < SPARE_MAX) this.#spare.push(memory);
    else this.#bytes -= memory.length;
  }

  #chunkWith(kind: SlabKind, recordBytes: number): Chunk | undefined {
    const filling = this.#filling.get(kind);
    if (filling !== undefined) {
      if (filling.used + recordBytes <= filling.memory.length) return filling;
      this.#filling.delete(kind);
      this.#full.push(filling);
    }
    const memory = this.#allocate(recordBytes);
    if (memory === undefined) return undefined;
    const chunk: Chunk = { kind, memory, used: 0, entries: [], payloadBytes: 0 };
    this.#filling.set(kind, chunk);
    return chunk;
  }

  #allocate(recordBytes: number): Uint8Array | undefined {
    const spare = recordBytes <= this.options.chunkBytes ? this.#spare.pop() : undefined;
    if (spare !== undefined) return spare;
    const size = Math.max(recordBytes, this.options.chunkBytes);
    while (this.#bytes + size > this.options.bytesMax) {
      const unused = this.#spare.pop();
      if (unused === undefined) return undefined;
      this.#bytes -= unused.length;
    }
    this.#bytes += size;
    return new Uint8Array(size);
  }
}
