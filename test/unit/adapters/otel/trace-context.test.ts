import { expect } from 'chai';
import fc from 'fast-check';
import { isSampled, remoteSpan } from '#server/adapters/otel/trace-context.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

function parse(traceparent: string, tracestate?: string) {
  return remoteSpan({ traceparent, tracestate });
}

describe('A traceparent', () => {
  it('names the trace and the span of the client, and whether it is sampled', () => {
    const span = parse(`00-${TRACE}-${SPAN}-01`);
    expect(span).to.deep.include({ traceId: TRACE, spanId: SPAN, isRemote: true });
    expect(span !== undefined && isSampled(span)).to.equal(true);
    const silent = parse(`00-${TRACE}-${SPAN}-00`);
    expect(silent !== undefined && isSampled(silent)).to.equal(false);
  });

  it('may have flags and fields of later versions', () => {
    const span = parse(`cc-${TRACE}-${SPAN}-03-what-the-future-will-be-like`);
    expect(span !== undefined && isSampled(span)).to.equal(true);
    expect(parse(`00-${TRACE}-${SPAN}-02`)?.traceFlags).to.equal(0);
  });

  it('is ignored when it breaks the rules of the standard', () => {
    for (const wrong of [
      '',
      '00',
      `ff-${TRACE}-${SPAN}-01`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01-more`,
      `00-${TRACE}-${SPAN}-1`,
      `00-${TRACE}x-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    ]) {
      expect(parse(wrong), wrong).to.equal(undefined);
    }
    expect(remoteSpan({ traceparent: undefined, tracestate: 'a=b' })).to.equal(undefined);
  });

  it('never fails, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (traceparent, tracestate) => {
        parse(traceparent, tracestate);
        parse(`00-${TRACE}-${SPAN}-01`, tracestate);
      }),
    );
  });

  it('brings the state of the tracing systems on its way, unless that is too large', () => {
    const state = parse(`00-${TRACE}-${SPAN}-01`, 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE')?.traceState;
    expect(state?.serialize()).to.equal('rojo=00f067aa0ba902b7,congo=t61rcWkgMzE');
    expect(parse(`00-${TRACE}-${SPAN}-01`, `a=${'b'.repeat(600)}`)?.traceState).to.equal(undefined);
  });
});
