// Generated from proto/ by `npm run generate`. Do not edit: a test compares it with a fresh run.
/* Validators of requests: what `buf.validate` says in the protos. */
import type * as pb from './messages.js';
import { checkText, checkBytes, checkCount, checkNumber, checkEnum, missing } from './runtime/check.js';
import { checkFilterSize } from './runtime/filter.js';
import type { Place, Step } from './runtime/place.js';

const RULES_1 = {
  minLen: 1,
  maxLen: 128,
  pattern: new RegExp('^[a-zA-Z0-9][a-zA-Z0-9._-]*$', 'u'),
  reason: 'INVALID_COLLECTION_NAME',
  empty: 'INVALID_COLLECTION_NAME',
};
const RULES_2 = { lte: 4096, gte: 1, reason: 'INVALID_ARGUMENT', empty: 'INVALID_ARGUMENT' };
const RULES_3 = {
  allowed: new Set([0, 1, 2, 3]),
  names: 'cosine, l2, dot',
  reason: 'INVALID_ARGUMENT',
  empty: 'INVALID_ARGUMENT',
};
const RULES_4 = { maxBytes: 128, reason: 'INVALID_ARGUMENT', empty: 'INVALID_ARGUMENT' };
const RULES_5 = { maxBytes: 4096, reason: 'INVALID_PAGE_TOKEN', empty: 'INVALID_PAGE_TOKEN' };
const RULES_6 = {
  minLen: 1,
  maxLen: 128,
  pattern: new RegExp('^[a-zA-Z0-9][a-zA-Z0-9._-]*$', 'u'),
  reason: 'INVALID_ARGUMENT',
  empty: 'INVALID_ARGUMENT',
};
const RULES_7 = { gte: 0n, reason: 'INVALID_ARGUMENT', empty: 'INVALID_ARGUMENT' };
const RULES_8 = { minLen: 1, maxBytes: 512, reason: 'INVALID_FILTER', empty: 'INVALID_FILTER' };
const RULES_9 = { max: 1024, reason: 'INVALID_FILTER', empty: 'INVALID_FILTER' };
const RULES_10 = { finite: true, reason: 'INVALID_FILTER', empty: 'INVALID_FILTER' };
const RULES_11 = {
  minLen: 1,
  maxBytes: 128,
  pattern: new RegExp('^[^$]', 'u'),
  reason: 'INVALID_FILTER',
  empty: 'INVALID_FILTER',
};
const RULES_12 = {
  allowed: new Set([1, 2, 3, 4, 5, 6]),
  names: 'eq, ne, lt, lte, gt, gte',
  reason: 'INVALID_FILTER',
  empty: 'INVALID_FILTER',
};
const RULES_13 = {
  allowed: new Set([1, 2, 3, 4]),
  names: 'in, not_in, contains_any, contains_all',
  reason: 'INVALID_FILTER',
  empty: 'INVALID_FILTER',
};
const RULES_14 = { max: 10000, reason: 'INVALID_FILTER', empty: 'INVALID_FILTER' };
const RULES_15 = { finite: true, reason: 'INVALID_ATTRIBUTE', empty: 'INVALID_ATTRIBUTE' };
const RULES_16 = { max: 4096, reason: 'INVALID_ATTRIBUTE', empty: 'INVALID_ATTRIBUTE' };
const RULES_17 = { max: 256, reason: 'INVALID_ATTRIBUTE', empty: 'INVALID_ATTRIBUTE' };
const RULES_18 = {
  minLen: 1,
  maxBytes: 128,
  pattern: new RegExp('^[^$]', 'u'),
  reason: 'INVALID_ATTRIBUTE',
  empty: 'INVALID_ATTRIBUTE',
};
const RULES_19 = { minLen: 4, maxLen: 16384, reason: 'INVALID_VECTOR', empty: 'INVALID_VECTOR' };
const RULES_20 = { min: 1, max: 4096, reason: 'INVALID_VECTOR', empty: 'INVALID_VECTOR' };
const RULES_21 = { lte: 10000, gte: 1, reason: 'INVALID_ARGUMENT', empty: 'INVALID_ARGUMENT' };
const RULES_22 = { max: 256, reason: 'INVALID_ARGUMENT', empty: 'INVALID_ARGUMENT' };
const RULES_23 = { minLen: 1, maxBytes: 128, reason: 'INVALID_ARGUMENT', empty: 'INVALID_ARGUMENT' };
const RULES_24 = {
  allowed: new Set([0, 1, 2, 3]),
  names: 'session, strong, eventual',
  reason: 'INVALID_ARGUMENT',
  empty: 'INVALID_ARGUMENT',
};
const RULES_25 = { maxBytes: 4096, reason: 'INVALID_ARGUMENT', empty: 'INVALID_ARGUMENT' };
const RULES_26 = { lte: 1, gte: 0.5, reason: 'INVALID_ARGUMENT', empty: 'INVALID_ARGUMENT' };
const RULES_27 = { lte: 65536, gte: 1, reason: 'INVALID_ARGUMENT', empty: 'INVALID_ARGUMENT' };
const RULES_28 = { lte: 100000, gte: 1, reason: 'INVALID_ARGUMENT', empty: 'INVALID_ARGUMENT' };
const RULES_29 = { minLen: 1, maxBytes: 512, reason: 'INVALID_ID', empty: 'INVALID_ID' };
const RULES_30 = { max: 10000, reason: 'BATCH_TOO_LARGE', empty: 'BATCH_TOO_LARGE' };
const RULES_31 = { lte: 4096, reason: 'DIMENSION_MISMATCH', empty: 'DIMENSION_MISMATCH' };
const RULES_32 = { min: 1, max: 1000, reason: 'BATCH_TOO_LARGE', empty: 'EMPTY_BATCH' };
const RULES_33 = { min: 1, max: 10000, reason: 'BATCH_TOO_LARGE', empty: 'EMPTY_BATCH' };
const RULES_34 = { max: 10000, reason: 'BATCH_TOO_LARGE', empty: 'EMPTY_BATCH' };

export function checkCreateCollectionRequest(
  message: pb.CreateCollectionRequest,
  at: Place,
  step: Step,
): void {
  at.enter(step);
  checkText(message.name, at, 'name', RULES_1);
  if (message.dimensions !== undefined) {
    checkNumber(message.dimensions, at, 'dimensions', RULES_2);
  }
  checkEnum(message.metric, at, 'metric', RULES_3);
  checkText(message.requestId, at, 'requestId', RULES_4);
  at.leave();
}

export function checkGetCollectionRequest(message: pb.GetCollectionRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  at.leave();
}

export function checkListCollectionsRequest(message: pb.ListCollectionsRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.pageToken, at, 'pageToken', RULES_5);
  at.leave();
}

export function checkDeleteCollectionRequest(
  message: pb.DeleteCollectionRequest,
  at: Place,
  step: Step,
): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  checkText(message.requestId, at, 'requestId', RULES_4);
  at.leave();
}

export function checkBranchCollectionRequest(
  message: pb.BranchCollectionRequest,
  at: Place,
  step: Step,
): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  checkText(message.name, at, 'name', RULES_1);
  if (message.snapshot !== undefined) {
    checkText(message.snapshot, at, 'snapshot', RULES_6);
  }
  if (message.asOfSequenceNumber !== undefined) {
    checkNumber(message.asOfSequenceNumber, at, 'asOfSequenceNumber', RULES_7);
  }
  checkText(message.requestId, at, 'requestId', RULES_4);
  at.leave();
}

export function checkCopyCollectionRequest(message: pb.CopyCollectionRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  checkText(message.name, at, 'name', RULES_1);
  if (message.snapshot !== undefined) {
    checkText(message.snapshot, at, 'snapshot', RULES_6);
  }
  if (message.asOfSequenceNumber !== undefined) {
    checkNumber(message.asOfSequenceNumber, at, 'asOfSequenceNumber', RULES_7);
  }
  checkText(message.requestId, at, 'requestId', RULES_4);
  at.leave();
}

export function checkGetCollectionStatsRequest(
  message: pb.GetCollectionStatsRequest,
  at: Place,
  step: Step,
): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  at.leave();
}

export function checkFilter(message: pb.Filter, at: Place, step: Step): void {
  at.enter(step);
  if (message.expr === undefined) {
    at.report('INVALID_FILTER', 'must have one of and, or, not, compare, in, exists, prefix, ids, idPrefix');
  }
  switch (message.expr?.$case) {
    case 'and':
      checkFilterList(message.expr.value, at, 'and');
      break;
    case 'or':
      checkFilterList(message.expr.value, at, 'or');
      break;
    case 'not':
      checkFilter(message.expr.value, at, 'not');
      break;
    case 'compare':
      checkComparison(message.expr.value, at, 'compare');
      break;
    case 'in':
      checkSetMembership(message.expr.value, at, 'in');
      break;
    case 'exists':
      checkFieldPresence(message.expr.value, at, 'exists');
      break;
    case 'prefix':
      checkFieldPrefix(message.expr.value, at, 'prefix');
      break;
    case 'ids':
      checkIdSet(message.expr.value, at, 'ids');
      break;
    case 'idPrefix':
      checkText(message.expr.value, at, 'idPrefix', RULES_8);
      break;
  }
  at.leave();
}

export function checkFilterList(message: pb.FilterList, at: Place, step: Step): void {
  at.enter(step);
  checkCount(message.filters.length, at, 'filters', RULES_9);
  at.enter('filters');
  for (let i = 0; i < message.filters.length; i++) {
    const item = message.filters[i];
    if (item === undefined) continue;
    checkFilter(item, at, i);
  }
  at.leave();
  at.leave();
}

export function checkScalar(message: pb.Scalar, at: Place, step: Step): void {
  at.enter(step);
  if (message.kind === undefined) {
    at.report('INVALID_FILTER', 'must have one of stringValue, intValue, doubleValue, boolValue');
  }
  switch (message.kind?.$case) {
    case 'doubleValue':
      checkNumber(message.kind.value, at, '', RULES_10);
      break;
  }
  at.leave();
}

export function checkComparison(message: pb.Comparison, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.field, at, 'field', RULES_11);
  checkEnum(message.operator, at, 'operator', RULES_12);
  if (message.value === undefined) missing(at, 'value', 'INVALID_FILTER');
  else {
    checkScalar(message.value, at, 'value');
  }
  at.leave();
}

export function checkSetMembership(message: pb.SetMembership, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.field, at, 'field', RULES_11);
  checkEnum(message.operator, at, 'operator', RULES_13);
  checkCount(message.values.length, at, 'values', RULES_14);
  at.enter('values');
  for (let i = 0; i < message.values.length; i++) {
    const item = message.values[i];
    if (item === undefined) continue;
    checkScalar(item, at, i);
  }
  at.leave();
  at.leave();
}

export function checkFieldPresence(message: pb.FieldPresence, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.field, at, 'field', RULES_11);
  at.leave();
}

export function checkFieldPrefix(message: pb.FieldPrefix, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.field, at, 'field', RULES_11);
  at.leave();
}

export function checkIdSet(message: pb.IdSet, at: Place, step: Step): void {
  at.enter(step);
  checkCount(message.ids.length, at, 'ids', RULES_14);
  at.leave();
}

export function checkValue(message: pb.Value, at: Place, step: Step): void {
  at.enter(step);
  if (message.kind === undefined) {
    at.report(
      'INVALID_ATTRIBUTE',
      'must have one of stringValue, intValue, doubleValue, boolValue, stringList, intList, doubleList, boolList, nullValue',
    );
  }
  switch (message.kind?.$case) {
    case 'doubleValue':
      checkNumber(message.kind.value, at, '', RULES_15);
      break;
    case 'stringList':
      checkStringList(message.kind.value, at, '');
      break;
    case 'intList':
      checkInt64List(message.kind.value, at, '');
      break;
    case 'doubleList':
      checkDoubleList(message.kind.value, at, '');
      break;
    case 'boolList':
      checkBoolList(message.kind.value, at, '');
      break;
  }
  at.leave();
}

export function checkStringList(message: pb.StringList, at: Place, step: Step): void {
  at.enter(step);
  checkCount(message.values.length, at, '', RULES_16);
  at.leave();
}

export function checkInt64List(message: pb.Int64List, at: Place, step: Step): void {
  at.enter(step);
  checkCount(message.values.length, at, '', RULES_16);
  at.leave();
}

export function checkDoubleList(message: pb.DoubleList, at: Place, step: Step): void {
  at.enter(step);
  checkCount(message.values.length, at, '', RULES_16);
  at.enter('');
  for (let i = 0; i < message.values.length; i++) {
    const item = message.values[i];
    if (item === undefined) continue;
    checkNumber(item, at, i, RULES_15);
  }
  at.leave();
  at.leave();
}

export function checkBoolList(message: pb.BoolList, at: Place, step: Step): void {
  at.enter(step);
  checkCount(message.values.length, at, '', RULES_16);
  at.leave();
}

export function checkAttributes(message: pb.Attributes, at: Place, step: Step): void {
  at.enter(step);
  checkCount(message.values.size, at, '', RULES_17);
  at.enter('');
  for (const [key, item] of message.values) {
    checkText(key, at, key, RULES_18);
    checkValue(item, at, key);
  }
  at.leave();
  at.leave();
}

export function checkVector(message: pb.Vector, at: Place, step: Step): void {
  at.enter(step);
  if (message.data === undefined) {
    at.report('INVALID_VECTOR', 'must have one of f32, values');
  }
  switch (message.data?.$case) {
    case 'f32':
      checkBytes(message.data.value, at, '', RULES_19);
      break;
    case 'values':
      checkFloatList(message.data.value, at, '');
      break;
  }
  at.leave();
}

export function checkFloatList(message: pb.FloatList, at: Place, step: Step): void {
  at.enter(step);
  checkCount(message.values.length, at, '', RULES_20);
  at.leave();
}

export function checkQueryRequest(message: pb.QueryRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  if (message.vector === undefined) missing(at, 'vector', 'INVALID_VECTOR');
  else {
    checkVector(message.vector, at, 'vector');
  }
  if (message.topK !== undefined) {
    checkNumber(message.topK, at, 'topK', RULES_21);
  }
  if (message.filter !== undefined) {
    checkFilterSize(message.filter, at, 'filter');
    checkFilter(message.filter, at, 'filter');
  }
  checkCount(message.select.length, at, 'select', RULES_22);
  at.enter('select');
  for (let i = 0; i < message.select.length; i++) {
    const item = message.select[i];
    if (item === undefined) continue;
    checkText(item, at, i, RULES_23);
  }
  at.leave();
  if (message.params !== undefined) {
    checkSearchParams(message.params, at, 'params');
  }
  checkEnum(message.consistency, at, 'consistency', RULES_24);
  checkText(message.sessionToken, at, 'sessionToken', RULES_25);
  if (message.snapshot !== undefined) {
    checkText(message.snapshot, at, 'snapshot', RULES_6);
  }
  if (message.asOfSequenceNumber !== undefined) {
    checkNumber(message.asOfSequenceNumber, at, 'asOfSequenceNumber', RULES_7);
  }
  at.leave();
}

export function checkSearchParams(message: pb.SearchParams, at: Place, step: Step): void {
  at.enter(step);
  if (message.recallTarget !== undefined) {
    checkNumber(message.recallTarget, at, 'recallTarget', RULES_26);
  }
  if (message.nprobe !== undefined) {
    checkNumber(message.nprobe, at, 'nprobe', RULES_27);
  }
  if (message.rerank !== undefined) {
    checkNumber(message.rerank, at, 'rerank', RULES_28);
  }
  at.leave();
}

export function checkRecord(message: pb.Record, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.id, at, 'id', RULES_29);
  if (message.vector !== undefined) {
    checkVector(message.vector, at, 'vector');
  }
  checkCount(message.attributes.size, at, 'attributes', RULES_17);
  at.enter('attributes');
  for (const [key, item] of message.attributes) {
    checkText(key, at, key, RULES_18);
    checkValue(item, at, key);
  }
  at.leave();
  at.leave();
}

export function checkRecordBlock(message: pb.RecordBlock, at: Place, step: Step): void {
  at.enter(step);
  checkCount(message.ids.length, at, 'ids', RULES_30);
  at.enter('ids');
  for (let i = 0; i < message.ids.length; i++) {
    const item = message.ids[i];
    if (item === undefined) continue;
    checkText(item, at, i, RULES_29);
  }
  at.leave();
  checkNumber(message.dimensions, at, 'dimensions', RULES_31);
  checkCount(message.attributes.length, at, 'attributes', RULES_30);
  at.enter('attributes');
  for (let i = 0; i < message.attributes.length; i++) {
    const item = message.attributes[i];
    if (item === undefined) continue;
    checkAttributes(item, at, i);
  }
  at.leave();
  at.leave();
}

export function checkRecordPatch(message: pb.RecordPatch, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.id, at, 'id', RULES_29);
  if (message.vector !== undefined) {
    checkVector(message.vector, at, 'vector');
  }
  checkCount(message.attributes.size, at, 'attributes', RULES_17);
  at.enter('attributes');
  for (const [key, item] of message.attributes) {
    checkText(key, at, key, RULES_18);
    checkValue(item, at, key);
  }
  at.leave();
  at.leave();
}

export function checkBatchGetRecordsRequest(message: pb.BatchGetRecordsRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  checkCount(message.ids.length, at, 'ids', RULES_32);
  at.enter('ids');
  for (let i = 0; i < message.ids.length; i++) {
    const item = message.ids[i];
    if (item === undefined) continue;
    checkText(item, at, i, RULES_29);
  }
  at.leave();
  checkCount(message.select.length, at, 'select', RULES_22);
  at.enter('select');
  for (let i = 0; i < message.select.length; i++) {
    const item = message.select[i];
    if (item === undefined) continue;
    checkText(item, at, i, RULES_23);
  }
  at.leave();
  checkEnum(message.consistency, at, 'consistency', RULES_24);
  checkText(message.sessionToken, at, 'sessionToken', RULES_25);
  if (message.snapshot !== undefined) {
    checkText(message.snapshot, at, 'snapshot', RULES_6);
  }
  if (message.asOfSequenceNumber !== undefined) {
    checkNumber(message.asOfSequenceNumber, at, 'asOfSequenceNumber', RULES_7);
  }
  at.leave();
}

export function checkGetRecordRequest(message: pb.GetRecordRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  checkText(message.id, at, 'id', RULES_29);
  checkCount(message.select.length, at, 'select', RULES_22);
  at.enter('select');
  for (let i = 0; i < message.select.length; i++) {
    const item = message.select[i];
    if (item === undefined) continue;
    checkText(item, at, i, RULES_23);
  }
  at.leave();
  checkEnum(message.consistency, at, 'consistency', RULES_24);
  checkText(message.sessionToken, at, 'sessionToken', RULES_25);
  if (message.snapshot !== undefined) {
    checkText(message.snapshot, at, 'snapshot', RULES_6);
  }
  if (message.asOfSequenceNumber !== undefined) {
    checkNumber(message.asOfSequenceNumber, at, 'asOfSequenceNumber', RULES_7);
  }
  at.leave();
}

export function checkScanRecordsRequest(message: pb.ScanRecordsRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  if (message.filter !== undefined) {
    checkFilterSize(message.filter, at, 'filter');
    checkFilter(message.filter, at, 'filter');
  }
  checkCount(message.select.length, at, 'select', RULES_22);
  at.enter('select');
  for (let i = 0; i < message.select.length; i++) {
    const item = message.select[i];
    if (item === undefined) continue;
    checkText(item, at, i, RULES_23);
  }
  at.leave();
  checkText(message.pageToken, at, 'pageToken', RULES_5);
  checkEnum(message.consistency, at, 'consistency', RULES_24);
  checkText(message.sessionToken, at, 'sessionToken', RULES_25);
  if (message.snapshot !== undefined) {
    checkText(message.snapshot, at, 'snapshot', RULES_6);
  }
  if (message.asOfSequenceNumber !== undefined) {
    checkNumber(message.asOfSequenceNumber, at, 'asOfSequenceNumber', RULES_7);
  }
  at.leave();
}

export function checkCountRecordsRequest(message: pb.CountRecordsRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  if (message.filter !== undefined) {
    checkFilterSize(message.filter, at, 'filter');
    checkFilter(message.filter, at, 'filter');
  }
  checkEnum(message.consistency, at, 'consistency', RULES_24);
  checkText(message.sessionToken, at, 'sessionToken', RULES_25);
  if (message.snapshot !== undefined) {
    checkText(message.snapshot, at, 'snapshot', RULES_6);
  }
  if (message.asOfSequenceNumber !== undefined) {
    checkNumber(message.asOfSequenceNumber, at, 'asOfSequenceNumber', RULES_7);
  }
  at.leave();
}

export function checkUpsertRecordsRequest(message: pb.UpsertRecordsRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  checkCount(message.records.length, at, 'records', RULES_30);
  at.enter('records');
  for (let i = 0; i < message.records.length; i++) {
    const item = message.records[i];
    if (item === undefined) continue;
    checkRecord(item, at, i);
  }
  at.leave();
  if (message.block !== undefined) {
    checkRecordBlock(message.block, at, 'block');
  }
  checkText(message.requestId, at, 'requestId', RULES_4);
  at.leave();
}

export function checkPatchRecordsRequest(message: pb.PatchRecordsRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  checkCount(message.patches.length, at, 'patches', RULES_33);
  at.enter('patches');
  for (let i = 0; i < message.patches.length; i++) {
    const item = message.patches[i];
    if (item === undefined) continue;
    checkRecordPatch(item, at, i);
  }
  at.leave();
  checkText(message.requestId, at, 'requestId', RULES_4);
  at.leave();
}

export function checkDeleteRecordsRequest(message: pb.DeleteRecordsRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  checkCount(message.ids.length, at, 'ids', RULES_34);
  at.enter('ids');
  for (let i = 0; i < message.ids.length; i++) {
    const item = message.ids[i];
    if (item === undefined) continue;
    checkText(item, at, i, RULES_29);
  }
  at.leave();
  if (message.filter !== undefined) {
    checkFilterSize(message.filter, at, 'filter');
    checkFilter(message.filter, at, 'filter');
  }
  checkText(message.requestId, at, 'requestId', RULES_4);
  at.leave();
}

export function checkCreateSnapshotRequest(message: pb.CreateSnapshotRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  checkText(message.name, at, 'name', RULES_6);
  checkText(message.requestId, at, 'requestId', RULES_4);
  at.leave();
}

export function checkListSnapshotsRequest(message: pb.ListSnapshotsRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  at.leave();
}

export function checkDeleteSnapshotRequest(message: pb.DeleteSnapshotRequest, at: Place, step: Step): void {
  at.enter(step);
  checkText(message.collection, at, 'collection', RULES_1);
  checkText(message.snapshot, at, 'snapshot', RULES_6);
  checkText(message.requestId, at, 'requestId', RULES_4);
  at.leave();
}

export function checkGetLimitsRequest(_message: pb.GetLimitsRequest, _at: Place, _step: Step): void {}

export function checkGetServerInfoRequest(_message: pb.GetServerInfoRequest, _at: Place, _step: Step): void {}
