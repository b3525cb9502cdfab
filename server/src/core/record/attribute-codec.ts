/*
 * Attributes as bytes: small, quick to scan, and canonical, so that equal attributes are equal bytes.
 *
 * Names ascend in the order of their UTF-8 bytes; a value is a kind, a length where the kind leaves it open,
 * and the value. A record without attributes is zero bytes. The encoding is drawn in
 * `server/docs/formats/segment.md`, section "Attributes of a record".
 */
import { compareUtf8 } from '../bytes/compare-utf8.js';
import { OmenError, invariant } from '../errors.js';
import { quote } from '../ids.js';
import { LIMITS } from '../limits.js';
import { AttributeCursor, VALUE_KINDS } from './attribute-cursor.js';
import type { AttributeScalar, Attributes, AttributeValue } from './record.js';
import { decodeText, encodeTextInto, equalBytes } from './text.js';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const NO_BYTES = new Uint8Array();
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_-]*$/;
/** A scratch buffer larger than this is given back after use. */
const SCRATCH_KEPT = 1 << 20;

let scratch = new Uint8Array(1 << 16);
let position = 0;

/** Encodes attributes that `checkAttributes` would accept; the result is a copy of its own. */
export function encodeAttributes(attributes: Attributes): Uint8Array {
  if (attributes.size === 0) return NO_BYTES;
  position = 0;
  if (inNameOrder(attributes)) {
    for (const [name, value] of attributes) writeAttribute(name, value);
  } else {
    const names = [...attributes.keys()].sort(compareUtf8);
    for (const name of names) writeAttribute(name, attributes.get(name) ?? []);
  }
  const encoded = scratch.slice(0, position);
  if (scratch.length > SCRATCH_KEPT) scratch = new Uint8Array(1 << 16);
  return encoded;
}

/** All attributes, in name order. The bytes may lie in shared memory. Throws `DATA_CORRUPTED`. */
export function decodeAttributes(bytes: Uint8Array): Map<string, AttributeValue> {
  const decoded = new Map<string, AttributeValue>();
  if (bytes.length === 0) return decoded;
  const cursor = new AttributeCursor().reset(bytes);
  while (cursor.next()) decoded.set(nameAt(bytes, cursor.nameFrom, cursor.nameTo), cursor.value());
  return decoded;
}

/**
 * The attributes of these names that the record has. Skips the others without decoding them. Throws
 * `DATA_CORRUPTED`.
 */
export function decodeSelected(bytes: Uint8Array, names: readonly string[]): Map<string, AttributeValue> {
  const decoded = new Map<string, AttributeValue>();
  if (bytes.length === 0 || names.length === 0) return decoded;
  const wanted = names.length > 8 ? new Set(names) : null;
  const cursor = new AttributeCursor().reset(bytes);
  while (cursor.next()) {
    const name = nameAt(bytes, cursor.nameFrom, cursor.nameTo);
    if (wanted === null ? names.includes(name) : wanted.has(name)) decoded.set(name, cursor.value());
  }
  return decoded;
}

/**
 * Enforces every limit on the attributes of one record and returns them encoded, since their size had to be
 * known anyway.
 *
 * @param field Path of the attributes in the request, such as `records[3].attributes`; the error names the
 * attribute behind it.
 * @throws OmenError `INVALID_ATTRIBUTE`
 */
export function checkAttributes(attributes: Attributes, field: string): Uint8Array {
  if (attributes.size > LIMITS.attributesMax) {
    throw refused(
      field,
      `the record has ${attributes.size} attributes, at most ${LIMITS.attributesMax} are allowed`,
    );
  }
  let textBytes = 0;
  for (const [name, value] of attributes) {
    checkName(name, field);
    const path = pathOf(field, name);
    if (Array.isArray(value)) checkArray(value as readonly AttributeScalar[], path);
    else checkScalar(value as AttributeScalar, path);
    textBytes += textUnits(value);
  }
  // Before encoding, so that a hostile record does not cost its size in memory once more.
  if (textBytes > LIMITS.attributeBytesMax) throw tooLarge(field, `at least ${textBytes}`);
  const encoded = encodeAttributes(attributes);
  if (encoded.length > LIMITS.attributeBytesMax) throw tooLarge(field, String(encoded.length));
  return encoded;
}

function tooLarge(field: string, seen: string): OmenError {
  return refused(field, `the attributes take ${seen} bytes, at most ${LIMITS.attributeBytesMax} are allowed`);
}

function textUnits(value: AttributeValue): number {
  if (typeof value === 'string') return value.length;
  if (!Array.isArray(value)) return 0;
  return (value as readonly AttributeScalar[]).reduce<number>(
    (sum, element) => sum + (typeof element === 'string' ? element.length : 1),
    0,
  );
}

function checkName(name: string, field: string): void {
  const path = pathOf(field, name);
  if (name.length === 0) throw refused(path, 'an attribute name is empty');
  if (name.startsWith('$')) {
    throw refused(path, `attribute name ${quote(name)} begins with "$", which is kept for operators`);
  }
  if (!name.isWellFormed()) throw refused(path, `attribute name ${quote(name)} holds a lone surrogate`);
  const fits =
    name.length * 3 <= LIMITS.attributeNameBytesMax ||
    encodeTextInto(name, new Uint8Array(name.length * 3), 0) <= LIMITS.attributeNameBytesMax;
  if (!fits) {
    throw refused(path, `attribute name ${quote(name)} has more than ${LIMITS.attributeNameBytesMax} bytes`);
  }
}

function checkArray(array: readonly AttributeScalar[], path: string): void {
  if (array.length > LIMITS.attributeArrayMax) {
    throw refused(
      path,
      `the array has ${array.length} elements, at most ${LIMITS.attributeArrayMax} are allowed`,
    );
  }
  const kind = typeof array[0];
  for (let index = 0; index < array.length; index++) {
    const element = array[index] as AttributeScalar;
    checkScalar(element, `${path}[${index}]`);
    if (typeof element !== kind) {
      throw refused(
        `${path}[${index}]`,
        `the array mixes ${kindName(array[0])} and ${kindName(element)}; an array holds one kind of value`,
      );
    }
  }
}

function checkScalar(value: AttributeScalar, path: string): void {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw refused(path, `text ${quote(value)} holds a lone surrogate`);
      return;
    case 'number':
      if (!Number.isFinite(value)) throw refused(path, `${value} is not allowed; numbers must be finite`);
      return;
    case 'bigint':
      if (value < INT64_MIN || value > INT64_MAX) {
        throw refused(path, `${value} does not fit into 64 bits; whole numbers go from -2^63 to 2^63 - 1`);
      }
      return;
    case 'boolean':
      return;
    default:
      throw refused(
        path,
        `${kindName(value)} is not allowed; use text, a number, a boolean or an array of one of them`,
      );
  }
}

function kindName(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return 'int64';
  if (typeof value === 'number') return 'double';
  return typeof value === 'string' ? 'text' : typeof value;
}

function refused(field: string, message: string): OmenError {
  return new OmenError('INVALID_ATTRIBUTE', `${field}: ${message}`, { field });
}

function pathOf(field: string, name: string): string {
  return IDENTIFIER.test(name) ? `${field}.${name}` : `${field}[${quote(name)}]`;
}

function inNameOrder(attributes: Attributes): boolean {
  let before = '';
  for (const name of attributes.keys()) {
    if (compareUtf8(before, name) > 0) return false;
    before = name;
  }
  return true;
}

function writeAttribute(name: string, value: AttributeValue): void {
  reserve(3 * name.length + 8);
  const length = encodeTextInto(name, scratch, position + 1);
  invariant(length > 0 && length < 256, `attribute name of ${length} bytes`);
  scratch[position] = length;
  position += 1 + length;
  if (Array.isArray(value)) writeArray(value as readonly AttributeScalar[]);
  else writeScalar(value as AttributeScalar);
}

function writeScalar(value: AttributeScalar): void {
  reserve(10);
  switch (typeof value) {
    case 'string':
      scratch[position++] = VALUE_KINDS.text;
      return writeText(value);
    case 'bigint':
      scratch[position++] = VALUE_KINDS.int64;
      return writeInt64(value);
    case 'number':
      scratch[position++] = VALUE_KINDS.double;
      return writeDouble(value);
    default:
      scratch[position++] = value ? VALUE_KINDS.true : VALUE_KINDS.false;
  }
}

function writeArray(array: readonly AttributeScalar[]): void {
  const first = array[0];
  if (first === undefined) {
    scratch[position++] = VALUE_KINDS.emptyArray;
    return;
  }
  const kind = typeof first;
  if (kind === 'string') scratch[position++] = VALUE_KINDS.texts;
  else if (kind === 'bigint') scratch[position++] = VALUE_KINDS.int64s;
  else if (kind === 'number') scratch[position++] = VALUE_KINDS.doubles;
  else scratch[position++] = VALUE_KINDS.booleans;
  // The length of the body is known only behind it: leave room for the longest, then close the gap.
  const begin = position;
  position += 4;
  for (const element of array) {
    invariant(typeof element === kind, 'an array of attributes mixes kinds');
    reserve(10);
    if (typeof element === 'string') writeText(element);
    else if (typeof element === 'bigint') writeInt64(element);
    else if (typeof element === 'number') writeDouble(element);
    else scratch[position++] = element ? 1 : 0;
  }
  const size = position - begin - 4;
  position = begin;
  writeVarint(size);
  scratch.copyWithin(position, begin + 4, begin + 4 + size);
  position += size;
}

function writeText(text: string): void {
  reserve(3 * text.length + 8);
  // Nearly all texts have a length of one byte; a longer one is moved out of the way of its length.
  const size = encodeTextInto(text, scratch, position + 1);
  const head = size < 0x80 ? 1 : size < 0x4000 ? 2 : size < 0x20_0000 ? 3 : 4;
  if (head > 1) scratch.copyWithin(position + head, position + 1, position + 1 + size);
  writeVarint(size);
  position += size;
}

function writeVarint(value: number): void {
  invariant(value < 2 ** 28, `a value of ${value} bytes`);
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) scratch[position++] = (rest & 0x7f) | 0x80;
  scratch[position++] = rest;
}

const doubleView = new Float64Array(1);
const doubleBytes = new Uint8Array(doubleView.buffer);

function writeDouble(value: number): void {
  doubleView[0] = value;
  scratch.set(doubleBytes, position);
  position += 8;
}

function writeInt64(value: bigint): void {
  const near = Number(value);
  const exact = Number.isSafeInteger(near);
  const low = exact ? near | 0 : Number(BigInt.asIntN(32, value));
  const high = exact ? Math.floor(near / 0x1_0000_0000) : Number(value >> 32n);
  const size = high === low >> 31 ? signedBytes(low) : 4 + Math.max(1, signedBytes(high));
  scratch[position++] = size;
  for (let index = 0; index < size; index++) {
    scratch[position++] = index < 4 ? low >>> (8 * index) : high >>> (8 * (index - 4));
  }
}

/** Bytes that hold a signed 32-bit number; none for zero. */
function signedBytes(value: number): number {
  if (value === 0) return 0;
  // One bit more than the magnitude: the sign.
  return (40 - Math.clz32(value < 0 ? ~value : value)) >>> 3;
}

function reserve(bytes: number): void {
  if (position + bytes <= scratch.length) return;
  const grown = new Uint8Array(Math.max(scratch.length * 2, position + bytes));
  grown.set(scratch);
  scratch = grown;
}

interface KnownName {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Records of a collection share their names, so the text of a name is nearly always known already. */
const knownNames: (KnownName | undefined)[] = new Array<undefined>(256).fill(undefined);

function nameAt(bytes: Uint8Array, from: number, to: number): string {
  const slot = ((to - from) * 31 + (bytes[from] as number) * 7 + (bytes[to - 1] as number)) & 0xff;
  const known = knownNames[slot];
  if (known !== undefined && equalBytes(known.bytes, 0, known.bytes.length, bytes, from, to))
    return known.text;
  const text = decodeText(bytes, from, to);
  knownNames[slot] = { bytes: bytes.slice(from, to), text };
  return text;
}
