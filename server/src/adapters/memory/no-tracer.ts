import type { Tracer } from '../../ports/tracer.js';

/** Samples nothing. */
export const NO_TRACER: Tracer = { samples: false, start: () => undefined };
