/*
 * The collections of all tenants: names in the catalog, open collections in memory. A collection is opened by
 * the first request that needs it; one that nobody asks for costs nothing but its objects.
 */
import type { CollectionState } from '../../core/collection/state.js';
import { hasReason, OmenError } from '../../core/errors.js';
import type { CollectionName, TenantId } from '../../core/ids.js';
import { parseCollectionName } from '../../core/ids.js';
import type {
  CollectionInfo,
  CreateCollectionRequest,
  DeleteCollectionRequest,
  DeriveCollectionRequest,
  ListCollectionsRequest,
  ListCollectionsResponse,
  RequestContext,
} from '../api.js';
import type { Counter } from '../../ports/metrics.js';
import type { Span } from '../../ports/tracer.js';
import { countFailure } from '../background-failures.js';
import type { AppDependencies } from '../dependencies.js';
import { pageSize } from '../fetch.js';
import type { CatalogEntry } from '../log/catalog.js';
import { Catalog } from '../log/catalog.js';
import type { CommitSeries } from '../log/commit-series.js';
import { commitSeries } from '../log/commit-series.js';
import { newCollectionId, ObjectLayout } from '../log/object-layout.js';
import { MissingObject } from '../log/read-object.js';
import { RootStore } from '../log/root-store.js';
import { collectDeleted, sealRoot } from '../maintenance/collect-deleted.js';
import { listAll, removeAll } from '../maintenance/list-objects.js';
import { Tiers } from '../tiers/tiers.js';
import { TracedStore } from '../trace/traced-store.js';
import { checkShape } from './check-shape.js';
import type { Collection } from './collection.js';
import { deriveCollection } from './derive.js';
import { measureOpen } from './measure-open.js';
import { openCollection } from './open-collection.js';
import { OPEN_MAX, OpenCollections } from './open-collections.js';

/** Removing, looking again, forgetting; one more for what arrived meanwhile. */
const SWEEP_PASSES = 4;

/** Tries of a request whose segments others merge away meanwhile. */
const SEGMENT_TRIES = 3;

/** Who asks for a collection. */
type Asking = Pick<RequestContext, 'tenant' | 'tier' | 'span'>;

export class Collections {
  readonly #layout = new ObjectLayout();
  readonly #catalog: Catalog;
  /** By tenant and name; a name never holds the separator. */
  readonly #open: OpenCollections;
  readonly #commits: CommitSeries;
  readonly #lookups: Readonly<Record<'hit' | 'miss', Counter>>;
  readonly #tiers: Tiers;
  #nextTag = 1;
  #sweeping: Promise<void> | null = null;
  #closed = false;

  constructor(private readonly deps: AppDependencies) {
    this.#catalog = new Catalog({ ...deps, layout: this.#layout });
    this.#open = new OpenCollections(deps.openCollections ?? OPEN_MAX);
    const lookups = (outcome: 'hit' | 'miss'): Counter =>
      deps.metrics.counter('omendb_cache_requests_total', { cache: 'collection', outcome });
    this.#commits = commitSeries(deps.metrics);
    this.#tiers = new Tiers(deps);
    this.#tiers.states = () => this.#states();
    measureOpen(deps.metrics, () => this.#open.opened(), { countTenants: deps.countTenants === true });
    this.#lookups = { hit: lookups('hit'), miss: lookups('miss') };
  }

  /** Collections in memory. */
  get openCount(): number {
    return this.#open.size;
  }

  /** The open collection. Throws `COLLECTION_NOT_FOUND`. */
  async open(tenant: TenantId, rawName: string): Promise<Collection> {
    return this.#open.get(`${tenant}/${rawName}`, () => this.#openFromCatalog(tenant, rawName));
  }

  /**
   * Runs `task` on the collection that has the name now. Another server may have deleted the one that is open
   * here, and given its name to a new one: then `task` runs once more, on that. Throws
   * `COLLECTION_NOT_FOUND`.
   *
   * @param request Becomes a cold one when the collection has to be opened.
   */
  async use<T>(request: Asking, rawName: string, task: (collection: Collection) => Promise<T>): Promise<T> {
    const { tenant } = request;
    const key = `${tenant}/${rawName}`;
    let opening: Span | undefined;
    if (this.#open.has(key)) this.#lookups.hit.inc();
    else {
      this.#lookups.miss.inc();
      request.tier = 'cold';
      opening = request.span?.begin('collection.open', this.deps.clock.monotonic());
    }
    const open = (): Promise<Collection> => this.#openFromCatalog(tenant, rawName, opening);
    let used: Collection | null = null;
    const run = (collection: Collection): Promise<T> => {
      opening?.end(this.deps.clock.monotonic());
      return withPresentSegments((used = collection), task);
    };
    try {
      return await this.#open.use(key, open, run);
    } catch (error) {
      opening?.end(this.deps.clock.monotonic());
      const gone = hasReason(error, 'COLLECTION_NOT_FOUND');
      if (!gone || used === null) throw error;
      await this.#open.forget(key, used);
      return this.#open.use(key, open, (collection) => withPresentSegments(collection, task));
    }
  }

  /** Throws `COLLECTION_EXISTS`. */
  async create(tenant: TenantId, request: CreateCollectionRequest): Promise<CollectionInfo> {
    const name = parseCollectionName(request.name, 'name');
    const dimensions = request.dimensions ?? this.deps.defaultDimensions;
    checkShape(dimensions, request.metric);
    const present = await this.#catalog.get(tenant, name);
    if (present !== null) {
      if (request.requestId !== '' && present.requestId === request.requestId) return infoOf(present);
      throw exists(name);
    }
    await this.#sealDeleted(tenant, name);
    const id = newCollectionId(this.deps.rng);
    const schema = {
      name,
      dimensions,
      metric: request.metric,
      createdAtMs: Math.floor(this.deps.clock.now()),
    };
    await new RootStore({ ...this.deps, layout: this.#layout.collection(id) }).create(schema);
    const entry = { id, schema, ...(request.requestId === '' ? {} : { requestId: request.requestId }) };
    try {
      await this.#catalog.create(tenant, name, entry);
      return infoOf(entry);
    } catch (error) {
      if (!hasReason(error, 'COLLECTION_EXISTS')) throw error;
      // Another one was faster, so nothing will ever name this one.
      await removeAll(this.deps.store, await listAll(this.deps.store, this.#layout.collection(id).prefix));
      const winner = await this.#catalog.get(tenant, name);
      if (request.requestId === '' || winner?.requestId !== request.requestId) throw error;
      return infoOf(winner);
    }
  }

  /**
   * A new collection that begins as a moment of another one. A copy rewrites what it shares in the
   * background, a branch does not. Throws `COLLECTION_EXISTS`.
   */
  async derive(
    asking: Asking,
    request: DeriveCollectionRequest,
    { detaches }: { readonly detaches: boolean },
  ): Promise<CollectionInfo> {
    const { tenant } = asking;
    const deps = { ...this.deps, layout: this.#layout, catalog: this.#catalog };
    await this.#sealDeleted(tenant, parseCollectionName(request.name, 'name'));
    const entry = await this.use(asking, request.collection, (source) =>
      deriveCollection(deps, { tenant, source, detaches }, request),
    );
    // The rewriting begins when it is open.
    if (detaches) void this.open(tenant, entry.schema.name).catch(() => undefined);
    return infoOf(entry);
  }

  async describe(tenant: TenantId, rawName: string): Promise<CollectionInfo> {
    return infoOf(await this.#entry(tenant, parseCollectionName(rawName)));
  }

  async list(tenant: TenantId, request: ListCollectionsRequest): Promise<ListCollectionsResponse> {
    const after = request.pageToken === '' ? undefined : parsePageToken(request.pageToken);
    const page = await this.#catalog.list(tenant, pageSize(request.pageSize), after);
    return { collections: page.entries.map(infoOf), nextPageToken: page.next ?? '' };
  }

  /**
   * From the answer on, the name is free and no write is acknowledged any more. Throws
   * `COLLECTION_NOT_FOUND`.
   */
  async remove(tenant: TenantId, { collection, requestId }: DeleteCollectionRequest): Promise<void> {
    const name = parseCollectionName(collection);
    const entry = await this.#catalog.remove(tenant, name, { requestId });
    await this.#sealDeleted(tenant, name);
    if (entry === null && !(await this.#catalog.wasRemovedBy(tenant, name, requestId))) throw notFound(name);
  }

  /**
   * Removes the objects of deleted collections in the background, in passes until nothing is left of them.
   */
  sweep(): void {
    this.#sweeping ??= this.#sweepAll().finally(() => (this.#sweeping = null));
  }

  /** Closes every open collection. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#sweeping;
    await this.#open.close();
    await this.#tiers.close();
  }

  /**
   * Ends the collections that had the name: no server acknowledges a write to them any more. Whoever took the
   * name away may have failed before it came to this, and the name must not go on without.
   */
  async #sealDeleted(tenant: TenantId, name: CollectionName): Promise<void> {
    const deleted = await this.#catalog.deleted(tenant, name);
    for (const id of deleted) {
      await sealRoot(new RootStore({ ...this.deps, layout: this.#layout.collection(id) }));
    }
    if (deleted.length === 0) return;
    const key = `${tenant}/${name}`;
    const open = await this.#open.find(key)?.catch(() => undefined);
    if (open !== undefined && deleted.includes(open.id)) await this.#open.forget(key, open);
    this.sweep();
  }

  async #sweepAll(): Promise<void> {
    const deps = { ...this.deps, layout: this.#layout, catalog: this.#catalog };
    try {
      for (let pass = 0; pass < SWEEP_PASSES && !this.#closed; pass++) {
        const { removed, forgotten, objects } = await collectDeleted(deps);
        this.deps.metrics.counter('omendb_garbage_objects_total', {}).inc(objects);
        if (removed + forgotten === 0) return;
      }
    } catch (error) {
      countFailure(this.deps.metrics, 'collect', error);
      this.deps.logger.warn('objects of deleted collections could not be removed yet', {
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }

  async #openFromCatalog(tenant: TenantId, rawName: string, span?: Span): Promise<Collection> {
    const { clock } = this.deps;
    const name = parseCollectionName(rawName);
    const startMs = clock.monotonic();
    const entry = await this.#entry(tenant, name);
    span?.child('catalog.get', startMs, clock.monotonic());
    const nextTag = (): number => this.#nextTag++;
    const forget = (collection: Collection): Promise<void> =>
      this.#open.forget(`${tenant}/${name}`, collection);
    const gone = (): void => void opening.then(forget).catch(() => undefined);
    const relieve = (): Promise<number> => this.#open.relieve();
    const store = span === undefined ? this.deps.store : new TracedStore(this.deps, span);
    const inside = { nextTag, gone, relieve, series: this.#commits, tiers: this.#tiers };
    const opening = openCollection({ ...this.deps, layout: this.#layout, ...inside, store }, entry).finally(
      () => {
        // From here on it works for others too.
        if (store instanceof TracedStore) store.span = undefined;
      },
    );
    return opening;
  }

  *#states(): Generator<CollectionState> {
    for (const { collection } of this.#open.opened()) yield collection.state;
  }

  async #entry(tenant: TenantId, name: CollectionName): Promise<CatalogEntry> {
    const entry = await this.#catalog.get(tenant, name);
    if (entry === null) throw notFound(name);
    return entry;
  }
}

/**
 * Runs `task`, and again when a segment was missing: another server may have merged it away and collected it.
 * It must not have changed anything then.
 */
async function withPresentSegments<T>(
  collection: Collection,
  task: (collection: Collection) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await task(collection);
    } catch (error) {
      if (!(error instanceof MissingObject) || tries === SEGMENT_TRIES) throw error;
      await collection.readAnew();
    }
  }
}

function infoOf({ schema }: CatalogEntry): CollectionInfo {
  const { name, dimensions, metric, createdAtMs } = schema;
  return { name: name as CollectionName, dimensions, metric, createdAtMs };
}

function parsePageToken(token: string): CollectionName {
  try {
    return parseCollectionName(token, 'pageToken');
  } catch (cause) {
    throw new OmenError(
      'INVALID_PAGE_TOKEN',
      'pageToken is malformed: pass the nextPageToken of the page before unchanged',
      { field: 'pageToken', cause },
    );
  }
}

function exists(name: CollectionName): OmenError {
  return new OmenError('COLLECTION_EXISTS', `collection "${name}" exists already`, { field: 'name' });
}

function notFound(name: CollectionName): OmenError {
  return new OmenError('COLLECTION_NOT_FOUND', `there is no collection "${name}"`, { field: 'collection' });
}
