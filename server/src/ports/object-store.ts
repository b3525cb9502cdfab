/**
 * Object storage: the only thing that must survive. Four primitives carry every safety argument of the
 * system, `delete` belongs to the collector alone.
 *
 * Contract of every implementation:
 * - A successful answer means durable: the object is there after a power cut.
 * - `get`, `list` and the preconditions are strongly consistent: they see every write that completed before
 *   they began.
 * - An object appears whole or not at all.
 * - A failure leaves the outcome open unless its reason says otherwise: an adapter throws `OmenError` with
 *   `STORAGE_UNAVAILABLE` (outcome unknown, may be retried with the same nonce), `STORAGE_FULL` (nothing was
 *   written) or `DATA_CORRUPTED`.
 * - Keys are UTF-8 text of 1–512 bytes, parts separated by `/`; no key is a folder of another key.
 */
export interface ObjectStore {
  /**
   * Creates `key` with `body` if it does not exist.
   *
   * @param nonce 32 hex digits, unique to this attempt to write: when an earlier try with the same nonce had
   * in fact succeeded, the answer is `created` and not `exists`. The adapter keeps the nonce with the object.
   */
  putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome>;
  /**
   * Replaces the object if its current etag is `etag`; `etag` null means the key must not exist.
   * The nonce has the same meaning as in `putIfAbsent`.
   */
  compareAndSwap(key: string, body: Uint8Array, etag: string | null, nonce: string): Promise<SwapOutcome>;
  /**
   * Reads an object or a byte range of it. A range that ends past the object is cut; one that begins past it
   * is an empty body.
   */
  get(key: string, options?: GetOptions): Promise<GetOutcome>;
  /**
   * Up to 1 000 keys that begin with `prefix` and sort after `startAfter`, ascending by UTF-8 bytes. An empty
   * page is the end.
   */
  list(prefix: string, startAfter?: string): Promise<readonly ListedObject[]>;
  /** Removes an object; absent is fine. Never conditional, never trusted to be. */
  delete(key: string): Promise<void>;
  /** Releases sockets, handles and locks. No call may follow. */
  close(): Promise<void>;
}

/** What became of a `putIfAbsent`. */
export type PutOutcome =
  | { readonly kind: 'created'; readonly etag: string }
  /**
   * Somebody else's object is there. `unsure`: an earlier try of this call had no answer, so what is there
   * may have come after an own object was there and removed.
   */
  | { readonly kind: 'exists'; readonly unsure?: true };

/** What became of a `compareAndSwap`. */
export type SwapOutcome =
  | { readonly kind: 'swapped'; readonly etag: string }
  /** The etag did not match (or the key exists, for `etag` null). */
  | { readonly kind: 'conflict' };

/** What to read, and where to. */
export interface GetOptions {
  /** Byte offset and length. */
  readonly range?: { readonly offset: number; readonly length: number };
  /** Answer `unchanged` without a body when the object still has this etag. */
  readonly ifNoneMatch?: string;
  /**
   * Where to put the bytes, at least as long as the range or object: avoids a copy of a large object. May be
   * shared memory.
   */
  readonly into?: Uint8Array;
  /** Gives the read up: it rejects with the signal's reason. A store that answers at once may ignore it. */
  readonly signal?: AbortSignal;
  /** Nobody waits for it: reads for queries and commits go first. */
  readonly background?: boolean;
}

/** What a `get` found. */
export type GetOutcome =
  | { readonly kind: 'found'; readonly body: Uint8Array; readonly etag: string; readonly size: number }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'absent' };

/** An object as `list` sees it. */
export interface ListedObject {
  readonly key: string;
  readonly size: number;
}
