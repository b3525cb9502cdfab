/**
 * A cache of pieces of objects that never change: the warm tier. What it holds is always a copy of what the
 * object store has, so losing any of it costs time and never an answer.
 *
 * Contract of every implementation:
 * - `get` gives exactly the bytes that were put under that very key, or undefined. Damage, a piece of another
 *   key, a file of another format or store, an error of the disk and a full disk are all misses, counted by
 *   reason.
 * - Neither `get` nor `put` ever throws, rejects, or waits for eviction or for room.
 * - What is under way is bounded in bytes: beyond that, pieces are declined.
 */
export interface BlockCache {
  /**
   * The bytes of a piece, or undefined when they are not to be had here. A piece may become visible some time
   * after it was put.
   *
   * @param into At least `key.length` bytes, may be shared memory: the bytes are read into its beginning, and
   * the answer is a view of it. After a miss its content is undefined. Nobody else may use it meanwhile.
   */
  get(key: PieceKey, into?: Uint8Array): Promise<Uint8Array | undefined>;
  /**
   * Offers a piece, `bytes` being `key.length` long; they are copied before the call returns. The cache may
   * decline: a piece that was not seen lately, no room, too much under way.
   */
  put(key: PieceKey, bytes: Uint8Array, options?: PutPieceOptions): void;
  /**
   * The objects are deleted: their pieces need not be kept. Only a hint, for they will not be asked for;
   * until their room is needed `get` may go on giving their exact bytes.
   */
  forget(objects: readonly string[]): void;
  /** What it holds and what happened since it was opened: cheap, for a scrape or a test. */
  readonly usage: BlockCacheUsage;
  /**
   * Lets files and memory go; calls that follow miss and decline. Pieces that are not written yet may be
   * lost.
   */
  close(): Promise<void>;
}

/** An exact range of bytes of one object. Two ranges that overlap are two pieces. */
export interface PieceKey {
  /** Absolute key in the object store. It is random, and never used again for other bytes. */
  readonly object: string;
  /** Of the first byte. */
  readonly offset: number;
  /** Bytes, at least 1. */
  readonly length: number;
}

/** How a piece is offered. */
export interface PutPieceOptions {
  /** Takes it at its first touch: for what every query needs, such as centroids and filters. */
  readonly admitAtOnce?: boolean;
}

/**
 * Why a `get` missed. `absent`: not put, declined, evicted, or not yet written · `damaged`: a checksum is
 * wrong or bytes are missing · `foreign`: a piece of another key lies there · `stale`: of another format or
 * store · `failed`: the disk gave an error · `closed`.
 */
export const MISS_REASONS = ['absent', 'damaged', 'foreign', 'stale', 'failed', 'closed'] as const;

/** One of the reasons of a miss. */
export type MissReason = (typeof MISS_REASONS)[number];

/**
 * Why a `put` was declined. `unfamiliar`: not touched before within a day · `present`: it is there ·
 * `size`: larger than
 * what the cache takes in one piece, or not as long as its key says · `queue`: too many bytes wait to be
 * written · `memory`: the index is as large as it may be · `room`: no room on the disk, or eviction is behind
 * · `failed`: the disk gave an error when it was written · `closed`.
 */
export const DECLINE_REASONS = [
  'unfamiliar',
  'present',
  'size',
  'queue',
  'memory',
  'room',
  'failed',
  'closed',
] as const;

/** One of the reasons to decline. */
export type DeclineReason = (typeof DECLINE_REASONS)[number];

/** The state of a cache; counts are since it was opened and only grow. */
export interface BlockCacheUsage {
  /** Taken on the disk, or in memory for a cache in memory, headers and dead pieces included. */
  readonly bytes: number;
  /** What `bytes` stays below. */
  readonly capacityBytes: number;
  /** Pieces that can be found. */
  readonly pieces: number;
  /** Memory of the index, the sketch and the queue. */
  readonly memoryBytes: number;
  /** What `memoryBytes` stays below. */
  readonly memoryBytesMax: number;
  readonly hits: number;
  readonly hitBytes: number;
  readonly misses: Readonly<Record<MissReason, number>>;
  /** Pieces that were written, without those that eviction moved. */
  readonly stored: number;
  readonly storedBytes: number;
  readonly declined: Readonly<Record<DeclineReason, number>>;
  /** Pieces that went to make room. */
  readonly evicted: number;
  /** Payload of pieces that eviction wrote again because they are in use. */
  readonly movedBytes: number;
}
