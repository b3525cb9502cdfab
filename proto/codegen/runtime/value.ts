/*
 * JSON form of attributes: plain scalars and arrays of one kind.
 *
 * A number without a fraction is an int64, any other a double. JSON cannot tell 3 from 3.0, so a double
 * without a fraction comes back as an int64; filters compare the two by value. Whole numbers beyond ±2^53 are
 * refused on the way in and written as text on the way out.
 */
import type { Attributes, Value } from '../omendb/v1/value.js';
import { kindOf, type Place, type Step } from './place.js';
import { imprecise, int64ToJson, mapToJson, readMap, type JsonObject } from './scalars.js';

const NULL: Value = { kind: { $case: 'nullValue', value: {} } };
const UNSET: Value = { kind: undefined };

export function valueFromJson(json: unknown, at: Place, step: Step): Value {
  switch (typeof json) {
    case 'string':
      if (json.isWellFormed()) return { kind: { $case: 'stringValue', value: json } };
      return refuse(at, step, 'is not well-formed Unicode: it has half of a surrogate pair');
    case 'number':
      return fromNumber(json, at, step);
    case 'bigint':
      return fromBigint(json, at, step);
    case 'boolean':
      return { kind: { $case: 'boolValue', value: json } };
    default:
      if (json === null) return NULL;
      if (Array.isArray(json)) return fromArray(json, at, step);
      return refuse(
        at,
        step,
        `must be text, a number, true, false, null or an array of one kind, not ${kindOf(json)}`,
      );
  }
}

export function valueToJson(value: Value): unknown {
  const kind = value.kind;
  if (kind === undefined) return null;
  switch (kind.$case) {
    case 'stringValue':
    case 'doubleValue':
    case 'boolValue':
      return kind.value;
    case 'intValue':
      return int64ToJson(kind.value);
    case 'stringList':
    case 'doubleList':
    case 'boolList':
      return kind.value.values;
    case 'intList':
      return kind.value.values.map(int64ToJson);
    case 'nullValue':
      return null;
  }
}

export function attributesFromJson(json: unknown, at: Place, step: Step): Attributes {
  return { values: readMap(json, at, step, valueFromJson) };
}

export function attributesToJson(attributes: Attributes): JsonObject {
  return mapToJson(attributes.values, valueToJson);
}

function fromNumber(number: number, at: Place, step: Step): Value {
  if (Number.isSafeInteger(number)) return { kind: { $case: 'intValue', value: BigInt(number) } };
  return checkNumber(number, at, step) ? { kind: { $case: 'doubleValue', value: number } } : UNSET;
}

function fromBigint(whole: bigint, at: Place, step: Step): Value {
  if (BigInt.asIntN(64, whole) === whole) return { kind: { $case: 'intValue', value: whole } };
  return refuse(at, step, 'is a whole number of more than 64 bits');
}

function fromArray(array: readonly unknown[], at: Place, step: Step): Value {
  const first = array[0];
  const kind = array.length === 0 ? 'string' : typeof first;
  if (kind !== 'string' && kind !== 'number' && kind !== 'bigint' && kind !== 'boolean') {
    return refuseElement(at, step, 0, `must be text, a number, true or false, not ${kindOf(first)}`);
  }
  const numeric = kind === 'number' || kind === 'bigint';
  for (let i = 0; i < array.length; i++) {
    const type = typeof array[i];
    if (type !== kind && !(numeric && (type === 'number' || type === 'bigint'))) {
      return refuseElement(
        at,
        step,
        i,
        `must be of the same kind as the elements before, not ${kindOf(array[i])}`,
      );
    }
  }
  if (kind === 'string') return fromStrings(array as readonly string[], at, step);
  if (kind === 'boolean') {
    return { kind: { $case: 'boolList', value: { values: [...(array as readonly boolean[])] } } };
  }
  return fromNumbers(array as readonly (number | bigint)[], at, step);
}

function fromStrings(array: readonly string[], at: Place, step: Step): Value {
  const bad = array.findIndex((text) => !text.isWellFormed());
  if (bad !== -1)
    return refuseElement(at, step, bad, 'is not well-formed Unicode: it has half of a surrogate pair');
  return { kind: { $case: 'stringList', value: { values: [...array] } } };
}

/** All whole: int64. One fraction anywhere: doubles. */
function fromNumbers(array: readonly (number | bigint)[], at: Place, step: Step): Value {
  let fraction = false;
  at.enter(step);
  for (let i = 0; i < array.length; i++) {
    const number = array[i] ?? 0;
    if (typeof number === 'bigint' || Number.isSafeInteger(number)) continue;
    fraction = true;
    if (!checkNumber(number, at, i)) break;
  }
  at.leave();
  if (fraction) return { kind: { $case: 'doubleList', value: { values: array.map(Number) } } };
  return { kind: { $case: 'intList', value: { values: array.map(BigInt) } } };
}

/** True for a finite number with a fraction; otherwise reports why not. Not for safe integers. */
function checkNumber(number: number, at: Place, step: Step): boolean {
  if (Number.isInteger(number)) at.report('INTEGER_PRECISION_LOSS', imprecise(number), step);
  else if (!Number.isFinite(number)) at.report('INVALID_ATTRIBUTE', 'must be a finite number', step);
  else return true;
  return false;
}

function refuse(at: Place, step: Step, description: string): Value {
  at.report('INVALID_ATTRIBUTE', description, step);
  return UNSET;
}

function refuseElement(at: Place, step: Step, index: number, description: string): Value {
  at.enter(step);
  at.report('INVALID_ATTRIBUTE', description, index);
  at.leave();
  return UNSET;
}
