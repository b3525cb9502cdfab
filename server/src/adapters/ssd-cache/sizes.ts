/*
 * How a cache divides its capacity and its memory.
 */
import { OmenError } from '../../core/errors.js';
import type { Watermarks } from './evictor.js';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Smaller, there is no room for a slab of each kind, one to free, and one to free it to. */
const CAPACITY_BYTES_MIN = 4 * MIB;
const SLAB_BYTES_MIN = 512 * KIB;
const SLAB_BYTES = 64 * MIB;
/** Files that are open: beyond this many, slabs get larger. */
const SLABS_MOST = 1024;
/** Slabs in a small capacity, so that the queues are more than a slab or two. */
const SLABS_LEAST = 32;
/** Of pieces: what the sketch of touches is made for. */
const PIECE_BYTES_TYPICAL = 16 * KIB;
const KEYS_EXPECTED_MAX = 2 ** 21;

/** What follows from the capacity. */
export interface CacheSizes {
  readonly slabBytes: number;
  readonly chunkBytes: number;
  /** Largest piece with its header. */
  readonly recordBytesMax: number;
  readonly queueBytesMax: number;
  readonly indexBytesMax: number;
  readonly memoryBytesMax: number;
  /** Bytes of pieces at their first stay: a tenth, as in S3-FIFO. */
  readonly newBytesMax: number;
  /** Keys of the sketch: about twice as many as fit. */
  readonly keysExpected: number;
  /** 90 % and 80 % of the room, and in any case room for what is being filled. */
  watermarks(roomBytes: number): Watermarks;
}

/** Options that sizes follow from. */
export interface SizeOptions {
  readonly capacityBytes: number;
  readonly slabBytes?: number;
  readonly queueBytesMax?: number;
  readonly indexBytesMax?: number;
}

/** Throws `INVALID_ARGUMENT` for a capacity that is too small. */
export function sizesFor(options: SizeOptions): CacheSizes {
  const { capacityBytes, queueBytesMax = 32 * MIB, indexBytesMax = 64 * MIB } = options;
  if (capacityBytes < CAPACITY_BYTES_MIN) {
    throw new OmenError(
      'INVALID_ARGUMENT',
      `a cache on disk of ${capacityBytes} bytes is too small: give at least ${CAPACITY_BYTES_MIN}, or none`,
    );
  }
  const slabBytes = options.slabBytes ?? slabBytesFor(capacityBytes);
  const chunkBytes = Math.min(MIB, Math.floor(slabBytes / 8));
  const recordBytesMax = Math.floor(slabBytes / 4);
  const keysExpected = Math.min(KEYS_EXPECTED_MAX, Math.ceil((2 * capacityBytes) / PIECE_BYTES_TYPICAL));
  // Two directories that are being filled, one that is read, and a batch of pieces that are moved.
  const besides = Math.ceil(slabBytes / 16) + Math.max(chunkBytes, recordBytesMax);
  return {
    slabBytes,
    chunkBytes,
    recordBytesMax,
    queueBytesMax,
    indexBytesMax,
    memoryBytesMax: queueBytesMax + indexBytesMax + keysExpected * 8 + besides,
    newBytesMax: Math.max(capacityBytes / 10, 2 * slabBytes),
    keysExpected,
    watermarks: (roomBytes) => {
      const high = Math.min(roomBytes * 0.9, roomBytes - 2 * slabBytes);
      return { high, low: Math.min(roomBytes * 0.8, high - slabBytes) };
    },
  };
}

function slabBytesFor(capacityBytes: number): number {
  const ample = capacityBytes >= SLAB_BYTES * SLABS_MOST ? capacityBytes / SLABS_MOST : SLAB_BYTES;
  const wanted = Math.min(ample, Math.max(SLAB_BYTES_MIN, capacityBytes / SLABS_LEAST));
  return Math.floor(wanted / KIB) * KIB;
}
