/*
 * Filters as types: the `$` syntax of the server's JSON, checked by the compiler against the attributes of a
 * collection. A field that does not exist, a value of another type and an operator that makes no sense for a
 * field are compile-time errors.
 */
import type { AttributeScalar, AttributeValue } from '../values/attributes.js';

/**
 * What an attribute's elements are compared with. A whole number may always be given as a bigint, and the
 * other way round.
 */
type Operand<V> = Widened<V extends readonly (infer E)[] ? E : V>;
type Widened<E> = E | (E extends bigint | number ? bigint | number : never);

interface EqualityOperators<E> {
  /** Equal; `null`: the attribute is absent. */
  readonly $eq?: E | null;
  /** Not equal, or absent; `null`: the attribute is present. */
  readonly $ne?: E | null;
  /** One of these. */
  readonly $in?: readonly E[];
  /** None of these, or absent. */
  readonly $nin?: readonly E[];
  /** Whether the attribute is present. */
  readonly $exists?: boolean;
}

interface OrderOperators<E> {
  /** Greater than. */
  readonly $gt?: E;
  /** Greater than or equal. */
  readonly $gte?: E;
  /** Less than. */
  readonly $lt?: E;
  /** Less than or equal. */
  readonly $lte?: E;
}

interface TextOperators {
  /** Text that begins with this. */
  readonly $prefix?: string;
}

interface ArrayOperators<E> {
  /** The array has at least one of these. */
  readonly $containsAny?: readonly E[];
  /** The array has all of these. */
  readonly $containsAll?: readonly E[];
}

/**
 * Adds nothing to an intersection. An empty object type would: it makes the compiler accept text where only
 * operators may be.
 */
type NoOperators = unknown;

/** Conditions on one attribute with values of type `V`; several of them must all hold. */
export type FieldConditions<V> = EqualityOperators<Operand<V>> &
  (Operand<V> extends string | number | bigint ? OrderOperators<Operand<V>> : NoOperators) &
  (Operand<V> extends string ? TextOperators : NoOperators) &
  (V extends readonly unknown[] ? ArrayOperators<Operand<V>> : NoOperators);

/** Conditions on an attribute of unknown type. */
export type AnyFieldConditions = EqualityOperators<AttributeScalar> &
  OrderOperators<AttributeScalar> &
  TextOperators &
  ArrayOperators<AttributeScalar>;

/** Conditions on the record's id. */
export interface IdConditions {
  /** This id. */
  readonly $eq?: string;
  /** Any other id. */
  readonly $ne?: string;
  /** One of these ids. */
  readonly $in?: readonly string[];
  /** None of these ids. */
  readonly $nin?: readonly string[];
  /** Ids that begin with this. */
  readonly $prefix?: string;
}

interface Combinators<F> {
  /** All of these hold. */
  readonly $and?: readonly F[];
  /** At least one of these holds. */
  readonly $or?: readonly F[];
  /** This does not hold. */
  readonly $not?: F;
  /** The record's id. */
  readonly $id?: string | IdConditions;
}

/**
 * A filter on a collection whose attributes are `A`. Several entries must all hold; a plain value means
 * `$eq`.
 */
export type TypedFilter<A> = {
  readonly [K in keyof A & string]?: Operand<NonNullable<A[K]>> | FieldConditions<NonNullable<A[K]>> | null;
} & Combinators<TypedFilter<A>>;

/** A filter on a collection whose attributes are not described by a type. */
export interface AnyFilter extends Combinators<AnyFilter> {
  readonly [field: string]:
    AttributeScalar | AnyFieldConditions | IdConditions | AnyFilter | readonly AnyFilter[] | null | undefined;
}

/**
 * A condition on records, such as `{ year: { $gte: 1999 }, tag: 'drama' }`.
 *
 * A comparison with an attribute that a record lacks is false. On an array a comparison holds when it holds
 * for any element. Whole and fractional numbers compare by value; values of different kinds are never equal.
 */
export type Filter<A = Record<string, AttributeValue>> = string extends keyof A ? AnyFilter : TypedFilter<A>;
