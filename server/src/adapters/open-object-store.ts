/*
 * From an address to the object store behind it.
 */
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type { Metrics } from '../ports/metrics.js';
import type { ObjectStore } from '../ports/object-store.js';
import type { Rng } from '../ports/rng.js';
import type { Scheduler } from '../ports/scheduler.js';
import type { StoreAddress } from '../ports/store-address.js';
import { openDataFolder } from './fs/data-folder.js';
import type { ServerSideEncryption } from './s3/s3-options.js';

/** What is the same for every bucket. */
export interface S3Settings {
  /** Of another store than S3 of AWS. */
  readonly endpoint: string | null;
  readonly forcePathStyle: boolean;
  readonly encryption: ServerSideEncryption;
}

export interface StoreDeps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Opens the store. A folder is created when it does not exist, and locked until `close`; a bucket must exist
 * and is not looked at before the first call. Throws `STORAGE_UNAVAILABLE`, saying what to do.
 */
export async function openObjectStore(
  address: StoreAddress,
  settings: S3Settings,
  deps: StoreDeps,
): Promise<ObjectStore> {
  if (address.kind === 'file') {
    const nonce = Buffer.from(deps.rng.bytes(16)).toString('hex');
    return openDataFolder(address.folder, { ...deps, nonce });
  }
  // Loaded when it is needed: a start on a folder does not pay for the SDK.
  const { S3ObjectStore } = await import('./s3/s3-object-store.js');
  const { bucket, prefix } = address;
  return S3ObjectStore.open({ bucket, prefix, ...settings }, deps);
}
