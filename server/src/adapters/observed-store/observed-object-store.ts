import type { LabelsOf } from '../../core/metrics/catalog.js';
import type { Clock } from '../../ports/clock.js';
import type { Counter, Histogram, Metrics } from '../../ports/metrics.js';
import type {
  GetOptions,
  GetOutcome,
  ListedObject,
  ObjectStore,
  PutOutcome,
  SwapOutcome,
} from '../../ports/object-store.js';

type Operation = Exclude<LabelsOf<'omendb_object_store_requests_total'>['operation'], 'multipart'>;

export interface ObservedStoreDeps {
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** The store counts its requests itself: it knows when one call is several, or is repeated. */
  readonly countsRequests: boolean;
}

interface Series {
  readonly seconds: Histogram;
  readonly ok: Counter;
  readonly error: Counter;
}

/**
 * Measures the calls of any store: how often, how long, how many bytes. An answer that something is absent,
 * there already or changed is a good answer; only what rejects is an error.
 */
export class ObservedObjectStore implements ObjectStore {
  readonly #series: Readonly<Record<Operation, Series>>;
  readonly #read: Counter;
  readonly #written: Counter;

  constructor(
    private readonly store: ObjectStore,
    private readonly deps: ObservedStoreDeps,
  ) {
    const { metrics } = deps;
    this.#read = metrics.counter('omendb_object_store_bytes_total', { direction: 'read' });
    this.#written = metrics.counter('omendb_object_store_bytes_total', { direction: 'written' });
    const of = (operation: Operation): Series => ({
      seconds: metrics.histogram('omendb_object_store_request_seconds', { operation }),
      ok: metrics.counter('omendb_object_store_requests_total', { operation, outcome: 'ok' }),
      error: metrics.counter('omendb_object_store_requests_total', { operation, outcome: 'error' }),
    });
    this.#series = { delete: of('delete'), get: of('get'), list: of('list'), put: of('put') };
  }

  async putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
    const outcome = await this.#observe('put', () => this.store.putIfAbsent(key, body, nonce));
    if (outcome.kind === 'created') this.#written.inc(body.length);
    return outcome;
  }

  async compareAndSwap(
    key: string,
    body: Uint8Array,
    etag: string | null,
    nonce: string,
  ): Promise<SwapOutcome> {
    const outcome = await this.#observe('put', () => this.store.compareAndSwap(key, body, etag, nonce));
    if (outcome.kind === 'swapped') this.#written.inc(body.length);
    return outcome;
  }

  async get(key: string, options?: GetOptions): Promise<GetOutcome> {
    const outcome = await this.#observe('get', () => this.store.get(key, options));
    if (outcome.kind === 'found') this.#read.inc(outcome.body.length);
    return outcome;
  }

  list(prefix: string, startAfter?: string): Promise<readonly ListedObject[]> {
    return this.#observe('list', () => this.store.list(prefix, startAfter));
  }

  delete(key: string): Promise<void> {
    return this.#observe('delete', () => this.store.delete(key));
  }

  close(): Promise<void> {
    return this.store.close();
  }

  async #observe<T>(operation: Operation, call: () => Promise<T>): Promise<T> {
    const { clock, countsRequests } = this.deps;
    const series = this.#series[operation];
    const startedMs = clock.monotonic();
    let ended = series.error;
    try {
      const outcome = await call();
      ended = series.ok;
      return outcome;
    } finally {
      series.seconds.observe((clock.monotonic() - startedMs) / 1000);
      if (!countsRequests) ended.inc();
    }
  }
}
