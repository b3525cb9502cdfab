// What the compiler must accept and refuse of the `Metrics` port. Each expected error fails the build when it
// is no error any more.
import { expect } from 'chai';
import type { Metrics } from '#server/ports/metrics.js';
import { NO_METRICS } from '#server/adapters/memory/no-metrics.js';

/** Compiled, and called to see that nothing is refused at run time either. */
function record(metrics: Metrics): void {
  metrics.counter('omendb_requests_total', { protocol: 'grpc', operation: 'query', code: 'OK' }).inc();
  metrics.gauge('omendb_engine_utilization_ratio', { engine: '0' }).set(0.5);
  metrics.histogram('omendb_search_results', {}).observe(1);
  metrics.counterOf('omendb_tenant_requests_total', 'anybody').inc();
  metrics.gaugeOf('omendb_vectors_total', () => []);

  // @ts-expect-error there is no such metric
  metrics.counter('omendb_request_total', { protocol: 'grpc', operation: 'query', code: 'OK' });
  // @ts-expect-error it is a gauge
  metrics.counter('omendb_requests_in_flight', { protocol: 'grpc' });
  // @ts-expect-error there is no such label
  metrics.gauge('omendb_requests_in_flight', { protocol: 'grpc', tenant: 'a' });
  // @ts-expect-error a label is missing
  metrics.counter('omendb_requests_total', { protocol: 'grpc', operation: 'query' });
  // @ts-expect-error there is no such value
  metrics.gauge('omendb_requests_in_flight', { protocol: 'rest' });
  // @ts-expect-error any text is too many values
  metrics.gauge('omendb_requests_in_flight', { protocol: String('grpc') });
  // @ts-expect-error it has no labels
  metrics.histogram('omendb_search_results', { collection: 'c' });
  // @ts-expect-error the tenants of a histogram have no cap
  metrics.counterOf('omendb_query_latency_seconds', 'tenant');
  // @ts-expect-error it is a gauge
  metrics.counterOf('omendb_tenant_vectors', 'tenant');
  // @ts-expect-error no cap is declared for it
  metrics.gaugeOf('omendb_collections', () => []);
}

describe('The port for metrics', () => {
  it('takes the names, labels and values of the catalogue and nothing else', () => {
    expect(() => {
      record(NO_METRICS);
    }).to.not.throw();
  });
});
