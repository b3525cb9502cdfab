/*
 * Every metric of the server, once. The registry, the types of the `Metrics` port, the reference page, the
 * tests of rules, dashboards and runbooks all follow from this table.
 *
 * Rules that hold for all of it: base units; `_total` on counters only, with the one exception
 * `omendb_vectors_total`; a label is a closed list of values, or capped, or a fact that does not change; no
 * label is called as one that Prometheus sets itself (`job`, `instance`, `namespace`, `pod`, `service`,
 * `endpoint`, `container`). Tenants label no histogram.
 */
import { ERROR_TYPES, GRPC_CODE_NAMES } from '../errors.js';
import type { Families, LabelValues } from './families.js';
import { capped, counter, fixed, gauge, histogram } from './families.js';

/** RPC names as label values. A test compares them with the protos. */
export const OPERATIONS = [
  'batch_get_records',
  'branch_collection',
  'copy_collection',
  'count_records',
  'create_collection',
  'create_snapshot',
  'delete_collection',
  'delete_records',
  'delete_snapshot',
  'get_collection',
  'get_collection_stats',
  'get_limits',
  'get_record',
  'get_server_info',
  'list_collections',
  'list_snapshots',
  'patch_records',
  'query',
  'scan_records',
  'unknown',
  'upsert_records',
] as const;

export type Operation = (typeof OPERATIONS)[number];

/** Operations that read records: their time is in `omendb_query_latency_seconds`. */
export const QUERY_OPERATIONS = [
  'batch_get_records',
  'count_records',
  'get_record',
  'query',
  'scan_records',
] as const satisfies readonly Operation[];

/** Operations that write records: their time is in `omendb_write_latency_seconds`. */
export const WRITE_OPERATIONS = [
  'delete_records',
  'patch_records',
  'upsert_records',
] as const satisfies readonly Operation[];

/**
 * `hot`: the request found all it needed in memory. `warm`: it waited for the cache on disk. `cold`: for the
 * object store.
 */
export const TIERS = ['hot', 'warm', 'cold'] as const;

export type Tier = (typeof TIERS)[number];

/**
 * Bounds at every target, 0.05 s and for cold reads 0.8 s, so that alerts compare exactly and not with a
 * guess.
 */
const QUERY_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 0.8, 1, 2.5, 5, 10,
];
const STORAGE_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const WAIT_SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
const JOB_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900];
const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000];
const RATIOS = [0.5, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.999];

const PROTOCOLS = ['grpc', 'http'] as const;
const STORE_OPERATIONS = ['delete', 'get', 'list', 'multipart', 'put'] as const;
const JOBS = ['flush', 'merge'] as const;
const TASKS = ['backup_mark', 'collect', 'follow', 'promote', 'recall', ...JOBS] as const;

/** Series per capped family, besides `_other`. */
export const COLLECTIONS_MAX = 100;
export const TENANTS_MAX = 50;

export const CATALOG = {
  omendb_requests_total: counter('Requests that came to an end.', {
    protocol: PROTOCOLS,
    operation: OPERATIONS,
    code: GRPC_CODE_NAMES,
  }),
  omendb_errors_total: counter('Requests that failed, each counted once.', {
    type: ERROR_TYPES,
    fault: ['client', 'server'],
  }),
  omendb_requests_in_flight: gauge('Requests in work.', { protocol: PROTOCOLS }),
  omendb_requests_in_flight_limit: gauge('Requests that may be in work at once, over all protocols.'),
  omendb_query_latency_seconds: histogram(
    'Time of a read that succeeded, from its arrival until its answer was encoded.',
    QUERY_SECONDS,
    { operation: QUERY_OPERATIONS, tier: TIERS },
  ),
  omendb_write_latency_seconds: histogram(
    'Time of a write that succeeded, from its arrival until it was durable and its answer encoded.',
    QUERY_SECONDS,
    { operation: WRITE_OPERATIONS },
  ),
  omendb_batch_records: histogram('Records that one request names.', COUNTS, {
    operation: ['batch_get_records', 'delete_records', 'patch_records', 'upsert_records'],
  }),
  omendb_auth_failures_total: counter('Credentials that were refused.', {
    reason: ['expired', 'forbidden', 'invalid', 'missing'],
  }),

  omendb_query_recall_ratio: histogram(
    'Share of the exact nearest neighbours that a sampled query found, up to the first 10.',
    RATIOS,
  ),
  omendb_query_recall_samples_total: counter('Queries chosen to be repeated exactly.', {
    outcome: ['measured', 'skipped'],
  }),
  omendb_search_candidates: histogram('Vectors whose distance one query computed.', COUNTS),
  omendb_search_results: histogram('Hits of one query.', COUNTS.slice(0, 10)),

  omendb_vectors_total: gauge('Live vectors of the collections that are open here.', {
    collection: capped(COLLECTIONS_MAX),
  }),
  omendb_collections: gauge('Collections that are open here: in use, or at rest with nothing to do.', {
    state: ['active', 'resting'],
  }),
  omendb_tenants: gauge(
    'Tenants with open collections, by their vectors: at least 0, 100, 10 000, 1 000 000.',
    {
      size_class: ['0', '1e2', '1e4', '1e6'],
    },
  ),
  omendb_tenant_requests_total: counter('Requests of a tenant, when tenants are counted.', {
    tenant: capped(TENANTS_MAX),
  }),
  omendb_tenant_vectors: gauge('Vectors of a tenant in open collections, when tenants are counted.', {
    tenant: capped(TENANTS_MAX),
  }),
  omendb_metrics_dropped_label_sets_total: counter(
    'Times that a value was folded into _other because its family was full.',
    {
      metric: ['omendb_tenant_requests_total', 'omendb_tenant_vectors', 'omendb_vectors_total'],
    },
  ),

  omendb_memory_usage_bytes: gauge('Resident memory. The components do not overlap.', {
    component: ['buffers', 'js_heap', 'memtables', 'other', 'scratch', 'segments'],
  }),
  omendb_memory_limit_bytes: gauge('Memory that the container may use; no series without a limit.'),
  omendb_engine_memory_used_bytes: gauge('Memory of the engines that is taken.'),
  omendb_engine_memory_size_bytes: gauge('Memory that the engines share.'),

  omendb_engine_pool_size: gauge('Engines: threads that search.'),
  omendb_engine_pool_available: gauge(
    'Engines that were idle at once since the last scrape, at most: 0 when none ever was.',
  ),
  omendb_engine_pool_queue_depth: gauge('Tasks that wait for an engine.'),
  omendb_engine_pool_wait_seconds: histogram('Time that a task waited for an engine.', WAIT_SECONDS, {
    outcome: ['acquired', 'cancelled', 'rejected'],
  }),
  omendb_engine_pool_exhausted_total: counter('Tasks that found no idle engine.'),
  omendb_engine_task_seconds: histogram('Time that an engine worked on a task.', QUERY_SECONDS, {
    task: ['build', 'match', 'search'],
  }),
  omendb_engine_restarts_total: counter('Engine threads that died and were started anew.', {
    reason: ['crash', 'oom'],
  }),
  omendb_engine_utilization_ratio: gauge('Share of the time since the last scrape that an engine worked.', {
    engine: fixed('0 to size-1'),
  }),

  omendb_index_backlog_vectors: gauge(
    'Vectors that are searched one by one because no segment has them yet.',
  ),
  omendb_tombstones: gauge('Deleted or replaced records that still lie in segments.'),
  omendb_segments: gauge('Segments of the open collections.'),
  omendb_segment_bytes: gauge('Bytes of the segments of the open collections in object storage.'),
  omendb_wal_bytes: gauge('Bytes of writes of the open collections that are in the log only.'),
  omendb_compactions_total: counter('Flushes of the log and merges of segments that ended.', {
    task: JOBS,
    outcome: ['conflict', 'error', 'ok'],
  }),
  omendb_compaction_duration_seconds: histogram('Time of a flush or merge that succeeded.', JOB_SECONDS, {
    task: JOBS,
  }),
  omendb_garbage_objects_total: counter('Objects that the collector deleted because nothing needs them.'),
  omendb_recovery_seconds: histogram('Time to open a collection from the object store.', STORAGE_SECONDS),
  omendb_cache_requests_total: counter('Look-ups of what is kept in memory.', {
    cache: ['collection', 'credential', 'memory', 'disk'],
    outcome: ['hit', 'miss'],
  }),
  omendb_object_store_requests_total: counter(
    'Requests to the object store. A retry counts beside its end.',
    {
      operation: STORE_OPERATIONS,
      outcome: ['error', 'ok', 'retry'],
    },
  ),
  omendb_object_store_request_seconds: histogram(
    'Time of a request to the object store, its retries included.',
    STORAGE_SECONDS,
    { operation: STORE_OPERATIONS },
  ),
  omendb_object_store_bytes_total: counter('Bytes of object bodies.', { direction: ['read', 'written'] }),
  omendb_commit_seconds: histogram(
    'Time of the stages of a commit: waiting for the slot before, writing the slot, reading the root again.',
    STORAGE_SECONDS,
    { stage: ['check', 'put', 'queue'] },
  ),
  omendb_commit_conflicts_total: counter(
    'Slots that were lost to another server or overtaken by a collector.',
    {
      kind: ['lost', 'overtaken'],
    },
  ),
  omendb_backup_last_success_timestamp_seconds: gauge('When the last backup ended well; 0: never.'),
  omendb_backup_last_attempt_timestamp_seconds: gauge('When a backup was last begun; 0: never.'),
  omendb_backup_duration_seconds: gauge('Time that the last good backup took; 0: none.'),
  omendb_disk_size_bytes: gauge('Size of the file system of the store; no series for a bucket.'),
  omendb_disk_free_bytes: gauge('Free bytes of the file system of the store; no series for a bucket.'),
  omendb_background_failures_total: counter('Failures of work that no request waits for.', {
    task: TASKS,
    type: ERROR_TYPES,
  }),

  omendb_ready: gauge('1 when new requests are welcome.'),
  omendb_build_info: gauge('1, with what runs.', {
    version: fixed('version of the server'),
    node: fixed('version of Node.js'),
    kernels: ['plain', 'relaxed'],
  }),
} as const satisfies Families;

/** Families about the process and Node.js, under the names that public dashboards know, with their labels. */
export const RUNTIME_FAMILIES = {
  process_cpu_user_seconds_total: ['counter'],
  process_cpu_system_seconds_total: ['counter'],
  process_cpu_seconds_total: ['counter'],
  process_start_time_seconds: ['gauge'],
  process_resident_memory_bytes: ['gauge'],
  process_virtual_memory_bytes: ['gauge'],
  process_heap_bytes: ['gauge'],
  process_open_fds: ['gauge'],
  process_max_fds: ['gauge'],
  nodejs_eventloop_lag_seconds: ['gauge'],
  nodejs_eventloop_lag_min_seconds: ['gauge'],
  nodejs_eventloop_lag_max_seconds: ['gauge'],
  nodejs_eventloop_lag_mean_seconds: ['gauge'],
  nodejs_eventloop_lag_stddev_seconds: ['gauge'],
  nodejs_eventloop_lag_p50_seconds: ['gauge'],
  nodejs_eventloop_lag_p90_seconds: ['gauge'],
  nodejs_eventloop_lag_p99_seconds: ['gauge'],
  nodejs_heap_size_total_bytes: ['gauge'],
  nodejs_heap_size_used_bytes: ['gauge'],
  nodejs_external_memory_bytes: ['gauge'],
  nodejs_heap_space_size_total_bytes: ['gauge', 'space'],
  nodejs_heap_space_size_used_bytes: ['gauge', 'space'],
  nodejs_heap_space_size_available_bytes: ['gauge', 'space'],
  nodejs_version_info: ['gauge', 'version', 'major', 'minor', 'patch'],
  nodejs_gc_duration_seconds: ['histogram', 'kind'],
} as const satisfies Readonly<
  Record<string, readonly ['counter' | 'gauge' | 'histogram', ...labels: string[]]>
>;

export type MetricName = keyof typeof CATALOG;
export type NameOf<T extends 'counter' | 'gauge' | 'histogram'> = {
  [N in MetricName]: (typeof CATALOG)[N]['type'] extends T ? N : never;
}[MetricName];

type ValueOf<L extends LabelValues> = L extends readonly (infer V)[] ? V : string;
/** The labels that a family takes, with the values that they may have; of one without labels `{}` only. */
export type LabelsOf<N extends MetricName> = keyof (typeof CATALOG)[N]['labels'] extends never
  ? Readonly<Record<string, never>>
  : {
      readonly [
        L in keyof (typeof CATALOG)[N]['labels']
      ]: (typeof CATALOG)[N]['labels'][L] extends LabelValues
        ? ValueOf<(typeof CATALOG)[N]['labels'][L]>
        : never;
    };
