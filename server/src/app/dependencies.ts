import type { BlockCache } from '../ports/block-cache.js';
import type { Clock } from '../ports/clock.js';
import type { EnginePool } from '../ports/engine-pool.js';
import type { Logger } from '../ports/logger.js';
import type { Metrics } from '../ports/metrics.js';
import type { ObjectStore } from '../ports/object-store.js';
import type { Rng } from '../ports/rng.js';
import type { Scheduler } from '../ports/scheduler.js';

/** What the application is built from. */
export interface AppDependencies {
  readonly store: ObjectStore;
  readonly pool: EnginePool;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Copies of pieces of segments on a local disk. */
  readonly blockCache: BlockCache;
  readonly version: string;
  /** What this server is called where it says who does something, such as the name of its pod. */
  readonly serverName?: string | null;
  /** How the object store is called in `GetServerInfo`: `file`, `memory`. */
  readonly objectStore: string;
  /** No other process uses the store while this one does: a local folder under its lock. */
  readonly ownsStore: boolean;
  /** Dimensions of a collection that is created without. */
  readonly defaultDimensions: number;
  /**
   * Slots after which the log is folded even when it is small: bounds what a reader of the log has to fetch.
   */
  readonly foldSlots: number;
  /** Oldest state that a read is answered from when other servers write too; 5 s unless given. */
  readonly stalenessMs?: number;
  /** How long the past stays readable, in milliseconds; 0: only the present and snapshots. */
  readonly retentionMs: number;
  /** Share of the queries that are repeated exactly to see what they miss; none unless given. */
  readonly recallSample?: number;
  /** Measure the vectors of every tenant apart; not unless told to. */
  readonly countTenants?: boolean;
  /** Shortest time from one look at when the last backup was made to the next; 5 minutes unless given. */
  readonly backupMarkMs?: number;
  /** Collections at rest that stay in memory; 1 000 unless given. */
  readonly openCollections?: number;
  /** Larger segments are opened by their skeleton; decided by what fits into memory unless given. */
  readonly openWholeBytes?: number;
  /** Queries after which a segment is brought into memory as a whole, if it fits; 2 unless given. */
  readonly promoteAfter?: number;
  /** Most bytes of postings that a query reads of segments outside of memory; 64 MiB unless given. */
  readonly postingBytesMax?: number;
  /** Rows after which a memtable is folded; 20 000 unless given. */
  readonly flushRows?: number;
  /** Rows from which on a segment is clustered; 4 096 unless given. */
  readonly clusterFromRows?: number;
}
