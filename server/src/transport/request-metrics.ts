/*
 * What is counted about requests. Both transports end every request here, once: either it succeeded or it
 * failed, so the errors are always a part of the requests.
 */
import type { ErrorReason, OmenError } from '../core/errors.js';
import { ERROR_TABLE } from '../core/errors.js';
import type { LabelsOf, Operation } from '../core/metrics/catalog.js';
import { OPERATIONS, QUERY_OPERATIONS, TIERS, WRITE_OPERATIONS } from '../core/metrics/catalog.js';
import type { Counter, Histogram, Metrics } from '../ports/metrics.js';
import type { CallContext } from './call-context.js';

type Requests = LabelsOf<'omendb_requests_total'>;
export type Protocol = Requests['protocol'];
type Refusal = LabelsOf<'omendb_auth_failures_total'>['reason'];
type Batches = LabelsOf<'omendb_batch_records'>['operation'];

const PROTOCOLS = ['grpc', 'http'] as const satisfies readonly Protocol[];
const BATCHES: readonly Batches[] = [
  'batch_get_records',
  'delete_records',
  'patch_records',
  'upsert_records',
];

const REFUSALS: Partial<Record<ErrorReason, Refusal>> = {
  MISSING_CREDENTIALS: 'missing',
  INVALID_TOKEN: 'invalid',
  TOKEN_LIFETIME: 'invalid',
  KEY_REVOKED: 'invalid',
  TOKEN_EXPIRED: 'expired',
  SCOPE_MISSING: 'forbidden',
};

export interface RequestMetricsOptions {
  readonly metrics: Metrics;
  /** Requests in work at once, over all protocols. */
  readonly maxInFlight: () => number;
  /** Count requests of every tenant apart. */
  readonly tenants: boolean;
}

export class RequestMetrics {
  /** Requests in work. */
  readonly inFlight: Record<Protocol, number> = { grpc: 0, http: 0 };
  readonly #meters = new Map<string, OperationMeter>();
  readonly #errors = new Map<ErrorReason, Counter>();
  readonly #refusals = new Map<ErrorReason, Counter>();

  constructor(readonly options: RequestMetricsOptions) {
    const { metrics, maxInFlight } = options;
    for (const reason of Object.keys(ERROR_TABLE) as ErrorReason[]) {
      const { type, fault } = ERROR_TABLE[reason];
      this.#errors.set(reason, metrics.counter('omendb_errors_total', { type, fault }));
      const refusal = REFUSALS[reason];
      if (refusal === undefined) continue;
      this.#refusals.set(reason, metrics.counter('omendb_auth_failures_total', { reason: refusal }));
    }
    for (const protocol of PROTOCOLS) {
      for (const operation of OPERATIONS) {
        this.#meters.set(`${protocol} ${operation}`, new OperationMeter(this, protocol, operation));
      }
    }
    const inFlight = PROTOCOLS.map(
      (protocol) => [protocol, metrics.gauge('omendb_requests_in_flight', { protocol })] as const,
    );
    const limit = metrics.gauge('omendb_requests_in_flight_limit', {});
    metrics.onScrape(() => {
      for (const [protocol, gauge] of inFlight) gauge.set(this.inFlight[protocol]);
      limit.set(maxInFlight());
    });
  }

  /** @param method Name of the method in camel case; undefined for what is none. */
  of(protocol: Protocol, method?: string): OperationMeter {
    const meter = this.#meters.get(`${protocol} ${operationOf(method)}`);
    if (meter === undefined) throw new Error(`the metric catalogue does not know the operation ${method}`);
    return meter;
  }

  /** Counts an error. To be called by meters. */
  failed({ reason }: OmenError): void {
    this.#errors.get(reason)?.inc();
    this.#refusals.get(reason)?.inc();
  }
}

/** One operation over one protocol. */
export class OperationMeter {
  readonly #codes = new Map<Requests['code'], Counter>();
  readonly #seconds: Readonly<Record<CallContext['tier'], Histogram>> | undefined;
  readonly #batches: Histogram | undefined;

  constructor(
    private readonly requests: RequestMetrics,
    readonly protocol: Protocol,
    readonly operation: Operation,
  ) {
    this.#seconds = timesOf(operation, requests.options.metrics);
    this.#batches = isOneOf(BATCHES, operation)
      ? requests.options.metrics.histogram('omendb_batch_records', { operation })
      : undefined;
    this.#count('OK', 0);
  }

  /** The request was let in. Followed by one `left`. */
  entered(): void {
    this.requests.inFlight[this.protocol]++;
  }

  left(): void {
    this.requests.inFlight[this.protocol]--;
  }

  /** Counts the records that a valid request names. */
  batch(request: object): void {
    this.#batches?.observe(recordsIn(request));
  }

  /** The request was answered, at `nowMs` of the monotonic clock. */
  succeeded(context: CallContext, nowMs: number): void {
    this.#count('OK', 1);
    this.#seconds?.[context.tier].observe((nowMs - context.startedMs) / 1000, context.span?.traceId);
    this.#countTenant(context);
  }

  /** @param context Absent when the request failed before it had one. */
  failed(error: OmenError, context?: CallContext): void {
    this.#count(error.row.grpc, 1);
    this.requests.failed(error);
    if (context !== undefined) this.#countTenant(context);
  }

  #count(code: Requests['code'], by: number): void {
    let counter = this.#codes.get(code);
    if (counter === undefined) {
      const { protocol, operation } = this;
      const { metrics } = this.requests.options;
      counter = metrics.counter('omendb_requests_total', { protocol, operation, code });
      this.#codes.set(code, counter);
    }
    counter.inc(by);
  }

  #countTenant({ tenant }: CallContext): void {
    const { metrics, tenants } = this.requests.options;
    if (tenants && tenant !== '') metrics.counterOf('omendb_tenant_requests_total', tenant).inc();
  }
}

function operationOf(method: string | undefined): string {
  if (method === undefined) return 'unknown';
  return method.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The histograms of an operation by tier; undefined for one that neither reads nor writes records. */
function timesOf(operation: Operation, metrics: Metrics): Record<CallContext['tier'], Histogram> | undefined {
  if (isOneOf(WRITE_OPERATIONS, operation)) {
    const seconds = metrics.histogram('omendb_write_latency_seconds', { operation });
    return { hot: seconds, warm: seconds, cold: seconds };
  }
  if (!isOneOf(QUERY_OPERATIONS, operation)) return undefined;
  const [hot, warm, cold] = TIERS.map((tier) =>
    metrics.histogram('omendb_query_latency_seconds', { operation, tier }),
  ) as [Histogram, Histogram, Histogram];
  return { hot, warm, cold };
}

function isOneOf<T extends string>(values: readonly T[], value: string): value is T {
  return (values as readonly string[]).includes(value);
}

/** Records, ids or patches that a request names, in rows or in columns. */
export function recordsIn(request: object): number {
  const { records, block, patches, ids } = request as {
    readonly records?: readonly unknown[];
    readonly block?: { readonly ids?: readonly unknown[] };
    readonly patches?: readonly unknown[];
    readonly ids?: readonly unknown[];
  };
  return (block?.ids ?? patches ?? ids ?? records ?? []).length;
}
