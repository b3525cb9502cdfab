/*
 * The bucket that all servers of a world share. Every change of an object is told, in the order in which the
 * changes took effect, with what was there before.
 */
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type {
  GetOptions,
  GetOutcome,
  ListedObject,
  ObjectStore,
  PutOutcome,
  SwapOutcome,
} from '#server/ports/object-store.js';

export interface Change {
  readonly key: string;
  /** Null: the object was removed. */
  readonly body: Uint8Array | null;
}

export class Bucket implements ObjectStore {
  readonly #inner = new MemoryObjectStore();
  readonly #objects = new Map<string, { readonly etag: string; readonly body: Uint8Array }>();

  /**
   * @param forgetful Do not tell a writer of a slot or a root that what is in its way is its own: so does an
   * adapter that fails to look.
   */
  constructor(
    private readonly forgetful: boolean,
    private readonly changed: (change: Change) => void,
  ) {}

  /** Every key with its bytes. */
  get objects(): ReadonlyMap<string, { readonly body: Uint8Array }> {
    return this.#objects;
  }

  async putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
    if (this.forgetful && key.includes('/w/') && this.#objects.has(key)) return { kind: 'exists' };
    const outcome = await this.#inner.putIfAbsent(key, body, nonce);
    if (outcome.kind === 'created') this.#written(key, body, outcome.etag);
    return outcome;
  }

  async compareAndSwap(
    key: string,
    body: Uint8Array,
    etag: string | null,
    nonce: string,
  ): Promise<SwapOutcome> {
    const known = this.#objects.get(key);
    if (this.forgetful && key.endsWith('/root') && known !== undefined && known.etag !== etag) {
      return { kind: 'conflict' };
    }
    const outcome = await this.#inner.compareAndSwap(key, body, etag, nonce);
    if (outcome.kind === 'swapped') this.#written(key, body, outcome.etag);
    return outcome;
  }

  get(key: string, options?: GetOptions): Promise<GetOutcome> {
    return this.#inner.get(key, options);
  }

  list(prefix: string, startAfter?: string): Promise<readonly ListedObject[]> {
    return this.#inner.list(prefix, startAfter);
  }

  async delete(key: string): Promise<void> {
    await this.#inner.delete(key);
    if (this.#objects.delete(key)) this.changed({ key, body: null });
  }

  async close(): Promise<void> {
    // Outlives every server.
  }

  /** A repeated write with the nonce of the first one changes nothing. */
  #written(key: string, body: Uint8Array, etag: string): void {
    if (this.#objects.get(key)?.etag === etag) return;
    const copy = body.slice();
    this.#objects.set(key, { etag, body: copy });
    this.changed({ key, body: copy });
  }
}
