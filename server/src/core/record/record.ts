/*
 * A record as the layers below the transport see it: id, vector, attributes.
 */
import type { RecordId } from '../ids.js';

/**
 * int64 is a bigint, double a number: the two compare by value in filters, but each is given back as it came.
 */
export type AttributeScalar = string | bigint | number | boolean;

/** Arrays hold one kind of scalar. */
export type AttributeValue =
  AttributeScalar | readonly string[] | readonly bigint[] | readonly number[] | readonly boolean[];

/**
 * Names are 1–128 bytes of UTF-8 and do not begin with `$`. An attribute that is absent has no entry; there
 * is no null.
 */
export type Attributes = ReadonlyMap<string, AttributeValue>;

export interface VectorRecord {
  readonly id: RecordId;
  /** As the user gave it: never normalised in place. */
  readonly vector: Float32Array;
  readonly attributes: Attributes;
}
