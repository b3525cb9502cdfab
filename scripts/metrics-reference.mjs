// Writes the reference of all metrics: `node scripts/metrics-reference.mjs FOLDER` writes
// FOLDER/docs/metrics.md from the catalogue, and from the rules and boards below FOLDER which use it. Needs
// the server built.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ERROR_TABLE, ERROR_TYPES } from '../server/dist/core/errors.js';
import { CATALOG, RUNTIME_FAMILIES } from '../server/dist/core/metrics/catalog.js';
import { usesOf } from './metrics-usage.mjs';
import { ROOT } from './steps.mjs';

const target = process.argv[2] ?? ROOT;
/** More values than that are listed at the end, once for all families that have them. */
const VALUES_INLINE = 6;

/** Every family belongs to the first area that matches. */
const AREAS = [
  ['Requests', /^omendb_(requests|errors|query_latency|write_latency|batch_|auth_)/],
  ['Search quality', /^omendb_(query_recall|search_)/],
  ['Collections and tenants', /^omendb_(vectors_|collections|tenant|metrics_dropped)/],
  ['Memory', /^omendb_(memory|engine_memory)_/],
  ['Engines', /^omendb_engine_/],
  [
    'Indexes, log and upkeep',
    /^omendb_(index_|tombstones|segment|wal_|compaction|garbage|recovery|cache|background)/,
  ],
  ['Object store and commits', /^omendb_(object_store|commit)_/],
  ['Backups and disk', /^omendb_(backup|disk)_/],
  ['Server', /^omendb_(ready|build_info)/],
];

/** Queries where the one that follows from the type would say little. */
const QUERIES = {
  omendb_errors_total:
    'sum(rate(omendb_errors_total{fault="server"}[5m])) / sum(rate(omendb_requests_total[5m]))',
  omendb_requests_total: 'sum by (operation, code) (rate(omendb_requests_total[5m]))',
  omendb_requests_in_flight: 'sum(omendb_requests_in_flight) / sum(omendb_requests_in_flight_limit)',
  omendb_query_latency_seconds:
    'histogram_quantile(0.99, sum by (le, operation) (rate(omendb_query_latency_seconds_bucket{tier="hot"}[5m])))',
  omendb_query_recall_ratio:
    'sum(rate(omendb_query_recall_ratio_sum[1h])) / sum(rate(omendb_query_recall_ratio_count[1h]))',
  omendb_vectors_total: 'topk(10, sum by (collection) (omendb_vectors_total))',
  omendb_tenant_requests_total: 'topk(10, sum by (tenant) (rate(omendb_tenant_requests_total[5m])))',
  omendb_tenant_vectors: 'topk(10, sum by (tenant) (omendb_tenant_vectors))',
  omendb_memory_usage_bytes: 'sum by (instance, component) (omendb_memory_usage_bytes)',
  omendb_memory_limit_bytes:
    'sum by (instance) (omendb_memory_usage_bytes) / on (instance) omendb_memory_limit_bytes',
  omendb_engine_memory_used_bytes: 'omendb_engine_memory_used_bytes / omendb_engine_memory_size_bytes',
  omendb_engine_pool_available: 'min_over_time(omendb_engine_pool_available[5m]) / omendb_engine_pool_size',
  omendb_cache_requests_total:
    'sum by (cache) (rate(omendb_cache_requests_total{outcome="hit"}[5m])) / sum by (cache) (rate(omendb_cache_requests_total[5m]))',
  omendb_backup_last_success_timestamp_seconds: 'time() - (omendb_backup_last_success_timestamp_seconds > 0)',
  omendb_backup_last_attempt_timestamp_seconds:
    'omendb_backup_last_attempt_timestamp_seconds > omendb_backup_last_success_timestamp_seconds',
  omendb_disk_free_bytes: 'omendb_disk_free_bytes / omendb_disk_size_bytes',
  omendb_build_info: 'count by (version) (omendb_build_info)',
};

/** What Node.js and the system tell, since the catalogue only names it. */
const RUNTIME_HELP = {
  process_cpu_user_seconds_total: 'CPU time in user mode.',
  process_cpu_system_seconds_total: 'CPU time in the kernel.',
  process_cpu_seconds_total: 'CPU time, of all threads.',
  process_start_time_seconds: 'When the process began, in seconds since 1970.',
  process_resident_memory_bytes: 'Memory in RAM: the sum of the components above.',
  process_virtual_memory_bytes: 'Address space, most of it reserved and never touched.',
  process_heap_bytes: 'Data segment of the process.',
  process_open_fds: 'Open files and sockets.',
  process_max_fds: 'Files and sockets that may be open.',
  nodejs_eventloop_lag_seconds: 'Lag of the event loop at the scrape.',
  nodejs_eventloop_lag_min_seconds: 'Least lag since the last scrape.',
  nodejs_eventloop_lag_max_seconds: 'Greatest lag since the last scrape.',
  nodejs_eventloop_lag_mean_seconds: 'Mean lag since the last scrape.',
  nodejs_eventloop_lag_stddev_seconds: 'Standard deviation of the lag since the last scrape.',
  nodejs_eventloop_lag_p50_seconds: 'Median lag since the last scrape.',
  nodejs_eventloop_lag_p90_seconds: 'Lag since the last scrape, 90th percentile.',
  nodejs_eventloop_lag_p99_seconds: 'Lag since the last scrape, 99th percentile.',
  nodejs_heap_size_total_bytes: 'JavaScript heap, with room to grow.',
  nodejs_heap_size_used_bytes: 'JavaScript heap in use.',
  nodejs_external_memory_bytes: 'Memory outside of the heap that its objects hold.',
  nodejs_heap_space_size_total_bytes: 'Size of each part of the heap.',
  nodejs_heap_space_size_used_bytes: 'What is in use of each part of the heap.',
  nodejs_heap_space_size_available_bytes: 'What is free of each part of the heap.',
  nodejs_version_info: '1, with the version of Node.js.',
  nodejs_gc_duration_seconds: 'Time of garbage collections by kind.',
};

const read = (path) => readFileSync(path, 'utf8');
const list = (folder, pattern) =>
  existsSync(join(target, folder))
    ? readdirSync(join(target, folder))
        .filter((name) => pattern.test(name))
        .sort()
    : [];

// The rules of the adapter lie beside those of Prometheus and are something else.
const rules = list('alerts', /\.rules\.yml$/)
  .map((name) => parse(read(join(target, 'alerts', name))))
  .filter(({ groups }) => groups !== undefined);
const boards = list('dashboards', /^omendb-.*\.json$/).map((file) => ({
  file,
  json: JSON.parse(read(join(target, 'dashboards', file))),
}));
const uses = usesOf({
  families: [...Object.keys(CATALOG), ...Object.keys(RUNTIME_FAMILIES)],
  ...{ rules, boards, runbooks: [] },
});
const longLabels = new Map();

const lines = [
  '<!-- Generated by "npm run generate" from the metric catalogue, the rules and the boards. DO NOT EDIT. -->',
  '',
  '# Metrics',
  '',
  'Every metric of the server, as `/metrics` on the port of the probes shows it, in the format OpenMetrics.',
  'How to collect them, what they cost and which alerts and boards there are: [observability.md](observability.md).',
  '',
  ...areas(),
  ...runtime(),
  ...buckets(),
  ...errors(),
  ...labelValues(),
];
mkdirSync(join(target, 'docs'), { recursive: true });
writeFileSync(join(target, 'docs/metrics.md'), `${lines.join('\n').trimEnd()}\n`);

function areas() {
  const left = new Map(Object.entries(CATALOG));
  const sections = AREAS.flatMap(([title, pattern]) => {
    const families = [...left].filter(([name]) => pattern.test(name));
    for (const [name] of families) left.delete(name);
    return [
      ...[`## ${title}`, '', '| metric | type | what it says | labels |', '|---|---|---|---|'],
      ...families.map(
        ([name, family]) =>
          `| \`${name}\` | ${typeOf(name, family)} | ${family.help} | ${labelsOf(family)} |`,
      ),
      ...['', '| metric | a query | used by |', '|---|---|---|'],
      ...families.map(
        ([name, family]) => `| \`${name}\` | \`${queryOf(name, family)}\` | ${usersOf(name)} |`,
      ),
      '',
    ];
  });
  if (left.size > 0) throw new Error(`no area of the reference for ${[...left.keys()].join(', ')}`);
  return sections;
}

/** Such as `histogram, seconds`. */
function typeOf(name, { type }) {
  const unit = /_(seconds|bytes|ratio)(_total)?$/.exec(name)?.[1];
  return unit === undefined ? type : `${type}, ${unit}`;
}

function labelsOf({ labels }) {
  return Object.entries(labels)
    .map(([label, values]) => `\`${label}\`: ${valuesOf(label, values)}`)
    .join('<br>');
}

function valuesOf(label, values) {
  if (values.kind === 'capped') return `the first ${values.max} that come, the rest together in \`_other\``;
  if (values.kind === 'fixed') return values.values;
  if (values.length <= VALUES_INLINE) return values.map((value) => `\`${value}\``).join(', ');
  const known = longLabels.get(label) ?? new Set();
  for (const value of values) known.add(value);
  longLabels.set(label, known);
  return `${values.length} [values](#values-of-${label})`;
}

function queryOf(name, { type, labels }) {
  if (QUERIES[name] !== undefined) return QUERIES[name];
  const by = Object.keys(labels).join(', ');
  if (type === 'counter')
    return `sum${by === '' ? '' : ` by (${by})`} (rate(${name}[5m]))`.replace('sum (', 'sum(');
  if (type === 'gauge') return by === '' ? name : `sum by (${by}) (${name})`;
  return `histogram_quantile(0.99, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${name}_bucket[5m])))`;
}

function usersOf(name) {
  const { alerts, panels } = uses.get(name);
  const runbooks = alerts.map((alert) => `[${alert}](../alerts/runbooks/${alert}.md)`);
  const byBoard = new Map();
  for (const { board, panel } of panels) {
    byBoard.set(board.title, (byBoard.get(board.title) ?? new Set()).add(panel));
  }
  const shown = [...byBoard].map(([board, titles]) => `${board}: ${[...titles].join(', ')}`);
  return [[...new Set(runbooks)].join(', '), ...shown].filter((text) => text !== '').join('<br>') || '–';
}

function runtime() {
  return [
    ...['## Process and Node.js', ''],
    'Under the names that public dashboards for Node.js know. A second scraper halves the time that the lag of',
    'the event loop is measured over.',
    ...['', '| metric | type | what it says | labels | used by |', '|---|---|---|---|---|'],
    ...Object.entries(RUNTIME_FAMILIES).map(([name, [type, ...labels]]) => {
      const help = RUNTIME_HELP[name];
      if (help === undefined) throw new Error(`no word in the reference about ${name}`);
      const shown = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${typeOf(name, { type })} | ${help} | ${shown} | ${usersOf(name)} |`;
    }),
    '',
  ];
}

/** The error table by what metrics tell apart. */
function errors() {
  return [
    ...['## Values of type', ''],
    'A failed request counts under one type, which is always the fault of the same side. Alerts look at the',
    "server's. The log and the answer carry the reason, which is finer.",
    ...['', '| type | fault | codes | reasons |', '|---|---|---|---|'],
    ...ERROR_TYPES.map((type) => {
      const rows = Object.entries(ERROR_TABLE).filter(([, row]) => row.type === type);
      const show = (values) => [...new Set(values)].map((value) => `\`${value}\``).join(', ');
      const fault = show(rows.map(([, row]) => row.fault));
      const codes = show(rows.map(([, row]) => row.grpc));
      return `| \`${type}\` | ${fault} | ${codes} | ${show(rows.map(([reason]) => reason))} |`;
    }),
    '',
  ];
}

function buckets() {
  const same = new Map();
  for (const [name, { type, buckets: bounds }] of Object.entries(CATALOG)) {
    if (type !== 'histogram') continue;
    const key = bounds.join(' ');
    same.set(key, [...(same.get(key) ?? []), name]);
  }
  return [
    ...['## Buckets', '', '| upper bounds, besides `+Inf` | histograms |', '|---|---|'],
    ...[...same].map(([bounds, names]) => `| ${bounds} | ${names.map((name) => `\`${name}\``).join(', ')} |`),
    '',
  ];
}

function labelValues() {
  longLabels.delete('type');
  return [...longLabels].sort().flatMap(([label, values]) => [
    ...[`## Values of ${label}`, ''],
    `${[...values]
      .sort()
      .map((value) => `\`${value}\``)
      .join(', ')}.`,
    '',
  ]);
}
