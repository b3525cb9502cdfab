// Generated from proto/ by `npm run generate`. Do not edit: a test compares it with a fresh run.
/* Every message and enum of the API. */
export { Collection, Metric } from './omendb/v1/collection.js';
export {
  CreateCollectionRequest,
  CreateCollectionResponse,
  GetCollectionRequest,
  GetCollectionResponse,
  ListCollectionsRequest,
  ListCollectionsResponse,
  DeleteCollectionRequest,
  DeleteCollectionResponse,
  BranchCollectionRequest,
  BranchCollectionResponse,
  CopyCollectionRequest,
  CopyCollectionResponse,
  GetCollectionStatsRequest,
  GetCollectionStatsResponse,
  TierBytes,
  MaintenanceJob,
  MaintenanceJobKind,
} from './omendb/v1/collection_service.js';
export {
  Filter,
  FilterList,
  Scalar,
  Comparison,
  SetMembership,
  FieldPresence,
  FieldPrefix,
  IdSet,
  ComparisonOperator,
  SetOperator,
} from './omendb/v1/filter.js';
export { Usage, Performance, Tier, PartialReason } from './omendb/v1/usage.js';
export { Value, Null, StringList, Int64List, DoubleList, BoolList, Attributes } from './omendb/v1/value.js';
export { Vector, FloatList } from './omendb/v1/vector.js';
export { QueryRequest, SearchParams, QueryResponse, Hit } from './omendb/v1/query_service.js';
export { Record, RecordBlock, RecordPatch } from './omendb/v1/record.js';
export {
  BatchGetRecordsRequest,
  BatchGetRecordsResponse,
  GetRecordRequest,
  GetRecordResponse,
  ScanRecordsRequest,
  ScanRecordsResponse,
  CountRecordsRequest,
  CountRecordsResponse,
} from './omendb/v1/record_reads.js';
export {
  UpsertRecordsRequest,
  UpsertRecordsResponse,
  PatchRecordsRequest,
  PatchRecordsResponse,
  DeleteRecordsRequest,
  DeleteRecordsResponse,
} from './omendb/v1/record_service.js';
export { Snapshot } from './omendb/v1/snapshot.js';
export {
  CreateSnapshotRequest,
  CreateSnapshotResponse,
  ListSnapshotsRequest,
  ListSnapshotsResponse,
  DeleteSnapshotRequest,
  DeleteSnapshotResponse,
} from './omendb/v1/snapshot_service.js';
export {
  GetLimitsRequest,
  GetLimitsResponse,
  GetServerInfoRequest,
  GetServerInfoResponse,
} from './omendb/v1/system_service.js';
export { Consistency } from './omendb/v1/consistency.js';
export { ErrorReason } from './omendb/v1/errors.js';
