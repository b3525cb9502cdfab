/*
 * Records between the wire and the application: both forms of an upsert become columns.
 */
import type { FoundRecord, PatchRequest, RecordColumns, RecordPatch } from '../../app/api.js';
import { OmenError } from '../../core/errors.js';
import type { Attributes } from '../../core/record/record.js';
import type * as pb from '../../gen/messages.js';
import { floatsOf } from '../../gen/runtime/vector.js';
import { attributesFromWire, attributesToWire, patchFromWire } from './values.js';
import { copyVector, lengthOfVector, vectorFromWire, vectorToWire } from './vectors.js';

const NONE: readonly Attributes[] = [];

/** The records of an upsert, from whichever of the two forms it has. */
export function columnsFromWire({ records, block }: pb.UpsertRecordsRequest): RecordColumns {
  if (block === undefined) return columnsOfRecords(records);
  if (records.length > 0) {
    throw new OmenError(
      'INVALID_ARGUMENT',
      'records and block are both given: exactly one of the two must be',
      {
        field: 'block',
      },
    );
  }
  return columnsOfBlock(block);
}

export function patchesFromWire(patches: readonly pb.RecordPatch[]): PatchRequest['patches'] {
  return patches.map((patch, i): RecordPatch => {
    const vector =
      patch.vector === undefined ? {} : { vector: vectorFromWire(patch.vector, `patches[${i}].vector`) };
    return { id: patch.id, ...vector, attributes: patchFromWire(patch.attributes) };
  });
}

export function recordToWire({ id, vector, attributes }: FoundRecord): pb.Record {
  return {
    id,
    ...(vector === undefined ? {} : { vector: vectorToWire(vector) }),
    attributes: attributesToWire(attributes),
  };
}

function columnsOfRecords(records: readonly pb.Record[]): RecordColumns {
  const path = (index: number): string => `records[${index}]`;
  const first = records[0];
  const dimensions = first === undefined ? 0 : lengthOfVector(first.vector, 'records[0].vector');
  const vectors = new Float32Array(records.length * dimensions);
  const ids = new Array<string>(records.length);
  let described = false;
  records.forEach((record, i) => {
    // The path of a field is made only when it is needed: there may be ten thousand.
    if (record.vector?.data?.$case !== 'f32' || record.vector.data.value.length !== dimensions * 4) {
      checkLength(record, dimensions, `${path(i)}.vector`);
    }
    copyVector(record.vector, vectors, i * dimensions);
    ids[i] = record.id;
    described ||= record.attributes.size > 0;
  });
  const attributes = described ? records.map((record) => attributesFromWire(record.attributes)) : NONE;
  return { ids, vectors, dimensions, attributes, path };
}

function checkLength(record: pb.Record, dimensions: number, field: string): void {
  const length = lengthOfVector(record.vector, field);
  if (length === dimensions) return;
  throw new OmenError(
    'DIMENSION_MISMATCH',
    `${field} has ${length} numbers, records[0].vector has ${dimensions}`,
    { field },
  );
}

function columnsOfBlock(block: pb.RecordBlock): RecordColumns {
  const { ids, dimensions, vectorsF32, attributes } = block;
  if (ids.length > 0 && dimensions === 0) {
    throw new OmenError('DIMENSION_MISMATCH', 'block.dimensions is 0: it must be the length of one vector', {
      field: 'block.dimensions',
    });
  }
  const expected = 4 * dimensions * ids.length;
  if (vectorsF32.length !== expected) {
    throw new OmenError(
      'INVALID_VECTOR',
      `block.vectorsF32 has ${vectorsF32.length} bytes: ${ids.length} vectors of ${dimensions} 32-bit floats take ${expected}`,
      { field: 'block.vectorsF32' },
    );
  }
  if (attributes.length > 0 && attributes.length !== ids.length) {
    throw new OmenError(
      'INVALID_ARGUMENT',
      `block.attributes has ${attributes.length} entries: there must be none, or one for each of the ${ids.length} ids`,
      { field: 'block.attributes' },
    );
  }
  return {
    ids,
    vectors: floatsOf(vectorsF32),
    dimensions,
    attributes: attributes.some((one) => one.values.size > 0)
      ? attributes.map((one) => attributesFromWire(one.values))
      : NONE,
    path: (index) => `block[${index}]`,
  };
}
