/*
 * JSON forms of the scalar types, strict in both directions: what is not exactly the type is refused, and no
 * digit is lost. A reader always returns a value of its type; when the input was wrong it has reported so and
 * the value is not used.
 */
import { kindOf, quote, type Place, type Step } from './place.js';

/** An object as JSON has it. */
export type JsonObject = globalThis.Record<string, unknown>;

/** Reads one value found at `step`. */
export type Reader<T> = (value: unknown, at: Place, step: Step) => T;

const UINT32_MAX = 0xffff_ffff;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const DECIMAL = /^-?(?:0|[1-9]\d{0,18})$/;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

export function readString(value: unknown, at: Place, step: Step): string {
  if (typeof value !== 'string') return wrong(at, step, 'text', value, '');
  if (!value.isWellFormed()) {
    at.report('INVALID_ARGUMENT', 'is not well-formed Unicode: it has half of a surrogate pair', step);
  }
  return value;
}

export function readBool(value: unknown, at: Place, step: Step): boolean {
  return typeof value === 'boolean' ? value : wrong(at, step, 'true or false', value, false);
}

export function readUint32(value: unknown, at: Place, step: Step): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= UINT32_MAX) return value;
  return wrong(at, step, `a whole number from 0 to ${UINT32_MAX}`, value, 0);
}

export function readDouble(value: unknown, at: Place, step: Step): number {
  return typeof value === 'number' && Number.isFinite(value)
    ? value
    : wrong(at, step, 'a finite number', value, 0);
}

export function readFloat(value: unknown, at: Place, step: Step): number {
  const number = readDouble(value, at, step);
  if (Number.isFinite(Math.fround(number))) return number;
  return wrong(at, step, 'a number within the range of 32-bit floats', value, 0);
}

/** A number as far as numbers are exact, or a decimal string of any int64. */
export function readInt64(value: unknown, at: Place, step: Step): bigint {
  if (typeof value === 'number' && Number.isInteger(value)) {
    if (Number.isSafeInteger(value)) return BigInt(value);
    at.report('INTEGER_PRECISION_LOSS', imprecise(value), step);
    return 0n;
  }
  if (typeof value === 'bigint' || (typeof value === 'string' && DECIMAL.test(value))) {
    const whole = BigInt(value);
    if (whole >= INT64_MIN && whole <= INT64_MAX) return whole;
  }
  return wrong(at, step, 'a whole number of 64 bits, or a decimal string of one', value, 0n);
}

/** Why a whole number beyond ±2^53 is refused. */
export function imprecise(value: number): string {
  return `is ${value}, beyond ±9007199254740991, where JSON numbers lose digits: send text, or use protobuf`;
}

/** Standard or URL-safe base64, padded or not, without anything else in it. */
export function readBytes(value: unknown, at: Place, step: Step): Uint8Array {
  if (typeof value !== 'string') return wrong(at, step, 'base64 text', value, new Uint8Array(0));
  const bytes = decodeBase64(value);
  return bytes ?? wrong(at, step, 'base64 text', value, new Uint8Array(0));
}

/** The bytes, or undefined when `text` is not base64. The bytes start at a multiple of 8 in their buffer. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const end = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length;
  if (end % 4 === 1 || (end !== text.length && text.length % 4 !== 0)) return undefined;
  // Buffer skips what is not base64, so that the result comes out short.
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === Math.floor((end * 3) / 4) ? bytes : undefined;
}

/** Bytes in standard base64 with padding. */
export function bytesToJson(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** A number when it is exact, else a decimal string. */
export function int64ToJson(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** A time with its date and zone, as RFC 3339 writes it; milliseconds are kept. */
export function readTimestamp(value: unknown, at: Place, step: Step): Date {
  const date = new Date(typeof value === 'string' && RFC3339.test(value) ? value : Number.NaN);
  return Number.isNaN(date.getTime())
    ? wrong(at, step, 'a time such as 2026-01-31T12:00:00Z', value, date)
    : date;
}

export function timestampToJson(value: Date): string {
  return value.toISOString();
}

/** An enum value by its JSON name. `names` maps JSON names to numbers. */
export function readEnum<T extends number>(
  value: unknown,
  at: Place,
  step: Step,
  names: ReadonlyMap<string, T>,
  fallback: T,
): T {
  const found = typeof value === 'string' ? names.get(value) : undefined;
  if (found !== undefined) return found;
  const seen = typeof value === 'string' ? quote(value) : kindOf(value);
  const allowed = [...names.keys()].map((name) => `"${name}"`).join(', ');
  at.report('INVALID_ARGUMENT', `must be one of ${allowed}, not ${seen}`, step);
  return fallback;
}

/** An array, each element read by `item`. */
export function readList<T>(value: unknown, at: Place, step: Step, item: Reader<T>): T[] {
  if (!Array.isArray(value)) return wrong(at, step, 'an array', value, []);
  const list = new Array<T>(value.length);
  at.enter(step);
  for (let i = 0; i < value.length; i++) list[i] = item(value[i], at, i);
  at.leave();
  return list;
}

/** An object, each value read by `item`. Keys are data: any text is one, `__proto__` too. */
export function readMap<T>(value: unknown, at: Place, step: Step, item: Reader<T>): Map<string, T> {
  const map = new Map<string, T>();
  const object = openObject(value, at, step);
  if (object === undefined) return map;
  for (const key of Object.keys(object)) map.set(readString(key, at, key), item(object[key], at, key));
  at.leave();
  return map;
}

export function mapToJson<T>(map: ReadonlyMap<string, T>, item: (value: T) => unknown): JsonObject {
  const object: JsonObject = {};
  for (const [key, value] of map) setOwn(object, key, item(value));
  return object;
}

/** Sets a property whose name comes from a user: never the prototype. */
export function setOwn(object: JsonObject, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else object[key] = value;
}

/**
 * Goes into the object at `step`, to be left by `at.leave()`; undefined, and not entered, when it is none.
 */
export function openObject(value: unknown, at: Place, step: Step): JsonObject | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong(at, step, 'an object', value, undefined);
  }
  at.enter(step);
  return value as JsonObject;
}

/** Reports a field that does not exist, with the name that was probably meant. */
export function unknownField(at: Place, key: string, known: ReadonlySet<string>): void {
  const camel = key.replace(/[_-]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const meant = [...known].find((name) => name === camel || name.toLowerCase() === key.toLowerCase());
  const hint =
    meant === undefined ? `; known are ${[...known].join(', ') || 'none'}` : `; did you mean "${meant}"?`;
  at.report('UNKNOWN_FIELD', `there is no such field${hint}`, key);
}

function wrong<T>(at: Place, step: Step, expected: string, value: unknown, fallback: T): T {
  at.report('INVALID_ARGUMENT', `must be ${expected}, not ${kindOf(value)}`, step);
  return fallback;
}
