import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { expect } from 'chai';
import { OtelTracer } from '#server/adapters/otel/otel-tracer.js';
import type { Span, TraceParent } from '#server/ports/tracer.js';
import { FakeClock } from '#support/fake-clock.js';
import { FakeScheduler } from '#support/fake-scheduler.js';
import type { LoggedLine } from '#support/recorded-log.js';
import { loggerInto } from '#support/recorded-log.js';
import { SeededRng } from '#support/seeded-rng.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const SAMPLED = { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: undefined };
const NOT_SAMPLED = { traceparent: `00-${TRACE}-${SPAN}-00`, tracestate: undefined };

interface TestTracerOptions {
  readonly ratio?: number;
  readonly exporter?: SpanExporter;
}

function openTracer({ ratio = 1, exporter }: TestTracerOptions = {}) {
  const clock = new FakeClock();
  const log: LoggedLine[] = [];
  const memory = new InMemorySpanExporter();
  // What was sent is looked at after the end, when this exporter would have forgotten it.
  memory.shutdown = () => Promise.resolve();
  const resource = { 'service.name': 'test' };
  const tracer = new OtelTracer(
    { endpoint: 'http://collector:4317', headers: {}, resource, ratio, version: '1' },
    {
      ...{
        clock,
        logger: loggerInto(log),
        rng: new SeededRng(7),
        exporter: exporter ?? memory,
      },
      scheduler: new FakeScheduler(clock, { automatic: true }),
    },
  );
  const sent = async (): Promise<ReadonlyMap<string, ReadableSpan>> => {
    await tracer.close();
    return new Map(memory.getFinishedSpans().map((span) => [span.name, span]));
  };
  return { tracer, clock, log, sent };
}

/** A request that is sampled. */
function begin(tracer: OtelTracer, name = 'request', startMs = 0): Span {
  const span = tracer.start(name, startMs, SAMPLED);
  if (span === undefined) throw new Error('it was not sampled');
  return span;
}

describe('A tracer', () => {
  it('records a request and its parts below the span of the client', async () => {
    const { tracer, sent } = openTracer({ ratio: 0 });
    const span = begin(tracer, 'omendb.query');
    expect(span.traceId).to.equal(TRACE);
    span.set('omendb.k', 10);
    span.child('commit', 1, 3.5).child('commit.put', 2, 3, { 'omendb.bytes': 4 });
    span.end(4.25);
    const spans = await sent();
    const [root, commit, put] = ['omendb.query', 'commit', 'commit.put'].map((name) => spans.get(name));
    expect(spans.size).to.equal(3);
    expect(root?.parentSpanContext?.spanId).to.equal(SPAN);
    expect(root?.attributes).to.deep.equal({ 'omendb.k': 10 });
    expect(root?.resource.attributes).to.deep.include({ 'service.name': 'test' });
    expect(commit?.parentSpanContext?.spanId).to.equal(root?.spanContext().spanId);
    expect(put?.parentSpanContext?.spanId).to.equal(commit?.spanContext().spanId);
    expect(put?.attributes).to.deep.equal({ 'omendb.bytes': 4 });
  });

  it('places all parts by one reading of the clock, to fractions of a millisecond', async () => {
    const { tracer, clock, sent } = openTracer();
    clock.advance(12.5);
    const [wallMs, startMs] = [clock.now(), clock.monotonic()];
    const span = begin(tracer, 'request', startMs);
    // Somebody sets the clock while the request runs.
    clock.jump(-5000);
    span.child('part', startMs + 0.25, startMs + 0.75);
    span.end(startMs + 1.125);
    const spans = await sent();
    const since = ([seconds, nanoseconds]: readonly [number, number]): number =>
      Math.round((seconds * 1000 - wallMs + nanoseconds / 1e6) * 1000) / 1000;
    const times = ['request', 'part'].map((name) => {
      const one = spans.get(name);
      return [since(one?.startTime ?? [0, 0]), since(one?.endTime ?? [0, 0])];
    });
    expect(times).to.deep.equal([
      [0, 1.125],
      [0.25, 0.75],
    ]);
  });

  it('follows the decision of the client, and decides itself where there is none', () => {
    const never = openTracer({ ratio: 0 }).tracer;
    expect(never.start('r', 0)).to.equal(undefined);
    expect(never.start('r', 0, { traceparent: 'nonsense', tracestate: undefined })).to.equal(undefined);
    expect(never.start('r', 0, SAMPLED)?.traceId).to.equal(TRACE);
    const always = openTracer({ ratio: 1 }).tracer;
    expect(always.start('r', 0)).to.not.equal(undefined);
    expect(always.start('r', 0, NOT_SAMPLED)).to.equal(undefined);
  });

  it('samples the share that it is told', () => {
    const { tracer } = openTracer({ ratio: 0.01 });
    let sampled = 0;
    // One second for each, so that the bound has no part in it.
    for (let i = 0; i < 100_000; i++) if (tracer.start('r', i * 1000) !== undefined) sampled++;
    expect(sampled).to.be.within(900, 1100);
  });

  it('records no more than 200 requests in a second, 150 of them for clients, and says so once', () => {
    const { tracer, log } = openTracer();
    const started = (parent?: TraceParent): number =>
      Array.from({ length: 500 }, () => tracer.start('r', 10, parent)).filter((span) => span !== undefined)
        .length;
    expect([started(SAMPLED), started()]).to.deep.equal([150, 50]);
    expect(tracer.start('r', 1000, SAMPLED)?.traceId).to.equal(TRACE);
    expect(log.map(({ message }) => message)).to.deep.equal([
      'more traces were asked for than a server records',
    ]);
  });

  it('marks what failed, and tells mistakes of clients from failures', async () => {
    const { tracer, sent } = openTracer();
    const failed = begin(tracer, 'failed');
    failed.fail('STORAGE_UNAVAILABLE', 'the storage of the server does not answer');
    failed.child('part', 0, 1, { 'error.type': 'CANCELLED' });
    failed.end(1);
    const refused = begin(tracer, 'refused');
    refused.fail('DIMENSION_MISMATCH');
    refused.end(1);
    const spans = await sent();
    expect(spans.get('failed')?.status).to.include({ code: 2 });
    expect(spans.get('part')?.status).to.include({ code: 2 });
    expect(spans.get('refused')?.status).to.include({ code: 0 });
    expect(spans.get('refused')?.attributes).to.deep.equal({ 'error.type': 'DIMENSION_MISMATCH' });
  });

  it('records nothing behind the end of the request', async () => {
    const { tracer, sent } = openTracer();
    const span = begin(tracer);
    span.end(1);
    span.end(2);
    span.set('late', true);
    span.fail('INTERNAL', 'late');
    span.child('late', 1, 2).child('later', 1, 2);
    const spans = await sent();
    expect([...spans.keys()]).to.deep.equal(['request']);
    expect(spans.get('request')?.attributes).to.deep.equal({});
  });

  it('cuts values that are too long', async () => {
    const { tracer, sent } = openTracer();
    const span = begin(tracer);
    span.set('name', 'x'.repeat(10_000));
    span.end(1);
    expect((await sent()).get('request')?.attributes['name']).to.equal('x'.repeat(256));
  });

  it('ends what was not waited for together with the request', async () => {
    const { tracer, sent } = openTracer();
    const span = begin(tracer);
    const opening = span.begin('opening', 1);
    const done = span.begin('done', 1);
    done.child('inner', 1, 2);
    done.end(3);
    span.end(5);
    opening.end(9);
    opening.child('late', 9, 10);
    const spans = await sent();
    expect([...spans.keys()]).to.deep.equal(['inner', 'done', 'opening', 'request']);
    const lengths = ['opening', 'done'].map((name) => spans.get(name)?.duration[1]);
    expect(lengths).to.deep.equal([4_000_000, 2_000_000]);
  });
});

describe('Sending traces', () => {
  it('says once a minute how many spans were lost, with a hint for the usual mistake', async () => {
    const failing: SpanExporter = {
      export: (_spans, done) => done({ code: 1, error: new Error('connect ECONNREFUSED') }),
      shutdown: () => Promise.resolve(),
    };
    const { tracer, log } = openTracer({ exporter: failing });
    for (let i = 0; i < 3000; i++) begin(tracer, 'r', i * 1000).end(i * 1000 + 1);
    await tracer.close();
    expect(log).to.have.lengthOf(1);
    expect(log[0]).to.deep.include({ level: 'warn', message: 'traces could not be sent' });
    expect(log[0]?.facts).to.include({ spans: 512, why: 'connect ECONNREFUSED' });
    expect(log[0]?.facts['hint']).to.match(/4318/);
  });

  it('survives an exporter that throws', async () => {
    const throwing: SpanExporter = {
      export: () => {
        throw new Error('broken');
      },
      shutdown: () => Promise.reject(new Error('broken')),
    };
    const { tracer, log } = openTracer({ exporter: throwing });
    for (let i = 0; i < 600; i++) begin(tracer, 'r', i * 1000).end(i * 1000 + 1);
    await tracer.close();
    expect(log.map(({ facts }) => facts['why'])).to.deep.equal(['broken']);
  });

  it('ends in time when the collector does not answer', async () => {
    const { tracer, clock } = openTracer({
      exporter: { export: () => undefined, shutdown: () => Promise.resolve() },
    });
    begin(tracer).end(1);
    await tracer.close();
    expect(clock.monotonic()).to.equal(2000);
  });
});
