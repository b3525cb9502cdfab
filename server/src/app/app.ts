/*
 * The application: everything below the transports, put together from what is handed in.
 */
import type { Clock } from '../ports/clock.js';
import type { EnginePool } from '../ports/engine-pool.js';
import type { Logger } from '../ports/logger.js';
import type { ObjectStore } from '../ports/object-store.js';
import type { Rng } from '../ports/rng.js';
import type { Scheduler } from '../ports/scheduler.js';
import type { Handlers } from './api.js';
import { Collections } from './collections/collections.js';
import { checkObjectStore } from './conformance.js';
import { createHandlers } from './handlers.js';

export interface AppDependencies {
  readonly store: ObjectStore;
  readonly pool: EnginePool;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly version: string;
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
  /** Rows after which a memtable is folded; 20 000 unless given. */
  readonly flushRows?: number;
  /** Rows from which on a segment is clustered; 4 096 unless given. */
  readonly clusterFromRows?: number;
}

export interface App {
  readonly handlers: Handlers;
  readonly collections: Collections;
  /**
   * Finishes what is under way and releases everything but the store and the pool. Call once, after the last
   * request.
   */
  close(): Promise<void>;
}

/**
 * Probes the object store and opens the application on it. Throws when the store does not keep its contract.
 */
export async function openApp(deps: AppDependencies): Promise<App> {
  await checkObjectStore(deps);
  const collections = new Collections(deps);
  const { pool, clock, version, objectStore } = deps;
  const handlers = createHandlers({
    collections,
    pool,
    clock,
    version,
    objectStore,
    startedMs: clock.monotonic(),
  });
  return { handlers, collections, close: () => collections.close() };
}
