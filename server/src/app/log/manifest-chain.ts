/*
 * The history of a root. Each version names the manifests of the versions just before it, so walking back
 * from the root finds the manifest of any version that is kept, and tells it from one that was written and
 * lost its swap.
 */
import { OmenError } from '../../core/errors.js';
import type { Root } from '../../core/log/root.js';
import { decodeRoot } from '../../core/log/root.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { CollectionLayout } from './object-layout.js';
import { classifyKey } from './object-layout.js';

export interface ChainDeps {
  readonly store: ObjectStore;
  readonly layout: CollectionLayout;
}

/**
 * Key of the manifest of a version up to `root`'s own, or null when the way back to it is not kept any more.
 */
export async function manifestOf(deps: ChainDeps, root: Root, version: number): Promise<string | null> {
  if (version > root.version || version < 1) return null;
  for (let at = root; ;) {
    const first = at.version - at.manifests.length + 1;
    if (version >= first) return at.manifests[version - first] ?? null;
    const [oldest] = at.manifests;
    const older = oldest === undefined ? null : await readManifest(deps, oldest);
    if (older === null) return null;
    at = older;
  }
}

/**
 * The version that a manifest holds, or null when it is gone. Throws `DATA_CORRUPTED` when it is not what its
 * name says.
 */
export async function readManifest({ store, layout }: ChainDeps, manifest: string): Promise<Root | null> {
  const key = layout.absolute(manifest);
  const got = await store.get(key);
  if (got.kind !== 'found') return null;
  const root = decodeRoot(got.body, `manifest ${key}`);
  const named = classifyKey(manifest);
  if (named?.kind !== 'manifest' || named.version !== root.version || root.collectionId !== layout.id) {
    const seen = `version ${root.version} of collection ${root.collectionId}`;
    throw new OmenError('DATA_CORRUPTED', `manifest ${key} holds ${seen}`);
  }
  return root;
}
