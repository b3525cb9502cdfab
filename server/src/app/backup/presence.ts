/*
 * Which objects a store has, learnt by listing whole folders once: a listing of a thousand names costs what
 * one look at one object costs.
 */
import type { ObjectStore } from '../../ports/object-store.js';
import type { RetryDeps } from '../log/storage-retry.js';
import { withRetry } from '../log/storage-retry.js';
import { listAll } from '../maintenance/list-objects.js';
import type { StoredObject } from './inventory.js';

/** Folders whose listing is kept in memory. */
const FOLDERS_KEPT = 64;
const FOLDER = /^(?:n\/[^/]+\/[^/]+\/|[^/]+\/)/;

export class Presence {
  readonly #folders = new Map<string, Promise<ReadonlyMap<string, number>>>();

  constructor(
    private readonly store: ObjectStore,
    private readonly retry: RetryDeps,
  ) {}

  /** Size of an object, undefined when it is not there. As of the first question about its folder. */
  async sizeOf(key: string): Promise<number | undefined> {
    const folder = FOLDER.exec(key)?.[0] ?? key;
    let listing = this.#folders.get(folder);
    if (listing === undefined) {
      this.#folders.set(folder, (listing = this.#list(folder)));
      const [oldest] = this.#folders.keys();
      if (this.#folders.size > FOLDERS_KEPT && oldest !== undefined) this.#folders.delete(oldest);
    }
    return (await listing).get(key);
  }

  /** What is wrong with an object, by its name and size. */
  async problemOf(key: string, expected: StoredObject | undefined): Promise<string | null> {
    const size = await this.sizeOf(key);
    if (size === undefined) return 'it is missing';
    if (expected === undefined || size === expected.size) return null;
    return `it has ${size} bytes and not ${expected.size}`;
  }

  async #list(folder: string): Promise<ReadonlyMap<string, number>> {
    const all = await withRetry(this.retry, () => listAll(this.store, folder));
    return new Map(all.map(({ key, size }) => [key, size]));
  }
}
