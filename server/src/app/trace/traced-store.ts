import { OmenError } from '../../core/errors.js';
import type {
  GetOptions,
  GetOutcome,
  ListedObject,
  ObjectStore,
  PutOutcome,
  SwapOutcome,
} from '../../ports/object-store.js';
import type { Clock } from '../../ports/clock.js';
import type { Span, SpanValues } from '../../ports/tracer.js';

/** An object store whose calls are parts of `span`, as long as there is one. */
export class TracedStore implements ObjectStore {
  constructor(
    private readonly deps: { readonly store: ObjectStore; readonly clock: Clock },
    public span: Span | undefined,
  ) {}

  putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
    const call = (): Promise<PutOutcome> => this.deps.store.putIfAbsent(key, body, nonce);
    return this.#trace('storage.put', key, call, ({ kind }) => ({ ...outcome(kind), ...bytes(body.length) }));
  }

  compareAndSwap(key: string, body: Uint8Array, etag: string | null, nonce: string): Promise<SwapOutcome> {
    const call = (): Promise<SwapOutcome> => this.deps.store.compareAndSwap(key, body, etag, nonce);
    return this.#trace('storage.swap', key, call, ({ kind }) => ({
      ...outcome(kind),
      ...bytes(body.length),
    }));
  }

  get(key: string, options?: GetOptions): Promise<GetOutcome> {
    const call = (): Promise<GetOutcome> => this.deps.store.get(key, options);
    return this.#trace('storage.get', key, call, (got) => ({
      ...outcome(got.kind),
      ...bytes(got.kind === 'found' ? got.body.length : 0),
    }));
  }

  list(prefix: string, startAfter?: string): Promise<readonly ListedObject[]> {
    const call = (): Promise<readonly ListedObject[]> => this.deps.store.list(prefix, startAfter);
    return this.#trace('storage.list', prefix, call, (objects) => ({
      'omendb.storage.objects': objects.length,
    }));
  }

  delete(key: string): Promise<void> {
    return this.#trace(
      'storage.delete',
      key,
      () => this.deps.store.delete(key),
      () => ({}),
    );
  }

  close(): Promise<void> {
    return this.deps.store.close();
  }

  #trace<T>(
    name: string,
    key: string,
    call: () => Promise<T>,
    valuesOf: (result: T) => SpanValues,
  ): Promise<T> {
    const { span } = this;
    return span === undefined ? call() : this.#record(span, { name, key, call, valuesOf });
  }

  async #record<T>(span: Span, { name, key, call, valuesOf }: TracedCall<T>): Promise<T> {
    const { clock } = this.deps;
    const startMs = clock.monotonic();
    const end = (values: SpanValues): void => {
      span.child(name, startMs, clock.monotonic(), { 'omendb.storage.key': key, ...values });
    };
    try {
      const result = await call();
      end(valuesOf(result));
      return result;
    } catch (error) {
      end({ 'error.type': error instanceof OmenError ? error.reason : 'INTERNAL' });
      throw error;
    }
  }
}

interface TracedCall<T> {
  readonly name: string;
  readonly key: string;
  readonly call: () => Promise<T>;
  readonly valuesOf: (result: T) => SpanValues;
}

function outcome(kind: string): SpanValues {
  return { 'omendb.storage.outcome': kind };
}

function bytes(count: number): SpanValues {
  return { 'omendb.storage.bytes': count };
}
