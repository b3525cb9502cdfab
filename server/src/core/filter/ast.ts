/*
 * The filter as a tree without invalid states. Three faces lead here: the protobuf message, the `$` syntax in
 * JSON and the client's objects.
 *
 * Meaning, for every node:
 * - a comparison with an attribute that a record lacks is false; `not` makes it true, and `ne`/`nin` are
 *   parsed as `not eq`/`not in`, so they hold for records without the attribute (as in MongoDB);
 * - on an array attribute, `eq`, `in`, ranges and `prefix` hold when they hold for any element;
 * - int64 and double compare by exact numeric value; values of different kinds (text, number, boolean) are
 *   never equal and never ordered;
 * - text is ordered by Unicode code points (the order of its UTF-8 bytes); false < true is not defined:
 *   booleans have equality only.
 */
import type { AttributeScalar } from '../record/record.js';

export const RANGE_OPERATORS = ['gt', 'gte', 'lt', 'lte'] as const;
export type RangeOperator = (typeof RANGE_OPERATORS)[number];

export type Filter =
  | { readonly kind: 'and'; readonly filters: readonly Filter[] }
  | { readonly kind: 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'eq'; readonly field: string; readonly value: AttributeScalar }
  | {
      readonly kind: 'range';
      readonly field: string;
      readonly operator: RangeOperator;
      readonly value: AttributeScalar;
    }
  | { readonly kind: 'in'; readonly field: string; readonly values: readonly AttributeScalar[] }
  | { readonly kind: 'containsAll'; readonly field: string; readonly values: readonly AttributeScalar[] }
  | { readonly kind: 'exists'; readonly field: string }
  | { readonly kind: 'prefix'; readonly field: string; readonly prefix: string }
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  | { readonly kind: 'idPrefix'; readonly prefix: string };
// `containsAny` is `in`: on an array both ask for one common element.
