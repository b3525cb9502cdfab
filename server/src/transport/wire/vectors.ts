/*
 * Vectors between the wire and the application. On the wire they are bytes at any address, so they are copied
 * once, to where they can be read as floats; a copy is saved when they happen to lie well.
 */
import { OmenError } from '../../core/errors.js';
import type * as pb from '../../gen/messages.js';
import { floatsOf } from '../../gen/runtime/vector.js';

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** The numbers of a vector; may share memory with the message. Throws `INVALID_VECTOR` at `field`. */
export function vectorFromWire(vector: pb.Vector | undefined, field: string): Float32Array {
  const { data } = present(vector, field);
  if (data === undefined) throw missing(field);
  if (data.$case === 'values') return Float32Array.from(data.value.values);
  checkWhole(data.value, field);
  return floatsOf(data.value);
}

/** Numbers in a vector. Throws `INVALID_VECTOR` at `field`. */
export function lengthOfVector(vector: pb.Vector | undefined, field: string): number {
  const { data } = present(vector, field);
  if (data === undefined) throw missing(field);
  if (data.$case === 'values') return data.value.values.length;
  checkWhole(data.value, field);
  return data.value.length / 4;
}

/** Writes a vector that `lengthOfVector` has measured into `target` from element `offset` on. */
export function copyVector(vector: pb.Vector | undefined, target: Float32Array, offset: number): void {
  const data = vector?.data;
  if (data?.$case === 'values') target.set(data.value.values, offset);
  else if (data !== undefined && LITTLE_ENDIAN) {
    new Uint8Array(target.buffer, target.byteOffset + offset * 4, data.value.length).set(data.value);
  } else if (data !== undefined) target.set(floatsOf(data.value), offset);
}

export function vectorToWire(vector: Float32Array): pb.Vector {
  let value = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  if (!LITTLE_ENDIAN) {
    value = new Uint8Array(vector.byteLength);
    const view = new DataView(value.buffer);
    vector.forEach((x, i) => {
      view.setFloat32(i * 4, x, true);
    });
  }
  return { data: { $case: 'f32', value } };
}

function present(vector: pb.Vector | undefined, field: string): pb.Vector {
  if (vector === undefined) throw missing(field);
  return vector;
}

function missing(field: string): OmenError {
  return new OmenError('INVALID_VECTOR', `${field}: is required`, { field });
}

function checkWhole(bytes: Uint8Array, field: string): void {
  if (bytes.length % 4 === 0) return;
  throw new OmenError(
    'INVALID_VECTOR',
    `${field}: has ${bytes.length} bytes: 32-bit floats take 4 bytes each`,
    { field },
  );
}
