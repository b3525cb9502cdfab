/*
 * The use cases by RPC name, bound to what they need. The transports call these and nothing else.
 */
import { LIMITS } from '../core/limits.js';
import { parseSnapshotName } from '../core/ids.js';
import type { SnapshotRef } from '../core/log/root.js';
import type { Clock } from '../ports/clock.js';
import type { EnginePool } from '../ports/engine-pool.js';
import type { Metrics } from '../ports/metrics.js';
import type { CollectionRequest, Handlers, RequestContext, ServerInfo, Snapshot } from './api.js';
import type { Collection } from './collections/collection.js';
import type { Collections } from './collections/collections.js';
import { collectionStats } from './collections/stats.js';
import { batchGet, count, getRecord, scan } from './fetch.js';
import { patch } from './patch.js';
import { TracedPool } from './trace/traced-pool.js';
import type { RecallSampler } from './recall-sampler.js';
import { remove } from './remove.js';
import type { SearchDependencies } from './search.js';
import { search, searchSeries } from './search.js';
import { upsert } from './upsert.js';

export interface HandlerDependencies {
  readonly collections: Collections;
  readonly pool: EnginePool;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly sampler: RecallSampler;
  readonly version: string;
  readonly objectStore: string;
  readonly startedMs: number;
}

export function createHandlers(deps: HandlerDependencies): Handlers {
  const { collections, pool, clock, sampler } = deps;
  const searching = { pool, clock, sampler, series: searchSeries(deps.metrics) };
  const poolFor = ({ span }: RequestContext): EnginePool =>
    span === undefined ? pool : new TracedPool(pool, span, clock);
  const searchingFor = (context: RequestContext): SearchDependencies =>
    context.span === undefined ? searching : { ...searching, pool: poolFor(context) };
  /** Binds a use case of one collection to the collection that the request names. */
  const on =
    <Request extends CollectionRequest, Response>(
      run: (collection: Collection, request: Request, context: RequestContext) => Promise<Response>,
    ) =>
    (context: RequestContext, request: Request): Promise<Response> =>
      collections.use(context, request.collection, (collection) => run(collection, request, context));
  return {
    createCollection: (context, request) => collections.create(context.tenant, request),
    getCollection: (context, request) => collections.describe(context.tenant, request.collection),
    listCollections: (context, request) => collections.list(context.tenant, request),
    deleteCollection: (context, request) => collections.remove(context.tenant, request),
    branchCollection: (context, request) => collections.derive(context, request, { detaches: false }),
    copyCollection: (context, request) => collections.derive(context, request, { detaches: true }),
    createSnapshot: on(async (collection, { name, requestId }) =>
      snapshotOf(await collection.createSnapshot(parseSnapshotName(name), requestId)),
    ),
    listSnapshots: on(async (collection) => {
      const { root } = await collection.rootStore.refresh();
      return { snapshots: root.snapshots.map(snapshotOf) };
    }),
    deleteSnapshot: on((collection, { name }) => collection.deleteSnapshot(parseSnapshotName(name))),
    getCollectionStats: on(async (collection) => collectionStats(collection)),
    upsertRecords: on(upsert),
    patchRecords: on(patch),
    deleteRecords: on((collection, request, context) =>
      remove(poolFor(context), context, collection, request),
    ),
    getRecord: on(getRecord),
    batchGetRecords: on(batchGet),
    scanRecords: on((collection, request, context) => scan(poolFor(context), context, collection, request)),
    countRecords: on((collection, request, context) => count(poolFor(context), context, collection, request)),
    query: on((collection, request, context) => search(searchingFor(context), context, collection, request)),
    getLimits: async () => ({ limits: LIMITS }),
    getServerInfo: async () => serverInfo(deps),
  };
}

function snapshotOf({ name, createdAtMs, through }: SnapshotRef): Snapshot {
  return { name, createdAtMs, sequenceNumber: through.sequence };
}

function serverInfo({ version, clock, startedMs, pool, objectStore }: HandlerDependencies): ServerInfo {
  return {
    version,
    uptimeMs: clock.monotonic() - startedMs,
    engines: pool.engines,
    kernels: pool.kernels,
    objectStore,
  };
}
