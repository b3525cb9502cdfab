/*
 * Pieces of segments in the arena: the hot tier of what is not in memory as a whole. A piece that is not here
 * is read from the local cache, and else from the object store; several that lie near each other are read
 * together, and nobody reads what another request is reading already.
 *
 * What is pinned stays; everything else makes room when the arena needs it, at once and without waiting.
 * Which goes first is decided by CLOCK: a piece that was used again since it came, or since it was last
 * looked at, has another turn. So a scan of pieces that are used once does not push out those that are used
 * often.
 */
import { OmenError } from '../../core/errors.js';
import type { Arena, Region } from '../../core/memory/arena.js';
import type { BlockCache } from '../../ports/block-cache.js';
import type { Counter, Metrics } from '../../ports/metrics.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import { compareUtf8 } from '../../core/bytes/compare-utf8.js';
import { allEnded } from '../all-ended.js';
import { MissingObject } from '../log/read-object.js';
import { STORAGE_RETRY, withRetry } from '../log/storage-retry.js';
import type { Reading } from './reading.js';

/** A range of an object that is read, checked and kept alone. */
export interface Piece {
  /** Unique in this process. */
  readonly name: string;
  /** Absolute key of the object. */
  readonly object: string;
  readonly offset: number;
  readonly length: number;
  /** Throws `DATA_CORRUPTED` when the bytes are not those that were written. */
  verify(bytes: Uint8Array): void;
}

/** Pieces that stay where they are until they are released. */
export interface Pinned {
  /** Addresses in the arena, in the order asked for. */
  readonly pointers: readonly number[];
  /** Whether the object store was waited for: one round trip, or none. */
  readonly trips: 0 | 1;
  release(): void;
}

export interface PieceCacheDependencies {
  readonly arena: Arena;
  readonly store: ObjectStore;
  readonly blockCache: BlockCache;
  readonly scheduler: Scheduler;
  readonly rng: Rng;
  readonly metrics: Metrics;
  /** Bytes that pieces may take when nothing else needs them. */
  readonly budget: () => number;
}

/** Bytes between two pieces that are rather read than asked for apart: they take less than a request. */
const GAP_BYTES = 16 * 1024;
/** One read: the larger it is, the longer its first piece waits. */
const READ_BYTES_MAX = 4 * 1024 * 1024;
const TURNS_MAX = 3;

interface Entry {
  readonly piece: Piece;
  region: Region | null;
  pins: number;
  /** Uses since it came or was last looked at, up to `TURNS_MAX`. */
  turns: number;
  /** Was used again after it came. */
  again: boolean;
  /** Settles when it is there. */
  loading: Promise<void> | null;
}

export class PieceCache {
  /** In the order in which CLOCK looks at them. */
  readonly #entries = new Map<string, Entry>();
  readonly #hits: Counter;
  readonly #misses: Counter;
  #bytes = 0;

  constructor(private readonly deps: PieceCacheDependencies) {
    const requests = (outcome: 'hit' | 'miss'): Counter =>
      deps.metrics.counter('omendb_cache_requests_total', { cache: 'memory', outcome });
    this.#hits = requests('hit');
    this.#misses = requests('miss');
  }

  /** Bytes in the arena. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Brings pieces into the arena and keeps them there until they are released. Throws `MEMORY_EXHAUSTED`,
   * `STORAGE_UNAVAILABLE`, `DATA_CORRUPTED`, and the reason of the reading's signal.
   */
  async pin(pieces: readonly Piece[], reading: Reading): Promise<Pinned> {
    reading.signal?.throwIfAborted();
    const entries = pieces.map((piece) => this.#use(piece));
    const release = (): void => {
      for (const entry of entries) entry.pins--;
      this.#shrink();
    };
    const absent = new Set(entries.filter(({ region, loading }) => region === null && loading === null));
    this.#misses.inc(absent.size);
    this.#hits.inc(entries.length - absent.size);
    const waiting = entries.flatMap(({ loading }) => (loading === null ? [] : [loading]));
    if (absent.size > 0) waiting.push(this.#load([...absent], reading));
    else if (waiting.length > 0) reading.waitedFor('cold');
    const gets = reading.objectStoreGets;
    try {
      if (waiting.length > 0) await abortable(Promise.all(waiting), reading.signal);
      const trips = reading.objectStoreGets > gets ? 1 : 0;
      return { pointers: entries.map(({ region }) => pointerOf(region)), trips, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Drops what is not in use, the least used first, until so many bytes are free. Returns how many are. */
  evict(bytes: number): number {
    let freed = 0;
    // Each entry is looked at often enough to use up its turns.
    for (let looks = this.#entries.size * (TURNS_MAX + 1); looks > 0 && freed < bytes; looks--) {
      const [first] = this.#entries;
      if (first === undefined) break;
      const [name, entry] = first;
      this.#entries.delete(name);
      if (entry.pins > 0 || entry.loading !== null || entry.turns > 0) {
        if (entry.pins === 0 && entry.turns > 0) entry.turns--;
        this.#entries.set(name, entry);
        continue;
      }
      this.#keepOnDisk(entry);
      freed += this.#drop(entry);
    }
    return freed;
  }

  /** Drops the pieces of a segment that nobody will ask for again. */
  forget(tag: number): void {
    const prefix = `${tag}:`;
    for (const [name, entry] of this.#entries) {
      if (!name.startsWith(prefix) || entry.pins > 0 || entry.loading !== null) continue;
      this.#entries.delete(name);
      this.#drop(entry);
    }
  }

  #use(piece: Piece): Entry {
    let entry = this.#entries.get(piece.name);
    if (entry === undefined) {
      entry = { piece, region: null, pins: 0, turns: 0, again: false, loading: null };
      this.#entries.set(piece.name, entry);
    } else {
      entry.turns = Math.min(TURNS_MAX, entry.turns + 1);
      entry.again = true;
    }
    entry.pins++;
    return entry;
  }

  #drop(entry: Entry): number {
    const bytes = entry.region?.bytes ?? 0;
    this.#bytes -= bytes;
    entry.region?.release();
    entry.region = null;
    return bytes;
  }

  /** What was used again will be wanted once more: the disk may have seen only its first use. */
  #keepOnDisk({ piece, region, again }: Entry): void {
    if (!again || region === null || piece.length === 0) return;
    const { arena, blockCache } = this.deps;
    blockCache.put(piece, arena.bytes(region.pointer, piece.length), { admitAtOnce: true });
  }

  #shrink(): void {
    const over = this.#bytes - this.deps.budget();
    if (over > 0) this.evict(over);
  }

  /** All or none: an entry that could not be read is as if it had never been asked for. */
  #load(entries: readonly Entry[], reading: Reading): Promise<void> {
    const loading = this.#read(entries, reading).then(
      () => {
        for (const entry of entries) entry.loading = null;
      },
      (error: unknown) => {
        for (const entry of entries) {
          this.#drop(entry);
          entry.loading = null;
          if (this.#entries.get(entry.piece.name) === entry) this.#entries.delete(entry.piece.name);
        }
        throw error;
      },
    );
    // Those who wait see the error; so may nobody, when all gave up.
    loading.catch(() => undefined);
    for (const entry of entries) entry.loading = loading;
    return loading;
  }

  async #read(entries: readonly Entry[], reading: Reading): Promise<void> {
    const { arena, blockCache } = this.deps;
    for (const entry of entries) {
      entry.region = arena.allocate(Math.max(1, entry.piece.length), 'pieces of segments');
      this.#bytes += entry.region.bytes;
    }
    const found = await Promise.all(
      entries.map(({ piece, region }) =>
        piece.length === 0
          ? Promise.resolve(new Uint8Array(0))
          : blockCache.get(piece, arena.bytes(pointerOf(region), piece.length)),
      ),
    );
    const cold = entries.filter(({ piece }, index) => !isWhole(piece, found[index]));
    reading.waitedFor(cold.length > 0 ? 'cold' : 'warm');
    if (cold.length === 0) return;
    // A read that goes on would write into memory that is free.
    await allEnded(mergeRanges(cold).map((read) => this.#fetch(read, reading)));
  }

  async #fetch(read: MergedRead, reading: Reading): Promise<void> {
    const { arena, blockCache } = this.deps;
    const body = await this.#get(read, reading);
    for (const { piece, region } of read.entries) {
      const from = piece.offset - read.offset;
      let bytes = body.subarray(from, from + piece.length);
      try {
        piece.verify(bytes);
      } catch {
        // Only what is damaged twice is damaged at rest.
        bytes = await this.#get({ ...piece, entries: [] }, reading);
        piece.verify(bytes);
      }
      arena.bytes(pointerOf(region), piece.length).set(bytes);
      blockCache.put(piece, bytes);
    }
  }

  async #get({ object, offset, length }: MergedRead, reading: Reading): Promise<Uint8Array> {
    const { store } = this.deps;
    const got = await withRetry({ ...this.deps, policy: STORAGE_RETRY }, () => {
      reading.objectStoreGets++;
      return store.get(object, { range: { offset, length } });
    });
    if (got.kind !== 'found') throw new MissingObject(object);
    if (got.body.length !== length) {
      const seen = `has ${got.body.length} bytes instead of ${length} at ${offset}`;
      throw new OmenError('DATA_CORRUPTED', `object ${object}, which the root names, ${seen}`);
    }
    reading.bytesRead += length;
    return got.body;
  }
}

/** Whether a copy is there and is what was written: damage of it costs a read of the object. */
function isWhole(piece: Piece, copy: Uint8Array | undefined): boolean {
  if (copy === undefined) return false;
  try {
    piece.verify(copy);
    return true;
  } catch {
    return false;
  }
}

interface MergedRead {
  readonly object: string;
  readonly offset: number;
  readonly length: number;
  readonly entries: readonly Entry[];
}

/** Reads that cover all entries: those that lie near each other are one. */
function mergeRanges(entries: readonly Entry[]): MergedRead[] {
  const sorted = [...entries].sort(
    (a, b) => compareUtf8(a.piece.object, b.piece.object) || a.piece.offset - b.piece.offset,
  );
  const reads: { object: string; offset: number; length: number; entries: Entry[] }[] = [];
  for (const entry of sorted) {
    const { object, offset, length } = entry.piece;
    const last = reads.at(-1);
    const end = offset + length;
    const joins =
      last?.object === object &&
      offset - (last.offset + last.length) <= GAP_BYTES &&
      end - last.offset <= READ_BYTES_MAX;
    if (last !== undefined && joins) {
      last.length = Math.max(last.length, end - last.offset);
      last.entries.push(entry);
    } else {
      reads.push({ object, offset, length, entries: [entry] });
    }
  }
  return reads;
}

function pointerOf(region: Region | null): number {
  if (region === null) throw new Error('a piece that is in use was dropped');
  return region.pointer;
}

/** Waits for a promise, or until the signal says to give up. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let give: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    give = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', give, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (give !== undefined) signal.removeEventListener('abort', give);
  }
}
