/*
 * Vectors between the caller's forms and the wire, which is little-endian 32-bit floats. A `Float32Array`
 * goes out without being converted. What comes in is copied once, because its place in the message is rarely
 * aligned to four bytes.
 */
import { invalidArgument } from '../errors.js';

/**
 * A vector as a caller may give it: numbers, 32-bit floats, or bytes (such as a `Buffer`) that hold
 * little-endian 32-bit floats. Numbers are rounded to 32 bits.
 */
export type VectorInput = readonly number[] | Float32Array | Uint8Array;

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Number of elements. Throws `InvalidArgumentError` when `vector` is not a vector; `field` names its place in
 * the request.
 */
export function dimensionsOf(vector: VectorInput, field: string): number {
  if (vector instanceof Float32Array || Array.isArray(vector)) return vector.length;
  if (vector instanceof Uint8Array) {
    if (vector.byteLength % 4 === 0) return vector.byteLength / 4;
    throw invalidArgument(
      'INVALID_VECTOR',
      field,
      `${vector.byteLength} bytes are not a whole number of 32-bit floats`,
    );
  }
  throw invalidArgument(
    'INVALID_VECTOR',
    field,
    'must be an array of numbers, a Float32Array or a Buffer of 32-bit floats',
  );
}

/** The vector's bytes as the wire wants them; a view of `vector` where its memory already looks like that. */
export function vectorToBytes(vector: VectorInput, field: string): Uint8Array {
  dimensionsOf(vector, field);
  if (vector instanceof Uint8Array) return vector;
  const floats = vector instanceof Float32Array ? vector : new Float32Array(vector.length);
  if (floats !== vector) copyNumbers(vector as readonly number[], floats, 0, field);
  const bytes = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  return LITTLE_ENDIAN ? bytes : swapped(bytes);
}

/** The vector in received bytes, in memory of its own. */
export function vectorFromBytes(bytes: Uint8Array): Float32Array {
  const floats = new Float32Array(bytes.byteLength >>> 2);
  const own = new Uint8Array(floats.buffer);
  own.set(bytes.subarray(0, own.byteLength));
  if (!LITTLE_ENDIAN) own.set(swapped(own));
  return floats;
}

/** Copies `vector` into `floats` from `offset` on, in the wire's byte order. */
export function copyVector(vector: VectorInput, floats: Float32Array, offset: number, field: string): void {
  if (vector instanceof Uint8Array) {
    new Uint8Array(floats.buffer, floats.byteOffset + offset * 4, vector.byteLength).set(vector);
    return;
  }
  if (vector instanceof Float32Array) floats.set(vector, offset);
  else copyNumbers(vector, floats, offset, field);
  if (LITTLE_ENDIAN) return;
  const bytes = new Uint8Array(floats.buffer, floats.byteOffset + offset * 4, vector.length * 4);
  bytes.set(swapped(bytes));
}

/** The number of a vector's first element that is not finite in 32 bits, or -1. */
export function firstNotFinite(vector: VectorInput): number {
  if (vector instanceof Uint8Array) return firstNotFinite(vectorFromBytes(vector));
  // x - x is 0 for finite numbers only; the sum is tested once, so the common case has no branch per element.
  let sum = 0;
  for (let i = 0; i < vector.length; i += 1) {
    const element = Math.fround(vector[i] ?? NaN);
    sum += element - element;
  }
  return sum === 0 ? -1 : Array.from(vector).findIndex((element) => !Number.isFinite(Math.fround(element)));
}

/** All elements are zero: such a vector has no direction. */
export function isZero(vector: VectorInput): boolean {
  if (vector instanceof Uint8Array) return isZero(vectorFromBytes(vector));
  for (let i = 0; i < vector.length; i += 1) if (vector[i] !== 0) return false;
  return true;
}

/** Assignment to a typed array would make 0 of null and 1 of "1". */
function copyNumbers(numbers: readonly number[], floats: Float32Array, offset: number, field: string): void {
  for (let i = 0; i < numbers.length; i += 1) {
    const element: unknown = numbers[i];
    if (typeof element !== 'number') {
      throw invalidArgument('INVALID_VECTOR', `${field}[${i}]`, `must be a number, is ${String(element)}`);
    }
    floats[offset + i] = element;
  }
}

function swapped(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes).swap32();
}
