import type { Span, Tracer } from '../../ports/tracer.js';

/** Of what is not sampled: records nothing. */
export const NO_SPAN: Span = {
  sampled: false,
  traceId: undefined,
  set: () => undefined,
  child: () => NO_SPAN,
  fail: () => undefined,
  end: () => undefined,
};

/** Samples nothing. */
export const NO_TRACER: Tracer = {
  samples: false,
  start: () => NO_SPAN,
  within: (_span, task) => task(),
  current: NO_SPAN,
};
