import { OmenError } from '../../core/errors.js';
import type { GetOptions, ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import { STORAGE_RETRY, withRetry } from './storage-retry.js';

interface ReadDependencies {
  readonly store: ObjectStore;
  readonly scheduler: Scheduler;
  readonly rng: Rng;
}

/**
 * An object is not there that a root names, or named: it may have been replaced and collected since that root
 * was read. Damage only if the newest root names it still.
 */
export class MissingObject extends OmenError {
  constructor(key: string) {
    super('DATA_CORRUPTED', `object ${key}, which the root names, is missing`);
  }
}

/**
 * Reads an object that a root names, or a range of it: its absence is damage, never an empty answer. Throws
 * `DATA_CORRUPTED` also when it has not the length of `into`.
 */
export async function readObject(
  deps: ReadDependencies,
  key: string,
  options: Pick<GetOptions, 'into' | 'range' | 'background'> = {},
): Promise<Uint8Array> {
  const got = await withRetry({ ...deps, policy: STORAGE_RETRY }, () => deps.store.get(key, options));
  const { into, range } = options;
  if (got.kind !== 'found') throw new MissingObject(key);
  const seen = range === undefined ? got.size : got.body.length;
  if (into === undefined || seen === into.length) return got.body;
  throw damaged(key, `has ${seen} bytes instead of ${into.length}`);
}

function damaged(key: string, what: string): OmenError {
  return new OmenError('DATA_CORRUPTED', `object ${key}, which the root names, ${what}`);
}
