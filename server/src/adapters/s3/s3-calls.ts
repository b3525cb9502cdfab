/*
 * What every call to the bucket has in common: a connection of its lane, repetition within bounds, and errors
 * as the port has them.
 */
import { setMaxListeners } from 'node:events';
import { OmenError } from '../../core/errors.js';
import type { ListedObject } from '../../ports/object-store.js';
import type { ConnectionLanes, Lane } from './connection-lanes.js';
import type { HttpTransport } from './http-transport.js';
import { linkedAbort } from './linked-abort.js';
import type { RequestOutcome, StoreOperation } from './request-counts.js';
import type { RequestCounts } from './request-counts.js';
import { RetryBudget } from './retry-budget.js';
import type { S3Access } from './s3-client.js';
import type { FailureKind } from './s3-failure.js';
import { S3Failure, failureOf, storageError } from './s3-failure.js';
import type { S3Deps, S3Options } from './s3-options.js';
import { flowOf } from './lane-of.js';

interface CallParts {
  readonly transport: HttpTransport;
  readonly access: S3Access;
  readonly lanes: ConnectionLanes;
  readonly counts: RequestCounts;
}

/** A call, for its connection and for messages. */
export interface S3Call {
  /** Such as `read`. */
  readonly action: string;
  /** What its requests are counted as. */
  readonly operation: StoreOperation;
  readonly key: string;
  readonly lane: Lane;
  readonly signal?: AbortSignal | undefined;
}

/** Tries of one call, the first one counted. The caller above repeats too, more slowly. */
export const ATTEMPTS = 3;
const BACKOFF_BASE_MS = 50;
const BACKOFF_MAX_MS = 1000;
const MENDS_ITSELF: ReadonlySet<FailureKind> = new Set(['throttled', 'unknown', 'conflict', 'skewed']);

export class S3Calls {
  readonly #budget = new RetryBudget();
  readonly #closed = new AbortController();

  constructor(
    readonly options: S3Options,
    readonly deps: S3Deps,
    private readonly parts: CallParts,
  ) {
    // One for every request under way.
    setMaxListeners(0, this.#closed.signal);
  }

  get access(): S3Access {
    return this.parts.access;
  }

  get counts(): RequestCounts {
    return this.parts.counts;
  }

  /** Connections in use. */
  get active(): number {
    return this.parts.lanes.active;
  }

  /**
   * Runs one try on a connection of the call's lane. Rejects as `run` does; then the caller tells `counts`
   * what it ended as.
   */
  async once<T>(call: S3Call, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const closed = this.#closed.signal;
    const linked = call.signal === undefined ? null : linkedAbort(closed, call.signal);
    const signal = linked?.controller.signal ?? closed;
    const flow = flowOf(call.key, this.options.prefix);
    try {
      const release = await this.parts.lanes.acquire(call.lane, flow, signal);
      try {
        const result = await run(signal);
        this.#budget.earn();
        this.counts.count(call.operation, 'ok');
        return result;
      } catch (error) {
        this.counts.failed(call.operation, error, signal);
        throw error;
      } finally {
        release();
      }
    } finally {
      linked?.unlink();
    }
  }

  /** A connection for work that may be left undone, or null. */
  spare(lane: Lane): (() => void) | null {
    return this.parts.lanes.tryAcquire(lane);
  }

  /** Repeats a call that may be repeated without harm. Rejects with `OmenError`. */
  async repeat<T>(call: S3Call, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        return await this.once(call, run);
      } catch (error) {
        await this.#mend(call, error, failures);
      }
    }
  }

  /** Waits until the call may be repeated, or rejects: enough. */
  async #mend(call: S3Call, error: unknown, failures: number): Promise<void> {
    let ended: RequestOutcome = 'error';
    try {
      call.signal?.throwIfAborted();
      const failure = this.failureOf(error);
      if (!MENDS_ITSELF.has(failure.kind) || !(await this.mayRepeat(failures)))
        throw this.error(failure, call);
      ended = 'retry';
    } finally {
      this.counts.end(error, ended);
    }
  }

  /** After the `failures`-th failure: waits and answers true, or answers false: enough. */
  async mayRepeat(failures: number): Promise<boolean> {
    if (failures >= ATTEMPTS || !this.#budget.take()) return false;
    // Full jitter, so that many waiters do not come back together.
    const bound = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 4 ** (failures - 1));
    const { scheduler, rng } = this.deps;
    await scheduler.sleep((rng.uint32() / 2 ** 32) * bound, this.#closed.signal);
    return true;
  }

  /** The failure of a try; errors that end the call for good, such as an abort, are thrown. */
  failureOf(error: unknown): S3Failure {
    if (error instanceof OmenError) throw error;
    return failureOf(error);
  }

  /** The failure as the caller gets it. */
  error(failure: S3Failure, { action, key }: Pick<S3Call, 'action' | 'key'>): OmenError {
    const { bucket } = this.options;
    return storageError(failure, { action, key, bucket, endpoint: this.access.endpoint });
  }

  /** Sends a command of the SDK. Rejects with `S3Failure`, or with the signal's reason. */
  async send<T>(
    signal: AbortSignal,
    run: (client: S3Access['client'], options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    try {
      return await run(this.access.client, { abortSignal: signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw failureOf(error);
    }
  }

  /** Keys that begin with `prefix`, behind `startAfter`; empty only at the end. */
  list(prefix: string, startAfter: string, limit: number): Promise<ListedObject[]> {
    const { ListObjectsV2Command } = this.access.sdk;
    return this.repeat(
      { action: 'list', operation: 'list', key: prefix, lane: 'interactive' },
      async (signal) => {
        let token: string | undefined;
        do {
          const command = new ListObjectsV2Command({
            ...{ Bucket: this.options.bucket, Prefix: prefix, MaxKeys: limit, EncodingType: 'url' },
            ...(startAfter === '' ? {} : { StartAfter: startAfter }),
            ...(token === undefined ? {} : { ContinuationToken: token }),
          });
          const page = await this.send(signal, (client, options) => client.send(command, options));
          const objects = (page.Contents ?? []).map(({ Key = '', Size = 0 }) => ({
            key: page.EncodingType === 'url' ? decodeURIComponent(Key.replaceAll('+', ' ')) : Key,
            size: Size,
          }));
          // A page may be empty and not the last: many objects were removed there.
          if (objects.length > 0) return objects;
          token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
          if (token !== undefined) this.counts.count('list', 'ok');
        } while (token !== undefined);
        return [];
      },
    );
  }

  /** Removes an object; absent is fine. */
  delete(key: string): Promise<void> {
    const { DeleteObjectCommand } = this.access.sdk;
    const command = new DeleteObjectCommand({ Bucket: this.options.bucket, Key: key });
    return this.repeat({ action: 'remove', operation: 'delete', key, lane: 'background' }, async (signal) => {
      try {
        await this.send(signal, (client, options) => client.send(command, options));
      } catch (error) {
        if (!(error instanceof S3Failure) || error.kind !== 'absent') throw error;
      }
    });
  }

  async close(): Promise<void> {
    this.#closed.abort(new OmenError('STORAGE_UNAVAILABLE', 'the object store was closed'));
    this.access.client.destroy();
    await this.parts.transport.close();
  }
}
