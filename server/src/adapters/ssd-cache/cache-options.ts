import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { CacheFiles } from './cache-files.js';

/** Where the cache is, whose it is, and how large it may get. */
export interface SsdBlockCacheOptions {
  readonly folder: string;
  /** Of all files together; at least 4 MiB. */
  readonly capacityBytes: number;
  /** Identity of the object store: pieces of another one are deleted. */
  readonly store: string;
  /** Version of what is in the pieces: those of another one are deleted. */
  readonly format: number;
  /** Memory of pieces that wait to be written; 32 MiB unless given. */
  readonly queueBytesMax?: number;
  /** Memory of the index; 64 MiB unless given, enough for at least 1.2 million pieces. */
  readonly indexBytesMax?: number;
  /** Size of a file; chosen by the capacity unless given. */
  readonly slabBytes?: number;
}

/** A folder that no other process uses: the lock of a data folder has this form. */
export interface FolderClaim {
  /** Rejects when another process has taken the folder over. */
  check(): Promise<void>;
  release(): Promise<void>;
}

/** What the cache needs. */
export interface SsdBlockCacheDeps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** At least 8 hex digits that nobody else uses. */
  readonly nonce: string;
  /**
   * Claims the folder, rejects when another process has it: then nothing in it is touched. None for a folder
   * that is private by other means. What it gives is released on `close`.
   */
  readonly claim?: () => Promise<FolderClaim>;
  readonly files?: CacheFiles;
}
