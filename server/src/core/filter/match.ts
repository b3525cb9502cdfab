/*
 * The meaning of a filter on one record: what every faster evaluation must agree with.
 *
 * The filter is compiled into closures once, so that sets of values are built once and not per record.
 */
import { compareUtf8 } from '../bytes/compare-utf8.js';
import type { AttributeScalar, Attributes, AttributeValue } from '../record/record.js';
import type { Filter, RangeOperator } from './ast.js';

/** Says whether the record with this id and these attributes matches. */
export type RecordPredicate = (id: string, attributes: Attributes) => boolean;

type ScalarPredicate = (value: AttributeScalar) => boolean;

/** Never throws and accepts every filter, also one that `normaliseFilter` would refuse. */
export function compileFilter(filter: Filter): RecordPredicate {
  switch (filter.kind) {
    case 'and': {
      const all = filter.filters.map(compileFilter);
      return (id, attributes) => all.every((matches) => matches(id, attributes));
    }
    case 'or': {
      const any = filter.filters.map(compileFilter);
      return (id, attributes) => any.some((matches) => matches(id, attributes));
    }
    case 'not': {
      const inner = compileFilter(filter.filter);
      return (id, attributes) => !inner(id, attributes);
    }
    case 'eq':
      return anyElement(filter.field, equalTo(filter.value));
    case 'range':
      return anyElement(filter.field, inRange(filter.operator, filter.value));
    case 'in':
      return anyElement(filter.field, memberOf(filter.values));
    case 'containsAll':
      return containsAll(filter.field, filter.values);
    case 'exists':
      return (_id, attributes) => attributes.has(filter.field);
    case 'prefix':
      return anyElement(filter.field, beginsWith(filter.prefix));
    case 'ids': {
      const ids = new Set(filter.ids);
      return (id) => ids.has(id);
    }
    case 'idPrefix': {
      const begins = beginsWith(filter.prefix);
      return (id) => begins(id);
    }
  }
}

/**
 * True when any element of the attribute, or the attribute itself, satisfies the predicate. False when it is
 * absent.
 */
function anyElement(field: string, matches: ScalarPredicate): RecordPredicate {
  return (_id, attributes) => {
    const value = attributes.get(field);
    return value !== undefined && elementsOf(value).some(matches);
  };
}

/** An empty list asks only that the attribute is there: nothing is missing from it. */
function containsAll(field: string, values: readonly AttributeScalar[]): RecordPredicate {
  const wanted = values.map(equalTo);
  return (_id, attributes) => {
    const value = attributes.get(field);
    if (value === undefined) return false;
    const elements = elementsOf(value);
    return wanted.every((equals) => elements.some(equals));
  };
}

function elementsOf(value: AttributeValue): readonly AttributeScalar[] {
  return Array.isArray(value) ? (value as readonly AttributeScalar[]) : [value as AttributeScalar];
}

function equalTo(operand: AttributeScalar): ScalarPredicate {
  if (typeof operand === 'string' || typeof operand === 'boolean') return (value) => value === operand;
  return (value) => isNumeric(value) && sameNumber(value, operand);
}

function memberOf(operands: readonly AttributeScalar[]): ScalarPredicate {
  // A set would find NaN, which equals nothing.
  const keys = new Set(operands.filter((operand) => !Number.isNaN(operand)).map(setKey));
  return (value) => keys.has(setKey(value));
}

/** Equal numbers have one key, whichever type they came in; no two kinds share a key. */
function setKey(value: AttributeScalar): AttributeScalar {
  if (typeof value === 'bigint') {
    const near = Number(value);
    return Number.isSafeInteger(near) ? near : value;
  }
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    return BigInt(value);
  return value;
}

function inRange(operator: RangeOperator, operand: AttributeScalar): ScalarPredicate {
  if (typeof operand === 'boolean') return () => false;
  const text = typeof operand === 'string';
  const holds = ORDER_TESTS[operator];
  if (text) return (value) => typeof value === 'string' && holds(compareUtf8(value, operand), 0);
  return (value) => isNumeric(value) && holds(value, operand);
}

const ORDER_TESTS: Record<RangeOperator, (a: bigint | number, b: bigint | number) => boolean> = {
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
};

function beginsWith(prefix: string): ScalarPredicate {
  // A lone surrogate at the end would match half of a character.
  if (!prefix.isWellFormed()) return () => false;
  return (value) => typeof value === 'string' && value.startsWith(prefix);
}

function isNumeric(value: AttributeScalar): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

/** JavaScript compares bigint and number by exact value; `===` would compare their types first. */
function sameNumber(a: bigint | number, b: bigint | number): boolean {
  return a >= b && a <= b;
}
