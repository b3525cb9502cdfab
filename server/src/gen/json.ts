// Generated from proto/ by `npm run generate`. Do not edit: a test compares it with a fresh run.
/* Strict JSON codecs of every message a method takes or gives. */
import * as pb from './messages.js';
import type { Place, Step } from './runtime/place.js';
import { vectorFromJson, vectorToJson } from './runtime/vector.js';
import { attributesFromJson, attributesToJson, valueFromJson, valueToJson } from './runtime/value.js';
import { filterFromJson, filterToJson } from './runtime/filter.js';
import {
  bytesToJson,
  int64ToJson,
  mapToJson,
  openObject,
  readBool,
  readBytes,
  readDouble,
  readEnum,
  readInt64,
  readList,
  readMap,
  readString,
  readTimestamp,
  readUint32,
  timestampToJson,
  unknownField,
  type JsonObject,
} from './runtime/scalars.js';

const METRIC_NAMES = new Map<string, pb.Metric>([
  ['cosine', pb.Metric.COSINE],
  ['l2', pb.Metric.L2],
  ['dot', pb.Metric.DOT],
]);

/** The JSON name, undefined for the zero value and for numbers without a name. */
export function metricToJson(value: pb.Metric): string | undefined {
  switch (value) {
    case pb.Metric.COSINE:
      return 'cosine';
    case pb.Metric.L2:
      return 'l2';
    case pb.Metric.DOT:
      return 'dot';
    default:
      return undefined;
  }
}

const MAINTENANCE_JOB_KIND_NAMES = new Map<string, pb.MaintenanceJobKind>([
  ['flush', pb.MaintenanceJobKind.FLUSH],
  ['merge', pb.MaintenanceJobKind.MERGE],
]);

/** The JSON name, undefined for the zero value and for numbers without a name. */
export function maintenanceJobKindToJson(value: pb.MaintenanceJobKind): string | undefined {
  switch (value) {
    case pb.MaintenanceJobKind.FLUSH:
      return 'flush';
    case pb.MaintenanceJobKind.MERGE:
      return 'merge';
    default:
      return undefined;
  }
}

const CONSISTENCY_NAMES = new Map<string, pb.Consistency>([
  ['session', pb.Consistency.SESSION],
  ['strong', pb.Consistency.STRONG],
  ['eventual', pb.Consistency.EVENTUAL],
]);

/** The JSON name, undefined for the zero value and for numbers without a name. */
export function consistencyToJson(value: pb.Consistency): string | undefined {
  switch (value) {
    case pb.Consistency.SESSION:
      return 'session';
    case pb.Consistency.STRONG:
      return 'strong';
    case pb.Consistency.EVENTUAL:
      return 'eventual';
    default:
      return undefined;
  }
}

const TIER_NAMES = new Map<string, pb.Tier>([
  ['hot', pb.Tier.HOT],
  ['warm', pb.Tier.WARM],
  ['cold', pb.Tier.COLD],
]);

/** The JSON name, undefined for the zero value and for numbers without a name. */
export function tierToJson(value: pb.Tier): string | undefined {
  switch (value) {
    case pb.Tier.HOT:
      return 'hot';
    case pb.Tier.WARM:
      return 'warm';
    case pb.Tier.COLD:
      return 'cold';
    default:
      return undefined;
  }
}

const PARTIAL_REASON_NAMES = new Map<string, pb.PartialReason>([
  ['budget', pb.PartialReason.BUDGET],
  ['rounds', pb.PartialReason.ROUNDS],
  ['deadline', pb.PartialReason.DEADLINE],
]);

/** The JSON name, undefined for the zero value and for numbers without a name. */
export function partialReasonToJson(value: pb.PartialReason): string | undefined {
  switch (value) {
    case pb.PartialReason.BUDGET:
      return 'budget';
    case pb.PartialReason.ROUNDS:
      return 'rounds';
    case pb.PartialReason.DEADLINE:
      return 'deadline';
    default:
      return undefined;
  }
}

const CREATE_COLLECTION_REQUEST_FIELDS = new Set<string>(['name', 'dimensions', 'metric', 'requestId']);

export function createCollectionRequestFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.CreateCollectionRequest {
  const message: pb.CreateCollectionRequest = { name: '', dimensions: undefined, metric: 0, requestId: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!CREATE_COLLECTION_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, CREATE_COLLECTION_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'name':
        message.name = readString(value, at, key);
        break;
      case 'dimensions':
        message.dimensions = readUint32(value, at, key);
        break;
      case 'metric':
        message.metric = readEnum(value, at, key, METRIC_NAMES, 0);
        break;
      case 'requestId':
        message.requestId = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function createCollectionRequestToJson(message: pb.CreateCollectionRequest): JsonObject {
  const object: JsonObject = {};
  object['name'] = message.name;
  if (message.dimensions !== undefined) object['dimensions'] = message.dimensions;
  if (message.metric !== 0) object['metric'] = metricToJson(message.metric);
  object['requestId'] = message.requestId;
  return object;
}

const CREATE_COLLECTION_RESPONSE_FIELDS = new Set<string>(['collection']);

export function createCollectionResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.CreateCollectionResponse {
  const message: pb.CreateCollectionResponse = { collection: undefined };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!CREATE_COLLECTION_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, CREATE_COLLECTION_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = collectionFromJson(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function createCollectionResponseToJson(message: pb.CreateCollectionResponse): JsonObject {
  const object: JsonObject = {};
  if (message.collection !== undefined) object['collection'] = collectionToJson(message.collection);
  return object;
}

const COLLECTION_FIELDS = new Set<string>(['name', 'dimensions', 'metric', 'createTime', 'recordCount']);

export function collectionFromJson(json: unknown, at: Place, step: Step): pb.Collection {
  const message: pb.Collection = {
    name: '',
    dimensions: 0,
    metric: 0,
    createTime: undefined,
    recordCount: undefined,
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!COLLECTION_FIELDS.has(key)) {
      unknownField(at, key, COLLECTION_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'name':
        message.name = readString(value, at, key);
        break;
      case 'dimensions':
        message.dimensions = readUint32(value, at, key);
        break;
      case 'metric':
        message.metric = readEnum(value, at, key, METRIC_NAMES, 0);
        break;
      case 'createTime':
        message.createTime = readTimestamp(value, at, key);
        break;
      case 'recordCount':
        message.recordCount = readInt64(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function collectionToJson(message: pb.Collection): JsonObject {
  const object: JsonObject = {};
  object['name'] = message.name;
  object['dimensions'] = message.dimensions;
  if (message.metric !== 0) object['metric'] = metricToJson(message.metric);
  if (message.createTime !== undefined) object['createTime'] = timestampToJson(message.createTime);
  if (message.recordCount !== undefined) object['recordCount'] = int64ToJson(message.recordCount);
  return object;
}

const GET_COLLECTION_REQUEST_FIELDS = new Set<string>(['collection']);

export function getCollectionRequestFromJson(json: unknown, at: Place, step: Step): pb.GetCollectionRequest {
  const message: pb.GetCollectionRequest = { collection: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!GET_COLLECTION_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, GET_COLLECTION_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function getCollectionRequestToJson(message: pb.GetCollectionRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  return object;
}

const GET_COLLECTION_RESPONSE_FIELDS = new Set<string>(['collection']);

export function getCollectionResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.GetCollectionResponse {
  const message: pb.GetCollectionResponse = { collection: undefined };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!GET_COLLECTION_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, GET_COLLECTION_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = collectionFromJson(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function getCollectionResponseToJson(message: pb.GetCollectionResponse): JsonObject {
  const object: JsonObject = {};
  if (message.collection !== undefined) object['collection'] = collectionToJson(message.collection);
  return object;
}

const LIST_COLLECTIONS_REQUEST_FIELDS = new Set<string>(['pageSize', 'pageToken']);

export function listCollectionsRequestFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.ListCollectionsRequest {
  const message: pb.ListCollectionsRequest = { pageSize: 0, pageToken: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!LIST_COLLECTIONS_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, LIST_COLLECTIONS_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'pageSize':
        message.pageSize = readUint32(value, at, key);
        break;
      case 'pageToken':
        message.pageToken = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function listCollectionsRequestToJson(message: pb.ListCollectionsRequest): JsonObject {
  const object: JsonObject = {};
  object['pageSize'] = message.pageSize;
  object['pageToken'] = message.pageToken;
  return object;
}

const LIST_COLLECTIONS_RESPONSE_FIELDS = new Set<string>(['collections', 'nextPageToken']);

export function listCollectionsResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.ListCollectionsResponse {
  const message: pb.ListCollectionsResponse = { collections: [], nextPageToken: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!LIST_COLLECTIONS_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, LIST_COLLECTIONS_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collections':
        message.collections = readList(value, at, key, collectionFromJson);
        break;
      case 'nextPageToken':
        message.nextPageToken = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function listCollectionsResponseToJson(message: pb.ListCollectionsResponse): JsonObject {
  const object: JsonObject = {};
  object['collections'] = message.collections.map((item) => collectionToJson(item));
  object['nextPageToken'] = message.nextPageToken;
  return object;
}

const DELETE_COLLECTION_REQUEST_FIELDS = new Set<string>(['collection', 'requestId']);

export function deleteCollectionRequestFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.DeleteCollectionRequest {
  const message: pb.DeleteCollectionRequest = { collection: '', requestId: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!DELETE_COLLECTION_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, DELETE_COLLECTION_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'requestId':
        message.requestId = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function deleteCollectionRequestToJson(message: pb.DeleteCollectionRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  object['requestId'] = message.requestId;
  return object;
}

const DELETE_COLLECTION_RESPONSE_FIELDS = new Set<string>([]);

export function deleteCollectionResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.DeleteCollectionResponse {
  const message: pb.DeleteCollectionResponse = {};
  const object = openObject(json, at, step);
  if (object === undefined) return message;
  for (const key of Object.keys(object)) unknownField(at, key, DELETE_COLLECTION_RESPONSE_FIELDS);
  at.leave();
  return message;
}

export function deleteCollectionResponseToJson(_message: pb.DeleteCollectionResponse): JsonObject {
  const object: JsonObject = {};

  return object;
}

const GET_COLLECTION_STATS_REQUEST_FIELDS = new Set<string>(['collection']);

export function getCollectionStatsRequestFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.GetCollectionStatsRequest {
  const message: pb.GetCollectionStatsRequest = { collection: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!GET_COLLECTION_STATS_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, GET_COLLECTION_STATS_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function getCollectionStatsRequestToJson(message: pb.GetCollectionStatsRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  return object;
}

const GET_COLLECTION_STATS_RESPONSE_FIELDS = new Set<string>([
  'records',
  'unindexedRecords',
  'segments',
  'bytes',
  'tiers',
  'unfoldedBytes',
  'jobs',
  'snapshots',
  'readableFrom',
  'sequenceNumber',
]);

export function getCollectionStatsResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.GetCollectionStatsResponse {
  const message: pb.GetCollectionStatsResponse = {
    records: 0n,
    unindexedRecords: 0n,
    segments: 0,
    bytes: 0n,
    tiers: undefined,
    unfoldedBytes: 0n,
    jobs: [],
    snapshots: 0,
    readableFrom: undefined,
    sequenceNumber: 0n,
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!GET_COLLECTION_STATS_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, GET_COLLECTION_STATS_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'records':
        message.records = readInt64(value, at, key);
        break;
      case 'unindexedRecords':
        message.unindexedRecords = readInt64(value, at, key);
        break;
      case 'segments':
        message.segments = readUint32(value, at, key);
        break;
      case 'bytes':
        message.bytes = readInt64(value, at, key);
        break;
      case 'tiers':
        message.tiers = tierBytesFromJson(value, at, key);
        break;
      case 'unfoldedBytes':
        message.unfoldedBytes = readInt64(value, at, key);
        break;
      case 'jobs':
        message.jobs = readList(value, at, key, maintenanceJobFromJson);
        break;
      case 'snapshots':
        message.snapshots = readUint32(value, at, key);
        break;
      case 'readableFrom':
        message.readableFrom = readTimestamp(value, at, key);
        break;
      case 'sequenceNumber':
        message.sequenceNumber = readInt64(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function getCollectionStatsResponseToJson(message: pb.GetCollectionStatsResponse): JsonObject {
  const object: JsonObject = {};
  object['records'] = int64ToJson(message.records);
  object['unindexedRecords'] = int64ToJson(message.unindexedRecords);
  object['segments'] = message.segments;
  object['bytes'] = int64ToJson(message.bytes);
  if (message.tiers !== undefined) object['tiers'] = tierBytesToJson(message.tiers);
  object['unfoldedBytes'] = int64ToJson(message.unfoldedBytes);
  object['jobs'] = message.jobs.map((item) => maintenanceJobToJson(item));
  object['snapshots'] = message.snapshots;
  if (message.readableFrom !== undefined) object['readableFrom'] = timestampToJson(message.readableFrom);
  object['sequenceNumber'] = int64ToJson(message.sequenceNumber);
  return object;
}

const TIER_BYTES_FIELDS = new Set<string>(['hot', 'warm', 'cold']);

export function tierBytesFromJson(json: unknown, at: Place, step: Step): pb.TierBytes {
  const message: pb.TierBytes = { hot: 0n, warm: 0n, cold: 0n };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!TIER_BYTES_FIELDS.has(key)) {
      unknownField(at, key, TIER_BYTES_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'hot':
        message.hot = readInt64(value, at, key);
        break;
      case 'warm':
        message.warm = readInt64(value, at, key);
        break;
      case 'cold':
        message.cold = readInt64(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function tierBytesToJson(message: pb.TierBytes): JsonObject {
  const object: JsonObject = {};
  object['hot'] = int64ToJson(message.hot);
  object['warm'] = int64ToJson(message.warm);
  object['cold'] = int64ToJson(message.cold);
  return object;
}

const MAINTENANCE_JOB_FIELDS = new Set<string>([
  'jobId',
  'kind',
  'claimedBy',
  'startTime',
  'inputs',
  'inputBytes',
]);

export function maintenanceJobFromJson(json: unknown, at: Place, step: Step): pb.MaintenanceJob {
  const message: pb.MaintenanceJob = {
    jobId: '',
    kind: 0,
    claimedBy: '',
    startTime: undefined,
    inputs: 0,
    inputBytes: 0n,
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!MAINTENANCE_JOB_FIELDS.has(key)) {
      unknownField(at, key, MAINTENANCE_JOB_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'jobId':
        message.jobId = readString(value, at, key);
        break;
      case 'kind':
        message.kind = readEnum(value, at, key, MAINTENANCE_JOB_KIND_NAMES, 0);
        break;
      case 'claimedBy':
        message.claimedBy = readString(value, at, key);
        break;
      case 'startTime':
        message.startTime = readTimestamp(value, at, key);
        break;
      case 'inputs':
        message.inputs = readUint32(value, at, key);
        break;
      case 'inputBytes':
        message.inputBytes = readInt64(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function maintenanceJobToJson(message: pb.MaintenanceJob): JsonObject {
  const object: JsonObject = {};
  object['jobId'] = message.jobId;
  if (message.kind !== 0) object['kind'] = maintenanceJobKindToJson(message.kind);
  object['claimedBy'] = message.claimedBy;
  if (message.startTime !== undefined) object['startTime'] = timestampToJson(message.startTime);
  object['inputs'] = message.inputs;
  object['inputBytes'] = int64ToJson(message.inputBytes);
  return object;
}

const BRANCH_COLLECTION_REQUEST_FIELDS = new Set<string>([
  'collection',
  'name',
  'asOf',
  'snapshot',
  'asOfSequenceNumber',
  'requestId',
]);

export function branchCollectionRequestFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.BranchCollectionRequest {
  const message: pb.BranchCollectionRequest = {
    collection: '',
    name: '',
    asOf: undefined,
    snapshot: undefined,
    asOfSequenceNumber: undefined,
    requestId: '',
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!BRANCH_COLLECTION_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, BRANCH_COLLECTION_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'name':
        message.name = readString(value, at, key);
        break;
      case 'asOf':
        message.asOf = readTimestamp(value, at, key);
        break;
      case 'snapshot':
        message.snapshot = readString(value, at, key);
        break;
      case 'asOfSequenceNumber':
        message.asOfSequenceNumber = readInt64(value, at, key);
        break;
      case 'requestId':
        message.requestId = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function branchCollectionRequestToJson(message: pb.BranchCollectionRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  object['name'] = message.name;
  if (message.asOf !== undefined) object['asOf'] = timestampToJson(message.asOf);
  if (message.snapshot !== undefined) object['snapshot'] = message.snapshot;
  if (message.asOfSequenceNumber !== undefined)
    object['asOfSequenceNumber'] = int64ToJson(message.asOfSequenceNumber);
  object['requestId'] = message.requestId;
  return object;
}

const BRANCH_COLLECTION_RESPONSE_FIELDS = new Set<string>(['collection']);

export function branchCollectionResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.BranchCollectionResponse {
  const message: pb.BranchCollectionResponse = { collection: undefined };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!BRANCH_COLLECTION_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, BRANCH_COLLECTION_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = collectionFromJson(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function branchCollectionResponseToJson(message: pb.BranchCollectionResponse): JsonObject {
  const object: JsonObject = {};
  if (message.collection !== undefined) object['collection'] = collectionToJson(message.collection);
  return object;
}

const COPY_COLLECTION_REQUEST_FIELDS = new Set<string>([
  'collection',
  'name',
  'asOf',
  'snapshot',
  'asOfSequenceNumber',
  'requestId',
]);

export function copyCollectionRequestFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.CopyCollectionRequest {
  const message: pb.CopyCollectionRequest = {
    collection: '',
    name: '',
    asOf: undefined,
    snapshot: undefined,
    asOfSequenceNumber: undefined,
    requestId: '',
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!COPY_COLLECTION_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, COPY_COLLECTION_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'name':
        message.name = readString(value, at, key);
        break;
      case 'asOf':
        message.asOf = readTimestamp(value, at, key);
        break;
      case 'snapshot':
        message.snapshot = readString(value, at, key);
        break;
      case 'asOfSequenceNumber':
        message.asOfSequenceNumber = readInt64(value, at, key);
        break;
      case 'requestId':
        message.requestId = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function copyCollectionRequestToJson(message: pb.CopyCollectionRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  object['name'] = message.name;
  if (message.asOf !== undefined) object['asOf'] = timestampToJson(message.asOf);
  if (message.snapshot !== undefined) object['snapshot'] = message.snapshot;
  if (message.asOfSequenceNumber !== undefined)
    object['asOfSequenceNumber'] = int64ToJson(message.asOfSequenceNumber);
  object['requestId'] = message.requestId;
  return object;
}

const COPY_COLLECTION_RESPONSE_FIELDS = new Set<string>(['collection']);

export function copyCollectionResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.CopyCollectionResponse {
  const message: pb.CopyCollectionResponse = { collection: undefined };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!COPY_COLLECTION_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, COPY_COLLECTION_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = collectionFromJson(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function copyCollectionResponseToJson(message: pb.CopyCollectionResponse): JsonObject {
  const object: JsonObject = {};
  if (message.collection !== undefined) object['collection'] = collectionToJson(message.collection);
  return object;
}

const QUERY_REQUEST_FIELDS = new Set<string>([
  'collection',
  'vector',
  'topK',
  'filter',
  'select',
  'includeVectors',
  'params',
  'consistency',
  'sessionToken',
  'asOf',
  'snapshot',
  'asOfSequenceNumber',
]);

export function queryRequestFromJson(json: unknown, at: Place, step: Step): pb.QueryRequest {
  const message: pb.QueryRequest = {
    collection: '',
    vector: undefined,
    topK: undefined,
    filter: undefined,
    select: [],
    includeVectors: false,
    params: undefined,
    consistency: 0,
    sessionToken: '',
    asOf: undefined,
    snapshot: undefined,
    asOfSequenceNumber: undefined,
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!QUERY_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, QUERY_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'vector':
        message.vector = vectorFromJson(value, at, key);
        break;
      case 'topK':
        message.topK = readUint32(value, at, key);
        break;
      case 'filter':
        message.filter = filterFromJson(value, at, key);
        break;
      case 'select':
        message.select = readList(value, at, key, readString);
        break;
      case 'includeVectors':
        message.includeVectors = readBool(value, at, key);
        break;
      case 'params':
        message.params = searchParamsFromJson(value, at, key);
        break;
      case 'consistency':
        message.consistency = readEnum(value, at, key, CONSISTENCY_NAMES, 0);
        break;
      case 'sessionToken':
        message.sessionToken = readString(value, at, key);
        break;
      case 'asOf':
        message.asOf = readTimestamp(value, at, key);
        break;
      case 'snapshot':
        message.snapshot = readString(value, at, key);
        break;
      case 'asOfSequenceNumber':
        message.asOfSequenceNumber = readInt64(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function queryRequestToJson(message: pb.QueryRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  if (message.vector !== undefined) object['vector'] = vectorToJson(message.vector);
  if (message.topK !== undefined) object['topK'] = message.topK;
  if (message.filter !== undefined) object['filter'] = filterToJson(message.filter);
  object['select'] = message.select;
  object['includeVectors'] = message.includeVectors;
  if (message.params !== undefined) object['params'] = searchParamsToJson(message.params);
  if (message.consistency !== 0) object['consistency'] = consistencyToJson(message.consistency);
  object['sessionToken'] = message.sessionToken;
  if (message.asOf !== undefined) object['asOf'] = timestampToJson(message.asOf);
  if (message.snapshot !== undefined) object['snapshot'] = message.snapshot;
  if (message.asOfSequenceNumber !== undefined)
    object['asOfSequenceNumber'] = int64ToJson(message.asOfSequenceNumber);
  return object;
}

const SEARCH_PARAMS_FIELDS = new Set<string>(['exact', 'recallTarget', 'nprobe', 'rerank']);

export function searchParamsFromJson(json: unknown, at: Place, step: Step): pb.SearchParams {
  const message: pb.SearchParams = {
    exact: false,
    recallTarget: undefined,
    nprobe: undefined,
    rerank: undefined,
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!SEARCH_PARAMS_FIELDS.has(key)) {
      unknownField(at, key, SEARCH_PARAMS_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'exact':
        message.exact = readBool(value, at, key);
        break;
      case 'recallTarget':
        message.recallTarget = readDouble(value, at, key);
        break;
      case 'nprobe':
        message.nprobe = readUint32(value, at, key);
        break;
      case 'rerank':
        message.rerank = readUint32(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function searchParamsToJson(message: pb.SearchParams): JsonObject {
  const object: JsonObject = {};
  object['exact'] = message.exact;
  if (message.recallTarget !== undefined) object['recallTarget'] = message.recallTarget;
  if (message.nprobe !== undefined) object['nprobe'] = message.nprobe;
  if (message.rerank !== undefined) object['rerank'] = message.rerank;
  return object;
}

const QUERY_RESPONSE_FIELDS = new Set<string>([
  'hits',
  'usage',
  'performance',
  'sequenceNumber',
  'sessionToken',
]);

export function queryResponseFromJson(json: unknown, at: Place, step: Step): pb.QueryResponse {
  const message: pb.QueryResponse = {
    hits: [],
    usage: undefined,
    performance: undefined,
    sequenceNumber: 0n,
    sessionToken: '',
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!QUERY_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, QUERY_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'hits':
        message.hits = readList(value, at, key, hitFromJson);
        break;
      case 'usage':
        message.usage = usageFromJson(value, at, key);
        break;
      case 'performance':
        message.performance = performanceFromJson(value, at, key);
        break;
      case 'sequenceNumber':
        message.sequenceNumber = readInt64(value, at, key);
        break;
      case 'sessionToken':
        message.sessionToken = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function queryResponseToJson(message: pb.QueryResponse): JsonObject {
  const object: JsonObject = {};
  object['hits'] = message.hits.map((item) => hitToJson(item));
  if (message.usage !== undefined) object['usage'] = usageToJson(message.usage);
  if (message.performance !== undefined) object['performance'] = performanceToJson(message.performance);
  object['sequenceNumber'] = int64ToJson(message.sequenceNumber);
  object['sessionToken'] = message.sessionToken;
  return object;
}

const HIT_FIELDS = new Set<string>(['id', 'score', 'distance', 'attributes', 'vector']);

export function hitFromJson(json: unknown, at: Place, step: Step): pb.Hit {
  const message: pb.Hit = { id: '', score: 0, distance: 0, attributes: new Map(), vector: undefined };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!HIT_FIELDS.has(key)) {
      unknownField(at, key, HIT_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'id':
        message.id = readString(value, at, key);
        break;
      case 'score':
        message.score = readDouble(value, at, key);
        break;
      case 'distance':
        message.distance = readDouble(value, at, key);
        break;
      case 'attributes':
        message.attributes = readMap(value, at, key, valueFromJson);
        break;
      case 'vector':
        message.vector = vectorFromJson(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function hitToJson(message: pb.Hit): JsonObject {
  const object: JsonObject = {};
  object['id'] = message.id;
  object['score'] = message.score;
  object['distance'] = message.distance;
  object['attributes'] = mapToJson(message.attributes, (item) => valueToJson(item));
  if (message.vector !== undefined) object['vector'] = vectorToJson(message.vector);
  return object;
}

const USAGE_FIELDS = new Set<string>(['recordsRead', 'recordsWritten', 'bytesRead', 'bytesWritten']);

export function usageFromJson(json: unknown, at: Place, step: Step): pb.Usage {
  const message: pb.Usage = { recordsRead: 0n, recordsWritten: 0n, bytesRead: 0n, bytesWritten: 0n };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!USAGE_FIELDS.has(key)) {
      unknownField(at, key, USAGE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'recordsRead':
        message.recordsRead = readInt64(value, at, key);
        break;
      case 'recordsWritten':
        message.recordsWritten = readInt64(value, at, key);
        break;
      case 'bytesRead':
        message.bytesRead = readInt64(value, at, key);
        break;
      case 'bytesWritten':
        message.bytesWritten = readInt64(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function usageToJson(message: pb.Usage): JsonObject {
  const object: JsonObject = {};
  object['recordsRead'] = int64ToJson(message.recordsRead);
  object['recordsWritten'] = int64ToJson(message.recordsWritten);
  object['bytesRead'] = int64ToJson(message.bytesRead);
  object['bytesWritten'] = int64ToJson(message.bytesWritten);
  return object;
}

const PERFORMANCE_FIELDS = new Set<string>([
  'serverMs',
  'queueMs',
  'engineMs',
  'tier',
  'roundTrips',
  'objectStoreGets',
  'bytesRead',
  'candidates',
  'exact',
  'partial',
  'partialReason',
]);

export function performanceFromJson(json: unknown, at: Place, step: Step): pb.Performance {
  const message: pb.Performance = {
    serverMs: 0,
    queueMs: 0,
    engineMs: 0,
    tier: 0,
    roundTrips: 0,
    objectStoreGets: 0,
    bytesRead: 0n,
    candidates: 0,
    exact: false,
    partial: false,
    partialReason: 0,
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!PERFORMANCE_FIELDS.has(key)) {
      unknownField(at, key, PERFORMANCE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'serverMs':
        message.serverMs = readDouble(value, at, key);
        break;
      case 'queueMs':
        message.queueMs = readDouble(value, at, key);
        break;
      case 'engineMs':
        message.engineMs = readDouble(value, at, key);
        break;
      case 'tier':
        message.tier = readEnum(value, at, key, TIER_NAMES, 0);
        break;
      case 'roundTrips':
        message.roundTrips = readUint32(value, at, key);
        break;
      case 'objectStoreGets':
        message.objectStoreGets = readUint32(value, at, key);
        break;
      case 'bytesRead':
        message.bytesRead = readInt64(value, at, key);
        break;
      case 'candidates':
        message.candidates = readUint32(value, at, key);
        break;
      case 'exact':
        message.exact = readBool(value, at, key);
        break;
      case 'partial':
        message.partial = readBool(value, at, key);
        break;
      case 'partialReason':
        message.partialReason = readEnum(value, at, key, PARTIAL_REASON_NAMES, 0);
        break;
    }
  }
  at.leave();
  return message;
}

export function performanceToJson(message: pb.Performance): JsonObject {
  const object: JsonObject = {};
  object['serverMs'] = message.serverMs;
  object['queueMs'] = message.queueMs;
  object['engineMs'] = message.engineMs;
  if (message.tier !== 0) object['tier'] = tierToJson(message.tier);
  object['roundTrips'] = message.roundTrips;
  object['objectStoreGets'] = message.objectStoreGets;
  object['bytesRead'] = int64ToJson(message.bytesRead);
  object['candidates'] = message.candidates;
  object['exact'] = message.exact;
  object['partial'] = message.partial;
  if (message.partialReason !== 0) object['partialReason'] = partialReasonToJson(message.partialReason);
  return object;
}

const UPSERT_RECORDS_REQUEST_FIELDS = new Set<string>(['collection', 'records', 'block', 'requestId']);

export function upsertRecordsRequestFromJson(json: unknown, at: Place, step: Step): pb.UpsertRecordsRequest {
  const message: pb.UpsertRecordsRequest = { collection: '', records: [], block: undefined, requestId: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!UPSERT_RECORDS_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, UPSERT_RECORDS_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'records':
        message.records = readList(value, at, key, recordFromJson);
        break;
      case 'block':
        message.block = recordBlockFromJson(value, at, key);
        break;
      case 'requestId':
        message.requestId = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function upsertRecordsRequestToJson(message: pb.UpsertRecordsRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  object['records'] = message.records.map((item) => recordToJson(item));
  if (message.block !== undefined) object['block'] = recordBlockToJson(message.block);
  object['requestId'] = message.requestId;
  return object;
}

const RECORD_FIELDS = new Set<string>(['id', 'vector', 'attributes']);

export function recordFromJson(json: unknown, at: Place, step: Step): pb.Record {
  const message: pb.Record = { id: '', vector: undefined, attributes: new Map() };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!RECORD_FIELDS.has(key)) {
      unknownField(at, key, RECORD_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'id':
        message.id = readString(value, at, key);
        break;
      case 'vector':
        message.vector = vectorFromJson(value, at, key);
        break;
      case 'attributes':
        message.attributes = readMap(value, at, key, valueFromJson);
        break;
    }
  }
  at.leave();
  return message;
}

export function recordToJson(message: pb.Record): JsonObject {
  const object: JsonObject = {};
  object['id'] = message.id;
  if (message.vector !== undefined) object['vector'] = vectorToJson(message.vector);
  object['attributes'] = mapToJson(message.attributes, (item) => valueToJson(item));
  return object;
}

const RECORD_BLOCK_FIELDS = new Set<string>(['ids', 'dimensions', 'vectorsF32', 'attributes']);

export function recordBlockFromJson(json: unknown, at: Place, step: Step): pb.RecordBlock {
  const message: pb.RecordBlock = { ids: [], dimensions: 0, vectorsF32: new Uint8Array(0), attributes: [] };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!RECORD_BLOCK_FIELDS.has(key)) {
      unknownField(at, key, RECORD_BLOCK_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'ids':
        message.ids = readList(value, at, key, readString);
        break;
      case 'dimensions':
        message.dimensions = readUint32(value, at, key);
        break;
      case 'vectorsF32':
        message.vectorsF32 = readBytes(value, at, key);
        break;
      case 'attributes':
        message.attributes = readList(value, at, key, attributesFromJson);
        break;
    }
  }
  at.leave();
  return message;
}

export function recordBlockToJson(message: pb.RecordBlock): JsonObject {
  const object: JsonObject = {};
  object['ids'] = message.ids;
  object['dimensions'] = message.dimensions;
  object['vectorsF32'] = bytesToJson(message.vectorsF32);
  object['attributes'] = message.attributes.map((item) => attributesToJson(item));
  return object;
}

const UPSERT_RECORDS_RESPONSE_FIELDS = new Set<string>([
  'inserted',
  'updated',
  'sequenceNumber',
  'sessionToken',
]);

export function upsertRecordsResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.UpsertRecordsResponse {
  const message: pb.UpsertRecordsResponse = { inserted: 0, updated: 0, sequenceNumber: 0n, sessionToken: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!UPSERT_RECORDS_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, UPSERT_RECORDS_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'inserted':
        message.inserted = readUint32(value, at, key);
        break;
      case 'updated':
        message.updated = readUint32(value, at, key);
        break;
      case 'sequenceNumber':
        message.sequenceNumber = readInt64(value, at, key);
        break;
      case 'sessionToken':
        message.sessionToken = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function upsertRecordsResponseToJson(message: pb.UpsertRecordsResponse): JsonObject {
  const object: JsonObject = {};
  object['inserted'] = message.inserted;
  object['updated'] = message.updated;
  object['sequenceNumber'] = int64ToJson(message.sequenceNumber);
  object['sessionToken'] = message.sessionToken;
  return object;
}

const PATCH_RECORDS_REQUEST_FIELDS = new Set<string>(['collection', 'patches', 'requestId']);

export function patchRecordsRequestFromJson(json: unknown, at: Place, step: Step): pb.PatchRecordsRequest {
  const message: pb.PatchRecordsRequest = { collection: '', patches: [], requestId: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!PATCH_RECORDS_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, PATCH_RECORDS_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'patches':
        message.patches = readList(value, at, key, recordPatchFromJson);
        break;
      case 'requestId':
        message.requestId = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function patchRecordsRequestToJson(message: pb.PatchRecordsRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  object['patches'] = message.patches.map((item) => recordPatchToJson(item));
  object['requestId'] = message.requestId;
  return object;
}

const RECORD_PATCH_FIELDS = new Set<string>(['id', 'vector', 'attributes']);

export function recordPatchFromJson(json: unknown, at: Place, step: Step): pb.RecordPatch {
  const message: pb.RecordPatch = { id: '', vector: undefined, attributes: new Map() };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!RECORD_PATCH_FIELDS.has(key)) {
      unknownField(at, key, RECORD_PATCH_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'id':
        message.id = readString(value, at, key);
        break;
      case 'vector':
        message.vector = vectorFromJson(value, at, key);
        break;
      case 'attributes':
        message.attributes = readMap(value, at, key, valueFromJson);
        break;
    }
  }
  at.leave();
  return message;
}

export function recordPatchToJson(message: pb.RecordPatch): JsonObject {
  const object: JsonObject = {};
  object['id'] = message.id;
  if (message.vector !== undefined) object['vector'] = vectorToJson(message.vector);
  object['attributes'] = mapToJson(message.attributes, (item) => valueToJson(item));
  return object;
}

const PATCH_RECORDS_RESPONSE_FIELDS = new Set<string>([
  'patched',
  'missingIds',
  'sequenceNumber',
  'sessionToken',
]);

export function patchRecordsResponseFromJson(json: unknown, at: Place, step: Step): pb.PatchRecordsResponse {
  const message: pb.PatchRecordsResponse = {
    patched: 0,
    missingIds: [],
    sequenceNumber: 0n,
    sessionToken: '',
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!PATCH_RECORDS_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, PATCH_RECORDS_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'patched':
        message.patched = readUint32(value, at, key);
        break;
      case 'missingIds':
        message.missingIds = readList(value, at, key, readString);
        break;
      case 'sequenceNumber':
        message.sequenceNumber = readInt64(value, at, key);
        break;
      case 'sessionToken':
        message.sessionToken = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function patchRecordsResponseToJson(message: pb.PatchRecordsResponse): JsonObject {
  const object: JsonObject = {};
  object['patched'] = message.patched;
  object['missingIds'] = message.missingIds;
  object['sequenceNumber'] = int64ToJson(message.sequenceNumber);
  object['sessionToken'] = message.sessionToken;
  return object;
}

const DELETE_RECORDS_REQUEST_FIELDS = new Set<string>(['collection', 'ids', 'filter', 'requestId']);

export function deleteRecordsRequestFromJson(json: unknown, at: Place, step: Step): pb.DeleteRecordsRequest {
  const message: pb.DeleteRecordsRequest = { collection: '', ids: [], filter: undefined, requestId: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!DELETE_RECORDS_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, DELETE_RECORDS_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'ids':
        message.ids = readList(value, at, key, readString);
        break;
      case 'filter':
        message.filter = filterFromJson(value, at, key);
        break;
      case 'requestId':
        message.requestId = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function deleteRecordsRequestToJson(message: pb.DeleteRecordsRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  object['ids'] = message.ids;
  if (message.filter !== undefined) object['filter'] = filterToJson(message.filter);
  object['requestId'] = message.requestId;
  return object;
}

const DELETE_RECORDS_RESPONSE_FIELDS = new Set<string>(['deleted', 'sequenceNumber', 'sessionToken']);

export function deleteRecordsResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.DeleteRecordsResponse {
  const message: pb.DeleteRecordsResponse = { deleted: 0n, sequenceNumber: 0n, sessionToken: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!DELETE_RECORDS_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, DELETE_RECORDS_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'deleted':
        message.deleted = readInt64(value, at, key);
        break;
      case 'sequenceNumber':
        message.sequenceNumber = readInt64(value, at, key);
        break;
      case 'sessionToken':
        message.sessionToken = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function deleteRecordsResponseToJson(message: pb.DeleteRecordsResponse): JsonObject {
  const object: JsonObject = {};
  object['deleted'] = int64ToJson(message.deleted);
  object['sequenceNumber'] = int64ToJson(message.sequenceNumber);
  object['sessionToken'] = message.sessionToken;
  return object;
}

const BATCH_GET_RECORDS_REQUEST_FIELDS = new Set<string>([
  'collection',
  'ids',
  'select',
  'includeVectors',
  'consistency',
  'sessionToken',
  'asOf',
  'snapshot',
  'asOfSequenceNumber',
]);

export function batchGetRecordsRequestFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.BatchGetRecordsRequest {
  const message: pb.BatchGetRecordsRequest = {
    collection: '',
    ids: [],
    select: [],
    includeVectors: false,
    consistency: 0,
    sessionToken: '',
    asOf: undefined,
    snapshot: undefined,
    asOfSequenceNumber: undefined,
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!BATCH_GET_RECORDS_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, BATCH_GET_RECORDS_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'ids':
        message.ids = readList(value, at, key, readString);
        break;
      case 'select':
        message.select = readList(value, at, key, readString);
        break;
      case 'includeVectors':
        message.includeVectors = readBool(value, at, key);
        break;
      case 'consistency':
        message.consistency = readEnum(value, at, key, CONSISTENCY_NAMES, 0);
        break;
      case 'sessionToken':
        message.sessionToken = readString(value, at, key);
        break;
      case 'asOf':
        message.asOf = readTimestamp(value, at, key);
        break;
      case 'snapshot':
        message.snapshot = readString(value, at, key);
        break;
      case 'asOfSequenceNumber':
        message.asOfSequenceNumber = readInt64(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function batchGetRecordsRequestToJson(message: pb.BatchGetRecordsRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  object['ids'] = message.ids;
  object['select'] = message.select;
  object['includeVectors'] = message.includeVectors;
  if (message.consistency !== 0) object['consistency'] = consistencyToJson(message.consistency);
  object['sessionToken'] = message.sessionToken;
  if (message.asOf !== undefined) object['asOf'] = timestampToJson(message.asOf);
  if (message.snapshot !== undefined) object['snapshot'] = message.snapshot;
  if (message.asOfSequenceNumber !== undefined)
    object['asOfSequenceNumber'] = int64ToJson(message.asOfSequenceNumber);
  return object;
}

const BATCH_GET_RECORDS_RESPONSE_FIELDS = new Set<string>([
  'records',
  'missingIds',
  'sequenceNumber',
  'sessionToken',
]);

export function batchGetRecordsResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.BatchGetRecordsResponse {
  const message: pb.BatchGetRecordsResponse = {
    records: [],
    missingIds: [],
    sequenceNumber: 0n,
    sessionToken: '',
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!BATCH_GET_RECORDS_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, BATCH_GET_RECORDS_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'records':
        message.records = readList(value, at, key, recordFromJson);
        break;
      case 'missingIds':
        message.missingIds = readList(value, at, key, readString);
        break;
      case 'sequenceNumber':
        message.sequenceNumber = readInt64(value, at, key);
        break;
      case 'sessionToken':
        message.sessionToken = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function batchGetRecordsResponseToJson(message: pb.BatchGetRecordsResponse): JsonObject {
  const object: JsonObject = {};
  object['records'] = message.records.map((item) => recordToJson(item));
  object['missingIds'] = message.missingIds;
  object['sequenceNumber'] = int64ToJson(message.sequenceNumber);
  object['sessionToken'] = message.sessionToken;
  return object;
}

const GET_RECORD_REQUEST_FIELDS = new Set<string>([
  'collection',
  'id',
  'select',
  'includeVectors',
  'consistency',
  'sessionToken',
  'asOf',
  'snapshot',
  'asOfSequenceNumber',
]);

export function getRecordRequestFromJson(json: unknown, at: Place, step: Step): pb.GetRecordRequest {
  const message: pb.GetRecordRequest = {
    collection: '',
    id: '',
    select: [],
    includeVectors: false,
    consistency: 0,
    sessionToken: '',
    asOf: undefined,
    snapshot: undefined,
    asOfSequenceNumber: undefined,
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!GET_RECORD_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, GET_RECORD_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'id':
        message.id = readString(value, at, key);
        break;
      case 'select':
        message.select = readList(value, at, key, readString);
        break;
      case 'includeVectors':
        message.includeVectors = readBool(value, at, key);
        break;
      case 'consistency':
        message.consistency = readEnum(value, at, key, CONSISTENCY_NAMES, 0);
        break;
      case 'sessionToken':
        message.sessionToken = readString(value, at, key);
        break;
      case 'asOf':
        message.asOf = readTimestamp(value, at, key);
        break;
      case 'snapshot':
        message.snapshot = readString(value, at, key);
        break;
      case 'asOfSequenceNumber':
        message.asOfSequenceNumber = readInt64(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function getRecordRequestToJson(message: pb.GetRecordRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  object['id'] = message.id;
  object['select'] = message.select;
  object['includeVectors'] = message.includeVectors;
  if (message.consistency !== 0) object['consistency'] = consistencyToJson(message.consistency);
  object['sessionToken'] = message.sessionToken;
  if (message.asOf !== undefined) object['asOf'] = timestampToJson(message.asOf);
  if (message.snapshot !== undefined) object['snapshot'] = message.snapshot;
  if (message.asOfSequenceNumber !== undefined)
    object['asOfSequenceNumber'] = int64ToJson(message.asOfSequenceNumber);
  return object;
}

const GET_RECORD_RESPONSE_FIELDS = new Set<string>(['record']);

export function getRecordResponseFromJson(json: unknown, at: Place, step: Step): pb.GetRecordResponse {
  const message: pb.GetRecordResponse = { record: undefined };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!GET_RECORD_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, GET_RECORD_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'record':
        message.record = recordFromJson(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function getRecordResponseToJson(message: pb.GetRecordResponse): JsonObject {
  const object: JsonObject = {};
  if (message.record !== undefined) object['record'] = recordToJson(message.record);
  return object;
}

const SCAN_RECORDS_REQUEST_FIELDS = new Set<string>([
  'collection',
  'filter',
  'select',
  'includeVectors',
  'pageSize',
  'pageToken',
  'consistency',
  'sessionToken',
  'asOf',
  'snapshot',
  'asOfSequenceNumber',
]);

export function scanRecordsRequestFromJson(json: unknown, at: Place, step: Step): pb.ScanRecordsRequest {
  const message: pb.ScanRecordsRequest = {
    collection: '',
    filter: undefined,
    select: [],
    includeVectors: false,
    pageSize: 0,
    pageToken: '',
    consistency: 0,
    sessionToken: '',
    asOf: undefined,
    snapshot: undefined,
    asOfSequenceNumber: undefined,
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!SCAN_RECORDS_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, SCAN_RECORDS_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'filter':
        message.filter = filterFromJson(value, at, key);
        break;
      case 'select':
        message.select = readList(value, at, key, readString);
        break;
      case 'includeVectors':
        message.includeVectors = readBool(value, at, key);
        break;
      case 'pageSize':
        message.pageSize = readUint32(value, at, key);
        break;
      case 'pageToken':
        message.pageToken = readString(value, at, key);
        break;
      case 'consistency':
        message.consistency = readEnum(value, at, key, CONSISTENCY_NAMES, 0);
        break;
      case 'sessionToken':
        message.sessionToken = readString(value, at, key);
        break;
      case 'asOf':
        message.asOf = readTimestamp(value, at, key);
        break;
      case 'snapshot':
        message.snapshot = readString(value, at, key);
        break;
      case 'asOfSequenceNumber':
        message.asOfSequenceNumber = readInt64(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function scanRecordsRequestToJson(message: pb.ScanRecordsRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  if (message.filter !== undefined) object['filter'] = filterToJson(message.filter);
  object['select'] = message.select;
  object['includeVectors'] = message.includeVectors;
  object['pageSize'] = message.pageSize;
  object['pageToken'] = message.pageToken;
  if (message.consistency !== 0) object['consistency'] = consistencyToJson(message.consistency);
  object['sessionToken'] = message.sessionToken;
  if (message.asOf !== undefined) object['asOf'] = timestampToJson(message.asOf);
  if (message.snapshot !== undefined) object['snapshot'] = message.snapshot;
  if (message.asOfSequenceNumber !== undefined)
    object['asOfSequenceNumber'] = int64ToJson(message.asOfSequenceNumber);
  return object;
}

const SCAN_RECORDS_RESPONSE_FIELDS = new Set<string>([
  'records',
  'nextPageToken',
  'sequenceNumber',
  'sessionToken',
]);

export function scanRecordsResponseFromJson(json: unknown, at: Place, step: Step): pb.ScanRecordsResponse {
  const message: pb.ScanRecordsResponse = {
    records: [],
    nextPageToken: '',
    sequenceNumber: 0n,
    sessionToken: '',
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!SCAN_RECORDS_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, SCAN_RECORDS_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'records':
        message.records = readList(value, at, key, recordFromJson);
        break;
      case 'nextPageToken':
        message.nextPageToken = readString(value, at, key);
        break;
      case 'sequenceNumber':
        message.sequenceNumber = readInt64(value, at, key);
        break;
      case 'sessionToken':
        message.sessionToken = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function scanRecordsResponseToJson(message: pb.ScanRecordsResponse): JsonObject {
  const object: JsonObject = {};
  object['records'] = message.records.map((item) => recordToJson(item));
  object['nextPageToken'] = message.nextPageToken;
  object['sequenceNumber'] = int64ToJson(message.sequenceNumber);
  object['sessionToken'] = message.sessionToken;
  return object;
}

const COUNT_RECORDS_REQUEST_FIELDS = new Set<string>([
  'collection',
  'filter',
  'consistency',
  'sessionToken',
  'asOf',
  'snapshot',
  'asOfSequenceNumber',
]);

export function countRecordsRequestFromJson(json: unknown, at: Place, step: Step): pb.CountRecordsRequest {
  const message: pb.CountRecordsRequest = {
    collection: '',
    filter: undefined,
    consistency: 0,
    sessionToken: '',
    asOf: undefined,
    snapshot: undefined,
    asOfSequenceNumber: undefined,
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!COUNT_RECORDS_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, COUNT_RECORDS_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'filter':
        message.filter = filterFromJson(value, at, key);
        break;
      case 'consistency':
        message.consistency = readEnum(value, at, key, CONSISTENCY_NAMES, 0);
        break;
      case 'sessionToken':
        message.sessionToken = readString(value, at, key);
        break;
      case 'asOf':
        message.asOf = readTimestamp(value, at, key);
        break;
      case 'snapshot':
        message.snapshot = readString(value, at, key);
        break;
      case 'asOfSequenceNumber':
        message.asOfSequenceNumber = readInt64(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function countRecordsRequestToJson(message: pb.CountRecordsRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  if (message.filter !== undefined) object['filter'] = filterToJson(message.filter);
  if (message.consistency !== 0) object['consistency'] = consistencyToJson(message.consistency);
  object['sessionToken'] = message.sessionToken;
  if (message.asOf !== undefined) object['asOf'] = timestampToJson(message.asOf);
  if (message.snapshot !== undefined) object['snapshot'] = message.snapshot;
  if (message.asOfSequenceNumber !== undefined)
    object['asOfSequenceNumber'] = int64ToJson(message.asOfSequenceNumber);
  return object;
}

const COUNT_RECORDS_RESPONSE_FIELDS = new Set<string>(['count', 'sequenceNumber', 'sessionToken']);

export function countRecordsResponseFromJson(json: unknown, at: Place, step: Step): pb.CountRecordsResponse {
  const message: pb.CountRecordsResponse = { count: 0n, sequenceNumber: 0n, sessionToken: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!COUNT_RECORDS_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, COUNT_RECORDS_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'count':
        message.count = readInt64(value, at, key);
        break;
      case 'sequenceNumber':
        message.sequenceNumber = readInt64(value, at, key);
        break;
      case 'sessionToken':
        message.sessionToken = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function countRecordsResponseToJson(message: pb.CountRecordsResponse): JsonObject {
  const object: JsonObject = {};
  object['count'] = int64ToJson(message.count);
  object['sequenceNumber'] = int64ToJson(message.sequenceNumber);
  object['sessionToken'] = message.sessionToken;
  return object;
}

const CREATE_SNAPSHOT_REQUEST_FIELDS = new Set<string>(['collection', 'name', 'requestId']);

export function createSnapshotRequestFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.CreateSnapshotRequest {
  const message: pb.CreateSnapshotRequest = { collection: '', name: '', requestId: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!CREATE_SNAPSHOT_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, CREATE_SNAPSHOT_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'name':
        message.name = readString(value, at, key);
        break;
      case 'requestId':
        message.requestId = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function createSnapshotRequestToJson(message: pb.CreateSnapshotRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  object['name'] = message.name;
  object['requestId'] = message.requestId;
  return object;
}

const CREATE_SNAPSHOT_RESPONSE_FIELDS = new Set<string>(['snapshot']);

export function createSnapshotResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.CreateSnapshotResponse {
  const message: pb.CreateSnapshotResponse = { snapshot: undefined };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!CREATE_SNAPSHOT_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, CREATE_SNAPSHOT_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'snapshot':
        message.snapshot = snapshotFromJson(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function createSnapshotResponseToJson(message: pb.CreateSnapshotResponse): JsonObject {
  const object: JsonObject = {};
  if (message.snapshot !== undefined) object['snapshot'] = snapshotToJson(message.snapshot);
  return object;
}

const SNAPSHOT_FIELDS = new Set<string>(['name', 'createTime', 'sequenceNumber']);

export function snapshotFromJson(json: unknown, at: Place, step: Step): pb.Snapshot {
  const message: pb.Snapshot = { name: '', createTime: undefined, sequenceNumber: 0n };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!SNAPSHOT_FIELDS.has(key)) {
      unknownField(at, key, SNAPSHOT_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'name':
        message.name = readString(value, at, key);
        break;
      case 'createTime':
        message.createTime = readTimestamp(value, at, key);
        break;
      case 'sequenceNumber':
        message.sequenceNumber = readInt64(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function snapshotToJson(message: pb.Snapshot): JsonObject {
  const object: JsonObject = {};
  object['name'] = message.name;
  if (message.createTime !== undefined) object['createTime'] = timestampToJson(message.createTime);
  object['sequenceNumber'] = int64ToJson(message.sequenceNumber);
  return object;
}

const LIST_SNAPSHOTS_REQUEST_FIELDS = new Set<string>(['collection']);

export function listSnapshotsRequestFromJson(json: unknown, at: Place, step: Step): pb.ListSnapshotsRequest {
  const message: pb.ListSnapshotsRequest = { collection: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!LIST_SNAPSHOTS_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, LIST_SNAPSHOTS_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function listSnapshotsRequestToJson(message: pb.ListSnapshotsRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  return object;
}

const LIST_SNAPSHOTS_RESPONSE_FIELDS = new Set<string>(['snapshots']);

export function listSnapshotsResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.ListSnapshotsResponse {
  const message: pb.ListSnapshotsResponse = { snapshots: [] };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!LIST_SNAPSHOTS_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, LIST_SNAPSHOTS_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'snapshots':
        message.snapshots = readList(value, at, key, snapshotFromJson);
        break;
    }
  }
  at.leave();
  return message;
}

export function listSnapshotsResponseToJson(message: pb.ListSnapshotsResponse): JsonObject {
  const object: JsonObject = {};
  object['snapshots'] = message.snapshots.map((item) => snapshotToJson(item));
  return object;
}

const DELETE_SNAPSHOT_REQUEST_FIELDS = new Set<string>(['collection', 'snapshot', 'requestId']);

export function deleteSnapshotRequestFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.DeleteSnapshotRequest {
  const message: pb.DeleteSnapshotRequest = { collection: '', snapshot: '', requestId: '' };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!DELETE_SNAPSHOT_REQUEST_FIELDS.has(key)) {
      unknownField(at, key, DELETE_SNAPSHOT_REQUEST_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'collection':
        message.collection = readString(value, at, key);
        break;
      case 'snapshot':
        message.snapshot = readString(value, at, key);
        break;
      case 'requestId':
        message.requestId = readString(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function deleteSnapshotRequestToJson(message: pb.DeleteSnapshotRequest): JsonObject {
  const object: JsonObject = {};
  object['collection'] = message.collection;
  object['snapshot'] = message.snapshot;
  object['requestId'] = message.requestId;
  return object;
}

const DELETE_SNAPSHOT_RESPONSE_FIELDS = new Set<string>([]);

export function deleteSnapshotResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.DeleteSnapshotResponse {
  const message: pb.DeleteSnapshotResponse = {};
  const object = openObject(json, at, step);
  if (object === undefined) return message;
  for (const key of Object.keys(object)) unknownField(at, key, DELETE_SNAPSHOT_RESPONSE_FIELDS);
  at.leave();
  return message;
}

export function deleteSnapshotResponseToJson(_message: pb.DeleteSnapshotResponse): JsonObject {
  const object: JsonObject = {};

  return object;
}

const GET_LIMITS_REQUEST_FIELDS = new Set<string>([]);

export function getLimitsRequestFromJson(json: unknown, at: Place, step: Step): pb.GetLimitsRequest {
  const message: pb.GetLimitsRequest = {};
  const object = openObject(json, at, step);
  if (object === undefined) return message;
  for (const key of Object.keys(object)) unknownField(at, key, GET_LIMITS_REQUEST_FIELDS);
  at.leave();
  return message;
}

export function getLimitsRequestToJson(_message: pb.GetLimitsRequest): JsonObject {
  const object: JsonObject = {};

  return object;
}

const GET_LIMITS_RESPONSE_FIELDS = new Set<string>([
  'dimensionsMax',
  'idBytesMax',
  'attributeBytesMax',
  'attributesMax',
  'attributeNameBytesMax',
  'attributeArrayMax',
  'batchRecordsMax',
  'jsonBodyBytesMax',
  'protobufBodyBytesMax',
  'topKMax',
  'filterDepthMax',
  'filterNodesMax',
  'filterValuesMax',
  'pageSizeMax',
  'pageSizeDefault',
  'responseBytesMax',
  'collectionNameBytesMax',
  'collectionsPerTenantMax',
  'requestIdBytesMax',
  'idempotencyWindowMs',
  'idempotencyEntriesMax',
  'unfoldedBytesSoft',
  'unfoldedBytesHard',
]);

export function getLimitsResponseFromJson(json: unknown, at: Place, step: Step): pb.GetLimitsResponse {
  const message: pb.GetLimitsResponse = {
    dimensionsMax: 0,
    idBytesMax: 0,
    attributeBytesMax: 0,
    attributesMax: 0,
    attributeNameBytesMax: 0,
    attributeArrayMax: 0,
    batchRecordsMax: 0,
    jsonBodyBytesMax: 0,
    protobufBodyBytesMax: 0,
    topKMax: 0,
    filterDepthMax: 0,
    filterNodesMax: 0,
    filterValuesMax: 0,
    pageSizeMax: 0,
    pageSizeDefault: 0,
    responseBytesMax: 0,
    collectionNameBytesMax: 0,
    collectionsPerTenantMax: 0,
    requestIdBytesMax: 0,
    idempotencyWindowMs: 0,
    idempotencyEntriesMax: 0,
    unfoldedBytesSoft: 0,
    unfoldedBytesHard: 0,
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!GET_LIMITS_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, GET_LIMITS_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'dimensionsMax':
        message.dimensionsMax = readUint32(value, at, key);
        break;
      case 'idBytesMax':
        message.idBytesMax = readUint32(value, at, key);
        break;
      case 'attributeBytesMax':
        message.attributeBytesMax = readUint32(value, at, key);
        break;
      case 'attributesMax':
        message.attributesMax = readUint32(value, at, key);
        break;
      case 'attributeNameBytesMax':
        message.attributeNameBytesMax = readUint32(value, at, key);
        break;
      case 'attributeArrayMax':
        message.attributeArrayMax = readUint32(value, at, key);
        break;
      case 'batchRecordsMax':
        message.batchRecordsMax = readUint32(value, at, key);
        break;
      case 'jsonBodyBytesMax':
        message.jsonBodyBytesMax = readUint32(value, at, key);
        break;
      case 'protobufBodyBytesMax':
        message.protobufBodyBytesMax = readUint32(value, at, key);
        break;
      case 'topKMax':
        message.topKMax = readUint32(value, at, key);
        break;
      case 'filterDepthMax':
        message.filterDepthMax = readUint32(value, at, key);
        break;
      case 'filterNodesMax':
        message.filterNodesMax = readUint32(value, at, key);
        break;
      case 'filterValuesMax':
        message.filterValuesMax = readUint32(value, at, key);
        break;
      case 'pageSizeMax':
        message.pageSizeMax = readUint32(value, at, key);
        break;
      case 'pageSizeDefault':
        message.pageSizeDefault = readUint32(value, at, key);
        break;
      case 'responseBytesMax':
        message.responseBytesMax = readUint32(value, at, key);
        break;
      case 'collectionNameBytesMax':
        message.collectionNameBytesMax = readUint32(value, at, key);
        break;
      case 'collectionsPerTenantMax':
        message.collectionsPerTenantMax = readUint32(value, at, key);
        break;
      case 'requestIdBytesMax':
        message.requestIdBytesMax = readUint32(value, at, key);
        break;
      case 'idempotencyWindowMs':
        message.idempotencyWindowMs = readUint32(value, at, key);
        break;
      case 'idempotencyEntriesMax':
        message.idempotencyEntriesMax = readUint32(value, at, key);
        break;
      case 'unfoldedBytesSoft':
        message.unfoldedBytesSoft = readUint32(value, at, key);
        break;
      case 'unfoldedBytesHard':
        message.unfoldedBytesHard = readUint32(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function getLimitsResponseToJson(message: pb.GetLimitsResponse): JsonObject {
  const object: JsonObject = {};
  object['dimensionsMax'] = message.dimensionsMax;
  object['idBytesMax'] = message.idBytesMax;
  object['attributeBytesMax'] = message.attributeBytesMax;
  object['attributesMax'] = message.attributesMax;
  object['attributeNameBytesMax'] = message.attributeNameBytesMax;
  object['attributeArrayMax'] = message.attributeArrayMax;
  object['batchRecordsMax'] = message.batchRecordsMax;
  object['jsonBodyBytesMax'] = message.jsonBodyBytesMax;
  object['protobufBodyBytesMax'] = message.protobufBodyBytesMax;
  object['topKMax'] = message.topKMax;
  object['filterDepthMax'] = message.filterDepthMax;
  object['filterNodesMax'] = message.filterNodesMax;
  object['filterValuesMax'] = message.filterValuesMax;
  object['pageSizeMax'] = message.pageSizeMax;
  object['pageSizeDefault'] = message.pageSizeDefault;
  object['responseBytesMax'] = message.responseBytesMax;
  object['collectionNameBytesMax'] = message.collectionNameBytesMax;
  object['collectionsPerTenantMax'] = message.collectionsPerTenantMax;
  object['requestIdBytesMax'] = message.requestIdBytesMax;
  object['idempotencyWindowMs'] = message.idempotencyWindowMs;
  object['idempotencyEntriesMax'] = message.idempotencyEntriesMax;
  object['unfoldedBytesSoft'] = message.unfoldedBytesSoft;
  object['unfoldedBytesHard'] = message.unfoldedBytesHard;
  return object;
}

const GET_SERVER_INFO_REQUEST_FIELDS = new Set<string>([]);

export function getServerInfoRequestFromJson(json: unknown, at: Place, step: Step): pb.GetServerInfoRequest {
  const message: pb.GetServerInfoRequest = {};
  const object = openObject(json, at, step);
  if (object === undefined) return message;
  for (const key of Object.keys(object)) unknownField(at, key, GET_SERVER_INFO_REQUEST_FIELDS);
  at.leave();
  return message;
}

export function getServerInfoRequestToJson(_message: pb.GetServerInfoRequest): JsonObject {
  const object: JsonObject = {};

  return object;
}

const GET_SERVER_INFO_RESPONSE_FIELDS = new Set<string>([
  'version',
  'apiVersions',
  'uptimeMs',
  'startTime',
  'features',
  'dimensionsDefault',
]);

export function getServerInfoResponseFromJson(
  json: unknown,
  at: Place,
  step: Step,
): pb.GetServerInfoResponse {
  const message: pb.GetServerInfoResponse = {
    version: '',
    apiVersions: [],
    uptimeMs: 0n,
    startTime: undefined,
    features: [],
    dimensionsDefault: 0,
  };
  const object = openObject(json, at, step);
  if (object === undefined) return message;

  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!GET_SERVER_INFO_RESPONSE_FIELDS.has(key)) {
      unknownField(at, key, GET_SERVER_INFO_RESPONSE_FIELDS);
      continue;
    }
    if (value === null || value === undefined) continue;
    switch (key) {
      case 'version':
        message.version = readString(value, at, key);
        break;
      case 'apiVersions':
        message.apiVersions = readList(value, at, key, readString);
        break;
      case 'uptimeMs':
        message.uptimeMs = readInt64(value, at, key);
        break;
      case 'startTime':
        message.startTime = readTimestamp(value, at, key);
        break;
      case 'features':
        message.features = readList(value, at, key, readString);
        break;
      case 'dimensionsDefault':
        message.dimensionsDefault = readUint32(value, at, key);
        break;
    }
  }
  at.leave();
  return message;
}

export function getServerInfoResponseToJson(message: pb.GetServerInfoResponse): JsonObject {
  const object: JsonObject = {};
  object['version'] = message.version;
  object['apiVersions'] = message.apiVersions;
  object['uptimeMs'] = int64ToJson(message.uptimeMs);
  if (message.startTime !== undefined) object['startTime'] = timestampToJson(message.startTime);
  object['features'] = message.features;
  object['dimensionsDefault'] = message.dimensionsDefault;
  return object;
}
