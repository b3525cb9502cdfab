import { expect } from 'chai';
import fc from 'fast-check';
import { PrometheusMetrics } from '#server/adapters/prometheus/prometheus-metrics.js';
import { OTHER } from '#server/adapters/prometheus/series-cap.js';
import { parseCollectionName, parseTenantId } from '#server/core/ids.js';
import { COLLECTIONS_MAX, TENANTS_MAX } from '#server/core/metrics/catalog.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { silentLogger } from '../../../support/log-node.js';
import type { ExposedFamily } from '../../../support/openmetrics.js';
import { keyOf, parseOpenMetrics, sumOf, valueOf } from '../../../support/openmetrics.js';

const HOUR_MS = 60 * 60 * 1000;
const NAME = fc.oneof(
  fc.integer({ min: 0, max: 400 }).map((n) => `c${n}`),
  fc.string({ minLength: 1 }).filter((name) => name !== OTHER),
);

describe('Series of values that clients make up', () => {
  let clock: FakeClock;
  let metrics: PrometheusMetrics;

  const begin = (): void => {
    clock = new FakeClock();
    metrics = new PrometheusMetrics({ clock, logger: silentLogger });
  };
  const scrape = async (): Promise<Map<string, ExposedFamily>> => parseOpenMetrics(await metrics.render());
  const series = (families: ReadonlyMap<string, ExposedFamily>, name: string): Map<string, number> =>
    new Map(families.get(name)?.samples.map(({ labels, value }) => [keyOf(labels), value]));

  beforeEach(begin);

  it('add up to the sum of all values at every scrape, whatever collections come and go', async () => {
    const state = fc.array(fc.tuple(NAME, fc.integer({ min: 0, max: 1_000_000 })), { maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(fc.array(state, { minLength: 1, maxLength: 4 }), async (states) => {
        begin();
        let now: readonly (readonly [string, number])[] = [];
        metrics.gaugeOf('omendb_vectors_total', () => now);
        for (now of states) {
          const families = await scrape();
          const shown = series(families, 'omendb_vectors_total');
          const truth = new Map<string, number>();
          for (const [name, vectors] of now) truth.set(name, (truth.get(name) ?? 0) + vectors);
          expect(sumOf(families, 'omendb_vectors_total')).to.equal(now.reduce((sum, [, n]) => sum + n, 0));
          expect(shown.size).to.equal(Math.min(truth.size, COLLECTIONS_MAX) + 1);
          for (const [name, vectors] of truth) {
            const own = shown.get(keyOf({ collection: name }));
            if (own !== undefined) expect(own, name).to.equal(vectors);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('stay with the collections that had them, so that no line of a graph changes its meaning', async () => {
    let now: [string, number][] = [];
    metrics.gaugeOf('omendb_vectors_total', () => now);
    now = Array.from({ length: COLLECTIONS_MAX }, (_, at) => [`first${at}`, 1]);
    await scrape();
    now = [...Array.from({ length: 50 }, (_, at): [string, number] => [`later${at}`, 1000]), ...now];
    const families = await scrape();
    expect(valueOf(families, 'omendb_vectors_total', { collection: OTHER })).to.equal(50_000);
    expect(valueOf(families, 'omendb_vectors_total', { collection: 'first99' })).to.equal(1);
    now = now.filter(([name]) => name !== 'first0');
    expect(valueOf(await scrape(), 'omendb_vectors_total', { collection: 'later0' })).to.equal(1000);
    expect(valueOf(await scrape(), 'omendb_vectors_total', { collection: OTHER })).to.equal(49_000);
  });

  it('of counters increase in sum by what happened between two scrapes, also when some are freed', async () => {
    const step = fc.oneof(
      { weight: 20, arbitrary: fc.record({ tenant: fc.integer({ min: 0, max: 120 }), by: fc.nat(50) }) },
      { weight: 1, arbitrary: fc.constant('scrape' as const) },
      { weight: 1, arbitrary: fc.constant('an hour and a scrape' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 400 }), async (steps) => {
        begin();
        const kept = new Map<number, ReturnType<typeof metrics.counterOf>>();
        let truth = 0;
        let increases = 0;
        let before = new Map<string, number>();
        const look = async (): Promise<void> => {
          const after = series(await scrape(), 'omendb_tenant_requests_total');
          expect(after.size).to.be.at.most(TENANTS_MAX + 1);
          for (const [key, value] of after) {
            const last = before.get(key) ?? 0;
            // As Prometheus does it: a counter that is lower than before began anew.
            increases += value < last ? value : value - last;
          }
          before = after;
          expect(increases).to.equal(truth);
        };
        for (const happened of steps) {
          if (happened === 'an hour and a scrape') clock.advance(HOUR_MS);
          if (typeof happened === 'string') await look();
          else {
            const { tenant, by } = happened;
            const counter =
              kept.get(tenant) ?? metrics.counterOf('omendb_tenant_requests_total', `t${tenant}`);
            kept.set(tenant, counter);
            counter.inc(by);
            truth += by;
          }
        }
        await look();
      }),
      { numRuns: 100 },
    );
  });

  it('of counters are freed after an hour without use, and only when another value wants one', async () => {
    const inc = (tenant: string): void => metrics.counterOf('omendb_tenant_requests_total', tenant).inc();
    const of = async (tenant: string): Promise<number | undefined> =>
      valueOf(await scrape(), 'omendb_tenant_requests_total', { tenant });
    for (let n = 0; n < TENANTS_MAX; n++) inc(`t${n}`);
    clock.advance(HOUR_MS - 1);
    inc('t0');
    inc('late');
    expect([await of('late'), await of(OTHER)]).to.deep.equal([undefined, 1]);
    clock.advance(1);
    expect(await of('t1')).to.equal(1);
    inc('late');
    expect([await of('late'), await of('t0'), await of('t1'), await of(OTHER)]).to.deep.equal([
      1,
      2,
      undefined,
      1,
    ]);
  });

  it('of counters come back only after a scrape without them, so that their new count is no increase', async () => {
    const inc = (tenant: string, by: number): void =>
      metrics.counterOf('omendb_tenant_requests_total', tenant).inc(by);
    for (let n = 0; n < TENANTS_MAX; n++) inc(`t${n}`, 3);
    await scrape();
    clock.advance(HOUR_MS);
    inc('new', 1);
    inc('t0', 50);
    const families = await scrape();
    expect(valueOf(families, 'omendb_tenant_requests_total', { tenant: 't0' })).to.equal(undefined);
    expect(valueOf(families, 'omendb_tenant_requests_total', { tenant: OTHER })).to.equal(50);
    inc('t0', 7);
    expect(valueOf(await scrape(), 'omendb_tenant_requests_total', { tenant: 't0' })).to.equal(7);
  });

  it('count what was folded into _other', async () => {
    for (let n = 0; n < TENANTS_MAX + 3; n++)
      metrics.counterOf('omendb_tenant_requests_total', `t${n}`).inc();
    metrics.gaugeOf('omendb_vectors_total', () =>
      Array.from({ length: COLLECTIONS_MAX + 2 }, (_, at) => [`c${at}`, 1] as const),
    );
    const families = await scrape();
    const folded = (metric: string): number | undefined =>
      valueOf(families, 'omendb_metrics_dropped_label_sets_total', { metric });
    expect(folded('omendb_tenant_requests_total')).to.equal(3);
    expect(folded('omendb_vectors_total')).to.equal(2);
    expect(folded('omendb_tenant_vectors')).to.equal(0);
  });

  it('begin _other at zero, so that its first increase counts', async () => {
    metrics.counterOf('omendb_tenant_requests_total', 'a');
    expect(valueOf(await scrape(), 'omendb_tenant_requests_total', { tenant: OTHER })).to.equal(0);
  });

  it('never share a name with a collection or tenant: none begins with an underscore', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 8 }), (rest) => {
        expect(() => parseCollectionName(`_${rest}`)).to.throw();
        expect(() => parseTenantId(`_${rest}`)).to.throw();
      }),
    );
    expect(() => parseCollectionName(OTHER)).to.throw();
    expect(() => parseTenantId(OTHER)).to.throw();
  });
});
