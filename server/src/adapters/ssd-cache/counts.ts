import { zeroCounts } from '../../core/tiers/usage-counts.js';
import { DECLINE_REASONS, MISS_REASONS } from '../../ports/block-cache.js';

/** What has happened since the cache was opened. */
export class Counts {
  hits = 0;
  hitBytes = 0;
  readonly misses = zeroCounts(MISS_REASONS);
  stored = 0;
  storedBytes = 0;
  readonly declined = zeroCounts(DECLINE_REASONS);
  evicted = 0;
  movedBytes = 0;
}
