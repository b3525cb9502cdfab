import { zeroCounts } from '../../core/tiers/usage-counts.js';
import type { BlockCache } from '../../ports/block-cache.js';
import { DECLINE_REASONS, MISS_REASONS } from '../../ports/block-cache.js';

/** Keeps nothing: for servers without a disk for a cache, and for commands. */
export const NO_BLOCK_CACHE: BlockCache = {
  get: () => Promise.resolve(undefined),
  put: () => undefined,
  forget: () => undefined,
  usage: {
    bytes: 0,
    capacityBytes: 0,
    pieces: 0,
    memoryBytes: 0,
    memoryBytesMax: 0,
    hits: 0,
    hitBytes: 0,
    misses: zeroCounts(MISS_REASONS),
    stored: 0,
    storedBytes: 0,
    declined: zeroCounts(DECLINE_REASONS),
    evicted: 0,
    movedBytes: 0,
  },
  close: () => Promise.resolve(),
};
