/*
 * The warm tier: pieces of objects in slab files on a local disk.
 *
 * Whoever reads a piece checks every byte that it relies on, the key with it, so the worst that a disk,
 * another process or a crash can do is a miss. Nothing is ever synced: what a power cut tears is not found
 * again. Writing, eviction and the listing at the start run in the background, each bounded in bytes.
 */
import { INDEX_SHARDS, PENDING_SLAB, PieceIndex } from '../../core/tiers/piece-index.js';
import { TouchSketch } from '../../core/tiers/touch-sketch.js';
import type {
  BlockCache,
  BlockCacheUsage,
  DeclineReason,
  MissReason,
  PieceKey,
  PutPieceOptions,
} from '../../ports/block-cache.js';
import { nodeCacheFiles } from './cache-files.js';
import type { FolderClaim, SsdBlockCacheDeps, SsdBlockCacheOptions } from './cache-options.js';
import { Counts } from './counts.js';
import type { Watermarks } from './evictor.js';
import { Evictor } from './evictor.js';
import type { FoundSlabs, LoadReport } from './load-slabs.js';
import { findSlabs, loadIndex } from './load-slabs.js';
import type { CacheEpoch, PieceName } from './piece-record.js';
import {
  epochOf,
  HEADER_BYTES,
  nameOf,
  OBJECT_BYTES_MAX,
  objectHashOf,
  reasonAgainst,
  recordBytesOf,
} from './piece-record.js';
import type { CacheSizes } from './sizes.js';
import { sizesFor } from './sizes.js';
import { SlabSet } from './slab-set.js';
import type { Chunk } from './write-queue.js';
import { WriteQueue } from './write-queue.js';

/** After a write that failed, no other is tried for so long. */
const PAUSE_MS = 10_000;
/** While eviction is behind, pieces are declined before they are copied, for so long at a time. */
const BEHIND_MS = 50;
/** A disk that was full is taken for smaller for so long. */
const SHRUNK_MS = 600_000;
/** Touches within a day that admit a piece. */
const ADMISSION_TOUCHES = 2;
const PENDING = { slab: PENDING_SLAB, offset: 0 };
const FULL_CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export class SsdBlockCache implements BlockCache {
  /** Resolves when the pieces of the last run can be found. */
  readonly loaded: Promise<LoadReport>;
  readonly #found: Promise<FoundSlabs>;
  readonly #epoch: CacheEpoch;
  readonly #sizes: CacheSizes;
  readonly #index: PieceIndex;
  readonly #sketch: TouchSketch;
  readonly #queue: WriteQueue;
  readonly #slabs: SlabSet;
  readonly #evictor: Evictor;
  readonly #counts = new Counts();
  #closed = false;
  /** Another process has the folder: nothing is written or deleted any more. */
  #lost = false;
  #claim: FolderClaim | null = null;
  #writing: Promise<void> | null = null;
  #forgetting: Promise<void> | null = null;
  #forgotten = new Set<number>();
  #paused: { readonly untilMs: number; readonly reason: 'room' | 'failed' } | null = null;
  #shrunk: { readonly untilMs: number; readonly bytes: number } | null = null;
  #isLoaded = false;
  #claiming = false;

  private constructor(
    private readonly options: SsdBlockCacheOptions,
    private readonly deps: SsdBlockCacheDeps,
  ) {
    this.#epoch = epochOf(options.store, options.format);
    this.#sizes = sizesFor(options);
    const { slabBytes, chunkBytes, queueBytesMax, indexBytesMax, newBytesMax, keysExpected } = this.#sizes;
    this.#index = new PieceIndex(indexBytesMax);
    this.#sketch = new TouchSketch({ keysExpected });
    this.#queue = new WriteQueue({ chunkBytes, bytesMax: queueBytesMax });
    const { folder, capacityBytes } = options;
    this.#slabs = new SlabSet({
      folder,
      slabBytes,
      capacityBytes,
      epoch: this.#epoch,
      nonce: deps.nonce.slice(0, 8),
      files: deps.files ?? nodeCacheFiles,
      check: () => this.#checkClaim(),
    });
    this.#evictor = new Evictor({
      slabs: this.#slabs,
      index: this.#index,
      counts: this.#counts,
      epoch: this.#epoch,
      scheduler: deps.scheduler,
      batchBytes: chunkBytes,
      newBytesMax,
      onFailure: (error) => {
        this.#pause(error);
      },
    });
    this.#found = this.#find();
    this.loaded = this.#load();
  }

  /**
   * Opens the cache in a folder, creating it where needed. It answers at once; what the last run left is
   * found bit by bit. Throws `INVALID_ARGUMENT` for a capacity that is too small, and never because of the
   * disk.
   */
  static open(options: SsdBlockCacheOptions, deps: SsdBlockCacheDeps): SsdBlockCache {
    return new SsdBlockCache(options, deps);
  }

  async get(key: PieceKey, into?: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#closed) return this.#miss('closed');
    const name = nameOf(key);
    const place = this.#index.find(name.hash);
    if (place === undefined || place.slab === PENDING_SLAB) return this.#miss('absent');
    const header = new Uint8Array(HEADER_BYTES + name.object.length);
    const target = into?.subarray(0, key.length) ?? new Uint8Array(key.length);
    let reason: MissReason | undefined;
    try {
      const bytesRead = await this.#slabs.read(place.slab, [header, target], place.offset);
      const whole = bytesRead === header.length + key.length;
      reason = whole ? reasonAgainst(name, this.#epoch, header, target) : 'damaged';
    } catch {
      reason = 'failed';
    }
    if (reason !== undefined) {
      // If it was evicted meanwhile, nothing is wrong with the disk.
      const evicted = !this.#index.remove(name.hash, place);
      return this.#miss(evicted ? 'absent' : reason);
    }
    this.#index.touch(name.hash);
    this.#counts.hits++;
    this.#counts.hitBytes += key.length;
    return target;
  }

  put(key: PieceKey, bytes: Uint8Array, options: PutPieceOptions = {}): void {
    const reason = this.#take(key, bytes, options);
    if (reason !== undefined) this.#counts.declined[reason]++;
    else this.#write();
  }

  forget(objects: readonly string[]): void {
    for (const object of objects) this.#forgotten.add(objectHashOf(object));
    if (this.#closed || this.#forgotten.size === 0) return;
    this.#forgetting ??= this.#sweep().finally(() => {
      this.#forgetting = null;
    });
  }

  get usage(): BlockCacheUsage {
    const { hits, hitBytes, misses, stored, storedBytes, declined, evicted, movedBytes } = this.#counts;
    const { bytes } = this.#slabs;
    return {
      bytes,
      capacityBytes: this.options.capacityBytes,
      pieces: this.#index.size - this.#index.live(PENDING_SLAB),
      memoryBytes: this.#index.bytes + this.#sketch.bytes + this.#queue.bytes + this.#slabs.memoryBytes,
      memoryBytesMax: this.#sizes.memoryBytesMax,
      hits,
      hitBytes,
      misses: { ...misses },
      stored,
      storedBytes,
      declined: { ...declined },
      evicted,
      movedBytes,
    };
  }

  /** Resolves when nothing waits to be written, evicted, forgotten or listed: for tests and measurements. */
  async settled(): Promise<void> {
    await this.loaded;
    while (this.#writing !== null || this.#forgetting !== null) {
      await this.#writing;
      await this.#forgetting;
    }
    await this.#evictor.settled();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#evictor.stop();
    // A claim can take long to get, while another process is watched for a sign of life.
    if (this.#claiming) return;
    await this.loaded;
    await this.#writing;
    await this.#forgetting;
    await this.#evictor.settled();
    await this.#slabs.close();
    await this.#claim?.release();
  }

  #miss(reason: MissReason): undefined {
    this.#counts.misses[reason]++;
    return undefined;
  }

  /** Puts a piece in the queue, or says why not. */
  #take(key: PieceKey, bytes: Uint8Array, options: PutPieceOptions): DeclineReason | undefined {
    if (this.#closed || this.#lost) return 'closed';
    const name = nameOf(key);
    const { hash, objectHash } = name;
    if (bytes.length !== key.length || !this.#fits(name)) return 'size';
    if (this.#index.find(hash) !== undefined) return 'present';
    const touches = this.#sketch.touch(hash, this.deps.clock.now());
    if (touches < ADMISSION_TOUCHES && options.admitAtOnce !== true) return 'unfamiliar';
    const paused = this.#pauseReason();
    if (paused !== undefined) return paused;
    if (!this.#index.set(hash, objectHash, PENDING)) return 'memory';
    // What was admitted before and comes back has shown more than a passer-by.
    const kind = touches > ADMISSION_TOUCHES ? 'main' : 'new';
    if (this.#queue.offer(kind, name, bytes, this.#epoch)) return undefined;
    this.#index.remove(hash, PENDING);
    return 'queue';
  }

  #fits(name: PieceName): boolean {
    const { length } = name.key;
    return (
      length > 0 &&
      name.object.length <= OBJECT_BYTES_MAX &&
      recordBytesOf(name) <= this.#sizes.recordBytesMax
    );
  }

  #write(): void {
    this.#writing ??= this.#drain();
  }

  /** Writes what waits, one chunk after the other. Never rejects. */
  async #drain(): Promise<void> {
    // Not before it is known which files are there; then pieces that are put in the same turn go together.
    await this.#found;
    await this.deps.scheduler.yield();
    for (let chunk = this.#queue.take(); chunk !== undefined; chunk = this.#queue.take()) {
      await this.#writeChunk(chunk);
      this.#queue.release(chunk);
      if (this.#isLoaded && !this.#closed) this.#evictor.kick(this.#watermarks());
    }
    // In the same turn in which nothing was left to take: what is put from now on begins anew.
    this.#writing = null;
  }

  async #writeChunk(chunk: Chunk): Promise<void> {
    const reason = this.#closed || this.#lost ? 'closed' : this.#pauseReason();
    if (reason !== undefined) {
      this.#giveUp(chunk, reason);
      return;
    }
    const { memory, used, entries, kind, payloadBytes } = chunk;
    const spare = this.options.capacityBytes - this.#roomBytes() + this.#sizes.slabBytes;
    const outcome = await this.#slabs.append(kind, { bytes: memory.subarray(0, used), entries }, spare);
    if (outcome.kind !== 'written') {
      if (outcome.kind === 'error') this.#pause(outcome.error);
      else this.#paused = { untilMs: this.deps.clock.monotonic() + BEHIND_MS, reason: 'room' };
      this.#giveUp(chunk, this.#paused?.reason ?? 'room');
      return;
    }
    for (const { hash, objectHash, offset } of entries) {
      // It may have been forgotten while it waited.
      if (this.#index.usesAt(hash, PENDING) < 0) continue;
      this.#index.set(hash, objectHash, { slab: outcome.slab, offset: outcome.offset + offset });
    }
    this.#counts.stored += entries.length;
    this.#counts.storedBytes += payloadBytes;
  }

  #giveUp({ entries }: Chunk, reason: DeclineReason): void {
    for (const { hash } of entries) this.#index.remove(hash, PENDING);
    this.#counts.declined[reason] += entries.length;
  }

  /** Writing is given up for a while; a disk that is full holds no more than it does now. */
  #pause(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const nowMs = this.deps.clock.monotonic();
    const reason = FULL_CODES.has(code) ? 'room' : 'failed';
    if (reason === 'room') this.#shrunk = { untilMs: nowMs + SHRUNK_MS, bytes: this.#slabs.bytes };
    if (this.#pauseReason() === undefined) {
      const facts = { folder: this.options.folder, pauseMs: PAUSE_MS, error };
      this.deps.logger.warn('the cache on disk cannot be written: it takes nothing for a while', facts);
    }
    this.#paused = { untilMs: nowMs + PAUSE_MS, reason };
  }

  #pauseReason(): 'room' | 'failed' | undefined {
    if (this.#paused === null || this.deps.clock.monotonic() >= this.#paused.untilMs) return undefined;
    return this.#paused.reason;
  }

  #roomBytes(): number {
    const { capacityBytes } = this.options;
    if (this.#shrunk === null || this.deps.clock.monotonic() >= this.#shrunk.untilMs) return capacityBytes;
    return Math.min(capacityBytes, this.#shrunk.bytes);
  }

  #watermarks(): Watermarks {
    return this.#sizes.watermarks(this.#roomBytes());
  }

  async #checkClaim(): Promise<void> {
    try {
      await this.#claim?.check();
    } catch (error) {
      this.#lost = true;
      this.#evictor.stop();
      throw error;
    }
  }

  async #sweep(): Promise<void> {
    while (this.#forgotten.size > 0 && !this.#closed) {
      const objects = this.#forgotten;
      this.#forgotten = new Set();
      for (let shard = 0; shard < INDEX_SHARDS; shard++) {
        this.#index.removeObjects(objects, shard);
        await this.deps.scheduler.yield();
      }
    }
  }

  /** What the last run left. Never rejects. */
  async #find(): Promise<FoundSlabs> {
    const { folder, capacityBytes } = this.options;
    const files = this.deps.files ?? nodeCacheFiles;
    try {
      if (!(await this.#takeFolder())) return { kept: [], deleted: 0 };
      await files.makeFolder(folder);
      return await findSlabs({ folder, files, epoch: this.#epoch, capacityBytes }, this.#slabs);
    } catch (error) {
      this.deps.logger.warn('the cache on disk cannot be read: it begins empty', { folder, error });
      return { kept: [], deleted: 0 };
    }
  }

  /** False when the folder may not be used, or is not needed any more. */
  async #takeFolder(): Promise<boolean> {
    if (this.deps.claim === undefined) return true;
    this.#claiming = true;
    try {
      const claim = await this.deps.claim();
      if (!this.#closed) this.#claim = claim;
      else await claim.release();
    } catch (error) {
      this.#lost = true;
      this.#evictor.stop();
      const { folder } = this.options;
      this.deps.logger.warn('the cache on disk is not used: its folder cannot be claimed', { folder, error });
    } finally {
      this.#claiming = false;
    }
    return this.#claim !== null;
  }

  async #load(): Promise<LoadReport> {
    const { clock, logger } = this.deps;
    const { kept, deleted } = await this.#found;
    const listed = await loadIndex(kept, { slabs: this.#slabs, index: this.#index, clock });
    const report = { deleted, ...listed };
    logger.info('the cache on disk is open', { folder: this.options.folder, ...report });
    this.#isLoaded = true;
    if (!this.#closed) this.#evictor.kick(this.#watermarks());
    return report;
  }
}
