/*
 * What the server can do, as types: one function per RPC, `(context, request) => Promise<response>`. The
 * transports decode the wire into these types, call the function and encode its answer; nothing else of them
 * reaches the layers below. Requests are checked by the generated validators for shape; the use cases check
 * what needs knowledge of a collection.
 */
import type { Tier } from '../core/metrics/catalog.js';
import type { CollectionName, TenantId } from '../core/ids.js';
import type { Filter } from '../core/filter/ast.js';
import type { Attributes } from '../core/record/record.js';
import type { Metric } from '../core/vector/metric.js';
import type { Span } from '../ports/tracer.js';

/** Who asks, and until when an answer is of use. */
export interface RequestContext {
  /** From the credential, never from the request. */
  readonly tenant: TenantId;
  /** Key or user of the credential; for logs and rate limits. */
  readonly subject: string;
  /** Identifies the call in logs and errors. */
  readonly requestId: string;
  /** Of a request that is traced. */
  readonly span?: Span | undefined;
  /** Whether the request had to wait for the object store; said by what waits. */
  tier: Tier;
  /** Aborted when the client went away or the deadline passed; its reason is an `OmenError`. */
  readonly signal: AbortSignal;
  /** `Clock.monotonic()` when the request arrived. */
  readonly startedMs: number;
  /** `Clock.monotonic()` after which nobody waits; absent: the server's own bound. */
  readonly deadlineMs?: number;
}

export interface CollectionInfo {
  readonly name: CollectionName;
  readonly dimensions: number;
  readonly metric: Metric;
  readonly createdAtMs: number;
}

export interface CreateCollectionRequest {
  readonly name: string;
  /** Absent: the server's default (`OMENDB_DIMENSION`). */
  readonly dimensions?: number;
  readonly metric: Metric;
  /** Empty: not idempotent. */
  readonly requestId: string;
}

export interface CollectionRequest {
  readonly collection: string;
}

export interface DeleteCollectionRequest extends CollectionRequest {
  /** Empty: not idempotent. */
  readonly requestId: string;
}

export interface ListCollectionsRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface ListCollectionsResponse {
  readonly collections: readonly CollectionInfo[];
  readonly nextPageToken: string;
}

export interface CollectionStats {
  readonly records: number;
  /** Visible records that are not in a segment yet: every query compares them all. */
  readonly unindexedRecords: number;
  readonly segments: number;
  /** Bytes of live objects of the collection in object storage. */
  readonly bytes: number;
  readonly tiers: { readonly hot: number; readonly warm: number; readonly cold: number };
  readonly sequenceNumber: number;
  /** Bytes of writes that are in the log only. */
  readonly unfoldedBytes: number;
  /** Flushes and merges under way, on any server. */
  readonly jobs: readonly MaintenanceJob[];
  readonly snapshots: number;
  /** Reads of the past reach back to here, in milliseconds since 1970. */
  readonly readableFromMs: number;
}

export interface MaintenanceJob {
  readonly jobId: string;
  readonly kind: 'flush' | 'merge';
  /** The server that works on it. */
  readonly claimedBy: string;
  readonly startedAtMs: number;
  /** Segments that it replaces, and their bytes. */
  readonly inputs: number;
  readonly inputBytes: number;
}

/** Records of one write, by columns: what the wire carries and the log stores. */
export interface RecordColumns {
  readonly ids: readonly string[];
  /** Row after row, `ids.length * dimensions` numbers, unpadded. */
  readonly vectors: Float32Array;
  /** Numbers per row as the client said; checked against the collection. */
  readonly dimensions: number;
  /** Empty when no record has attributes, else one per id. */
  readonly attributes: readonly Attributes[];
  /** How the request names its i-th record in error paths, such as `records[3]` or `block.ids[3]`. */
  readonly path: (index: number) => string;
}

export interface UpsertRequest {
  readonly collection: string;
  readonly records: RecordColumns;
  /** Empty: not idempotent. */
  readonly requestId: string;
}

/**
 * Where a write stands in the collection's history. Given back with a read, it makes that read see the write.
 */
export interface WriteReceipt {
  readonly sequenceNumber: number;
  readonly sessionToken: string;
}

export interface UpsertResponse extends WriteReceipt {
  readonly inserted: number;
  readonly updated: number;
}

export interface RecordPatch {
  readonly id: string;
  readonly vector?: Float32Array;
  /** `null` removes the attribute. */
  readonly attributes: ReadonlyMap<string, NonNullable<ReturnType<Attributes['get']>> | null>;
}

export interface PatchRequest {
  readonly collection: string;
  readonly patches: readonly RecordPatch[];
  readonly requestId: string;
}

export interface PatchResponse extends WriteReceipt {
  readonly patched: number;
  /** Ids without a record: skipped, the others are patched. */
  readonly missingIds: readonly string[];
}

export interface DeleteRequest {
  readonly collection: string;
  /** Exactly one of the two: `ids` non-empty or `filter` present. */
  readonly ids: readonly string[];
  readonly filter?: Filter;
  readonly requestId: string;
}

export interface DeleteResponse extends WriteReceipt {
  readonly deleted: number;
}

export const CONSISTENCIES = ['session', 'strong', 'eventual'] as const;
export type Consistency = (typeof CONSISTENCIES)[number];

/** A moment of a collection's past. */
export type AsOf =
  /** Everything that was written up to then, in milliseconds since 1970. */
  | { readonly kind: 'time'; readonly ms: number }
  /** Everything up to the write with this sequence number. */
  | { readonly kind: 'sequence'; readonly sequence: number }
  /** What the snapshot holds. */
  | { readonly kind: 'snapshot'; readonly name: string };

export interface ReadOptions {
  readonly consistency: Consistency;
  /** From a `WriteReceipt`; empty: none. */
  readonly sessionToken: string;
  /** Absent: the present. Excludes a session token. */
  readonly asOf?: AsOf;
}

/** The state that a read was answered from. Given back with a later read, that one does not see less. */
export type ReadReceipt = WriteReceipt;

/** Attribute names to return; `'all'` or a list, which may be empty. */
export type Selection = 'all' | readonly string[];

export interface BatchGetRequest extends ReadOptions {
  readonly collection: string;
  readonly ids: readonly string[];
  readonly select: Selection;
  readonly includeVectors: boolean;
}

export interface FoundRecord {
  readonly id: string;
  readonly vector?: Float32Array;
  readonly attributes: Attributes;
}

export interface GetRecordRequest extends ReadOptions {
  readonly collection: string;
  readonly id: string;
  readonly select: Selection;
  readonly includeVectors: boolean;
}

export interface BatchGetResponse extends ReadReceipt {
  /** In the order of the ids asked for, each id once. */
  readonly records: readonly FoundRecord[];
  readonly missingIds: readonly string[];
}

export interface ScanRequest extends ReadOptions {
  readonly collection: string;
  readonly filter?: Filter;
  readonly select: Selection;
  readonly includeVectors: boolean;
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface ScanResponse extends ReadReceipt {
  /** Every record that exists during the whole scan comes exactly once; order is stable but unspecified. */
  readonly records: readonly FoundRecord[];
  /** Empty: the end. */
  readonly nextPageToken: string;
}

export interface CountRequest extends ReadOptions {
  readonly collection: string;
  readonly filter?: Filter;
}

export interface CountResponse extends ReadReceipt {
  readonly count: number;
}

export interface SearchParams {
  /** Compare with every record. */
  readonly exact: boolean;
  /** Share of the true nearest neighbours to find, 0.5–1; absent: 0.95. */
  readonly recallTarget?: number;
  /** Postings to scan in each segment; overrides the recall target. */
  readonly nprobe?: number;
  /** Candidates to compare exactly in each segment; overrides the recall target. */
  readonly rerank?: number;
}

export interface QueryRequest extends ReadOptions {
  readonly collection: string;
  readonly vector: Float32Array;
  readonly topK: number;
  readonly filter?: Filter;
  readonly select: Selection;
  readonly includeVectors: boolean;
  readonly params: SearchParams;
}

export interface Hit {
  readonly id: string;
  /** Higher is nearer: cosine similarity, inner product, or the negated distance for l2. */
  readonly score: number;
  /** The metric's own: 1 − cosine, squared Euclidean distance, or the negated inner product. */
  readonly distance: number;
  readonly attributes: Attributes;
  readonly vector?: Float32Array;
}

/** Why an answer is partial. */
export type PartialReason =
  /** More bytes of postings than a query may read. */
  | 'budget'
  /** Several rounds of reads found fewer hits than asked for. */
  | 'rounds'
  /** The time was over. */
  | 'deadline';

export interface Performance {
  readonly serverMs: number;
  readonly queueMs: number;
  readonly engineMs: number;
  readonly tier: Tier;
  readonly roundTrips: number;
  readonly objectStoreGets: number;
  readonly bytesRead: number;
  /** Rows whose distance was estimated or computed. */
  readonly candidates: number;
  /** Every matching record was compared exactly. */
  readonly exact: boolean;
  /** Something was left out that was asked for: better hits may exist. */
  readonly partial: boolean;
  /** Null unless `partial`. */
  readonly partialReason: PartialReason | null;
}

export interface QueryResponse extends ReadReceipt {
  readonly hits: readonly Hit[];
  readonly performance: Performance;
}

export interface LimitsResponse {
  readonly limits: Readonly<Record<string, number>>;
}

export interface ServerInfo {
  readonly version: string;
  readonly uptimeMs: number;
  readonly engines: number;
  /** `relaxed` or `plain`: which kernels run. */
  readonly kernels: string;
  readonly objectStore: string;
}

/** Asks for a collection that begins as a moment of another one. */
export interface DeriveCollectionRequest extends CollectionRequest {
  /** Of the new collection. */
  readonly name: string;
  /** Absent: the present. */
  readonly asOf?: AsOf;
  /** Empty: not idempotent. */
  readonly requestId: string;
}

export interface SnapshotRequest extends CollectionRequest {
  readonly name: string;
  /** Empty: not idempotent. */
  readonly requestId: string;
}

/** A moment of a collection that stays readable until it is deleted. */
export interface Snapshot {
  readonly name: string;
  readonly createdAtMs: number;
  /** The last write that it holds. */
  readonly sequenceNumber: number;
}

export interface ListSnapshotsResponse {
  /** Oldest first. */
  readonly snapshots: readonly Snapshot[];
}

type Handler<Request, Response> = (context: RequestContext, request: Request) => Promise<Response>;

/** The use cases by RPC name. */
export interface Handlers {
  readonly createCollection: Handler<CreateCollectionRequest, CollectionInfo>;
  readonly getCollection: Handler<CollectionRequest, CollectionInfo>;
  readonly listCollections: Handler<ListCollectionsRequest, ListCollectionsResponse>;
  readonly deleteCollection: Handler<DeleteCollectionRequest, void>;
  readonly getCollectionStats: Handler<CollectionRequest, CollectionStats>;
  /** Shares the objects of its source for as long as it does not change them. Throws `COLLECTION_EXISTS`. */
  readonly branchCollection: Handler<DeriveCollectionRequest, CollectionInfo>;
  /** Like a branch at first, and then rewritten in the background until it shares nothing. */
  readonly copyCollection: Handler<DeriveCollectionRequest, CollectionInfo>;
  /** Holds every write that was acknowledged before the call. Throws `SNAPSHOT_EXISTS`. */
  readonly createSnapshot: Handler<SnapshotRequest, Snapshot>;
  readonly listSnapshots: Handler<CollectionRequest, ListSnapshotsResponse>;
  /** One that is not there is no error. */
  readonly deleteSnapshot: Handler<SnapshotRequest, void>;
  readonly upsertRecords: Handler<UpsertRequest, UpsertResponse>;
  readonly patchRecords: Handler<PatchRequest, PatchResponse>;
  readonly deleteRecords: Handler<DeleteRequest, DeleteResponse>;
  /** Throws `RECORD_NOT_FOUND`. */
  readonly getRecord: Handler<GetRecordRequest, FoundRecord>;
  readonly batchGetRecords: Handler<BatchGetRequest, BatchGetResponse>;
  readonly scanRecords: Handler<ScanRequest, ScanResponse>;
  readonly countRecords: Handler<CountRequest, CountResponse>;
  readonly query: Handler<QueryRequest, QueryResponse>;
  readonly getLimits: Handler<Record<string, never>, LimitsResponse>;
  readonly getServerInfo: Handler<Record<string, never>, ServerInfo>;
}
