// What the compiler must accept and refuse of the queries of boards. Each expected error fails the build when
// it is no error any more: a metric that the catalogue renames does not compile in the boards.
import { expect } from 'chai';
import { bound, duration, percent } from '#dashboards/lib/alerts.js';
import type { Vector } from '#dashboards/lib/promql.js';
import {
  bucketRate,
  gauge,
  increase,
  quantile,
  rate,
  rateUpTo,
  runtime,
  runtimeRate,
  sum,
  topk,
} from '#dashboards/lib/promql.js';

const TARGET = 'namespace=~"$namespace",job=~"$job",instance=~"$instance"';

/** Compiled and never called. */
function refused(): Vector[] {
  return [
    // @ts-expect-error there is no such metric
    rate('omendb_request_total'),
    // @ts-expect-error it is a gauge
    rate('omendb_requests_in_flight'),
    // @ts-expect-error it is a counter
    gauge('omendb_requests_total'),
    // @ts-expect-error there is no such label
    rate('omendb_requests_total', { route: 'query' }),
    // @ts-expect-error there is no such value
    rate('omendb_requests_total', { operation: 'search' }),
    // @ts-expect-error there is no such value among these
    rate('omendb_requests_total', { operation: ['query', 'search'] }),
    // @ts-expect-error there is no such value to exclude
    rate('omendb_requests_total', { code: { not: 'FINE' } }),
    // @ts-expect-error it has no labels
    gauge('omendb_segments', { collection: 'c' }),
    // @ts-expect-error its series do not have this label
    sum(rate('omendb_requests_total'), 'tenant'),
    // @ts-expect-error the label is gone after the sum
    sum(sum(rate('omendb_requests_total'), 'operation'), 'protocol'),
    // @ts-expect-error its series do not have this label
    quantile(0.99, bucketRate('omendb_query_latency_seconds'), 'collection'),
    // @ts-expect-error the buckets are gone after the sum
    quantile(0.99, sum(bucketRate('omendb_query_latency_seconds'), 'le')),
    // @ts-expect-error there is no such metric of Node.js
    runtime('nodejs_eventloop_lag'),
    // @ts-expect-error it is a gauge
    runtimeRate('process_resident_memory_bytes'),
  ];
}

describe('PromQL of boards', () => {
  it('takes names, labels and values of the catalogue and nothing else', () => {
    expect(refused).to.be.a('function');
  });

  it('matches the servers that were chosen above the board', () => {
    expect(gauge('omendb_segments').text).to.equal(`omendb_segments{${TARGET}}`);
    expect(runtime('process_open_fds').text).to.equal(`process_open_fds{${TARGET}}`);
  });

  it('matches one value, several, none of them, or the one chosen', () => {
    const where = (text: string) => `rate(omendb_requests_total{${TARGET},${text}}[$__rate_interval])`;
    expect(rate('omendb_requests_total', { code: 'OK' }).text).to.equal(where('code="OK"'));
    expect(rate('omendb_requests_total', { code: ['OK', 'ABORTED'] }).text).to.equal(
      where('code=~"OK|ABORTED"'),
    );
    expect(rate('omendb_requests_total', { code: { not: 'OK' } }).text).to.equal(where('code!="OK"'));
    expect(rate('omendb_requests_total', { code: { not: ['OK', 'ABORTED'] } }).text).to.equal(
      where('code!~"OK|ABORTED"'),
    );
    expect(rate('omendb_requests_total', { code: { chosen: '$code' } }).text).to.equal(
      where('code=~"$code"'),
    );
  });

  it('keeps the buckets under a quantile, and the labels asked for', () => {
    const buckets = bucketRate('omendb_query_latency_seconds', { tier: 'hot' });
    expect(quantile(0.99, buckets, 'operation').text).to.equal(
      'histogram_quantile(0.99, sum by (le, operation) (' +
        `rate(omendb_query_latency_seconds_bucket{${TARGET},tier="hot"}[$__rate_interval])))`,
    );
  });

  it('looks at the window that is named', () => {
    expect(increase('omendb_garbage_objects_total', {}, '1h').text).to.match(/\[1h\]\)$/);
    expect(topk('$limit', sum(gauge('omendb_vectors_total'), 'collection')).text).to.match(
      /^topk\(\$limit, sum/,
    );
  });

  it('counts up to a bucket that exists and to no other', () => {
    expect(rateUpTo('omendb_query_latency_seconds', 0.05).text).to.include('le="0.05"');
    expect(() => rateUpTo('omendb_query_latency_seconds', 0.06)).to.throw('has no bucket 0.06');
  });
});

describe('Thresholds of boards', () => {
  it('are those of the alerts', () => {
    expect(bound('OmenDBHighLatency')).to.equal(0.05);
    expect(bound('OmenDBHighErrorRate')).to.equal(0.01);
  });

  it('exist only for alerts that have one', () => {
    expect(() => bound('OmenDBAsleep')).to.throw('OmenDBAsleep has no threshold');
    expect(() => bound('OmenDBServerDown')).to.throw('OmenDBServerDown has no threshold');
  });

  it('are written as people write them', () => {
    expect([percent(0.999), percent(0.01), percent(1 - 0.99)]).to.deep.equal(['99.9 %', '1 %', '1 %']);
    expect([duration(0.05), duration(0.0001), duration(1.5), duration(93_600)]).to.deep.equal([
      '50 ms',
      '0.1 ms',
      '1.5 s',
      '26 h',
    ]);
  });
});
