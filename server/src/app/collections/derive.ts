/*
 * Branches and copies: a new collection that begins as a moment of another one, made in constant time.
 *
 * The order makes every crash harmless. The name is announced first, so that what was begun and not finished
 * is found and removed; then the source is pinned for the new collection, then the new root is created, which
 * names the pin, and the name is given to it last.
 */
import { descend } from '../../core/log/descend.js';
import type { TenantId } from '../../core/ids.js';
import { parseCollectionName } from '../../core/ids.js';
import type { AsOf, DeriveCollectionRequest } from '../api.js';
import type { AppDependencies } from '../dependencies.js';
import type { Catalog, CatalogEntry } from '../log/catalog.js';
import type { ObjectLayout } from '../log/object-layout.js';
import { newCollectionId } from '../log/object-layout.js';
import { putPin, removePin } from '../log/pin.js';
import { RootStore } from '../log/root-store.js';
import type { Collection } from './collection.js';

export interface DeriveDeps extends AppDependencies {
  readonly layout: ObjectLayout;
  readonly catalog: Catalog;
}

export interface Derivation {
  readonly tenant: TenantId;
  readonly source: Collection;
  /** The new collection is to use the objects of the source no longer than it has to. */
  readonly detaches: boolean;
}

/**
 * Makes a collection with the schema of the source. Throws `COLLECTION_EXISTS`, `MOMENT_NOT_KEPT`,
 * `SNAPSHOT_NOT_FOUND`.
 */
export async function deriveCollection(
  deps: DeriveDeps,
  derivation: Derivation,
  request: DeriveCollectionRequest,
): Promise<CatalogEntry> {
  const name = parseCollectionName(request.name, 'name');
  const { tenant, source } = derivation;
  const { requestId } = request;
  const createdAtMs = Math.floor(deps.clock.now());
  const id = newCollectionId(deps.rng);
  const known = await deps.catalog.announce(tenant, name, { id, atMs: createdAtMs, requestId });
  if (known !== null) return known;
  const { dimensions, metric } = source.info;
  const schema = { name, dimensions, metric, createdAtMs };
  const entry = { id, schema, ...(requestId === '' ? {} : { requestId }) };
  try {
    await createRoot(deps, derivation, {
      entry,
      ...(request.asOf === undefined ? {} : { asOf: request.asOf }),
    });
    await deps.catalog.create(tenant, name, entry, { announced: true });
  } catch (error) {
    await deps.catalog.abandon(tenant, name, id).catch(() => undefined);
    throw error;
  }
  return entry;
}

async function createRoot(
  deps: DeriveDeps,
  { tenant, source, detaches }: Derivation,
  { entry, asOf }: { readonly entry: CatalogEntry; readonly asOf?: AsOf },
): Promise<void> {
  const { id, schema } = entry;
  const { base, checkpoint, throughSlot } = await source.moment(asOf);
  const pinned = { ...deps, layout: deps.layout.collection(source.id), rootStore: source.rootStore };
  const holder = `collection "${schema.name}" of tenant "${tenant}"`;
  const pinId = await putPin(pinned, { holder, child: id, checkpoint, throughSlot });
  const parent = { collectionId: source.id, pinId };
  const root = descend(base, { collectionId: id, schema, throughSlot, parent, detaches });
  await new RootStore({ ...deps, layout: deps.layout.collection(id) }).createFrom(root);
  // Nothing of an empty collection is used.
  if (root.parents.length === 0) await removePin(pinned, pinId);
}
