/*
 * Counts what is sent to the bucket as the store's bill does: every request, also those that fail, that only
 * repeat another, and that are asked beside another because it is slow.
 *
 * What a failed try ends as is known later: when it is repeated or settled another way it was a `retry`, when
 * the call fails with it an `error`. An answer that something is absent, or that a precondition does not
 * hold, is a good answer. So is none at all to a request that we gave up ourselves.
 */
import { OmenError } from '../../core/errors.js';
import type { LabelsOf } from '../../core/metrics/catalog.js';
import type { Counter, Histogram, Metrics } from '../../ports/metrics.js';
import { failureOf } from './s3-failure.js';

type Labels = LabelsOf<'omendb_object_store_requests_total'>;
export type StoreOperation = Labels['operation'];
export type RequestOutcome = Labels['outcome'];

const OPERATIONS = ['delete', 'get', 'list', 'multipart', 'put'] as const satisfies readonly StoreOperation[];
const OUTCOMES = ['error', 'ok', 'retry'] as const satisfies readonly RequestOutcome[];

export class RequestCounts {
  /** Time of a part of a large object, its retries included. */
  readonly partSeconds: Histogram;
  readonly #counters = new Map<string, Counter>();
  /** Failed tries whose end is not known yet, by what they rejected with. */
  readonly #failed = new WeakMap<object, StoreOperation>();

  constructor(metrics: Metrics) {
    this.partSeconds = metrics.histogram('omendb_object_store_request_seconds', { operation: 'multipart' });
    for (const operation of OPERATIONS) {
      for (const outcome of OUTCOMES) {
        const counter = metrics.counter('omendb_object_store_requests_total', { operation, outcome });
        this.#counters.set(operation + outcome, counter);
      }
    }
  }

  count(operation: StoreOperation, outcome: RequestOutcome): void {
    this.#counters.get(operation + outcome)?.inc();
  }

  /** A try rejected with `error`. Unless it counts as a good answer, `end` is to be called with the error. */
  failed(operation: StoreOperation, error: unknown, signal: AbortSignal): void {
    if (signal.aborted || error instanceof OmenError || failureOf(error).kind === 'precondition')
      this.count(operation, 'ok');
    else if (error instanceof Error) this.#failed.set(error, operation);
  }

  /** Counts the try that rejected with `error`, if that is still to be done. */
  end(error: unknown, outcome: RequestOutcome): void {
    if (!(error instanceof Error)) return;
    const operation = this.#failed.get(error);
    if (operation === undefined) return;
    this.#failed.delete(error);
    this.count(operation, outcome);
  }
}
