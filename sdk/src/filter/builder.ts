/*
 * The same filters as calls, for code that puts them together at run time: `f.and(f.gte('year', 1999),
 * f.in('tag', tags))`. The results are the plain objects of the `$` syntax and may be mixed with them.
 */
import type { AttributeScalar } from '../values/attributes.js';

type On<F extends string, C> = { readonly [K in F]: C };

function on<F extends string, C>(field: F, condition: C): On<F, C> {
  return { [field]: condition } as On<F, C>;
}

/** Makes filters. Every function returns a plain object that is a `Filter`. */
export const f = {
  /** The attribute equals `value`; `null`: it is absent. */
  eq: <F extends string, V extends AttributeScalar | null>(field: F, value: V) =>
    on(field, { $eq: value } as { readonly $eq: V }),
  /** The attribute does not equal `value` or is absent. */
  ne: <F extends string, V extends AttributeScalar | null>(field: F, value: V) =>
    on(field, { $ne: value } as { readonly $ne: V }),
  /** The attribute is greater than `value`. */
  gt: <F extends string, V extends AttributeScalar>(field: F, value: V) =>
    on(field, { $gt: value } as { readonly $gt: V }),
  /** The attribute is greater than or equal to `value`. */
  gte: <F extends string, V extends AttributeScalar>(field: F, value: V) =>
    on(field, { $gte: value } as { readonly $gte: V }),
  /** The attribute is less than `value`. */
  lt: <F extends string, V extends AttributeScalar>(field: F, value: V) =>
    on(field, { $lt: value } as { readonly $lt: V }),
  /** The attribute is less than or equal to `value`. */
  lte: <F extends string, V extends AttributeScalar>(field: F, value: V) =>
    on(field, { $lte: value } as { readonly $lte: V }),
  /** The attribute is one of `values`. */
  in: <F extends string, const V extends AttributeScalar>(field: F, values: readonly V[]) =>
    on(field, { $in: values } as { readonly $in: readonly V[] }),
  /** The attribute is none of `values` or is absent. */
  nin: <F extends string, const V extends AttributeScalar>(field: F, values: readonly V[]) =>
    on(field, { $nin: values } as { readonly $nin: readonly V[] }),
  /** The attribute is present, or absent with `present` false. */
  exists: <F extends string>(field: F, present = true) =>
    on(field, { $exists: present } as { readonly $exists: boolean }),
  /** The array has at least one of `values`. */
  containsAny: <F extends string, const V extends AttributeScalar>(field: F, values: readonly V[]) =>
    on(field, { $containsAny: values } as { readonly $containsAny: readonly V[] }),
  /** The array has all of `values`. */
  containsAll: <F extends string, const V extends AttributeScalar>(field: F, values: readonly V[]) =>
    on(field, { $containsAll: values } as { readonly $containsAll: readonly V[] }),
  /** The attribute is text that begins with `prefix`. */
  prefix: <F extends string>(field: F, prefix: string) =>
    on(field, { $prefix: prefix } as { readonly $prefix: string }),
  /** The record's id is one of `ids`. */
  ids: (ids: readonly string[]): { readonly $id: { readonly $in: readonly string[] } } => ({
    $id: { $in: ids },
  }),
  /** The record's id begins with `prefix`. */
  idPrefix: (prefix: string): { readonly $id: { readonly $prefix: string } } => ({
    $id: { $prefix: prefix },
  }),
  /** All of `filters` hold; none given: always. */
  and: <F extends readonly object[]>(...filters: F): { readonly $and: F } => ({ $and: filters }),
  /** At least one of `filters` holds; none given: never. */
  or: <F extends readonly object[]>(...filters: F): { readonly $or: F } => ({ $or: filters }),
  /** `filter` does not hold. */
  not: <F extends object>(filter: F): { readonly $not: F } => ({ $not: filter }),
} as const;
