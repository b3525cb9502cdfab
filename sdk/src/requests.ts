/* What callers hand in: records, selections, queries. */
import type { Filter } from './filter/types.js';
import type { AttributeValue } from './values/attributes.js';
import type { VectorInput } from './values/vector.js';

/**
 * How vectors are compared: `cosine` by angle, `l2` by Euclidean distance (reported squared), `dot` by inner
 * product.
 */
export const METRICS = ['cosine', 'l2', 'dot'] as const;
/** How vectors are compared. */
export type Metric = (typeof METRICS)[number];

/**
 * How fresh the data is that a read sees: `session` (default) sees at least what this client wrote to the
 * collection or has seen of it; `strong` every write that was acknowledged before the read began; `eventual`
 * whatever the answering server has at hand.
 */
export const CONSISTENCIES = ['session', 'strong', 'eventual'] as const;
/** How fresh the data is that a read sees. */
export type Consistency = (typeof CONSISTENCIES)[number];

/** A new collection. */
export interface CreateCollection {
  /** 1 to 128 letters, digits, `.`, `_` or `-`, beginning with a letter or digit. */
  readonly name: string;
  /** Elements of every vector, 1 to 4096. Default: the server's `OMENDB_DIMENSION`. */
  readonly dimensions?: number | undefined;
  /** Default: `cosine`. */
  readonly metric?: Metric | undefined;
}

/** A record to write. Writing an id that exists replaces the record. */
export interface RecordInput<A> {
  /** 1 to 512 bytes of UTF-8. */
  readonly id: string;
  /** As many elements as the collection has dimensions. */
  readonly vector: VectorInput;
  /**
   * Values by name. Whole numbers are stored as int64, others as double; properties that are `undefined` are
   * left out.
   */
  readonly attributes?: Readonly<A> | undefined;
}

/** Many records in columns: the cheapest form when the vectors already lie in one array. */
export interface RecordBlockInput<A> {
  /** One id per record. */
  readonly ids: readonly string[];
  /** All vectors one after the other: `ids.length` times the same number of elements. */
  readonly vectors: Float32Array;
  /** Attributes, one entry per id; absent when no record has any. */
  readonly attributes?: readonly (Readonly<A> | undefined)[] | undefined;
}

/** A change of a record that exists: what is not named stays as it is. */
export interface RecordPatch<A> {
  /** The record's id. */
  readonly id: string;
  /** The new vector, if it changes. */
  readonly vector?: VectorInput | undefined;
  /** New values by name; `null` removes the attribute. */
  readonly attributes?: { readonly [K in keyof A]?: A[K] | null | undefined } | undefined;
}

/** Which records to delete: these, or all that pass a filter. */
export type DeleteRequest<A> =
  | { readonly ids: readonly string[]; readonly filter?: undefined }
  | { readonly filter: Filter<A>; readonly ids?: undefined };

/** Attributes to return: `*` for all of them, or their names. */
export type Selection<A> = '*' | readonly (keyof A & string)[];

/**
 * A moment of a collection's past; none of them means the present. At most one may be given. How far the past
 * reaches back is `readableFrom` of the collection's stats; snapshots are kept until they are deleted.
 */
export interface Moment {
  /** The collection as it was at this time. A time to come means the present. */
  readonly asOf?: Date | undefined;
  /** The collection as its snapshot of this name has it. */
  readonly snapshot?: string | undefined;
  /** The collection as it was after the write with this sequence number; 0 means before the first one. */
  readonly asOfSequenceNumber?: number | undefined;
}

/** How fresh a read must be, or which moment of the past it reads. The two exclude each other. */
export interface ReadOptions extends Moment {
  /** Default: `session`. */
  readonly consistency?: Consistency | undefined;
  /**
   * `sessionToken` of an answer, possibly to another client, that the read must not fall behind. Default:
   * that of the newest answer this client got about the collection.
   */
  readonly sessionToken?: string | undefined;
}

/** What to return of a record. */
export interface Projection<S, V extends boolean> {
  /** Attributes to return. */
  readonly select?: S | undefined;
  /** Return the vector too. Default: false. */
  readonly includeVector?: V | undefined;
}

/** What to return of records that are read by id. Default: all attributes. */
export interface GetOptions<S, V extends boolean> extends Projection<S, V>, ReadOptions {}

/** Which records to walk through, and what to return of them. Default: all attributes of all records. */
export interface ScanRequest<A, S, V extends boolean> extends GetOptions<S, V> {
  /** Only records that pass. */
  readonly filter?: Filter<A> | undefined;
  /** Records per request, 1 to 1000. Default: 1000. */
  readonly pageSize?: number | undefined;
}

/** Which records to count. */
export interface CountRequest<A> extends ReadOptions {
  /** Only records that pass; all by default. */
  readonly filter?: Filter<A> | undefined;
}

/** What to search for. Default: no attributes are returned. */
export interface QueryRequest<A, S, V extends boolean> extends Projection<S, V>, ReadOptions {
  /** The vector to be near to. */
  readonly vector: VectorInput;
  /** Most hits to return, 1 to 10 000. Default: 10. */
  readonly topK?: number | undefined;
  /** Only records that pass. */
  readonly filter?: Filter<A> | undefined;
  /** Compare with every record that passes the filter: slow and exact. */
  readonly exact?: boolean | undefined;
  /** Share of the true nearest records to aim for, 0.5 to 1. Default: 0.95. */
  readonly recallTarget?: number | undefined;
  /** Clusters to search in each segment, in place of the number the planner would choose. */
  readonly nprobe?: number | undefined;
  /** Candidates whose exact distance is computed, in place of the number the planner would choose. */
  readonly rerank?: number | undefined;
}

/** The attributes that a selection leaves of `A`. What a record lacks is absent, whatever its type says. */
export type SelectedAttributes<A, S> = S extends '*'
  ? Readonly<A>
  : S extends readonly (infer K)[]
    ? string extends keyof A
      ? { readonly [P in K & string]?: AttributeValue }
      : { readonly [P in K & keyof A]: A[P] }
    : Record<never, never>;
