// A cache on disk in a folder of its own, pieces whose bytes follow from their key, and a disk with faults.
import type { CacheFiles, SlabFile } from '#server/adapters/ssd-cache/cache-files.js';
import { nodeCacheFiles } from '#server/adapters/ssd-cache/cache-files.js';
import type { SsdBlockCacheDeps, SsdBlockCacheOptions } from '#server/adapters/ssd-cache/cache-options.js';
import { SsdBlockCache } from '#server/adapters/ssd-cache/ssd-block-cache.js';
import { hash64 } from '#server/core/bytes/hash64.js';
import type { BlockCache, PieceKey } from '#server/ports/block-cache.js';
import { FakeClock } from './fake-clock.js';
import { FakeScheduler } from './fake-scheduler.js';
import { silentLogger } from './log-node.js';

const MIB = 1024 * 1024;

/** Opens a cache of 8 MiB, unless told otherwise. */
export function openSsdCache(
  folder: string,
  options: Partial<SsdBlockCacheOptions> = {},
  deps: Partial<SsdBlockCacheDeps> = {},
): SsdBlockCache {
  const clock = new FakeClock();
  return SsdBlockCache.open(
    { folder, capacityBytes: 8 * MIB, store: 'store-a', format: 1, queueBytesMax: 4 * MIB, ...options },
    {
      clock,
      scheduler: new FakeScheduler(clock, { automatic: true }),
      logger: silentLogger,
      nonce: '0123456789abcdef',
      ...deps,
    },
  );
}

/** The n-th of many keys. */
export function pieceKey(n: number, length = 16 * 1024): PieceKey {
  return { object: `n/4c1f/s/${String(n >> 4).padStart(16, '0')}.seg`, offset: (n & 15) * length, length };
}

/** What belongs to a key, and to no other one. */
export function pieceBytes(key: PieceKey): Uint8Array {
  let state = hash64(new TextEncoder().encode(`${key.offset}:${key.length}:${key.object}`)).low | 1;
  const words = new Uint32Array(Math.ceil(key.length / 4));
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state >>> 0;
  }
  return new Uint8Array(words.buffer, 0, key.length);
}

/** Puts pieces so that they are admitted at once, and waits until they are written. */
export async function fill(cache: SsdBlockCache, keys: readonly PieceKey[]): Promise<void> {
  for (const [at, key] of keys.entries()) {
    cache.put(key, pieceBytes(key), { admitAtOnce: true });
    if (at % 32 === 31) await cache.settled();
  }
  await cache.settled();
}

/** How many of the keys are there. Throws when a piece has other bytes than its own. */
export async function countHits(cache: BlockCache, keys: readonly PieceKey[]): Promise<number> {
  let hits = 0;
  for (const key of keys) {
    const got = await cache.get(key);
    if (got === undefined) continue;
    if (Buffer.compare(got, pieceBytes(key)) !== 0) throw new Error(`wrong bytes for ${JSON.stringify(key)}`);
    hits++;
  }
  return hits;
}

/** Numbers from 0 to `count` - 1 as keys. */
export function keysUpTo(count: number, length?: number): PieceKey[] {
  return Array.from({ length: count }, (_, n) => pieceKey(n, length));
}

/** The real disk, on which calls fail or hang as a test says. */
export class FaultyCacheFiles implements CacheFiles {
  /** Code of the system error that every write fails with. */
  writeFault: string | null = null;
  /** Code of the system error that every read fails with. */
  readFault: string | null = null;
  /** Code of the system error that creating and deleting fail with. */
  folderFault: string | null = null;
  /** While set, writes wait for it. */
  held: Promise<void> | null = null;
  readonly #open = new Set<SlabFile>();

  async makeFolder(path: string): Promise<void> {
    await nodeCacheFiles.makeFolder(path);
  }

  list(folder: string): Promise<readonly string[]> {
    return nodeCacheFiles.list(folder);
  }

  async create(path: string): Promise<SlabFile> {
    fail(this.folderFault);
    return this.#watch(await nodeCacheFiles.create(path));
  }

  async open(path: string): Promise<SlabFile> {
    return this.#watch(await nodeCacheFiles.open(path));
  }

  async remove(path: string): Promise<void> {
    fail(this.folderFault);
    await nodeCacheFiles.remove(path);
  }

  /** Closes all files under the feet of their user. */
  async closeAll(): Promise<void> {
    for (const file of this.#open) await file.close();
  }

  /** Files that are open. */
  get openFiles(): number {
    return this.#open.size;
  }

  #watch(file: SlabFile): SlabFile {
    this.#open.add(file);
    return {
      size: () => file.size(),
      cut: (size) => file.cut(size),
      read: async (buffers, position) => {
        fail(this.readFault);
        return file.read(buffers, position);
      },
      write: async (bytes, position) => {
        await this.held;
        fail(this.writeFault);
        await file.write(bytes, position);
      },
      close: async () => {
        this.#open.delete(file);
        await file.close();
      },
    };
  }
}

function fail(code: string | null): void {
  if (code !== null) throw Object.assign(new Error(`${code}: planned`), { code });
}
