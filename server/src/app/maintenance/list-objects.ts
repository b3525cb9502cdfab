import type { ObjectStore } from '../../ports/object-store.js';

/** An object below a prefix. */
export interface Listed {
  readonly key: string;
  /** The key without the prefix. */
  readonly relative: string;
  readonly size: number;
}

/** All objects below `prefix`, up to and including the key `last` when that is given. */
export async function listAll(store: ObjectStore, prefix: string, last?: string): Promise<Listed[]> {
  const all: Listed[] = [];
  for (let after = ''; ;) {
    const page = await store.list(prefix, after);
    for (const { key, size } of page) {
      if (last !== undefined && key > last) return all;
      all.push({ key, size, relative: key.slice(prefix.length) });
    }
    if (page.length === 0) return all;
    after = page.at(-1)?.key ?? after;
  }
}

/** Removes objects, a few at a time. */
export async function removeAll(
  store: ObjectStore,
  objects: readonly { readonly key: string }[],
  concurrency = 8,
): Promise<void> {
  for (let from = 0; from < objects.length; from += concurrency) {
    await Promise.all(objects.slice(from, from + concurrency).map(({ key }) => store.delete(key)));
  }
}
