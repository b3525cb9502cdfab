import type { Context, Span as SdkSpan, Tracer as SdkTracer } from '@opentelemetry/api';
import { SpanKind, SpanStatusCode, trace as api } from '@opentelemetry/api';
import type { Span, SpanValue, SpanValues } from '../../ports/tracer.js';

/** What the spans of one trace share. */
export interface Trace {
  readonly sdk: SdkTracer;
  /** Added to a monotonic time gives milliseconds since 1970, alike for all spans of the trace. */
  readonly offsetMs: number;
  /** False once the root has ended: work that goes on in the background is none of the request's. */
  open: boolean;
  readonly onEnd: () => void;
}

export interface NewSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly startMs: number;
  /** Holds the parent. */
  readonly context: Context;
  readonly values?: SpanValues | undefined;
}

/** A span that is recorded. */
export class OtelSpan implements Span {
  readonly sampled = true;
  readonly traceId: string;
  readonly #span: SdkSpan;
  readonly #context: Context;

  constructor(
    private readonly trace: Trace,
    { name, kind, startMs, context, values }: NewSpan,
  ) {
    const startTime = this.#time(startMs);
    const options = { kind, startTime, ...(values === undefined ? {} : { attributes: values }) };
    this.#span = trace.sdk.startSpan(name, options, context);
    this.#context = api.setSpan(context, this.#span);
    this.traceId = this.#span.spanContext().traceId;
  }

  set(name: string, value: SpanValue): void {
    if (this.trace.open) this.#span.setAttribute(name, value);
  }

  child(name: string, startMs: number, endMs: number, values?: SpanValues): Span {
    if (!this.trace.open) return this;
    const kind = SpanKind.INTERNAL;
    const child = new OtelSpan(this.trace, { name, kind, startMs, context: this.#context, values });
    if (values?.['error.type'] !== undefined) child.#span.setStatus({ code: SpanStatusCode.ERROR });
    child.#span.end(this.#time(Math.max(startMs, endMs)));
    return child;
  }

  fail(reason: string, message?: string): void {
    if (!this.trace.open) return;
    this.#span.setAttribute('error.type', reason);
    if (message !== undefined) this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
  }

  end(endMs: number): void {
    if (!this.trace.open) return;
    this.trace.open = false;
    this.#span.end(this.#time(endMs));
    this.trace.onEnd();
  }

  #time(monotonicMs: number): [seconds: number, nanoseconds: number] {
    const ms = monotonicMs + this.trace.offsetMs;
    const seconds = Math.floor(ms / 1000);
    return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
  }
}
