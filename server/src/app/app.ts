/*
 * The application: everything below the transports, put together from what is handed in.
 */
import type { Handlers } from './api.js';
import { BackupWatch } from './backup/watch-backups.js';
import { Collections } from './collections/collections.js';
import { checkObjectStore } from './conformance.js';
import type { AppDependencies } from './dependencies.js';
import { createHandlers } from './handlers.js';
import { RecallSampler } from './recall-sampler.js';

/** Unless told otherwise: an alert about backups waits for hours. */
const BACKUP_MARK_MS = 300_000;

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
  // A server that died may have left deleted collections behind.
  collections.sweep();
  const { pool, clock, metrics, version, objectStore } = deps;
  const backups = new BackupWatch({ ...deps, everyMs: deps.backupMarkMs ?? BACKUP_MARK_MS });
  const sampler = new RecallSampler({ ...deps, share: deps.recallSample ?? 0 });
  const handlers = createHandlers({
    collections,
    pool,
    clock,
    metrics,
    sampler,
    version,
    objectStore,
    startedMs: clock.monotonic(),
  });
  const close = async (): Promise<void> => {
    await sampler.close();
    await backups.close();
    await collections.close();
  };
  return { handlers, collections, close };
}
