/*
 * The use cases by RPC name, bound to what they need. The transports call these and nothing else.
 */
import { LIMITS } from '../core/limits.js';
import type { Clock } from '../ports/clock.js';
import type { EnginePool } from '../ports/engine-pool.js';
import type { CollectionRequest, Handlers, RequestContext, ServerInfo } from './api.js';
import type { Collection } from './collections/collection.js';
import type { Collections } from './collections/collections.js';
import { collectionStats } from './collections/stats.js';
import { batchGet, count, getRecord, scan } from './fetch.js';
import { patch } from './patch.js';
import { remove } from './remove.js';
import { search } from './search.js';
import { upsert } from './upsert.js';

export interface HandlerDependencies {
  readonly collections: Collections;
  readonly pool: EnginePool;
  readonly clock: Clock;
  readonly version: string;
  readonly objectStore: string;
  readonly startedMs: number;
}

export function createHandlers(deps: HandlerDependencies): Handlers {
  const { collections, pool, clock } = deps;
  const open = (context: RequestContext, request: CollectionRequest): Promise<Collection> =>
    collections.open(context.tenant, request.collection);
  return {
    createCollection: (context, request) => collections.create(context.tenant, request),
    getCollection: (context, request) => collections.describe(context.tenant, request.collection),
    listCollections: (context, request) => collections.list(context.tenant, request),
    deleteCollection: (context, request) => collections.remove(context.tenant, request),
    getCollectionStats: async (context, request) => collectionStats(await open(context, request)),
    upsertRecords: async (context, request) => upsert(await open(context, request), request),
    patchRecords: async (context, request) => patch(await open(context, request), request),
    deleteRecords: async (context, request) => remove(pool, context, await open(context, request), request),
    getRecord: async (context, request) => getRecord(await open(context, request), request),
    batchGetRecords: async (context, request) => batchGet(await open(context, request), request),
    scanRecords: async (context, request) => scan(pool, context, await open(context, request), request),
    countRecords: async (context, request) => count(pool, context, await open(context, request), request),
    query: async (context, request) =>
      search({ pool, clock }, context, await open(context, request), request),
    getLimits: async () => ({ limits: LIMITS }),
    getServerInfo: async () => serverInfo(deps),
  };
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
