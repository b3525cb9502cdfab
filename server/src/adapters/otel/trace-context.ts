/*
 * W3C Trace Context, https://www.w3.org/TR/trace-context/: how a client says which of its spans a request
 * belongs to.
 */
import type { SpanContext } from '@opentelemetry/api';
import { createTraceState } from '@opentelemetry/api';
import type { TraceParent } from '../../ports/tracer.js';

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** What the standard asks everybody to pass on. */
const TRACESTATE_CHARACTERS_MAX = 512;
const SAMPLED = 1;

/** The client's span; undefined when the headers name none, or not by the rules of the standard. */
export function remoteSpan({ traceparent, tracestate }: TraceParent): SpanContext | undefined {
  if (traceparent === undefined) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(traceparent.trim()) ?? [];
  if (version === undefined || version === 'ff') return undefined;
  // Later versions may add fields; this one has none.
  if (version === '00' && more !== undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & SAMPLED,
    isRemote: true,
    ...stateOf(tracestate),
  };
}

export function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & SAMPLED) !== 0;
}

function stateOf(text: string | undefined): Pick<SpanContext, 'traceState'> {
  if (text === undefined || text.length > TRACESTATE_CHARACTERS_MAX) return {};
  return { traceState: createTraceState(text) };
}
