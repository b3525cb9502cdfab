import type { Context, Span as SdkSpan, Tracer as SdkTracer } from '@opentelemetry/api';
import { SpanKind, SpanStatusCode, trace as api } from '@opentelemetry/api';
import type { Span, SpanValue, SpanValues } from '../../ports/tracer.js';

/** What the spans of one trace share. */
export interface Trace {
  readonly sdk: SdkTracer;
  /** Added to a monotonic time gives milliseconds since 1970, alike for all spans of the trace. */
  readonly offsetMs: number;
  /** Spans that have not ended: the root first, and nothing without it. */
  readonly open: Set<OtelSpan>;
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
    trace.open.add(this);
  }

  set(name: string, value: SpanValue): void {
    if (this.#isOpen) this.#span.setAttribute(name, value);
  }

  begin(name: string, startMs: number): Span {
    return this.#begin(name, startMs) ?? this;
  }

  child(name: string, startMs: number, endMs: number, values?: SpanValues): Span {
    const child = this.#begin(name, startMs, values);
    if (child === undefined) return this;
    if (values?.['error.type'] !== undefined) child.#span.setStatus({ code: SpanStatusCode.ERROR });
    child.end(Math.max(startMs, endMs));
    return child;
  }

  fail(reason: string, message?: string): void {
    if (!this.#isOpen) return;
    this.#span.setAttribute('error.type', reason);
    if (message !== undefined) this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
  }

  end(endMs: number): void {
    const { open } = this.trace;
    if (!this.#isOpen) return;
    const [root] = open;
    // What the request did not wait for ends with it.
    const ending = root === this ? [...open].reverse() : [this];
    for (const span of ending) {
      open.delete(span);
      span.#span.end(this.#time(endMs));
    }
  }

  get #isOpen(): boolean {
    return this.trace.open.has(this);
  }

  /** Undefined when the trace is over. A part that has ended may still be given its own parts. */
  #begin(name: string, startMs: number, values?: SpanValues): OtelSpan | undefined {
    if (this.trace.open.size === 0) return undefined;
    const kind = SpanKind.INTERNAL;
    return new OtelSpan(this.trace, { name, kind, startMs, context: this.#context, values });
  }

  #time(monotonicMs: number): [seconds: number, nanoseconds: number] {
    const ms = monotonicMs + this.trace.offsetMs;
    const seconds = Math.floor(ms / 1000);
    return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
  }
}
