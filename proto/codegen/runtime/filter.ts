/*
 * JSON form of filters: the `$` syntax. `{"year":{"$gte":1999,"$lt":2010},"tag":"a"}` is a tree of
 * conditions; entries of one object are and-ed into one node. `$eq` with null asks for absence, `$ne` with
 * null for presence.
 *
 * Depth and node count are bounded here because a filter is read recursively before anything else sees it.
 */
import { ComparisonOperator, SetOperator, type Filter, type Scalar } from '../omendb/v1/filter.js';
import { kindOf, quote, type Place, type Step } from './place.js';
import { imprecise, openObject, readString, setOwn, type JsonObject } from './scalars.js';

/** Levels of nested conditions. */
export const FILTER_DEPTH_MAX = 16;
/** Conditions in all. */
export const FILTER_NODES_MAX = 1024;
/** Values of one list. */
export const FILTER_VALUES_MAX = 10_000;
/** Bytes of an attribute's name in UTF-8. */
const NAME_BYTES_MAX = 128;

const COMPARISONS = new Map<string, ComparisonOperator>([
  ['$eq', ComparisonOperator.EQ],
  ['$ne', ComparisonOperator.NE],
  ['$lt', ComparisonOperator.LT],
  ['$lte', ComparisonOperator.LTE],
  ['$gt', ComparisonOperator.GT],
  ['$gte', ComparisonOperator.GTE],
]);
const SETS = new Map<string, SetOperator>([
  ['$in', SetOperator.IN],
  ['$nin', SetOperator.NOT_IN],
  ['$containsAny', SetOperator.CONTAINS_ANY],
  ['$containsAll', SetOperator.CONTAINS_ALL],
]);
const COMPARISON_NAMES = new Map([...COMPARISONS].map(([name, operator]) => [operator, name]));
const SET_NAMES = new Map([...SETS].map(([name, operator]) => [operator, name]));
const OPERATORS = [...COMPARISONS.keys(), ...SETS.keys(), '$exists', '$prefix'];

/** What an element that could not be read becomes; the problem has been reported. */
const EVERYTHING: Filter = { expr: { $case: 'and', value: { filters: [] } } };

export function filterFromJson(json: unknown, at: Place, step: Step): Filter {
  return new FilterReader(at).read(json, step, 1);
}

/** Throws when a number of the filter cannot be written in JSON without losing digits. */
export function filterToJson(filter: Filter): JsonObject {
  const expr = filter.expr;
  if (expr === undefined) return {};
  switch (expr.$case) {
    case 'and':
      return { $and: expr.value.filters.map(filterToJson) };
    case 'or':
      return { $or: expr.value.filters.map(filterToJson) };
    case 'not':
      return { $not: filterToJson(expr.value) };
    case 'compare':
      return onField(
        expr.value.field,
        COMPARISON_NAMES.get(expr.value.operator),
        scalarToJson(expr.value.value),
      );
    case 'in':
      return onField(
        expr.value.field,
        SET_NAMES.get(expr.value.operator),
        expr.value.values.map(scalarToJson),
      );
    case 'exists':
      return onField(expr.value.field, '$exists', true);
    case 'prefix':
      return onField(expr.value.field, '$prefix', expr.value.prefix);
    case 'ids':
      return { $id: { $in: expr.value.ids } };
    case 'idPrefix':
      return { $id: { $prefix: expr.value } };
  }
}

class FilterReader {
  #nodes = 0;

  constructor(private readonly at: Place) {}

  /** One object: its entries and-ed, or the single entry itself. */
  read(json: unknown, step: Step, depth: number): Filter {
    const at = this.at;
    if (depth > FILTER_DEPTH_MAX) {
      at.report('INVALID_FILTER', `the filter is nested deeper than ${FILTER_DEPTH_MAX} levels`, step);
      return EVERYTHING;
    }
    const object = openObject(json, at, step);
    if (object === undefined) return EVERYTHING;
    const found: Filter[] = [];
    const keys = Object.keys(object);
    // Several conditions in one object make a level of their own.
    const below = keys.length > 1 ? depth + 1 : depth;
    for (const key of keys) this.#entry(key, object[key], below, found);
    at.leave();
    return found.length === 1 && found[0] !== undefined ? found[0] : this.#node(allOf(found));
  }

  #entry(key: string, value: unknown, depth: number, found: Filter[]): void {
    switch (key) {
      case '$and':
        found.push(this.#node(allOf(this.#list(value, key, depth))));
        return;
      case '$or':
        found.push(this.#node({ expr: { $case: 'or', value: { filters: this.#list(value, key, depth) } } }));
        return;
      case '$not':
        found.push(this.#node(not(this.read(value, key, depth + 1))));
        return;
      case '$id':
        this.#id(value, key, found);
        return;
      default:
        if (key.startsWith('$')) this.#unknown(key, ['$and', '$or', '$not', '$id']);
        else this.#field(this.#name(key), value, found);
    }
  }

  /** Also a rule of the validator, but only here can the path be the one that the user wrote. */
  #name(key: string): string {
    if (key === '' || (key.length * 3 > NAME_BYTES_MAX && Buffer.byteLength(key) > NAME_BYTES_MAX)) {
      this.#refuse(key, `an attribute's name has 1 to ${NAME_BYTES_MAX} bytes of UTF-8`);
    }
    return readString(key, this.at, key);
  }

  #list(value: unknown, step: Step, depth: number): Filter[] {
    if (!Array.isArray(value)) {
      this.#refuse(step, `must be an array of filters, not ${kindOf(value)}`);
      return [];
    }
    this.at.enter(step);
    const filters = value.map((item, i) => this.read(item, i, depth + 1));
    this.at.leave();
    return filters;
  }

  #field(field: string, value: unknown, found: Filter[]): void {
    if (typeof value !== 'object' || value === null) {
      this.#comparison(field, ComparisonOperator.EQ, value, field, found);
      return;
    }
    if (Array.isArray(value)) {
      this.#refuse(field, 'must not be an array: use $in, $containsAny or $containsAll');
      return;
    }
    const operators = Object.keys(value);
    if (operators.length === 0) this.#refuse(field, `names no operator; known are ${OPERATORS.join(' ')}`);
    this.at.enter(field);
    for (const key of operators) this.#operator(field, key, (value as JsonObject)[key], found);
    this.at.leave();
  }

  #operator(field: string, key: string, operand: unknown, found: Filter[]): void {
    const comparison = COMPARISONS.get(key);
    const set = SETS.get(key);
    if (comparison !== undefined) this.#comparison(field, comparison, operand, key, found);
    else if (set !== undefined) {
      const values = this.#scalars(operand, key);
      found.push(this.#node({ expr: { $case: 'in', value: { field, operator: set, values } } }));
    } else if (key === '$exists') {
      if (typeof operand !== 'boolean') this.#refuse(key, `must be true or false, not ${kindOf(operand)}`);
      this.#presence(field, operand === true, found);
    } else if (key === '$prefix') {
      const prefix = this.#text(operand, key);
      found.push(this.#node({ expr: { $case: 'prefix', value: { field, prefix } } }));
    } else this.#unknown(key, OPERATORS);
  }

  #comparison(
    field: string,
    operator: ComparisonOperator,
    operand: unknown,
    step: Step,
    found: Filter[],
  ): void {
    if (operand === null && (operator === ComparisonOperator.EQ || operator === ComparisonOperator.NE)) {
      this.#presence(field, operator === ComparisonOperator.NE, found);
      return;
    }
    const value = this.#scalar(operand, step);
    found.push(this.#node({ expr: { $case: 'compare', value: { field, operator, value } } }));
  }

  #presence(field: string, present: boolean, found: Filter[]): void {
    const exists = this.#node({ expr: { $case: 'exists', value: { field } } });
    found.push(present ? exists : this.#node(not(exists)));
  }

  #id(value: unknown, step: string, found: Filter[]): void {
    if (typeof value === 'string') {
      found.push(this.#ids([value], step));
      return;
    }
    const object = openObject(value, this.at, step);
    if (object === undefined) return;
    for (const key of Object.keys(object)) {
      const operand = object[key];
      if (key === '$eq') found.push(this.#ids([operand], key));
      else if (key === '$ne') found.push(this.#node(not(this.#ids([operand], key))));
      else if (key === '$in') found.push(this.#ids(operand, key));
      else if (key === '$nin') found.push(this.#node(not(this.#ids(operand, key))));
      else if (key === '$prefix') {
        found.push(this.#node({ expr: { $case: 'idPrefix', value: this.#text(operand, key) } }));
      } else this.#unknown(key, ['$eq', '$ne', '$in', '$nin', '$prefix']);
    }
    if (Object.keys(object).length === 0) this.at.report('INVALID_FILTER', 'names no operator');
    this.at.leave();
  }

  #ids(value: unknown, step: Step): Filter {
    const ids: string[] = [];
    if (!Array.isArray(value)) this.#refuse(step, `must be an array of ids, not ${kindOf(value)}`);
    else if (!this.#tooMany(value, step)) for (const id of value) ids.push(this.#text(id, step));
    return this.#node({ expr: { $case: 'ids', value: { ids } } });
  }

  #scalars(value: unknown, step: Step): Scalar[] {
    if (!Array.isArray(value)) {
      this.#refuse(step, `must be an array, not ${kindOf(value)}`);
      return [];
    }
    if (this.#tooMany(value, step)) return [];
    this.at.enter(step);
    const scalars = value.map((item, i) => this.#scalar(item, i));
    this.at.leave();
    return scalars;
  }

  #scalar(value: unknown, step: Step): Scalar {
    switch (typeof value) {
      case 'string':
        return { kind: { $case: 'stringValue', value: readString(value, this.at, step) } };
      case 'boolean':
        return { kind: { $case: 'boolValue', value } };
      case 'bigint':
        if (BigInt.asIntN(64, value) === value) return { kind: { $case: 'intValue', value } };
        this.#refuse(step, 'is a whole number of more than 64 bits');
        return { kind: undefined };
      case 'number':
        if (Number.isSafeInteger(value)) return { kind: { $case: 'intValue', value: BigInt(value) } };
        if (Number.isInteger(value)) this.at.report('INTEGER_PRECISION_LOSS', imprecise(value), step);
        else if (!Number.isFinite(value)) this.#refuse(step, 'must be a finite number');
        return { kind: { $case: 'doubleValue', value } };
      default:
        this.#refuse(step, `must be text, a number, true or false, not ${kindOf(value)}`);
        return { kind: undefined };
    }
  }

  #tooMany(values: readonly unknown[], step: Step): boolean {
    if (values.length <= FILTER_VALUES_MAX) return false;
    this.#refuse(step, `has ${values.length} values, at most ${FILTER_VALUES_MAX} are allowed`);
    return true;
  }

  #text(value: unknown, step: Step): string {
    if (typeof value === 'string') return readString(value, this.at, step);
    this.#refuse(step, `must be text, not ${kindOf(value)}`);
    return '';
  }

  #node(filter: Filter): Filter {
    if (++this.#nodes === FILTER_NODES_MAX + 1) {
      this.at.report('INVALID_FILTER', `the filter has more than ${FILTER_NODES_MAX} conditions`);
      this.at.finish();
    }
    return filter;
  }

  #refuse(step: Step, description: string): void {
    this.at.report('INVALID_FILTER', description, step);
  }

  #unknown(key: string, known: readonly string[]): void {
    this.at.report(
      'UNKNOWN_OPERATOR',
      `there is no operator ${quote(key)} here; known are ${known.join(' ')}`,
      key,
    );
  }
}

function allOf(filters: Filter[]): Filter {
  return { expr: { $case: 'and', value: { filters } } };
}

function not(filter: Filter): Filter {
  return { expr: { $case: 'not', value: filter } };
}

function onField(field: string, operator: string | undefined, operand: unknown): JsonObject {
  if (operator === undefined) throw new RangeError(`filter on ${quote(field)}: the operator is not set`);
  const object: JsonObject = {};
  setOwn(object, field, { [operator]: operand });
  return object;
}

function scalarToJson(scalar: Scalar | undefined): string | number | boolean {
  const kind = scalar?.kind;
  if (kind === undefined) throw new RangeError('filter: a value to compare with is not set');
  if (kind.$case !== 'intValue') return kind.value;
  const number = Number(kind.value);
  if (!Number.isSafeInteger(number)) {
    throw new RangeError(`filter: ${kind.value} would lose digits in JSON: use protobuf`);
  }
  return number;
}

/** Reports a filter that is deeper or larger than allowed; stops looking there. */
export function checkFilterSize(filter: Filter, at: Place, step: Step): void {
  let nodes = 0;
  const walk = (node: Filter, depth: number): string | undefined => {
    if (depth > FILTER_DEPTH_MAX) return `the filter is nested deeper than ${FILTER_DEPTH_MAX} levels`;
    if (++nodes > FILTER_NODES_MAX) return `the filter has more than ${FILTER_NODES_MAX} conditions`;
    const expr = node.expr;
    if (expr?.$case === 'not') return walk(expr.value, depth + 1);
    if (expr?.$case !== 'and' && expr?.$case !== 'or') return undefined;
    for (const below of expr.value.filters) {
      const problem = walk(below, depth + 1);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
  const problem = walk(filter, 1);
  if (problem !== undefined) at.report('INVALID_FILTER', problem, step);
}
