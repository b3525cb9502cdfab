/*
 * The cache on local disk, put together: which folder, how large, and for which store.
 */
import { mkdir, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { FolderLock } from '../adapters/fs/folder-lock.js';
import { NO_BLOCK_CACHE } from '../adapters/memory/no-block-cache.js';
import { SsdBlockCache } from '../adapters/ssd-cache/ssd-block-cache.js';
import type { BlockCache } from '../ports/block-cache.js';
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type { Rng } from '../ports/rng.js';
import type { Scheduler } from '../ports/scheduler.js';
import type { StoreAddress } from '../ports/store-address.js';

/** What the settings say about the cache. */
export interface BlockCacheSettings {
  readonly dataDir: string;
  /** Null: what the disk can spare. 0: no cache. */
  readonly cacheBytes: number | null;
  readonly objectStore: StoreAddress;
  /** Of another store than S3 of AWS. */
  readonly s3Endpoint: string | null;
  /**
   * Bytes of requests that may be under way: grows with the memory, and the cache takes three eighths more.
   */
  readonly heldBytesMax: number;
}

export interface BlockCacheDeps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly rng: Rng;
  readonly logger: Logger;
}

/** Of the bytes that pieces hold. They are ranges of objects as they are, whose own formats are in them. */
const PIECE_FORMAT = 1;
const MIB = 2 ** 20;
/** Less is not worth the files. */
const CACHE_BYTES_MIN = 64 * MIB;
/** Of what is free on the disk, the rest being for its other users. */
const FREE_SHARE = 0.5;

/**
 * Opens the cache below the data folder. Whatever is wrong with the disk, or whoever else uses the folder,
 * the server works without: what is cold then stays cold. A store in a folder needs no cache.
 */
export async function openBlockCache(
  settings: BlockCacheSettings,
  deps: BlockCacheDeps,
): Promise<BlockCache> {
  const { dataDir, objectStore, s3Endpoint, cacheBytes } = settings;
  if (objectStore.kind === 'file' || cacheBytes === 0) return NO_BLOCK_CACHE;
  const folder = join(dataDir, 'cache');
  const capacityBytes = cacheBytes ?? (await spareBytes(folder));
  if (capacityBytes < CACHE_BYTES_MIN) {
    const facts = { dataDir, capacityBytes, capacityBytesMin: CACHE_BYTES_MIN };
    const message = 'there is no cache on disk: too little room for one';
    if (cacheBytes === null) deps.logger.info(message, facts);
    else deps.logger.warn(message, facts);
    return NO_BLOCK_CACHE;
  }
  const { bucket, prefix } = objectStore;
  const store = JSON.stringify([s3Endpoint, bucket, prefix]);
  const nonce = Buffer.from(deps.rng.bytes(16)).toString('hex');
  const claim = (): Promise<FolderLock> => FolderLock.acquire(folder, { ...deps, nonce });
  return SsdBlockCache.open(
    { folder, capacityBytes, store, format: PIECE_FORMAT },
    { ...deps, nonce, claim },
  );
}

/** Half of what would be free without the cache that may be there: so every start comes to the same. */
async function spareBytes(folder: string): Promise<number> {
  try {
    await mkdir(folder, { recursive: true });
    const { bsize, bavail } = await statfs(folder);
    const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
    const taken = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    return Math.floor((bsize * bavail + taken) * FREE_SHARE);
  } catch {
    // A file system that is read-only, say: nobody asked for a cache.
    return 0;
  }
}
