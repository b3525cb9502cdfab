import { expect } from 'chai';
import fc from 'fast-check';
import * as prom from 'prom-client';
import { CounterFamily, HistogramFamily } from '#server/adapters/prometheus/families.js';
import { FakeClock } from '../../../support/fake-clock.js';

const BUCKETS = [0.001, 0.01, 0.5, 2, 100];
const LABELS = fc.record({ operation: fc.constantFrom('get', 'query'), tier: fc.string({ maxLength: 5 }) });
const VALUE = fc.oneof(fc.constantFrom(0, -1, ...BUCKETS), fc.double({ noNaN: true, min: 0, max: 200 }));
const ABOUT = { name: 'omendb_x', help: 'Something.', labelNames: ['operation', 'tier'] };

describe('Families of series', () => {
  let clock: FakeClock;
  let refused: number[];
  const onRefused = (value: number): void => void refused.push(value);

  const histogram = (): HistogramFamily =>
    new HistogramFamily({ ...ABOUT, buckets: BUCKETS, clock, onRefused });
  const page = (family: CounterFamily | HistogramFamily | prom.Metric): Promise<string> => {
    const registry = new prom.Registry<prom.OpenMetricsContentType>();
    registry.setContentType(prom.Registry.OPENMETRICS_CONTENT_TYPE);
    registry.registerMetric(family as unknown as prom.Metric);
    return registry.metrics();
  };

  beforeEach(() => {
    clock = new FakeClock();
    refused = [];
  });

  it('show of histograms, line for line, what those of prom-client show', async () => {
    const observations = fc.array(fc.tuple(LABELS, VALUE), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(observations, async (all) => {
        const ours = histogram();
        const theirs = new prom.Histogram({ ...ABOUT, buckets: BUCKETS, registers: [] });
        for (const [labels, value] of all) {
          ours.of(labels).observe(value);
          theirs.observe(labels, value);
        }
        expect(await page(ours)).to.equal(await page(theirs));
      }),
    );
  });

  it('show of counters, line for line, what those of prom-client show', async () => {
    const counts = fc.array(fc.tuple(LABELS, fc.double({ noNaN: true, min: 0, max: 1e9 })), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(counts, async (all) => {
        const ours = new CounterFamily({ ...ABOUT, name: 'omendb_x_total', onRefused });
        const theirs = new prom.Counter({ ...ABOUT, name: 'omendb_x_total', registers: [] });
        for (const [labels, by] of all) {
          ours.of(labels).inc(by);
          theirs.inc(labels, by);
        }
        expect(await page(ours)).to.equal(await page(theirs));
      }),
    );
  });

  it('have one series for the same labels, in whatever order these are written', () => {
    const family = histogram();
    const one = family.of({ operation: 'get', tier: 'hot' });
    expect(family.of({ tier: 'hot', operation: 'get' })).to.equal(one);
    expect(family.of({ tier: 'cold', operation: 'get' })).to.not.equal(one);
  });

  it('keep what they were given labels for apart, whatever characters the labels have', () => {
    const family = histogram();
    const one = family.of({ operation: 'a","b', tier: '' });
    expect(family.of({ operation: 'a', tier: 'b' })).to.not.equal(one);
    expect(family.of({ operation: 'a,b', tier: '' })).to.not.equal(one);
  });

  it('keep of every bucket the last trace, with the time of the clock', async () => {
    const family = histogram();
    const series = family.of({ operation: 'get', tier: 'hot' });
    series.observe(0.3, 'first');
    clock.advance(1500);
    series.observe(0.4, 'second');
    expect(await page(family)).to.include(
      `le="0.5",operation="get",tier="hot"} 2 # {trace_id="second"} 0.4 ${clock.now() / 1000}\n`,
    );
    expect(await page(family)).to.not.include('first');
  });

  it('show a series no more that was removed, and begin it anew when it comes back', async () => {
    const family = new CounterFamily({ ...ABOUT, onRefused });
    const labels = { operation: 'get', tier: 'hot' };
    const before = family.of(labels);
    before.inc(7);
    family.remove(labels);
    before.inc(7);
    expect(await page(family)).to.not.include('hot');
    family.of(labels).inc(2);
    expect(await page(family)).to.include('omendb_x_total{operation="get",tier="hot"} 2\n');
  });

  it('leave out what is no number to count, and say so', async () => {
    const counter = new CounterFamily({ ...ABOUT, onRefused }).of({});
    for (const by of [-1, Number.NaN, Infinity]) counter.inc(by);
    for (const value of [Number.NaN, -Infinity]) histogram().of({}).observe(value, 'trace');
    expect(refused).to.deep.equal([-1, Number.NaN, Infinity, Number.NaN, -Infinity]);
  });
});
