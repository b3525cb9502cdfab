import { compareUtf8 } from '../../core/bytes/compare-utf8.js';
import { invariant } from '../../core/errors.js';
import type {
  GetOptions,
  GetOutcome,
  ListedObject,
  ObjectStore,
  PutOutcome,
  SwapOutcome,
} from '../../ports/object-store.js';

interface StoredObject {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly nonce: string;
}

const PAGE_SIZE = 1000;
const encoder = new TextEncoder();

/**
 * An object store in memory: the reference for the contract, and the store of tests. Every call takes effect
 * at once and answers in a later microtask. Bodies are copied on the way in and out, so a caller may reuse
 * its buffers.
 */
export class MemoryObjectStore implements ObjectStore {
  readonly #objects = new Map<string, StoredObject>();
  /** All keys, ascending. */
  readonly #keys: string[] = [];
  #version = 0;

  async putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
    const etag = this.#write(key, body, { etag: null, nonce });
    return etag === null ? { kind: 'exists' } : { kind: 'created', etag };
  }

  async compareAndSwap(
    key: string,
    body: Uint8Array,
    etag: string | null,
    nonce: string,
  ): Promise<SwapOutcome> {
    const written = this.#write(key, body, { etag, nonce });
    return written === null ? { kind: 'conflict' } : { kind: 'swapped', etag: written };
  }

  async get(key: string, options: GetOptions = {}): Promise<GetOutcome> {
    checkKey(key);
    const object = this.#objects.get(key);
    if (object === undefined) return { kind: 'absent' };
    if (options.ifNoneMatch === object.etag) return { kind: 'unchanged' };
    const { offset, length } = options.range ?? { offset: 0, length: object.body.length };
    const bytes = object.body.subarray(offset, offset + length);
    const found = { kind: 'found', etag: object.etag, size: object.body.length } as const;
    if (options.into === undefined) return { ...found, body: bytes.slice() };
    options.into.set(bytes);
    return { ...found, body: options.into.subarray(0, bytes.length) };
  }

  async list(prefix: string, startAfter = ''): Promise<readonly ListedObject[]> {
    const page: ListedObject[] = [];
    const from = compareUtf8(startAfter, prefix) < 0 ? this.#position(prefix) : this.#position(startAfter);
    for (let at = from; at < this.#keys.length && page.length < PAGE_SIZE; at++) {
      const key = this.#keys[at] ?? '';
      if (!key.startsWith(prefix)) break;
      if (key !== startAfter) page.push({ key, size: this.#objects.get(key)?.body.length ?? 0 });
    }
    return page;
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    if (this.#objects.delete(key)) this.#keys.splice(this.#position(key), 1);
  }

  async close(): Promise<void> {}

  /** The new etag, or null when the precondition failed. */
  #write(
    key: string,
    body: Uint8Array,
    condition: { readonly etag: string | null; readonly nonce: string },
  ): string | null {
    checkKey(key);
    const { etag, nonce } = condition;
    invariant(/^[0-9a-f]{32}$/.test(nonce), `nonce ${nonce} is not 32 hex digits`);
    const existing = this.#objects.get(key);
    if (existing?.nonce === nonce) return existing.etag;
    if ((existing?.etag ?? null) !== etag) return null;
    if (existing === undefined) this.#insert(key);
    const object = { body: body.slice(), etag: `v${++this.#version}`, nonce };
    this.#objects.set(key, object);
    return object.etag;
  }

  #insert(key: string): void {
    const at = this.#position(`${key}/`);
    invariant(!(this.#keys[at] ?? '').startsWith(`${key}/`), `key ${key} is a folder of another key`);
    for (let end = key.indexOf('/'); end > 0; end = key.indexOf('/', end + 1)) {
      invariant(!this.#objects.has(key.slice(0, end)), `key ${key} has another key as its folder`);
    }
    this.#keys.splice(this.#position(key), 0, key);
  }

  /** Index of the first key that is not before `key`. */
  #position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareUtf8(this.#keys[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function checkKey(key: string): void {
  const bytes = encoder.encode(key).length;
  const whole = key.split('/').every((part) => part.length > 0);
  invariant(bytes >= 1 && bytes <= 512 && whole, `key ${JSON.stringify(key)} is not allowed`);
}
