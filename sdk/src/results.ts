/* What callers get back. */
import type { Metric, SelectedAttributes } from './requests.js';

/** Part of every result: identifies the call in the server's log. */
export interface Identified {
  /** The call's id. */
  readonly requestId: string;
}

/** A collection. */
export interface CollectionInfo {
  /** Its name. */
  readonly name: string;
  /** Elements of every vector. */
  readonly dimensions: number;
  /** How vectors are compared. */
  readonly metric: Metric;
  /** When it was made; absent when the server does not say. */
  readonly createdAt: Date | undefined;
}

/** A page of collections. */
export interface CollectionPage extends Identified {
  /** The collections, by name. */
  readonly collections: readonly CollectionInfo[];
  /** Token of the next page; empty on the last one. */
  readonly nextPageToken: string;
}

/** How large a collection is and where its data lies. */
export interface CollectionStats extends Identified {
  /** Records in the collection. */
  readonly records: number;
  /** Part of them that is searched without an index, because it is new. */
  readonly unindexedRecords: number;
  /** Immutable segments. */
  readonly segments: number;
  /** Bytes in object storage. */
  readonly bytes: number;
  /** Bytes in memory, on local disk, and in object storage only. */
  readonly tiers: { readonly hot: number; readonly warm: number; readonly cold: number };
  /** Position in the collection's history of the last write. */
  readonly sequenceNumber: number;
  /** Bytes of writes that are in the log only. */
  readonly unfoldedBytes: number;
  /** Flushes and merges under way, on any server. */
  readonly jobs: readonly MaintenanceJob[];
  /** Snapshots of the collection. */
  readonly snapshots: number;
  /** Reads of the past reach back to here; absent when the server does not say. */
  readonly readableFrom: Date | undefined;
}

/** Work on a collection in the background. */
export interface MaintenanceJob {
  /** Identifies the job. */
  readonly jobId: string;
  /** `flush` makes a segment of new records, `merge` one of several. */
  readonly kind: 'flush' | 'merge' | undefined;
  /** The server that works on it. */
  readonly claimedBy: string;
  /** When it began. */
  readonly startedAt: Date | undefined;
  /** Segments that it replaces. */
  readonly inputs: number;
  /** Bytes of these segments. */
  readonly inputBytes: number;
}

/** A moment of a collection that stays readable until it is deleted. */
export interface Snapshot {
  /** Its name. */
  readonly name: string;
  /** When it was made; absent when the server does not say. */
  readonly createdAt: Date | undefined;
  /** Position in the collection's history of the last write that it holds. */
  readonly sequenceNumber: number;
}

/** Part of every answer to a read: the state that it was given from. */
export interface ReadResult extends Identified {
  /** Position in the collection's history of the last write that the answer knows of. */
  readonly sequenceNumber: number;
  /** Pass it to a read of another client that must not see less; this client's reads do not anyway. */
  readonly sessionToken: string;
}

/** A write that is durable. */
export interface WriteResult extends Identified {
  /** Position of the write in the collection's history. */
  readonly sequenceNumber: number;
  /** Pass it to a read of another client that must see this write; this client's reads see it anyway. */
  readonly sessionToken: string;
}

/** What an upsert did. */
export interface UpsertResult extends WriteResult {
  /** Records that were new. */
  readonly inserted: number;
  /** Records that were replaced. */
  readonly updated: number;
}

/** What a patch did. */
export interface PatchResult extends WriteResult {
  /** Records that were changed. */
  readonly patched: number;
  /** Ids that do not exist; nothing was made for them. */
  readonly missingIds: readonly string[];
}

/** What a delete did. */
export interface DeleteResult extends WriteResult {
  /** Records that were deleted. */
  readonly deleted: number;
}

/** A record that was read. `vector` is there when it was asked for. */
export type FoundRecord<A, S, V extends boolean> = {
  /** The record's id. */
  readonly id: string;
  /** The attributes that were selected. */
  readonly attributes: SelectedAttributes<A, S>;
} & (V extends true ? { readonly vector: Float32Array } : { readonly vector?: undefined });

/** Records read by id. */
export interface GetManyResult<A, S, V extends boolean> extends ReadResult {
  /** The records that exist, in the order of the ids. */
  readonly records: readonly FoundRecord<A, S, V>[];
  /** The ids that do not exist. */
  readonly missingIds: readonly string[];
}

/** A page of a scan. */
export interface ScanPage<A, S, V extends boolean> extends ReadResult {
  /** The records. */
  readonly records: readonly FoundRecord<A, S, V>[];
  /** Token of the next page; empty on the last one. */
  readonly nextPageToken: string;
}

/** A record found by a query. */
export type Hit<A, S, V extends boolean> = FoundRecord<A, S, V> & {
  /** How near it is: higher is better, whatever the metric. */
  readonly score: number;
  /** Its distance in the metric's own measure: lower is better. */
  readonly distance: number;
};

/** What a query found. */
export interface QueryResult<A, S, V extends boolean> extends ReadResult {
  /** Best first. */
  readonly hits: readonly Hit<A, S, V>[];
  /** What the query consumed; absent when the server does not say. */
  readonly usage: Usage | undefined;
  /** Where the time went; absent when the server does not say. */
  readonly performance: Performance | undefined;
}

/** What a request consumed. */
export interface Usage {
  /** Records whose vector or attributes were looked at. */
  readonly recordsRead: number;
  /** Records written or deleted. */
  readonly recordsWritten: number;
  /** Bytes of index, vectors and attributes that were looked at. */
  readonly bytesRead: number;
  /** Bytes added to the log. */
  readonly bytesWritten: number;
}

/** Where data came from: memory, local disk, object storage. */
export const TIERS = ['hot', 'warm', 'cold'] as const;
/** Where data came from. */
export type Tier = (typeof TIERS)[number];

/** Why an answer is partial: see the API's `PartialReason`. */
export const PARTIAL_REASONS = ['budget', 'rounds', 'deadline'] as const;
/** Why an answer is partial. */
export type PartialReason = (typeof PARTIAL_REASONS)[number];

/** Where the time of a request went. */
export interface Performance {
  /** From the request's arrival until the answer was ready. */
  readonly serverMs: number;
  /** Part of it spent waiting for a free engine. */
  readonly queueMs: number;
  /** Part of it spent searching. */
  readonly engineMs: number;
  /** The slowest place that data came from; absent when the server does not say. */
  readonly tier: Tier | undefined;
  /** Dependent waits for object storage, one after the other. */
  readonly roundTrips: number;
  /** Reads of object storage. */
  readonly objectStoreGets: number;
  /** Bytes read from disk and object storage. */
  readonly bytesRead: number;
  /** Vectors compared. */
  readonly candidates: number;
  /** The result is exact, not approximate. */
  readonly exact: boolean;
  /** Some data could not be searched in time: better hits may exist. */
  readonly partial: boolean;
  /** Why it is; absent when the answer is not partial or the server does not say. */
  readonly partialReason: PartialReason | undefined;
}

/** What the server says about itself. */
export interface ServerInfo extends Identified {
  /** Such as `0.1.0`. */
  readonly version: string;
  /** Versions of the API, such as `v1`. */
  readonly apiVersions: readonly string[];
  /** Milliseconds since it started. */
  readonly uptimeMs: number;
  /** When it started; absent when the server does not say. */
  readonly startedAt: Date | undefined;
  /** Optional abilities that are switched on. */
  readonly features: readonly string[];
  /** Dimensions of a collection made without saying. */
  readonly dimensionsDefault: number;
}
