/*
 * A cache of pieces in memory, for simulations and tests: the same calls give the same answers, and faults
 * happen where the test plants them.
 */
import { S3Fifo } from '../../core/tiers/s3-fifo.js';
import { zeroCounts } from '../../core/tiers/usage-counts.js';
import type {
  BlockCache,
  BlockCacheUsage,
  DeclineReason,
  MissReason,
  PieceKey,
  PutPieceOptions,
} from '../../ports/block-cache.js';
import { DECLINE_REASONS, MISS_REASONS } from '../../ports/block-cache.js';

/** What to keep, and what is to go wrong. */
export interface MemoryBlockCacheOptions {
  /** Of payload. */
  readonly capacityBytes: number;
  /** Called at every `get` that would hit: a reason makes it miss, and the piece is lost. */
  readonly missBecause?: (key: PieceKey) => MissReason | undefined;
  /** Called at every `put` that would be taken: a reason declines it. */
  readonly declineBecause?: (key: PieceKey, options: PutPieceOptions) => DeclineReason | undefined;
}

/** Takes every piece at its first touch, unless told otherwise. */
export class MemoryBlockCache implements BlockCache {
  readonly #pieces = new Map<string, { readonly object: string; readonly bytes: Uint8Array }>();
  readonly #kept: S3Fifo<string>;
  readonly #misses = zeroCounts(MISS_REASONS);
  readonly #declined = zeroCounts(DECLINE_REASONS);
  readonly #counts = { hits: 0, hitBytes: 0, stored: 0, storedBytes: 0, evicted: 0 };
  #closed = false;

  constructor(private readonly options: MemoryBlockCacheOptions) {
    this.#kept = new S3Fifo({ capacityBytes: options.capacityBytes });
  }

  get(key: PieceKey, into?: Uint8Array): Promise<Uint8Array | undefined> {
    const name = nameOf(key);
    const piece = this.#pieces.get(name);
    const reason = this.#closed ? 'closed' : piece === undefined ? 'absent' : this.options.missBecause?.(key);
    if (piece === undefined || reason !== undefined) {
      this.#misses[reason ?? 'absent']++;
      this.#drop(name);
      return Promise.resolve(undefined);
    }
    this.#kept.touch(name);
    this.#counts.hits++;
    this.#counts.hitBytes += key.length;
    const target = into?.subarray(0, key.length) ?? new Uint8Array(key.length);
    target.set(piece.bytes);
    return Promise.resolve(target);
  }

  put(key: PieceKey, bytes: Uint8Array, options: PutPieceOptions = {}): void {
    const name = nameOf(key);
    const reason = this.#reasonAgainst(key, name, bytes.length, options);
    if (reason !== undefined) {
      this.#declined[reason]++;
      return;
    }
    const { evicted } = this.#kept.insert(name, key.length);
    for (const gone of evicted) this.#pieces.delete(gone);
    this.#pieces.set(name, { object: key.object, bytes: Uint8Array.from(bytes) });
    this.#counts.evicted += evicted.length;
    this.#counts.stored++;
    this.#counts.storedBytes += key.length;
  }

  forget(objects: readonly string[]): void {
    const gone = new Set(objects);
    for (const [name, { object }] of this.#pieces) if (gone.has(object)) this.#drop(name);
  }

  get usage(): BlockCacheUsage {
    return {
      bytes: this.#kept.bytes,
      capacityBytes: this.options.capacityBytes,
      pieces: this.#pieces.size,
      memoryBytes: this.#kept.bytes,
      memoryBytesMax: this.options.capacityBytes,
      misses: { ...this.#misses },
      declined: { ...this.#declined },
      ...this.#counts,
      movedBytes: 0,
    };
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const name of [...this.#pieces.keys()]) this.#drop(name);
    return Promise.resolve();
  }

  #reasonAgainst(
    key: PieceKey,
    name: string,
    length: number,
    options: PutPieceOptions,
  ): DeclineReason | undefined {
    if (this.#closed) return 'closed';
    if (this.#kept.touch(name)) return 'present';
    if (key.length > this.options.capacityBytes || length !== key.length) return 'size';
    return this.options.declineBecause?.(key, options);
  }

  #drop(name: string): void {
    this.#pieces.delete(name);
    this.#kept.remove(name);
  }
}

/** Different for different keys: what is before the second colon is numbers. */
function nameOf({ object, offset, length }: PieceKey): string {
  return `${offset}:${length}:${object}`;
}
