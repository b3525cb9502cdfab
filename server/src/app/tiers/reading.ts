import type { Tier } from '../../core/metrics/catalog.js';

/** What one request has read so far, and from where: shown to its client. */
export class Reading {
  /** The slowest place that it waited for. */
  tier: Tier;
  /** Reads of the object store that had to wait for one another. */
  roundTrips = 0;
  objectStoreGets = 0;
  /** Bytes read from the object store. */
  bytesRead = 0;

  constructor(
    tier: Tier = 'hot',
    /** Ends the waiting; what is under way for others goes on. */
    readonly signal?: AbortSignal,
    /** The answer shows attributes, so those of likely hits are read before it is known which they are. */
    readonly showsAttributes = true,
  ) {
    this.tier = tier;
  }

  /** Notes that the request waited for a tier. */
  waitedFor(tier: Tier): void {
    if (SLOWNESS[tier] > SLOWNESS[this.tier]) this.tier = tier;
  }
}

const SLOWNESS: Readonly<Record<Tier, number>> = { hot: 0, warm: 1, cold: 2 };
