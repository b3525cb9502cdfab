/**
 * Traces of requests: where the time of one request went.
 *
 * Contract: recording never throws, never waits, and costs a request that is not sampled next to nothing.
 * Times are those of `Clock.monotonic()`. No vector, no attribute and no credential is handed over.
 */
export interface Tracer {
  /** False: no request is ever sampled, so there is nothing to look up for it. */
  readonly samples: boolean;
  /**
   * The root span of a request, undefined when it is not sampled. `parent` is the client's own span, when it
   * sent one that can be understood: its decision whether to sample is followed, within a bound.
   */
  start(name: string, startMs: number, parent?: TraceParent): Span | undefined;
}

/** Headers of W3C Trace Context, as they came. */
export interface TraceParent {
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

/**
 * A stretch of time within a trace. When the root span has ended nothing is recorded any more: work that goes
 * on in the background is none of the request's.
 */
export interface Span {
  /** 32 hex digits. */
  readonly traceId: string;
  set(name: string, value: SpanValue): void;
  /** Something that begins within this span, and is to be ended. */
  begin(name: string, startMs: number): Span;
  /** Something that began and ended within this span; `error.type` among its values says that it failed. */
  child(name: string, startMs: number, endMs: number, values?: SpanValues): Span;
  /**
   * Names the reason of a failure. `message` marks the span as failed: leave it out when the client made the
   * mistake.
   */
  fail(reason: string, message?: string): void;
  /** Later ends change nothing. */
  end(endMs: number): void;
}

/** Facts of a span: identifiers, counts and bytes. */
export type SpanValues = Readonly<Record<string, SpanValue>>;
/** One of them. */
export type SpanValue = string | number | boolean;
