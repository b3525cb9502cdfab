/*
 * Traces by OpenTelemetry. Most requests are not sampled: that is decided here, before the SDK is asked, so
 * that they cost a random number.
 */
import type { Tracer as SdkTracer } from '@opentelemetry/api';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { AlwaysOnSampler, BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { LineLimit } from '../../core/line-limit.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { Span, TraceParent, Tracer } from '../../ports/tracer.js';
import { OtelSpan } from './otel-span.js';
import { QuietExporter } from './quiet-exporter.js';
import { isSampled, remoteSpan } from './trace-context.js';

/** Traces that one server records per second; more of them would cost the requests something. */
const TRACES_PER_SECOND_MAX = 200;
/** Of these, those that clients ask for: they must not crowd out what the server chose itself. */
const ASKED_PER_SECOND_MAX = 150;
const QUEUE_SPANS_MAX = 8192;
const BATCH_SPANS = 512;
const BATCH_WAIT_MS = 1000;
const EXPORT_TIMEOUT_MS = 5000;
const CLOSE_TIMEOUT_MS = 2000;
const VALUE_CHARACTERS_MAX = 256;
const DROPPED_PERIOD_MS = 60_000;

export interface OtelOptions {
  /** Of the collector, without `/v1/traces`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What the spans say of the server: `service.name` and the like. */
  readonly resource: Readonly<Record<string, string>>;
  /** Share of the requests without a trace of their own that are sampled, 0 to 1. */
  readonly ratio: number;
  readonly version: string;
}

export interface OtelDependencies {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Instead of OTLP over HTTP. */
  readonly exporter?: SpanExporter;
}

/** Records a share of the requests, and those whose client records them. */
export class OtelTracer implements Tracer {
  readonly samples = true;
  readonly #provider: BasicTracerProvider;
  readonly #sdk: SdkTracer;
  readonly #threshold: number;
  readonly #dropped = new LineLimit(DROPPED_PERIOD_MS);
  #second = 0;
  #startedInSecond = 0;
  #askedInSecond = 0;

  constructor(
    options: OtelOptions,
    private readonly deps: OtelDependencies,
  ) {
    const exporter = deps.exporter ?? otlpExporter(options);
    const quiet = new QuietExporter({ ...deps, exporter, endpoint: options.endpoint });
    this.#provider = new BasicTracerProvider({
      sampler: new AlwaysOnSampler(),
      resource: resourceFromAttributes(options.resource),
      spanLimits: { attributeValueLengthLimit: VALUE_CHARACTERS_MAX },
      spanProcessors: [
        new BatchSpanProcessor(quiet, {
          maxQueueSize: QUEUE_SPANS_MAX,
          maxExportBatchSize: BATCH_SPANS,
          scheduledDelayMillis: BATCH_WAIT_MS,
          exportTimeoutMillis: EXPORT_TIMEOUT_MS,
        }),
      ],
    });
    this.#sdk = this.#provider.getTracer('omendb', options.version);
    this.#threshold = options.ratio * 2 ** 32;
  }

  start(name: string, startMs: number, parent?: TraceParent): Span | undefined {
    const remote = parent?.traceparent === undefined ? undefined : remoteSpan(parent);
    const wanted = remote === undefined ? this.deps.rng.uint32() < this.#threshold : isSampled(remote);
    if (!wanted || !this.#admit(startMs, remote !== undefined)) return undefined;
    const { clock } = this.deps;
    const context = remote === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote);
    const shared = { sdk: this.#sdk, offsetMs: clock.now() - clock.monotonic(), open: new Set<OtelSpan>() };
    return new OtelSpan(shared, { name, kind: SpanKind.SERVER, startMs, context });
  }

  /** Sends what is recorded, for two seconds at most. */
  async close(): Promise<void> {
    const closed = this.#provider.shutdown().catch(() => undefined);
    await Promise.race([closed, this.deps.scheduler.sleep(CLOSE_TIMEOUT_MS)]);
  }

  #admit(nowMs: number, isAsked: boolean): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#startedInSecond = this.#askedInSecond = 0;
    }
    const isFull = isAsked && this.#askedInSecond >= ASKED_PER_SECOND_MAX;
    if (!isFull && this.#startedInSecond < TRACES_PER_SECOND_MAX) {
      this.#startedInSecond++;
      if (isAsked) this.#askedInSecond++;
      return true;
    }
    if (this.#dropped.admit('traces', nowMs) !== undefined) {
      const perSecondMax = TRACES_PER_SECOND_MAX;
      this.deps.logger.warn('more traces were asked for than a server records', { perSecondMax });
    }
    return false;
  }
}

function otlpExporter({ endpoint, headers }: OtelOptions): SpanExporter {
  return new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    headers: { ...headers },
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
}
