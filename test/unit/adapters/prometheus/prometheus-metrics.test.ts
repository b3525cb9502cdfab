import { expect } from 'chai';
import { PrometheusMetrics } from '#server/adapters/prometheus/prometheus-metrics.js';
import { ERROR_TABLE } from '#server/core/errors.js';
import { CATALOG, RUNTIME_FAMILIES } from '#server/core/metrics/catalog.js';
import type { Family } from '#server/core/metrics/families.js';
import type { LogFacts, Logger } from '#server/ports/logger.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { silentLogger } from '../../../support/log-node.js';
import { parseOpenMetrics, sumOf, valueOf } from '../../../support/openmetrics.js';
import type { ExposedFamily } from '../../../support/openmetrics.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const READ = { operation: 'query', tier: 'hot' } as const;

describe('The registry of metrics', () => {
  let warnings: [message: string, facts: LogFacts | undefined][];
  let metrics: PrometheusMetrics;

  beforeEach(() => {
    warnings = [];
    const logger: Logger = { ...silentLogger, warn: (message, facts) => warnings.push([message, facts]) };
    metrics = new PrometheusMetrics({ clock: new FakeClock(), logger });
  });

  const scrape = async (): Promise<Map<string, ExposedFamily>> => parseOpenMetrics(await metrics.render());

  it('shows the families of the catalogue and of the runtime and no others, with their types', async () => {
    const types = [...(await scrape()).values()].map(({ name, type }): [string, string] => [name, type]);
    const declared = [
      ...Object.entries<Family>(CATALOG).map(([name, { type }]): [string, string] => [name, type]),
      ...Object.entries(RUNTIME_FAMILIES).map(([name, [type]]): [string, string] => [name, type]),
    ];
    expect(Object.fromEntries(types)).to.deep.equal(Object.fromEntries(declared));
    expect(types.length).to.equal(declared.length);
  });

  it('says that it speaks OpenMetrics', () => {
    expect(metrics.contentType).to.equal('application/openmetrics-text; version=1.0.0; charset=utf-8');
  });

  it('explains every family as the catalogue does', async () => {
    const families = await scrape();
    for (const [name, { help }] of Object.entries(CATALOG)) {
      expect(families.get(name)?.help, name).to.equal(help);
    }
  });

  it('begins counters and histograms with closed labels at zero, so that the first event is an increase', async () => {
    const families = await scrape();
    expect(valueOf(families, 'omendb_engine_restarts_total', { reason: 'oom' })).to.equal(0);
    expect(valueOf(families, 'omendb_query_latency_seconds', READ, '_count')).to.equal(0);
    for (const [name, family] of Object.entries<Family>(CATALOG)) {
      const closed = Object.values(family.labels).every((values) => !('kind' in values));
      if (family.type === 'gauge' || !closed) continue;
      const { samples = [] } = families.get(name) ?? {};
      expect(samples, name).to.not.have.length(0);
      expect(
        samples.every(({ value }) => value === 0),
        name,
      ).to.equal(true);
    }
  });

  it('begins with no error that cannot be: each kind is the fault of one side', async () => {
    const { samples = [] } = (await scrape()).get('omendb_errors_total') ?? {};
    const pairs = samples.map(({ labels }) => `${labels['type']} ${labels['fault']}`);
    const known = new Set(Object.values(ERROR_TABLE).map(({ type, fault }) => `${type} ${fault}`));
    expect(pairs.sort()).to.deep.equal([...known].sort());
  });

  it('shows no gauge before somebody set it: 0 would be a measurement', async () => {
    const families = await scrape();
    for (const [name, family] of Object.entries<Family>(CATALOG)) {
      if (family.type === 'gauge') expect(families.get(name)?.samples, name).to.deep.equal([]);
    }
    metrics.gauge('omendb_memory_limit_bytes', {}).set(2 ** 30);
    expect(valueOf(await scrape(), 'omendb_memory_limit_bytes')).to.equal(2 ** 30);
  });

  it('counts, sets and observes', async () => {
    const counter = metrics.counter('omendb_object_store_bytes_total', { direction: 'read' });
    counter.inc();
    counter.inc(41);
    metrics.gauge('omendb_requests_in_flight', { protocol: 'http' }).set(3);
    const histogram = metrics.histogram('omendb_query_latency_seconds', READ);
    for (const seconds of [0.0004, 0.05, 0.051, 20]) histogram.observe(seconds);
    const families = await scrape();
    expect(valueOf(families, 'omendb_object_store_bytes_total', { direction: 'read' })).to.equal(42);
    expect(valueOf(families, 'omendb_requests_in_flight', { protocol: 'http' })).to.equal(3);
    const bucket = (le: string): number | undefined =>
      valueOf(families, 'omendb_query_latency_seconds', { ...READ, le }, '_bucket');
    expect(['0.0005', '0.05', '0.075', '10', '+Inf'].map(bucket)).to.deep.equal([1, 2, 3, 3, 4]);
    expect(valueOf(families, 'omendb_query_latency_seconds', READ, '_sum')).to.be.closeTo(20.1014, 1e-9);
  });

  it('keeps an exemplar only of what has a trace, in the bucket of its value', async () => {
    const histogram = metrics.histogram('omendb_query_latency_seconds', READ);
    histogram.observe(0.003);
    histogram.observe(0.03, TRACE);
    histogram.observe(60, TRACE);
    const { samples = [] } = (await scrape()).get('omendb_query_latency_seconds') ?? {};
    const exemplars = samples.flatMap(({ labels, exemplar }) =>
      exemplar === undefined ? [] : [[labels['le'], exemplar.labels, exemplar.value]],
    );
    expect(exemplars).to.deep.equal([
      ['0.03', { trace_id: TRACE }, 0.03],
      ['+Inf', { trace_id: TRACE }, 60],
    ]);
    expect(sumOf(await scrape(), 'omendb_query_latency_seconds', READ, '_count')).to.equal(3);
  });

  it('never throws at whoever records: what cannot be counted is left out and logged', async () => {
    const counter = metrics.counter('omendb_garbage_objects_total', {});
    const histogram = metrics.histogram('omendb_search_results', {});
    for (const value of [-1, Number.NaN, Infinity]) counter.inc(value);
    for (const value of [Number.NaN, Infinity, -Infinity]) histogram.observe(value, TRACE);
    metrics.counterOf('omendb_tenant_requests_total', 'a').inc(-1);
    histogram.observe(1, 'x'.repeat(200));
    const families = await scrape();
    expect(valueOf(families, 'omendb_garbage_objects_total')).to.equal(0);
    expect(valueOf(families, 'omendb_search_results', {}, '_count')).to.equal(1);
    expect(warnings).to.have.length(7);
    expect(warnings[0]?.[1]).to.deep.equal({ metric: 'omendb_garbage_objects_total', value: -1 });
  });

  it('escapes whatever a label holds', async () => {
    const names = ['quo"te', 'back\\slash', 'new\nline', '\\n', 'é 🦉', '{}=,#', ''];
    metrics.gaugeOf('omendb_vectors_total', () => names.map((name, at) => [name, at + 1] as const));
    const { samples = [] } = (await scrape()).get('omendb_vectors_total') ?? {};
    const shown = samples.map(({ labels, value }) => [labels['collection'], value]);
    expect(shown).to.deep.equal([...names.map((name, at) => [name, at + 1]), ['_other', 0]]);
  });

  it('lets no collector that throws or rejects spoil the others', async () => {
    metrics.onScrape(() => {
      throw new Error('no such folder');
    });
    metrics.onScrape(() => Promise.reject(new Error('no answer')));
    metrics.gaugeOf('omendb_tenant_vectors', function* () {
      yield ['a', 1] as const;
      throw new Error('half way');
    });
    metrics.onScrape(() => metrics.gauge('omendb_ready', {}).set(1));
    const families = await scrape();
    expect(valueOf(families, 'omendb_ready')).to.equal(1);
    expect(families.get('omendb_tenant_vectors')?.samples).to.deep.equal([]);
    expect(warnings.map(([message]) => message)).to.deep.equal(
      Array<string>(3).fill('a metric could not be collected'),
    );
  });

  it('waits for collectors that take their time', async () => {
    metrics.onScrape(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      metrics.gauge('omendb_disk_free_bytes', {}).set(5);
    });
    expect(valueOf(await scrape(), 'omendb_disk_free_bytes')).to.equal(5);
  });

  it('waits for no collector that hangs, and does not begin it again meanwhile', async () => {
    metrics = new PrometheusMetrics({
      ...{ clock: new FakeClock(), collectMs: 5 },
      logger: { ...silentLogger, warn: (message, facts) => warnings.push([message, facts]) },
    });
    let begun = 0;
    let goOn = (): void => undefined;
    metrics.onScrape(async () => {
      begun++;
      await new Promise<void>((resolve) => (goOn = resolve));
      metrics.gauge('omendb_disk_free_bytes', {}).set(5);
    });
    metrics.onScrape(() => metrics.gauge('omendb_ready', {}).set(1));
    expect(valueOf(await scrape(), 'omendb_ready')).to.equal(1);
    expect(valueOf(await scrape(), 'omendb_disk_free_bytes')).to.equal(undefined);
    expect(begun).to.equal(1);
    expect(warnings.map(([message]) => message)).to.include('a metric could not be collected in time');
    goOn();
    await new Promise((resolve) => setImmediate(resolve));
    expect(valueOf(await scrape(), 'omendb_disk_free_bytes')).to.equal(5);
  });

  it('gives two scrapes at once the whole each, of one moment', async () => {
    let vectors = 0;
    metrics.gaugeOf('omendb_vectors_total', () =>
      Array.from({ length: 150 }, (_, at) => [`c${at}`, ++vectors] as const),
    );
    metrics.onScrape(() => new Promise((resolve) => setImmediate(resolve)));
    const requests = metrics.counter('omendb_garbage_objects_total', {});
    const texts = await Promise.all(
      Array.from({ length: 8 }, () => {
        requests.inc();
        return metrics.render();
      }),
    );
    for (const text of texts) {
      const families = parseOpenMetrics(text);
      expect(families.get('omendb_vectors_total')?.samples).to.have.length(101);
      expect(sumOf(families, 'omendb_vectors_total')).to.be.greaterThan(0);
      expect(valueOf(families, 'omendb_garbage_objects_total')).to.equal(8);
    }
  });

  it('shows the same names at the second scrape as at the first', async () => {
    const names = async (): Promise<string[]> => [...(await scrape()).keys()];
    expect(await names()).to.deep.equal(await names());
  });
});
