/*
 * Filters from the wire. Operators that are the negation or another name of one are resolved here, so that
 * the layers below know each meaning once.
 */
import type { Filter } from '../../core/filter/ast.js';
import type * as pb from '../../gen/messages.js';
import { ComparisonOperator, SetOperator } from '../../gen/messages.js';
import { scalarFromWire } from './values.js';

/** Depth and size are bounded by the validator before. */
export function filterFromWire(filter: pb.Filter): Filter {
  const { expr } = filter;
  switch (expr?.$case) {
    case 'and':
    case 'or':
      return { kind: expr.$case, filters: expr.value.filters.map(filterFromWire) };
    case 'not':
      return not(filterFromWire(expr.value));
    case 'compare':
      return comparison(expr.value);
    case 'in':
      return membership(expr.value);
    case 'exists':
      return { kind: 'exists', field: expr.value.field };
    case 'prefix':
      return { kind: 'prefix', field: expr.value.field, prefix: expr.value.prefix };
    case 'ids':
      return { kind: 'ids', ids: expr.value.ids };
    case 'idPrefix':
      return { kind: 'idPrefix', prefix: expr.value };
    case undefined:
      throw new Error('the validator let a filter without a condition through');
  }
}

function comparison({ field, operator, value }: pb.Comparison): Filter {
  const scalar = scalarFromWire(value);
  switch (operator) {
    case ComparisonOperator.EQ:
      return { kind: 'eq', field, value: scalar };
    case ComparisonOperator.NE:
      return not({ kind: 'eq', field, value: scalar });
    case ComparisonOperator.LT:
      return { kind: 'range', field, operator: 'lt', value: scalar };
    case ComparisonOperator.LTE:
      return { kind: 'range', field, operator: 'lte', value: scalar };
    case ComparisonOperator.GT:
      return { kind: 'range', field, operator: 'gt', value: scalar };
    case ComparisonOperator.GTE:
      return { kind: 'range', field, operator: 'gte', value: scalar };
    default:
      throw new Error(`the validator let comparison operator ${operator} through`);
  }
}

function membership({ field, operator, values: scalars }: pb.SetMembership): Filter {
  const values = scalars.map(scalarFromWire);
  switch (operator) {
    case SetOperator.IN:
    case SetOperator.CONTAINS_ANY:
      return { kind: 'in', field, values };
    case SetOperator.NOT_IN:
      return not({ kind: 'in', field, values });
    case SetOperator.CONTAINS_ALL:
      return { kind: 'containsAll', field, values };
    default:
      throw new Error(`the validator let set operator ${operator} through`);
  }
}

function not(filter: Filter): Filter {
  return { kind: 'not', filter };
}
