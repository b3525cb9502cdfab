/*
 * Attributes between plain objects and the wire's `Value`. Whole numbers travel as int64 and all other
 * numbers as double; an int64 comes back as a number when a number can hold it exactly and as a bigint
 * otherwise, so no digit is ever lost silently.
 */
import type { Value } from '../gen/omendb/v1/value.js';
import { invalidArgument } from '../errors.js';

/** A single value of an attribute. */
export type AttributeScalar = string | number | bigint | boolean;

/** A value of an attribute: a scalar, or an array whose elements are all of one kind. */
export type AttributeValue =
  AttributeScalar | readonly string[] | readonly number[] | readonly bigint[] | readonly boolean[];

/** Attributes of a collection whose attributes were not described by a type. */
export type AnyAttributes = Record<string, AttributeValue>;

/** Requires of a type that all its properties can be attributes; satisfied by interfaces too. */
export type AttributesOf<A> = { readonly [K in keyof A]?: AttributeValue | undefined };

/** What a list or scalar holds on the wire. */
export type ValueKind = 'string' | 'int' | 'double' | 'bool';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const INT64_AS_NUMBER_MAX = 2 ** 63;

/**
 * How a scalar travels. Throws `InvalidArgumentError` for what no attribute can hold; `field` names its place
 * in the request.
 */
export function kindOf(value: unknown, field: string): ValueKind {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      if (value >= INT64_MIN && value <= INT64_MAX) return 'int';
      throw invalidArgument('INVALID_ATTRIBUTE', field, `${value} does not fit into 64 bits`);
    case 'number':
      return kindOfNumber(value, field);
    default:
      throw invalidArgument(
        'INVALID_ATTRIBUTE',
        field,
        `${describe(value)} is not text, a number, a bigint or a boolean`,
      );
  }
}

/**
 * The kind that all elements of an array share; numbers mix, and one with a fraction makes all of them
 * doubles.
 */
export function kindOfList(list: readonly unknown[], field: string): ValueKind {
  let kind: ValueKind | undefined;
  for (let i = 0; i < list.length; i += 1) {
    const element = kindOf(list[i], `${field}[${i}]`);
    if (kind === undefined || kind === element) kind = element;
    else if (isNumeric(kind) && isNumeric(element)) kind = 'double';
    else
      throw invalidArgument('INVALID_ATTRIBUTE', `${field}[${i}]`, `the array mixes ${kind} and ${element}`);
  }
  return kind ?? 'string';
}

/** The wire form of an attribute; `null` removes it in a patch. */
export function valueToWire(value: AttributeValue | null, field: string): Value {
  if (value === null) return { kind: { $case: 'nullValue', value: {} } };
  if (Array.isArray(value)) return listToWire(value as readonly AttributeScalar[], field);
  const scalar = value as AttributeScalar;
  switch (kindOf(scalar, field)) {
    case 'string':
      return { kind: { $case: 'stringValue', value: scalar as string } };
    case 'bool':
      return { kind: { $case: 'boolValue', value: scalar as boolean } };
    case 'int':
      return { kind: { $case: 'intValue', value: BigInt(scalar) } };
    case 'double':
      return { kind: { $case: 'doubleValue', value: scalar as number } };
  }
}

/** The wire form of a plain object of attributes; properties that are `undefined` are left out. */
export function attributesToWire(
  attributes: Readonly<Record<string, AttributeValue | null | undefined>> | undefined,
  field: string,
): Map<string, Value> {
  const values = new Map<string, Value>();
  if (attributes === undefined) return values;
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (value !== undefined) values.set(name, valueToWire(value, `${field}.${name}`));
  }
  return values;
}

/** A plain object of received attributes. */
export function attributesFromWire(values: ReadonlyMap<string, Value>): AnyAttributes {
  const attributes: AnyAttributes = {};
  for (const [name, value] of values) {
    const plain = valueFromWire(value);
    if (plain === undefined) continue;
    // A plain assignment to this name would set the object's prototype.
    if (name === '__proto__') Object.defineProperty(attributes, name, { value: plain, enumerable: true });
    else attributes[name] = plain;
  }
  return attributes;
}

/** A received int64 as a number when that is exact, else as a bigint. */
export function integerFromWire(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function valueFromWire(value: Value): AttributeValue | undefined {
  const { kind } = value;
  switch (kind?.$case) {
    case 'stringValue':
    case 'doubleValue':
    case 'boolValue':
      return kind.value;
    case 'intValue':
      return integerFromWire(kind.value);
    case 'intList':
      return integersFromWire(kind.value.values);
    case 'stringList':
    case 'doubleList':
    case 'boolList':
      return kind.value.values;
    case 'nullValue':
    case undefined:
      return undefined;
  }
}

/** Numbers, or bigints throughout when one of them needs it: an array keeps one type. */
function integersFromWire(values: readonly bigint[]): number[] | bigint[] {
  const numbers = values.map(Number);
  return numbers.every(Number.isSafeInteger) ? numbers : [...values];
}

function listToWire(list: readonly AttributeScalar[], field: string): Value {
  switch (kindOfList(list, field)) {
    case 'string':
      return { kind: { $case: 'stringList', value: { values: list as string[] } } };
    case 'bool':
      return { kind: { $case: 'boolList', value: { values: list as boolean[] } } };
    case 'int':
      return { kind: { $case: 'intList', value: { values: list.map(BigInt) } } };
    case 'double':
      return {
        kind: { $case: 'doubleList', value: { values: list.map((element) => doubleOf(element, field)) } },
      };
  }
}

/** A number as a double. Throws when it is a bigint that a double cannot hold. */
export function doubleOf(value: AttributeScalar, field: string): number {
  const double = Number(value);
  if (typeof value !== 'bigint' || Number.isSafeInteger(double)) return double;
  throw invalidArgument(
    'INTEGER_PRECISION_LOSS',
    field,
    `${value} beside numbers with a fraction would lose digits`,
  );
}

function kindOfNumber(value: number, field: string): ValueKind {
  if (Number.isSafeInteger(value)) return 'int';
  if (!Number.isFinite(value))
    throw invalidArgument('INVALID_ATTRIBUTE', field, `${value} is not a finite number`);
  // A whole number in this range may be an int64 that was rounded on its way here; beyond it, it can only be
  // a double.
  if (Number.isInteger(value) && Math.abs(value) <= INT64_AS_NUMBER_MAX) {
    const text = `${value} is a whole number beyond ±2^53 and may have lost digits; pass it as a bigint`;
    throw invalidArgument('INTEGER_PRECISION_LOSS', field, text);
  }
  return 'double';
}

function isNumeric(kind: ValueKind): boolean {
  return kind === 'int' || kind === 'double';
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
