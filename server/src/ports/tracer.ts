/**
 * Traces of requests: where the time of one request went.
 *
 * Contract: recording never throws, never waits and allocates nothing for a request that is not sampled.
 * Times are those of `Clock.monotonic()`. No vector, no attribute and no credential is handed over.
 */
export interface Tracer {
  /** False: no request is ever sampled, so there is nothing to look up for it. */
  readonly samples: boolean;
  /**
   * The root span of a request. `parent` is the client's own span, when it sent one that can be understood:
   * its decision whether to sample is followed, within a bound.
   */
  start(name: string, startMs: number, parent?: TraceParent): Span;
  /** Runs `task`; until its end, also behind its waits, `current` is `span`. */
  within<T>(span: Span, task: () => T): T;
  /** The span on whose behalf the caller runs. */
  readonly current: Span;
}

/** Headers of W3C Trace Context, as they came. */
export interface TraceParent {
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

/** A stretch of time within a trace. Nothing is recorded any more once the root span has ended. */
export interface Span {
  /** False: nothing is recorded. Ask first where the arguments cost something to make. */
  readonly sampled: boolean;
  /** 32 hex digits; undefined when nothing is recorded. */
  readonly traceId: string | undefined;
  set(name: string, value: SpanValue): void;
  /** Something that began and ended within this span; `error.type` among its values says that it failed. */
  child(name: string, startMs: number, endMs: number, values?: SpanValues): Span;
  /**
   * Names the reason of a failure. `message` marks the span as failed: leave it out when the client made the
   * mistake.
   */
  fail(reason: string, message?: string): void;
  /** To be called once, on a root span. */
  end(endMs: number): void;
}

/** Facts of a span: identifiers, counts and bytes. */
export type SpanValues = Readonly<Record<string, SpanValue>>;
export type SpanValue = string | number | boolean;
