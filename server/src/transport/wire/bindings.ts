/*
 * Every RPC of the API bound to its use case: wire request to request, answer to wire answer. The requests
 * were validated before.
 */
import type * as api from '../../app/api.js';
import type { CollectionInfo, Handlers, RequestContext } from '../../app/api.js';
import { LIMITS } from '../../core/limits.js';
import type { Metric } from '../../core/vector/metric.js';
import * as pb from '../../gen/messages.js';
import type { MethodName, MethodTypes } from '../../gen/methods.js';
import type { Identity } from '../auth/identity.js';
import { filterFromWire } from './filter.js';
import { momentFromWire, readOptionsFromWire } from './moments.js';
import { columnsFromWire, patchesFromWire, recordToWire } from './records.js';
import { attributesToWire } from './values.js';
import { vectorFromWire, vectorToWire } from './vectors.js';

/** What the answers about the server itself depend on. */
export interface ServerFacts {
  readonly startedAtMs: number;
  readonly dimensionsDefault: number;
  readonly jsonBodyBytesMax: number;
  readonly protobufBodyBytesMax: number;
}

export interface BoundCall {
  readonly handlers: Handlers;
  readonly context: RequestContext;
  /** Null for a public method. */
  readonly identity: Identity | null;
  readonly facts: ServerFacts;
}

/** Carries out one method. */
export type Binding<N extends MethodName> = (
  call: BoundCall,
  request: MethodTypes[N]['request'],
) => Promise<MethodTypes[N]['response']>;

export const BINDINGS: { readonly [N in MethodName]: Binding<N> } = {
  createCollection: async ({ handlers, context }, { name, dimensions, metric, requestId }) => {
    const request = {
      name,
      requestId,
      metric: METRICS[metric] ?? 'cosine',
      ...(dimensions === undefined ? {} : { dimensions }),
    };
    return { collection: collectionToWire(await handlers.createCollection(context, request)) };
  },

  getCollection: async ({ handlers, context }, request) => ({
    collection: collectionToWire(await handlers.getCollection(context, request)),
  }),

  listCollections: async ({ handlers, context, identity }, { pageSize, pageToken }) => {
    const page = await handlers.listCollections(context, { pageSize: pageSizeOf(pageSize), pageToken });
    // Whoever may not use a collection need not know its name.
    const shown = page.collections.filter(({ name }) => identity?.collections?.(name) ?? true);
    return { collections: shown.map(collectionToWire), nextPageToken: page.nextPageToken };
  },

  deleteCollection: async ({ handlers, context }, request) => {
    await handlers.deleteCollection(context, request);
    return {};
  },

  getCollectionStats: async ({ handlers, context }, request) => {
    return statsToWire(await handlers.getCollectionStats(context, request));
  },

  branchCollection: async ({ handlers, context }, { collection, name, requestId, ...moment }) => {
    const request = { collection, name, requestId, ...momentFromWire(moment) };
    return { collection: collectionToWire(await handlers.branchCollection(context, request)) };
  },

  copyCollection: async ({ handlers, context }, { collection, name, requestId, ...moment }) => {
    const request = { collection, name, requestId, ...momentFromWire(moment) };
    return { collection: collectionToWire(await handlers.copyCollection(context, request)) };
  },

  createSnapshot: async ({ handlers, context }, request) => ({
    snapshot: snapshotToWire(await handlers.createSnapshot(context, request)),
  }),

  listSnapshots: async ({ handlers, context }, request) => {
    const { snapshots } = await handlers.listSnapshots(context, request);
    return { snapshots: snapshots.map(snapshotToWire) };
  },

  deleteSnapshot: async ({ handlers, context }, { collection, snapshot, requestId }) => {
    await handlers.deleteSnapshot(context, { collection, name: snapshot, requestId });
    return {};
  },

  upsertRecords: async ({ handlers, context }, request) => {
    const { collection, requestId } = request;
    const records = columnsFromWire(request);
    const { inserted, updated, ...receipt } = await handlers.upsertRecords(context, {
      collection,
      requestId,
      records,
    });
    return { inserted, updated, ...receiptToWire(receipt) };
  },

  patchRecords: async ({ handlers, context }, { collection, requestId, patches }) => {
    const request = { collection, requestId, patches: patchesFromWire(patches) };
    const { patched, missingIds, ...receipt } = await handlers.patchRecords(context, request);
    return { patched, missingIds: [...missingIds], ...receiptToWire(receipt) };
  },

  deleteRecords: async ({ handlers, context }, { collection, requestId, ids, filter }) => {
    const { deleted, ...receipt } = await handlers.deleteRecords(context, {
      collection,
      requestId,
      ids,
      ...filtered(filter),
    });
    return { deleted: BigInt(deleted), ...receiptToWire(receipt) };
  },

  batchGetRecords: async ({ handlers, context }, request) => {
    const { collection, ids, includeVectors } = request;
    const select = selectionOrAll(request.select);
    const options = { collection, ids, select, includeVectors, ...readOptionsFromWire(request) };
    const { records, missingIds, ...receipt } = await handlers.batchGetRecords(context, options);
    return { records: records.map(recordToWire), missingIds: [...missingIds], ...receiptToWire(receipt) };
  },

  getRecord: async ({ handlers, context }, request) => {
    const { collection, id, includeVectors } = request;
    const select = selectionOrAll(request.select);
    const options = { collection, id, select, includeVectors, ...readOptionsFromWire(request) };
    return { record: recordToWire(await handlers.getRecord(context, options)) };
  },

  scanRecords: async ({ handlers, context }, request) => {
    const { collection, filter, includeVectors, pageToken } = request;
    const { records, nextPageToken, ...receipt } = await handlers.scanRecords(context, {
      ...{ collection, ...filtered(filter), select: selectionOrAll(request.select), includeVectors },
      ...{ pageSize: pageSizeOf(request.pageSize), pageToken, ...readOptionsFromWire(request) },
    });
    return { records: records.map(recordToWire), nextPageToken, ...receiptToWire(receipt) };
  },

  countRecords: async ({ handlers, context }, request) => {
    const { collection, filter } = request;
    const options = { collection, ...filtered(filter), ...readOptionsFromWire(request) };
    const { count, ...receipt } = await handlers.countRecords(context, options);
    return { count: BigInt(count), ...receiptToWire(receipt) };
  },

  query: async ({ handlers, context }, request) => {
    const { collection, topK = TOP_K_DEFAULT, filter, select, includeVectors } = request;
    const vector = vectorFromWire(request.vector, 'vector');
    const selection: api.Selection = select.includes('*') ? 'all' : select;
    const options = { collection, vector, topK, ...filtered(filter), select: selection, includeVectors };
    const params = paramsOf(request.params);
    const answer = await handlers.query(context, { ...options, params, ...readOptionsFromWire(request) });
    return queryToWire(answer);
  },

  getLimits: async ({ handlers, context, facts }) => {
    const { limits } = await handlers.getLimits(context, {});
    const { jsonBodyBytesMax, protobufBodyBytesMax } = facts;
    return pb.GetLimitsResponse.fromPartial({ ...limits, jsonBodyBytesMax, protobufBodyBytesMax });
  },

  getServerInfo: async ({ handlers, context, facts }) => {
    const { version, uptimeMs, kernels } = await handlers.getServerInfo(context, {});
    return {
      version,
      apiVersions: ['v1'],
      uptimeMs: BigInt(Math.round(uptimeMs)),
      startTime: new Date(facts.startedAtMs),
      features: kernels === 'relaxed' ? ['relaxed-simd'] : [],
      dimensionsDefault: facts.dimensionsDefault,
    };
  },
};

const TOP_K_DEFAULT = 10;
const METRICS: Readonly<Record<number, Metric>> = {
  [pb.Metric.UNSPECIFIED]: 'cosine',
  [pb.Metric.COSINE]: 'cosine',
  [pb.Metric.L2]: 'l2',
  [pb.Metric.DOT]: 'dot',
};
const METRICS_TO_WIRE = { cosine: pb.Metric.COSINE, l2: pb.Metric.L2, dot: pb.Metric.DOT } as const;
const JOB_KINDS_TO_WIRE = { flush: pb.MaintenanceJobKind.FLUSH, merge: pb.MaintenanceJobKind.MERGE } as const;
const TIERS_TO_WIRE = { hot: pb.Tier.HOT, warm: pb.Tier.WARM, cold: pb.Tier.COLD } as const;
const PARTIAL_REASONS_TO_WIRE = {
  none: pb.PartialReason.UNSPECIFIED,
  budget: pb.PartialReason.BUDGET,
  rounds: pb.PartialReason.ROUNDS,
  deadline: pb.PartialReason.DEADLINE,
} as const;
const DEFAULT_PARAMS: api.SearchParams = { exact: false };

function collectionToWire({ name, dimensions, metric, createdAtMs }: CollectionInfo): pb.Collection {
  return { name, dimensions, metric: METRICS_TO_WIRE[metric], createTime: new Date(createdAtMs) };
}

function statsToWire(stats: api.CollectionStats): pb.GetCollectionStatsResponse {
  const { hot, warm, cold } = stats.tiers;
  return {
    records: BigInt(stats.records),
    unindexedRecords: BigInt(stats.unindexedRecords),
    segments: stats.segments,
    bytes: BigInt(stats.bytes),
    tiers: { hot: BigInt(hot), warm: BigInt(warm), cold: BigInt(cold) },
    unfoldedBytes: BigInt(stats.unfoldedBytes),
    jobs: stats.jobs.map(({ jobId, kind, claimedBy, startedAtMs, inputs, inputBytes }) => ({
      ...{ jobId, kind: JOB_KINDS_TO_WIRE[kind], claimedBy, startTime: new Date(startedAtMs) },
      ...{ inputs, inputBytes: BigInt(inputBytes) },
    })),
    snapshots: stats.snapshots,
    readableFrom: new Date(stats.readableFromMs),
    sequenceNumber: BigInt(stats.sequenceNumber),
  };
}

function snapshotToWire({ name, createdAtMs, sequenceNumber }: api.Snapshot): pb.Snapshot {
  return { name, createTime: new Date(createdAtMs), sequenceNumber: BigInt(sequenceNumber) };
}

function receiptToWire(receipt: api.WriteReceipt): { sequenceNumber: bigint; sessionToken: string } {
  return { sequenceNumber: BigInt(receipt.sequenceNumber), sessionToken: receipt.sessionToken };
}

function filtered(filter: pb.Filter | undefined): { filter?: ReturnType<typeof filterFromWire> } {
  return filter === undefined ? {} : { filter: filterFromWire(filter) };
}

/**
 * Reads by id and scans return everything unless told otherwise; a query returns nothing unless told
 * otherwise.
 */
function selectionOrAll(select: readonly string[]): api.Selection {
  return select.length === 0 || select.includes('*') ? 'all' : select;
}

function pageSizeOf(pageSize: number): number {
  return pageSize === 0 ? LIMITS.pageSizeDefault : Math.min(pageSize, LIMITS.pageSizeMax);
}

function paramsOf(params: pb.SearchParams | undefined): api.SearchParams {
  if (params === undefined) return DEFAULT_PARAMS;
  const { exact, recallTarget, nprobe, rerank } = params;
  return {
    exact,
    ...(recallTarget === undefined ? {} : { recallTarget }),
    ...(nprobe === undefined ? {} : { nprobe }),
    ...(rerank === undefined ? {} : { rerank }),
  };
}

function queryToWire({ hits, performance, ...receipt }: api.QueryResponse): pb.QueryResponse {
  return {
    hits: hits.map(({ id, score, distance, attributes, vector }) => ({
      id,
      score,
      distance,
      attributes: attributesToWire(attributes),
      vector: vector === undefined ? undefined : vectorToWire(vector),
    })),
    usage: {
      recordsRead: BigInt(performance.candidates),
      recordsWritten: 0n,
      bytesRead: BigInt(performance.bytesRead),
      bytesWritten: 0n,
    },
    performance: {
      ...performance,
      tier: TIERS_TO_WIRE[performance.tier],
      bytesRead: BigInt(performance.bytesRead),
      partialReason: PARTIAL_REASONS_TO_WIRE[performance.partialReason ?? 'none'],
    },
    ...receiptToWire(receipt),
  };
}
