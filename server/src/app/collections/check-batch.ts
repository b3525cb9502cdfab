/*
 * Checks a batch against its collection before anything of it is written. The first thing wrong is named by
 * its path in the request.
 */
import { OmenError } from '../../core/errors.js';
import { parseRecordId, quote } from '../../core/ids.js';
import { LIMITS } from '../../core/limits.js';
import { checkAttributes } from '../../core/record/attribute-codec.js';
import type { Metric } from '../../core/vector/metric.js';
import { describeVectorFault, findVectorFault } from '../../core/vector/validate.js';
import type { CollectionInfo, DeleteRequest, PatchRequest, RecordColumns } from '../api.js';
import type { PutBatch } from './write-plan.js';

const NO_ATTRIBUTES = new Uint8Array(0);

/** The batch ready to be planned, attributes encoded. */
export function checkUpsert(info: CollectionInfo, records: RecordColumns): PutBatch {
  const { ids, vectors, attributes } = records;
  checkSize(ids.length, 'records');
  checkIds(ids, (index) => `${records.path(index)}.id`);
  if (records.dimensions !== info.dimensions) {
    throw new OmenError(
      'DIMENSION_MISMATCH',
      `${records.path(0)}.vector has ${records.dimensions} numbers, collection "${info.name}" takes ${info.dimensions}`,
      { field: `${records.path(0)}.vector` },
    );
  }
  checkVectors(vectors, info, (index) => `${records.path(index)}.vector`);
  return {
    ids,
    vectors,
    dimensions: info.dimensions,
    attributes:
      attributes.length === 0
        ? ids.map(() => NO_ATTRIBUTES)
        : attributes.map((one, index) => checkAttributes(one, `${records.path(index)}.attributes`)),
  };
}

export function checkPatch(info: CollectionInfo, request: PatchRequest): void {
  checkSize(request.patches.length, 'patches');
  checkIds(
    request.patches.map((patch) => patch.id),
    (index) => `patches[${index}].id`,
  );
  request.patches.forEach((patch, index) => {
    const field = `patches[${index}].vector`;
    if (patch.vector === undefined) return;
    if (patch.vector.length !== info.dimensions) {
      throw new OmenError(
        'DIMENSION_MISMATCH',
        `${field} has ${patch.vector.length} numbers, collection "${info.name}" takes ${info.dimensions}`,
        { field },
      );
    }
    checkVectors(patch.vector, info, () => field);
  });
}

export function checkDelete(request: DeleteRequest): void {
  if ((request.ids.length === 0) === (request.filter === undefined)) {
    throw new OmenError(
      request.filter === undefined ? 'EMPTY_BATCH' : 'INVALID_ARGUMENT',
      'name the records to delete either by ids or by filter: exactly one of the two must be given',
      { field: 'ids' },
    );
  }
  if (request.filter !== undefined) return;
  checkSize(request.ids.length, 'ids');
  request.ids.forEach((id, index) => parseRecordId(id, `ids[${index}]`));
}

/**
 * Refuses values that are not finite, norms that overflow, and zero vectors under cosine. `vectors` are rows
 * of the collection's length.
 */
export function checkVectors(
  vectors: Float32Array,
  collection: { readonly dimensions: number; readonly metric: Metric },
  path: (row: number) => string,
): void {
  const fault = findVectorFault(vectors, collection.dimensions, collection.metric);
  if (fault === null) return;
  const at = path(fault.row);
  const field = fault.dimension < 0 ? at : `${at}[${fault.dimension}]`;
  throw new OmenError(
    fault.fault === 'zero' ? 'ZERO_VECTOR' : 'INVALID_VECTOR',
    `${at}: ${describeVectorFault(fault)}`,
    { field },
  );
}

function checkSize(count: number, field: string): void {
  if (count === 0)
    throw new OmenError('EMPTY_BATCH', `${field} is empty: a batch has at least one record`, { field });
  if (count > LIMITS.batchRecordsMax) {
    throw new OmenError(
      'BATCH_TOO_LARGE',
      `${field} has ${count} entries, at most ${LIMITS.batchRecordsMax} are allowed in one request`,
      { field },
    );
  }
}

function checkIds(ids: readonly string[], path: (index: number) => string): void {
  const seen = new Map<string, number>();
  ids.forEach((id, index) => {
    parseRecordId(id, path(index));
    const first = seen.get(id);
    if (first !== undefined) {
      throw new OmenError(
        'DUPLICATE_ID',
        `${path(index)} is ${quote(id)}, which ${path(first)} is already: an id may occur once in a batch`,
        { field: path(index) },
      );
    }
    seen.set(id, index);
  });
}
