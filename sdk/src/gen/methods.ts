// Generated from proto/ by `npm run generate`. Do not edit: a test compares it with a fresh run.
/* Every method of the API: names, route, access rules, codecs. */
import * as json from './json.js';
import * as pb from './messages.js';
import { codec, type Method } from './runtime/method.js';

/** Request and response of each method, by its name. */
export interface MethodTypes {
  readonly createCollection: {
    readonly request: pb.CreateCollectionRequest;
    readonly response: pb.CreateCollectionResponse;
  };
  readonly getCollection: {
    readonly request: pb.GetCollectionRequest;
    readonly response: pb.GetCollectionResponse;
  };
  readonly listCollections: {
    readonly request: pb.ListCollectionsRequest;
    readonly response: pb.ListCollectionsResponse;
  };
  readonly deleteCollection: {
    readonly request: pb.DeleteCollectionRequest;
    readonly response: pb.DeleteCollectionResponse;
  };
  readonly getCollectionStats: {
    readonly request: pb.GetCollectionStatsRequest;
    readonly response: pb.GetCollectionStatsResponse;
  };
  readonly branchCollection: {
    readonly request: pb.BranchCollectionRequest;
    readonly response: pb.BranchCollectionResponse;
  };
  readonly copyCollection: {
    readonly request: pb.CopyCollectionRequest;
    readonly response: pb.CopyCollectionResponse;
  };
  readonly query: { readonly request: pb.QueryRequest; readonly response: pb.QueryResponse };
  readonly upsertRecords: {
    readonly request: pb.UpsertRecordsRequest;
    readonly response: pb.UpsertRecordsResponse;
  };
  readonly patchRecords: {
    readonly request: pb.PatchRecordsRequest;
    readonly response: pb.PatchRecordsResponse;
  };
  readonly deleteRecords: {
    readonly request: pb.DeleteRecordsRequest;
    readonly response: pb.DeleteRecordsResponse;
  };
  readonly batchGetRecords: {
    readonly request: pb.BatchGetRecordsRequest;
    readonly response: pb.BatchGetRecordsResponse;
  };
  readonly getRecord: { readonly request: pb.GetRecordRequest; readonly response: pb.GetRecordResponse };
  readonly scanRecords: {
    readonly request: pb.ScanRecordsRequest;
    readonly response: pb.ScanRecordsResponse;
  };
  readonly countRecords: {
    readonly request: pb.CountRecordsRequest;
    readonly response: pb.CountRecordsResponse;
  };
  readonly createSnapshot: {
    readonly request: pb.CreateSnapshotRequest;
    readonly response: pb.CreateSnapshotResponse;
  };
  readonly listSnapshots: {
    readonly request: pb.ListSnapshotsRequest;
    readonly response: pb.ListSnapshotsResponse;
  };
  readonly deleteSnapshot: {
    readonly request: pb.DeleteSnapshotRequest;
    readonly response: pb.DeleteSnapshotResponse;
  };
  readonly getLimits: { readonly request: pb.GetLimitsRequest; readonly response: pb.GetLimitsResponse };
  readonly getServerInfo: {
    readonly request: pb.GetServerInfoRequest;
    readonly response: pb.GetServerInfoResponse;
  };
}

export type MethodName = keyof MethodTypes;

/** A method as the client needs it. */
export interface ClientMethod<I, O> extends Method<I, O> {
  /** The path with the request's fields in it, each percent-encoded. */
  toPath(request: I): string;
}

/** JSON and protobuf codecs of every request and response. */
export const CODECS = {
  CreateCollectionRequest: codec(
    'omendb.v1.CreateCollectionRequest',
    pb.CreateCollectionRequest,
    json.createCollectionRequestFromJson,
    json.createCollectionRequestToJson,
  ),
  CreateCollectionResponse: codec(
    'omendb.v1.CreateCollectionResponse',
    pb.CreateCollectionResponse,
    json.createCollectionResponseFromJson,
    json.createCollectionResponseToJson,
  ),
  GetCollectionRequest: codec(
    'omendb.v1.GetCollectionRequest',
    pb.GetCollectionRequest,
    json.getCollectionRequestFromJson,
    json.getCollectionRequestToJson,
  ),
  GetCollectionResponse: codec(
    'omendb.v1.GetCollectionResponse',
    pb.GetCollectionResponse,
    json.getCollectionResponseFromJson,
    json.getCollectionResponseToJson,
  ),
  ListCollectionsRequest: codec(
    'omendb.v1.ListCollectionsRequest',
    pb.ListCollectionsRequest,
    json.listCollectionsRequestFromJson,
    json.listCollectionsRequestToJson,
  ),
  ListCollectionsResponse: codec(
    'omendb.v1.ListCollectionsResponse',
    pb.ListCollectionsResponse,
    json.listCollectionsResponseFromJson,
    json.listCollectionsResponseToJson,
  ),
  DeleteCollectionRequest: codec(
    'omendb.v1.DeleteCollectionRequest',
    pb.DeleteCollectionRequest,
    json.deleteCollectionRequestFromJson,
    json.deleteCollectionRequestToJson,
  ),
  DeleteCollectionResponse: codec(
    'omendb.v1.DeleteCollectionResponse',
    pb.DeleteCollectionResponse,
    json.deleteCollectionResponseFromJson,
    json.deleteCollectionResponseToJson,
  ),
  GetCollectionStatsRequest: codec(
    'omendb.v1.GetCollectionStatsRequest',
    pb.GetCollectionStatsRequest,
    json.getCollectionStatsRequestFromJson,
    json.getCollectionStatsRequestToJson,
  ),
  GetCollectionStatsResponse: codec(
    'omendb.v1.GetCollectionStatsResponse',
    pb.GetCollectionStatsResponse,
    json.getCollectionStatsResponseFromJson,
    json.getCollectionStatsResponseToJson,
  ),
  BranchCollectionRequest: codec(
    'omendb.v1.BranchCollectionRequest',
    pb.BranchCollectionRequest,
    json.branchCollectionRequestFromJson,
    json.branchCollectionRequestToJson,
  ),
  BranchCollectionResponse: codec(
    'omendb.v1.BranchCollectionResponse',
    pb.BranchCollectionResponse,
    json.branchCollectionResponseFromJson,
    json.branchCollectionResponseToJson,
  ),
  CopyCollectionRequest: codec(
    'omendb.v1.CopyCollectionRequest',
    pb.CopyCollectionRequest,
    json.copyCollectionRequestFromJson,
    json.copyCollectionRequestToJson,
  ),
  CopyCollectionResponse: codec(
    'omendb.v1.CopyCollectionResponse',
    pb.CopyCollectionResponse,
    json.copyCollectionResponseFromJson,
    json.copyCollectionResponseToJson,
  ),
  QueryRequest: codec(
    'omendb.v1.QueryRequest',
    pb.QueryRequest,
    json.queryRequestFromJson,
    json.queryRequestToJson,
  ),
  QueryResponse: codec(
    'omendb.v1.QueryResponse',
    pb.QueryResponse,
    json.queryResponseFromJson,
    json.queryResponseToJson,
  ),
  UpsertRecordsRequest: codec(
    'omendb.v1.UpsertRecordsRequest',
    pb.UpsertRecordsRequest,
    json.upsertRecordsRequestFromJson,
    json.upsertRecordsRequestToJson,
  ),
  UpsertRecordsResponse: codec(
    'omendb.v1.UpsertRecordsResponse',
    pb.UpsertRecordsResponse,
    json.upsertRecordsResponseFromJson,
    json.upsertRecordsResponseToJson,
  ),
  PatchRecordsRequest: codec(
    'omendb.v1.PatchRecordsRequest',
    pb.PatchRecordsRequest,
    json.patchRecordsRequestFromJson,
    json.patchRecordsRequestToJson,
  ),
  PatchRecordsResponse: codec(
    'omendb.v1.PatchRecordsResponse',
    pb.PatchRecordsResponse,
    json.patchRecordsResponseFromJson,
    json.patchRecordsResponseToJson,
  ),
  DeleteRecordsRequest: codec(
    'omendb.v1.DeleteRecordsRequest',
    pb.DeleteRecordsRequest,
    json.deleteRecordsRequestFromJson,
    json.deleteRecordsRequestToJson,
  ),
  DeleteRecordsResponse: codec(
    'omendb.v1.DeleteRecordsResponse',
    pb.DeleteRecordsResponse,
    json.deleteRecordsResponseFromJson,
    json.deleteRecordsResponseToJson,
  ),
  BatchGetRecordsRequest: codec(
    'omendb.v1.BatchGetRecordsRequest',
    pb.BatchGetRecordsRequest,
    json.batchGetRecordsRequestFromJson,
    json.batchGetRecordsRequestToJson,
  ),
  BatchGetRecordsResponse: codec(
    'omendb.v1.BatchGetRecordsResponse',
    pb.BatchGetRecordsResponse,
    json.batchGetRecordsResponseFromJson,
    json.batchGetRecordsResponseToJson,
  ),
  GetRecordRequest: codec(
    'omendb.v1.GetRecordRequest',
    pb.GetRecordRequest,
    json.getRecordRequestFromJson,
    json.getRecordRequestToJson,
  ),
  GetRecordResponse: codec(
    'omendb.v1.GetRecordResponse',
    pb.GetRecordResponse,
    json.getRecordResponseFromJson,
    json.getRecordResponseToJson,
  ),
  ScanRecordsRequest: codec(
    'omendb.v1.ScanRecordsRequest',
    pb.ScanRecordsRequest,
    json.scanRecordsRequestFromJson,
    json.scanRecordsRequestToJson,
  ),
  ScanRecordsResponse: codec(
    'omendb.v1.ScanRecordsResponse',
    pb.ScanRecordsResponse,
    json.scanRecordsResponseFromJson,
    json.scanRecordsResponseToJson,
  ),
  CountRecordsRequest: codec(
    'omendb.v1.CountRecordsRequest',
    pb.CountRecordsRequest,
    json.countRecordsRequestFromJson,
    json.countRecordsRequestToJson,
  ),
  CountRecordsResponse: codec(
    'omendb.v1.CountRecordsResponse',
    pb.CountRecordsResponse,
    json.countRecordsResponseFromJson,
    json.countRecordsResponseToJson,
  ),
  CreateSnapshotRequest: codec(
    'omendb.v1.CreateSnapshotRequest',
    pb.CreateSnapshotRequest,
    json.createSnapshotRequestFromJson,
    json.createSnapshotRequestToJson,
  ),
  CreateSnapshotResponse: codec(
    'omendb.v1.CreateSnapshotResponse',
    pb.CreateSnapshotResponse,
    json.createSnapshotResponseFromJson,
    json.createSnapshotResponseToJson,
  ),
  ListSnapshotsRequest: codec(
    'omendb.v1.ListSnapshotsRequest',
    pb.ListSnapshotsRequest,
    json.listSnapshotsRequestFromJson,
    json.listSnapshotsRequestToJson,
  ),
  ListSnapshotsResponse: codec(
    'omendb.v1.ListSnapshotsResponse',
    pb.ListSnapshotsResponse,
    json.listSnapshotsResponseFromJson,
    json.listSnapshotsResponseToJson,
  ),
  DeleteSnapshotRequest: codec(
    'omendb.v1.DeleteSnapshotRequest',
    pb.DeleteSnapshotRequest,
    json.deleteSnapshotRequestFromJson,
    json.deleteSnapshotRequestToJson,
  ),
  DeleteSnapshotResponse: codec(
    'omendb.v1.DeleteSnapshotResponse',
    pb.DeleteSnapshotResponse,
    json.deleteSnapshotResponseFromJson,
    json.deleteSnapshotResponseToJson,
  ),
  GetLimitsRequest: codec(
    'omendb.v1.GetLimitsRequest',
    pb.GetLimitsRequest,
    json.getLimitsRequestFromJson,
    json.getLimitsRequestToJson,
  ),
  GetLimitsResponse: codec(
    'omendb.v1.GetLimitsResponse',
    pb.GetLimitsResponse,
    json.getLimitsResponseFromJson,
    json.getLimitsResponseToJson,
  ),
  GetServerInfoRequest: codec(
    'omendb.v1.GetServerInfoRequest',
    pb.GetServerInfoRequest,
    json.getServerInfoRequestFromJson,
    json.getServerInfoRequestToJson,
  ),
  GetServerInfoResponse: codec(
    'omendb.v1.GetServerInfoResponse',
    pb.GetServerInfoResponse,
    json.getServerInfoResponseFromJson,
    json.getServerInfoResponseToJson,
  ),
} as const;

export const METHODS: {
  readonly [N in MethodName]: ClientMethod<MethodTypes[N]['request'], MethodTypes[N]['response']>;
} = {
  /** Makes an empty collection. */
  createCollection: {
    name: 'CreateCollection',
    service: 'omendb.v1.CollectionService',
    grpcPath: '/omendb.v1.CollectionService/CreateCollection',
    verb: 'POST',
    path: '/v1/collections',
    toPath: () => '/v1/collections',
    pathFields: [],
    queryFields: {},
    hasBody: true,
    scope: 'collections.write',
    readOnly: false,
    idempotent: true,
    public: false,
    hasRequestId: true,
    collectionsOf: (request) => [request.name],
    request: CODECS.CreateCollectionRequest,
    response: CODECS.CreateCollectionResponse,
  },

  /** Returns one collection. */
  getCollection: {
    name: 'GetCollection',
    service: 'omendb.v1.CollectionService',
    grpcPath: '/omendb.v1.CollectionService/GetCollection',
    verb: 'GET',
    path: '/v1/collections/{collection}',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: false,
    scope: 'collections.read',
    readOnly: true,
    idempotent: true,
    public: false,
    hasRequestId: false,
    collectionsOf: (request) => [request.collection],
    request: CODECS.GetCollectionRequest,
    response: CODECS.GetCollectionResponse,
  },

  /** Lists the tenant's collections by name. */
  listCollections: {
    name: 'ListCollections',
    service: 'omendb.v1.CollectionService',
    grpcPath: '/omendb.v1.CollectionService/ListCollections',
    verb: 'GET',
    path: '/v1/collections',
    toPath: () => '/v1/collections',
    pathFields: [],
    queryFields: { pageSize: 'uint32', pageToken: 'string' },
    hasBody: false,
    scope: 'collections.read',
    readOnly: true,
    idempotent: true,
    public: false,
    hasRequestId: false,
    collectionsOf: undefined,
    request: CODECS.ListCollectionsRequest,
    response: CODECS.ListCollectionsResponse,
  },

  /** Removes a collection and everything in it. */
  deleteCollection: {
    name: 'DeleteCollection',
    service: 'omendb.v1.CollectionService',
    grpcPath: '/omendb.v1.CollectionService/DeleteCollection',
    verb: 'DELETE',
    path: '/v1/collections/{collection}',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}`,
    pathFields: ['collection'],
    queryFields: { requestId: 'string' },
    hasBody: false,
    scope: 'collections.delete',
    readOnly: false,
    idempotent: true,
    public: false,
    hasRequestId: true,
    collectionsOf: (request) => [request.collection],
    request: CODECS.DeleteCollectionRequest,
    response: CODECS.DeleteCollectionResponse,
  },

  /** Returns how large a collection is and where its data lies. */
  getCollectionStats: {
    name: 'GetCollectionStats',
    service: 'omendb.v1.CollectionService',
    grpcPath: '/omendb.v1.CollectionService/GetCollectionStats',
    verb: 'GET',
    path: '/v1/collections/{collection}/stats',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}/stats`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: false,
    scope: 'collections.read',
    readOnly: true,
    idempotent: true,
    public: false,
    hasRequestId: false,
    collectionsOf: (request) => [request.collection],
    request: CODECS.GetCollectionStatsRequest,
    response: CODECS.GetCollectionStatsResponse,
  },

  /** Makes a collection that begins as another one is or was, in constant time: the two share what neither of them changes. */
  branchCollection: {
    name: 'BranchCollection',
    service: 'omendb.v1.CollectionService',
    grpcPath: '/omendb.v1.CollectionService/BranchCollection',
    verb: 'POST',
    path: '/v1/collections/{collection}:branch',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}:branch`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: true,
    scope: 'collections.write',
    readOnly: false,
    idempotent: true,
    public: false,
    hasRequestId: true,
    collectionsOf: (request) => [request.collection, request.name],
    request: CODECS.BranchCollectionRequest,
    response: CODECS.BranchCollectionResponse,
  },

  /** Makes a collection that begins as another one is or was, in constant time, and is rewritten in the background until the two share nothing. */
  copyCollection: {
    name: 'CopyCollection',
    service: 'omendb.v1.CollectionService',
    grpcPath: '/omendb.v1.CollectionService/CopyCollection',
    verb: 'POST',
    path: '/v1/collections/{collection}:copy',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}:copy`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: true,
    scope: 'collections.write',
    readOnly: false,
    idempotent: true,
    public: false,
    hasRequestId: true,
    collectionsOf: (request) => [request.collection, request.name],
    request: CODECS.CopyCollectionRequest,
    response: CODECS.CopyCollectionResponse,
  },

  /** Returns the records whose vectors are nearest to the one given, best first. */
  query: {
    name: 'Query',
    service: 'omendb.v1.QueryService',
    grpcPath: '/omendb.v1.QueryService/Query',
    verb: 'POST',
    path: '/v1/collections/{collection}/records:query',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}/records:query`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: true,
    scope: 'records.read',
    readOnly: true,
    idempotent: true,
    public: false,
    hasRequestId: false,
    collectionsOf: (request) => [request.collection],
    request: CODECS.QueryRequest,
    response: CODECS.QueryResponse,
  },

  /** Writes records: new ids are inserted, known ids are replaced. */
  upsertRecords: {
    name: 'UpsertRecords',
    service: 'omendb.v1.RecordService',
    grpcPath: '/omendb.v1.RecordService/UpsertRecords',
    verb: 'POST',
    path: '/v1/collections/{collection}/records:upsert',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}/records:upsert`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: true,
    scope: 'records.write',
    readOnly: false,
    idempotent: true,
    public: false,
    hasRequestId: true,
    collectionsOf: (request) => [request.collection],
    request: CODECS.UpsertRecordsRequest,
    response: CODECS.UpsertRecordsResponse,
  },

  /** Changes parts of records that exist. */
  patchRecords: {
    name: 'PatchRecords',
    service: 'omendb.v1.RecordService',
    grpcPath: '/omendb.v1.RecordService/PatchRecords',
    verb: 'POST',
    path: '/v1/collections/{collection}/records:patch',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}/records:patch`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: true,
    scope: 'records.write',
    readOnly: false,
    idempotent: true,
    public: false,
    hasRequestId: true,
    collectionsOf: (request) => [request.collection],
    request: CODECS.PatchRecordsRequest,
    response: CODECS.PatchRecordsResponse,
  },

  /** Deletes records by id or by filter. */
  deleteRecords: {
    name: 'DeleteRecords',
    service: 'omendb.v1.RecordService',
    grpcPath: '/omendb.v1.RecordService/DeleteRecords',
    verb: 'POST',
    path: '/v1/collections/{collection}/records:delete',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}/records:delete`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: true,
    scope: 'records.write',
    readOnly: false,
    idempotent: true,
    public: false,
    hasRequestId: true,
    collectionsOf: (request) => [request.collection],
    request: CODECS.DeleteRecordsRequest,
    response: CODECS.DeleteRecordsResponse,
  },

  /** Returns records by id. */
  batchGetRecords: {
    name: 'BatchGetRecords',
    service: 'omendb.v1.RecordService',
    grpcPath: '/omendb.v1.RecordService/BatchGetRecords',
    verb: 'POST',
    path: '/v1/collections/{collection}/records:batchGet',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}/records:batchGet`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: true,
    scope: 'records.read',
    readOnly: true,
    idempotent: true,
    public: false,
    hasRequestId: false,
    collectionsOf: (request) => [request.collection],
    request: CODECS.BatchGetRecordsRequest,
    response: CODECS.BatchGetRecordsResponse,
  },

  /** Returns one record. */
  getRecord: {
    name: 'GetRecord',
    service: 'omendb.v1.RecordService',
    grpcPath: '/omendb.v1.RecordService/GetRecord',
    verb: 'GET',
    path: '/v1/collections/{collection}/records/{id}',
    toPath: (request) =>
      `/v1/collections/${encodeURIComponent(request.collection)}/records/${encodeURIComponent(request.id)}`,
    pathFields: ['collection', 'id'],
    queryFields: {
      select: 'strings',
      includeVectors: 'bool',
      consistency: 'string',
      sessionToken: 'string',
      asOf: 'string',
      snapshot: 'string',
      asOfSequenceNumber: 'string',
    },
    hasBody: false,
    scope: 'records.read',
    readOnly: true,
    idempotent: true,
    public: false,
    hasRequestId: false,
    collectionsOf: (request) => [request.collection],
    request: CODECS.GetRecordRequest,
    response: CODECS.GetRecordResponse,
  },

  /** Returns all records, or those that pass a filter, page by page. The order is stable but not specified. */
  scanRecords: {
    name: 'ScanRecords',
    service: 'omendb.v1.RecordService',
    grpcPath: '/omendb.v1.RecordService/ScanRecords',
    verb: 'POST',
    path: '/v1/collections/{collection}/records:scan',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}/records:scan`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: true,
    scope: 'records.read',
    readOnly: true,
    idempotent: true,
    public: false,
    hasRequestId: false,
    collectionsOf: (request) => [request.collection],
    request: CODECS.ScanRecordsRequest,
    response: CODECS.ScanRecordsResponse,
  },

  /** Counts all records, or those that pass a filter. */
  countRecords: {
    name: 'CountRecords',
    service: 'omendb.v1.RecordService',
    grpcPath: '/omendb.v1.RecordService/CountRecords',
    verb: 'POST',
    path: '/v1/collections/{collection}/records:count',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}/records:count`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: true,
    scope: 'records.read',
    readOnly: true,
    idempotent: true,
    public: false,
    hasRequestId: false,
    collectionsOf: (request) => [request.collection],
    request: CODECS.CountRecordsRequest,
    response: CODECS.CountRecordsResponse,
  },

  /** Keeps the present: every write that was acknowledged before the call. */
  createSnapshot: {
    name: 'CreateSnapshot',
    service: 'omendb.v1.SnapshotService',
    grpcPath: '/omendb.v1.SnapshotService/CreateSnapshot',
    verb: 'POST',
    path: '/v1/collections/{collection}/snapshots',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}/snapshots`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: true,
    scope: 'collections.write',
    readOnly: false,
    idempotent: true,
    public: false,
    hasRequestId: true,
    collectionsOf: (request) => [request.collection],
    request: CODECS.CreateSnapshotRequest,
    response: CODECS.CreateSnapshotResponse,
  },

  /** Lists the snapshots of a collection, oldest first. There are at most 256. */
  listSnapshots: {
    name: 'ListSnapshots',
    service: 'omendb.v1.SnapshotService',
    grpcPath: '/omendb.v1.SnapshotService/ListSnapshots',
    verb: 'GET',
    path: '/v1/collections/{collection}/snapshots',
    toPath: (request) => `/v1/collections/${encodeURIComponent(request.collection)}/snapshots`,
    pathFields: ['collection'],
    queryFields: {},
    hasBody: false,
    scope: 'collections.read',
    readOnly: true,
    idempotent: true,
    public: false,
    hasRequestId: false,
    collectionsOf: (request) => [request.collection],
    request: CODECS.ListSnapshotsRequest,
    response: CODECS.ListSnapshotsResponse,
  },

  /** Deletes a snapshot; what only it needed is removed from storage. One that is not there is no error. */
  deleteSnapshot: {
    name: 'DeleteSnapshot',
    service: 'omendb.v1.SnapshotService',
    grpcPath: '/omendb.v1.SnapshotService/DeleteSnapshot',
    verb: 'DELETE',
    path: '/v1/collections/{collection}/snapshots/{snapshot}',
    toPath: (request) =>
      `/v1/collections/${encodeURIComponent(request.collection)}/snapshots/${encodeURIComponent(request.snapshot)}`,
    pathFields: ['collection', 'snapshot'],
    queryFields: { requestId: 'string' },
    hasBody: false,
    scope: 'collections.delete',
    readOnly: false,
    idempotent: true,
    public: false,
    hasRequestId: true,
    collectionsOf: (request) => [request.collection],
    request: CODECS.DeleteSnapshotRequest,
    response: CODECS.DeleteSnapshotResponse,
  },

  /** Returns every limit a request can run into. */
  getLimits: {
    name: 'GetLimits',
    service: 'omendb.v1.SystemService',
    grpcPath: '/omendb.v1.SystemService/GetLimits',
    verb: 'GET',
    path: '/v1/limits',
    toPath: () => '/v1/limits',
    pathFields: [],
    queryFields: {},
    hasBody: false,
    scope: '',
    readOnly: true,
    idempotent: true,
    public: true,
    hasRequestId: false,
    collectionsOf: undefined,
    request: CODECS.GetLimitsRequest,
    response: CODECS.GetLimitsResponse,
  },

  /** Returns version, uptime and features. */
  getServerInfo: {
    name: 'GetServerInfo',
    service: 'omendb.v1.SystemService',
    grpcPath: '/omendb.v1.SystemService/GetServerInfo',
    verb: 'GET',
    path: '/v1/info',
    toPath: () => '/v1/info',
    pathFields: [],
    queryFields: {},
    hasBody: false,
    scope: '',
    readOnly: true,
    idempotent: true,
    public: true,
    hasRequestId: false,
    collectionsOf: undefined,
    request: CODECS.GetServerInfoRequest,
    response: CODECS.GetServerInfoResponse,
  },
};
