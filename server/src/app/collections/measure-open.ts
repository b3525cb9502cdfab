/*
 * What the open collections hold, looked at when the metrics are asked for. Every look is a sum over numbers
 * that are there already: with a thousand collections it has to take a millisecond and not ten.
 */
import type { LabelsOf } from '../../core/metrics/catalog.js';
import type { Gauge, Metrics } from '../../ports/metrics.js';
import type { Collection } from './collection.js';
import type { OpenedCollection } from './open-collections.js';

type SizeClass = LabelsOf<'omendb_tenants'>['size_class'];

const SIZE_CLASSES = [
  ['1e6', 1e6],
  ['1e4', 1e4],
  ['1e2', 1e2],
  ['0', 0],
] as const satisfies readonly (readonly [SizeClass, number])[];

/** Sets the gauges about open collections at every scrape. */
export function measureOpen(
  metrics: Metrics,
  opened: () => Iterable<OpenedCollection>,
  { countTenants }: { readonly countTenants: boolean },
): void {
  const state = (name: LabelsOf<'omendb_collections'>['state']): Gauge =>
    metrics.gauge('omendb_collections', { state: name });
  const [active, resting] = [state('active'), state('resting')];
  const tenants = SIZE_CLASSES.map(([name]) => metrics.gauge('omendb_tenants', { size_class: name }));
  const gauges = {
    backlog: metrics.gauge('omendb_index_backlog_vectors', {}),
    tombstones: metrics.gauge('omendb_tombstones', {}),
    segments: metrics.gauge('omendb_segments', {}),
    segmentBytes: metrics.gauge('omendb_segment_bytes', {}),
    walBytes: metrics.gauge('omendb_wal_bytes', {}),
  };
  metrics.onScrape(() => {
    const totals = { backlog: 0, tombstones: 0, segments: 0, segmentBytes: 0, walBytes: 0 };
    let [count, atRest] = [0, 0];
    for (const { collection, users } of opened()) {
      count++;
      if (users === 0 && collection.atRest) atRest++;
      add(totals, collection);
    }
    active.set(count - atRest);
    resting.set(atRest);
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) gauges[name].set(totals[name]);
    const sizes = SIZE_CLASSES.map(() => 0);
    for (const vectors of vectorsByTenant(opened()).values()) {
      const at = SIZE_CLASSES.findIndex(([, least]) => vectors >= least);
      sizes[at] = (sizes[at] ?? 0) + 1;
    }
    tenants.forEach((gauge, at) => gauge.set(sizes[at] ?? 0));
  });
  metrics.gaugeOf('omendb_vectors_total', () => vectorsByName(opened()));
  if (countTenants) metrics.gaugeOf('omendb_tenant_vectors', () => vectorsByTenant(opened()));
}

interface Totals {
  backlog: number;
  tombstones: number;
  segments: number;
  segmentBytes: number;
  walBytes: number;
}

function add(totals: Totals, { state, upkeep }: Collection): void {
  const { memtable, frozen, segments } = state;
  totals.backlog += memtable.live;
  for (const { memtable: older } of frozen) totals.backlog += older.live;
  totals.segments += segments.length;
  for (const { rows, live, view } of segments) {
    totals.tombstones += rows - live;
    totals.segmentBytes += view.bytes;
  }
  totals.walBytes += upkeep.unfoldedBytes;
}

function* vectorsByName(opened: Iterable<OpenedCollection>): Generator<readonly [string, number]> {
  for (const { collection } of opened) yield [collection.info.name, collection.state.records];
}

function vectorsByTenant(opened: Iterable<OpenedCollection>): Map<string, number> {
  const vectors = new Map<string, number>();
  for (const { key, collection } of opened) {
    const tenant = key.slice(0, key.lastIndexOf('/'));
    vectors.set(tenant, (vectors.get(tenant) ?? 0) + collection.state.records);
  }
  return vectors;
}
