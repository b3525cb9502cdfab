/*
 * The collections that are in memory. One at rest, with nothing in it that is only in the log, can be opened
 * again from its objects at any time; so when there are many, or memory is short, those that were not used
 * for the longest time are closed. What is left of such a collection is nothing.
 */
import { hasReason } from '../../core/errors.js';
import type { Collection } from './collection.js';

/** Open collections at rest that are kept: each takes about 25 KB and its segments. */
export const OPEN_MAX = 1000;

interface Entry {
  readonly key: string;
  readonly opening: Promise<Collection>;
  /** When it is open. */
  collection: Collection | null;
  /** Requests that work with it. */
  users: number;
}

/** A collection that is open. */
export interface OpenedCollection {
  readonly key: string;
  readonly collection: Collection;
  /** Requests that work with it. */
  readonly users: number;
}

export type OpenCollection = () => Promise<Collection>;

export class OpenCollections {
  /** The one that was not used for the longest time first. */
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly max: number) {}

  get size(): number {
    return this.#entries.size;
  }

  /** Whether the collection under `key` is there already. */
  has(key: string): boolean {
    return (this.#entries.get(key)?.collection ?? null) !== null;
  }

  /** The collection under `key`, opened if it is not. */
  get(key: string, open: OpenCollection): Promise<Collection> {
    return this.#entry(key, open).opening;
  }

  /**
   * Runs `task` with the collection, which is not closed meanwhile. When memory does not suffice for the
   * task, what rests makes room and it runs once more: it must not have changed anything then.
   */
  async use<T>(key: string, open: OpenCollection, task: (collection: Collection) => Promise<T>): Promise<T> {
    const entry = this.#entry(key, open);
    entry.users++;
    try {
      const collection = await entry.opening;
      return await this.#withRoom(() => task(collection));
    } finally {
      entry.users--;
      if (this.#entries.size > this.max) void this.#closeResting(this.#entries.size - this.max);
    }
  }

  /** Every collection that is open, and whether requests work with it. */
  *opened(): Generator<OpenedCollection> {
    for (const entry of this.#entries.values()) if (isOpen(entry)) yield entry;
  }

  /** The collection under `key` if it is open or being opened. */
  find(key: string): Promise<Collection> | undefined {
    return this.#entries.get(key)?.opening;
  }

  /** Closes `collection`, unless something else is open under `key` by now. */
  async forget(key: string, collection: Collection): Promise<void> {
    if (this.#entries.get(key)?.collection !== collection) return;
    this.#entries.delete(key);
    await collection.close();
  }

  /** Closes what rests. Resolves to how many, when their memory is free. */
  relieve(): Promise<number> {
    return this.#closeResting(Infinity);
  }

  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(
      entries.map(({ opening }) =>
        opening.then(
          (collection) => collection.close(),
          () => undefined,
        ),
      ),
    );
  }

  #entry(key: string, open: OpenCollection): Entry {
    const known = this.#entries.get(key);
    const entry = known ?? { key, opening: this.#withRoom(open), collection: null, users: 0 };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (known === undefined) void this.#settle(key, entry);
    return entry;
  }

  async #withRoom<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const full = hasReason(error, 'MEMORY_EXHAUSTED');
      if (!full || (await this.relieve()) === 0) throw error;
      return run();
    }
  }

  async #settle(key: string, entry: Entry): Promise<void> {
    try {
      entry.collection = await entry.opening;
    } catch {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    }
  }

  /** Closes up to `count` collections at rest. Resolves to how many, when their memory is free. */
  async #closeResting(count: number): Promise<number> {
    const closing: Promise<void>[] = [];
    for (const [key, { collection, users }] of this.#entries) {
      if (closing.length >= count) break;
      if (users > 0 || collection?.atRest !== true) continue;
      this.#entries.delete(key);
      closing.push(collection.close());
    }
    await Promise.allSettled(closing);
    return closing.length;
  }
}

function isOpen(entry: Entry): entry is Entry & OpenedCollection {
  return entry.collection !== null;
}
