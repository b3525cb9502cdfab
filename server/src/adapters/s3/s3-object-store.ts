import type {
  GetOptions,
  GetOutcome,
  ListedObject,
  ObjectStore,
  PutOutcome,
  SwapOutcome,
} from '../../ports/object-store.js';
import { invariant } from '../../core/errors.js';
import { ConnectionLanes } from './connection-lanes.js';
import { PooledTransport } from './http-transport.js';
import { ObjectReader } from './read-object.js';
import { RequestCounts } from './request-counts.js';
import { S3Calls } from './s3-calls.js';
import { openS3 } from './s3-client.js';
import { S3Failure, storageError } from './s3-failure.js';
import type { S3Deps, S3Options } from './s3-options.js';
import { ObjectWriter } from './write-object.js';

const CONNECTIONS = 128;
const RESERVED_CONNECTIONS = 16;
const KEY_BYTES_MAX = 512;
const PAGE_SIZE = 1000;
const encoder = new TextEncoder();

/**
 * An object store in a bucket of S3, or of a store that speaks its protocol and honours `If-None-Match` and
 * `If-Match` on writes. Any number of processes may use one bucket at once.
 *
 * The nonce of a writer is kept as metadata of the object. Whatever leaves the outcome of a write open (412
 * on a repeated request, 409, 5xx, a broken connection, no answer in time) is resolved by reading it back;
 * where even that fails, the error says `STORAGE_UNAVAILABLE` and the caller repeats the write with the same
 * nonce.
 *
 * An object that is swapped ends in 16 bytes that are not part of its body: the nonce. With it no two of its
 * versions are equal, so that no etag, which may be a hash of the bytes, ever comes back.
 */
export class S3ObjectStore implements ObjectStore {
  readonly #reader: ObjectReader;
  readonly #writer: ObjectWriter;

  private constructor(
    private readonly options: S3Options,
    private readonly calls: S3Calls,
  ) {
    this.#reader = new ObjectReader(calls);
    this.#writer = new ObjectWriter(calls, this.#reader);
  }

  /**
   * Opens the store; sends nothing. Throws `STORAGE_UNAVAILABLE`, saying what to do, when the region is not
   * known.
   */
  static async open(options: S3Options, deps: S3Deps): Promise<S3ObjectStore> {
    const counts = new RequestCounts(deps.metrics);
    const onRepeat = (): void => counts.count('get', 'retry');
    const transport = deps.transport ?? new PooledTransport(CONNECTIONS, deps);
    try {
      const access = await openS3(options, transport, { clock: deps.clock, onRepeat });
      const lanes = new ConnectionLanes({ total: CONNECTIONS, reserved: RESERVED_CONNECTIONS });
      return new S3ObjectStore(options, new S3Calls(options, deps, { transport, access, lanes, counts }));
    } catch (error) {
      await transport.close();
      if (!(error instanceof S3Failure)) throw error;
      const { bucket, endpoint } = options;
      throw storageError(error, { action: 'open', key: '', bucket, endpoint: endpoint ?? 'S3' });
    }
  }

  /** Connections in use. */
  get active(): number {
    return this.calls.active;
  }

  async putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
    const write = { key: this.#full(key), body, nonce, replaces: null };
    const { etag, unsure } = await this.#writer.write(write);
    if (etag !== null) return { kind: 'created', etag };
    return unsure ? { kind: 'exists', unsure } : { kind: 'exists' };
  }

  async compareAndSwap(
    key: string,
    body: Uint8Array,
    etag: string | null,
    nonce: string,
  ): Promise<SwapOutcome> {
    const ended = withTail(body, nonce);
    const write = {
      key: this.#full(key),
      body: ended,
      nonce,
      replaces: etag,
      tail: ended.length - body.length,
    };
    const { etag: written } = await this.#writer.write(write);
    return written === null ? { kind: 'conflict' } : { kind: 'swapped', etag: written };
  }

  get(key: string, options: GetOptions = {}): Promise<GetOutcome> {
    return this.#reader.get(this.#full(key), options);
  }

  async list(prefix: string, startAfter = ''): Promise<readonly ListedObject[]> {
    const own = this.options.prefix;
    const page = await this.calls.list(
      `${own}${prefix}`,
      startAfter === '' ? '' : `${own}${startAfter}`,
      PAGE_SIZE,
    );
    return page.map(({ key, size }) => ({ key: key.slice(own.length), size }));
  }

  delete(key: string): Promise<void> {
    return this.calls.delete(this.#full(key));
  }

  async close(): Promise<void> {
    await this.calls.close();
  }

  #full(key: string): string {
    const whole = key.isWellFormed() && key.split('/').every((part) => part.length > 0);
    const bytes = encoder.encode(key).length;
    invariant(whole && bytes >= 1 && bytes <= KEY_BYTES_MAX, `key ${JSON.stringify(key)} is not allowed`);
    return `${this.options.prefix}${key}`;
  }
}

function withTail(body: Uint8Array, nonce: string): Uint8Array {
  return Buffer.concat([body, Buffer.from(nonce, 'hex')]);
}
