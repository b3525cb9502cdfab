/*
 * Brings a filter from outside into the form that evaluation relies on: within the limits, no text that is
 * not Unicode, no NaN, no double negation, no conjunction inside a conjunction.
 */
import { OmenError } from '../errors.js';
import { quote } from '../ids.js';
import { LIMITS } from '../limits.js';
import type { AttributeScalar } from '../record/record.js';
import type { Filter } from './ast.js';

interface Budget {
  nodes: number;
}

/**
 * A filter with the same meaning.
 *
 * @param field Path of the filter in the request, for errors.
 * @throws OmenError `INVALID_FILTER` for a filter over a limit or with an operand that no attribute can hold.
 */
export function normaliseFilter(filter: Filter, field = 'filter'): Filter {
  return normalise(filter, 1, { nodes: 0 }, field);
}

function normalise(filter: Filter, depth: number, budget: Budget, field: string): Filter {
  if (depth > LIMITS.filterDepthMax) {
    throw refused(field, `the filter is nested deeper than ${LIMITS.filterDepthMax} levels`);
  }
  if (++budget.nodes > LIMITS.filterNodesMax) {
    throw refused(field, `the filter has more than ${LIMITS.filterNodesMax} conditions`);
  }
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const inner = filter.filters.map((each) => normalise(each, depth + 1, budget, field));
      return flattened(filter.kind, inner);
    }
    case 'not': {
      const inner = normalise(filter.filter, depth + 1, budget, field);
      return inner.kind === 'not' ? inner.filter : { kind: 'not', filter: inner };
    }
    case 'eq':
    case 'range':
      checkName(filter.field, field);
      checkOperand(filter.value, filter.field, field);
      return filter;
    case 'in':
    case 'containsAll':
      checkName(filter.field, field);
      checkCount(filter.values.length, filter.field, field);
      for (const value of filter.values) checkOperand(value, filter.field, field);
      return filter;
    case 'exists':
      checkName(filter.field, field);
      return filter;
    case 'prefix':
      checkName(filter.field, field);
      checkOperand(filter.prefix, filter.field, field);
      return filter;
    case 'ids':
      checkCount(filter.ids.length, '$id', field);
      for (const id of filter.ids) checkOperand(id, '$id', field);
      return filter;
    case 'idPrefix':
      checkOperand(filter.prefix, '$id', field);
      return filter;
  }
}

function flattened(kind: 'and' | 'or', filters: readonly Filter[]): Filter {
  const flat = filters.flatMap((filter) => (filter.kind === kind ? filter.filters : [filter]));
  const only = flat[0];
  return flat.length === 1 && only !== undefined ? only : { kind, filters: flat };
}

function checkName(name: string, field: string): void {
  if (name.length === 0 || name.length > LIMITS.attributeNameBytesMax || !name.isWellFormed()) {
    throw refused(
      field,
      `${quote(name)} is no attribute name: names are 1 to ${LIMITS.attributeNameBytesMax} bytes of UTF-8`,
    );
  }
}

function checkCount(count: number, name: string, field: string): void {
  if (count > LIMITS.filterValuesMax) {
    throw refused(
      field,
      `the condition on ${quote(name)} lists ${count} values, at most ${LIMITS.filterValuesMax} are allowed`,
    );
  }
}

function checkOperand(value: AttributeScalar, name: string, field: string): void {
  if (typeof value === 'number' && Number.isNaN(value)) {
    throw refused(field, `the condition on ${quote(name)} compares with NaN`);
  }
  if (typeof value === 'string' && !value.isWellFormed()) {
    throw refused(field, `the condition on ${quote(name)} compares with text that holds a lone surrogate`);
  }
}

function refused(field: string, message: string): OmenError {
  return new OmenError('INVALID_FILTER', `${field}: ${message}`, { field });
}
