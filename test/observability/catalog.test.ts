// The rules of the metric catalogue, as its first comment states them.
import { expect } from 'chai';
import { ERROR_TABLE, ERROR_TYPES, GRPC_CODES, GRPC_CODE_NAMES } from '#server/core/errors.js';
import { CATALOG, OPERATIONS, RUNTIME_FAMILIES } from '#server/core/metrics/catalog.js';
import type { Family, LabelValues } from '#server/core/metrics/families.js';
import { METHODS } from '#server/gen/methods.js';
import { snakeCase } from '../support/request-tally.js';
import { expectNone } from '../tidy/tree.js';

const ALL = Object.entries<Family>(CATALOG);
const LABELS = ALL.flatMap(([name, { labels }]) =>
  Object.entries<LabelValues>(labels).map(([label, values]) => ({ name, label, values })),
);
/** The one gauge with the suffix of a counter: its name is given. */
const NAMED_LIKE_A_COUNTER = 'omendb_vectors_total';
/** What a value may be counted in. Base units only: no milliseconds, no mebibytes, no per cent. */
const UNIT = /_(seconds|bytes|ratio|info)(_total)?$/;
const OTHER_UNITS = /_(ms|millis\w*|micros\w*|minutes|hours|days|kb|mb|gb|kib|mib|gib|percent|pct)(_|$)/;
/** Labels that Prometheus or its operator sets: ours would be renamed to exported_job and so on. */
const RESERVED = [
  'job',
  'instance',
  'namespace',
  'pod',
  'service',
  'endpoint',
  'container',
  'le',
  'quantile',
];
const ENGINES = 8;

describe('The metric catalogue', () => {
  it('names families in lower case with the prefix, and counts in base units', () => {
    const bad = ALL.filter(([name]) => !/^omendb(_[a-z0-9]+)+$/.test(name) || OTHER_UNITS.test(name));
    expectNone(bad.map(([name]) => name));
  });

  it('ends counters and only counters in _total, with one exception', () => {
    const bad = ALL.filter(([name, { type }]) => (type === 'counter') !== name.endsWith('_total'));
    expect(bad.map(([name]) => name)).to.deep.equal([NAMED_LIKE_A_COUNTER]);
    expect(CATALOG[NAMED_LIKE_A_COUNTER].type).to.equal('gauge');
  });

  it('uses no suffix that exposition adds, so that no two families share a series name', () => {
    const bad = ALL.filter(([name]) => /_(bucket|count|sum|created)(_total)?$/.test(name));
    expectNone(bad.map(([name]) => name));
    const bases = ALL.map(([name]) => name.replace(/_total$/, ''));
    expect(new Set(bases).size).to.equal(ALL.length);
  });

  it('gives every histogram of times or shares the unit in its name', () => {
    // What counts things has their name and needs no unit.
    const things = ['omendb_batch_records', 'omendb_search_candidates', 'omendb_search_results'];
    const bare = ALL.filter(([name, { type }]) => type === 'histogram' && !UNIT.test(name));
    expect(bare.map(([name]) => name)).to.deep.equal(things);
  });

  it('explains every family in a sentence that needs no escapes', () => {
    const bad = ALL.filter(([, { help }]) => !/^[A-Z0-9][^"\\\n]{15,}\.$/.test(help));
    expectNone(bad.map(([name, { help }]) => `${name}: ${help}`));
  });

  it('uses no label that belongs to Prometheus', () => {
    const bad = LABELS.filter(({ label }) => RESERVED.includes(label) || !/^[a-z]+(_[a-z]+)*$/.test(label));
    expectNone(bad.map(({ name, label }) => `${name}{${label}}`));
    const runtime = Object.entries(RUNTIME_FAMILIES).flatMap(([name, [, ...labels]]) =>
      labels.filter((label) => RESERVED.includes(label)).map((label) => `${name}{${label}}`),
    );
    expectNone(runtime);
  });

  it('lists closed values once each, in lower case but for gRPC codes', () => {
    for (const { name, label, values } of LABELS) {
      if ('kind' in values) continue;
      const where = `${name}{${label}}`;
      expect(values, where).to.have.length.greaterThan(1);
      expect(new Set(values).size, where).to.equal(values.length);
      const shape = label === 'code' ? /^[A-Z_]+$/ : /^[a-z0-9_]+$/;
      expectNone(values.filter((value) => !shape.test(value)).map((value) => `${where} ${value}`));
    }
  });

  it('labels with tenants only what is about tenants, and no histogram with anything that clients make up', () => {
    const capped = LABELS.filter(({ values }) => 'kind' in values && values.kind === 'capped');
    for (const { name, label } of capped) {
      expect(CATALOG[name as keyof typeof CATALOG].type, name).to.not.equal('histogram');
      if (label === 'tenant') expect(name).to.match(/^omendb_tenant_/);
    }
    const about = LABELS.filter(({ label }) => label === 'tenant').map(({ name }) => name);
    expect(about).to.deep.equal(
      ALL.map(([name]) => name).filter((name) => name.startsWith('omendb_tenant_')),
    );
  });

  it('counts what was folded for every capped family', () => {
    const capped = LABELS.filter(({ values }) => 'kind' in values && values.kind === 'capped');
    const declared = CATALOG.omendb_metrics_dropped_label_sets_total.labels.metric;
    expect([...declared].sort()).to.deep.equal(capped.map(({ name }) => name).sort());
  });

  it('has ascending buckets that can be told apart from what prometheus makes of them', () => {
    for (const [name, family] of ALL) {
      if (family.type !== 'histogram') continue;
      const { buckets } = family;
      expect(buckets, name).to.have.length.within(5, 20);
      expect([...buckets], name).to.deep.equal([...new Set(buckets)].sort((a, b) => a - b));
      expect(
        buckets.every((bound) => bound > 0 && bound < Infinity),
        name,
      ).to.equal(true);
      if (name.endsWith('_ratio')) expect(Math.max(...buckets), name).to.be.lessThan(1);
    }
  });

  it('has bounds at the targets of alerts: 50 ms for reads, 800 ms for cold ones', () => {
    expect(CATALOG.omendb_query_latency_seconds.buckets).to.include.members([0.05, 0.8]);
    expect(CATALOG.omendb_object_store_request_seconds.buckets).to.include(0.1);
  });

  it('knows every operation of the protos, and one for what is none of them', () => {
    const names = Object.values(METHODS).map(({ name }) => snakeCase(name));
    expect([...OPERATIONS]).to.deep.equal([...names, 'unknown'].sort());
  });

  it('times every operation that reads or writes records', () => {
    const timed = [
      ...CATALOG.omendb_query_latency_seconds.labels.operation,
      ...CATALOG.omendb_write_latency_seconds.labels.operation,
    ];
    const onRecords = Object.values(METHODS).filter(({ service }) => /(Record|Query)Service$/.test(service));
    expect([...timed].sort()).to.deep.equal(onRecords.map(({ name }) => snakeCase(name)).sort());
    expectNone([...CATALOG.omendb_batch_records.labels.operation].filter((name) => !timed.includes(name)));
  });

  it('knows every code and every kind of error, and uses them all', () => {
    const rows = Object.values(ERROR_TABLE);
    expect([...GRPC_CODE_NAMES]).to.deep.equal(['OK', ...Object.keys(GRPC_CODES)]);
    expect([...new Set(rows.map(({ grpc }) => grpc))].sort()).to.deep.equal(Object.keys(GRPC_CODES).sort());
    expect([...new Set(rows.map(({ type }) => type))].sort()).to.deep.equal([...ERROR_TYPES].sort());
  });

  it('blames one side for each kind of error, so that alerts on the server page nobody for clients', () => {
    for (const type of ERROR_TYPES) {
      const faults = new Set(
        Object.values(ERROR_TABLE).flatMap((row) => (row.type === type ? [row.fault] : [])),
      );
      expect(faults.size, type).to.equal(1);
    }
  });

  it('can never have more series than a scrape may bring', () => {
    const sizes = new Map(ALL.map(([name, family]) => [name, worstCase(family)]));
    const sum = (keep: (name: string) => boolean): number =>
      [...sizes].reduce((total, [name, size]) => total + (keep(name) ? size : 0), 0);
    // Codes beyond OK get a series when they happen, and most operations can end in half of them only.
    const always = sum((name) => name !== 'omendb_requests_total' && !name.startsWith('omendb_tenant_'));
    expect(always).to.be.at.most(1200);
    expect(sum(() => true)).to.be.at.most(2000);
  });
});

/** Series when every label has had every value, with as many engines as a server has unless told. */
function worstCase(family: Family): number {
  const sets = Object.values(family.labels).reduce((product, values) => {
    if (!('kind' in values)) return product * values.length;
    if (values.kind === 'capped') return product * (values.max + 1);
    return product * (values.values.startsWith('0 to') ? ENGINES : 1);
  }, 1);
  return family.type === 'histogram' ? sets * (family.buckets.length + 3) : sets;
}
