/*
 * Every setting, once. The environment, `omendb --help`, the README's table and the chart's values follow
 * from this table.
 */
import { LIMITS } from '../core/limits.js';
import { ARENA_BYTES_MAX } from '../core/memory/arena.js';
import type { StoreAddress } from '../ports/store-address.js';
import type { Machine } from './machine.js';
import { engineBytes } from './memory-budget.js';
import type { OptionType } from './option-types.js';
import * as type from './option-types.js';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

const S3_ENCRYPTIONS = ['none', 'AES256', 'aws:kms'] as const;
type S3Encryption = (typeof S3_ENCRYPTIONS)[number];

/** One setting. */
export interface Option<T> {
  readonly env: string;
  readonly type: OptionType<T>;
  /** Null: the option has no value of its own, `defaultText` says what happens then. */
  readonly default: T | null | ((machine: Machine) => T);
  /** The default in words, where the value alone would not say it. */
  readonly defaultText?: string;
  /** One or two sentences. */
  readonly doc: string;
  /** Never printed. May also be given as the path of a file in the variable with `_FILE` behind its name. */
  readonly secret?: true;
  /** Another value in every process, so that no file that many read can have it. */
  readonly own?: true;
  /** A change in the settings file takes effect without a restart. */
  readonly live?: true;
}

function defineOption<T>(option: Option<T>): Option<T> {
  return option;
}

export const OPTIONS = {
  configFile: defineOption<string>({
    env: 'OMENDB_CONFIG_FILE',
    type: type.path('file'),
    default: null,
    defaultText: 'none',
    doc:
      'File with further settings, one "NAME: value" a line; the environment counts more. What changes there of ' +
      'OMENDB_LOG_LEVEL, OMENDB_MAX_IN_FLIGHT, OMENDB_DRAIN_TIME and OMENDB_DRAIN_DELAY takes effect within ten ' +
      'seconds, the rest at the next start.',
    own: true,
  }),
  httpPort: defineOption({
    env: 'OMENDB_HTTP_PORT',
    type: type.port(),
    default: 8080,
    doc: 'Port of the HTTP API.',
  }),
  grpcPort: defineOption({
    env: 'OMENDB_GRPC_PORT',
    type: type.port(),
    default: 9090,
    doc: 'Port of the gRPC API.',
  }),
  opsPort: defineOption({
    env: 'OMENDB_OPS_PORT',
    type: type.port(),
    default: 8081,
    doc: 'Port of the probes /livez, /readyz and /startupz, and of /metrics. Keep it inside the cluster.',
  }),
  host: defineOption<string>({
    env: 'OMENDB_HOST',
    type: type.address(),
    default: null,
    defaultText: '0.0.0.0, or 127.0.0.1 without OMENDB_JWT_SECRET',
    doc: 'Address that all three ports listen on.',
  }),
  workerThreads: defineOption({
    env: 'OMENDB_WORKER_THREADS',
    type: type.int(1, 64),
    default: (machine) => Math.max(1, Math.min(8, machine.cores)),
    defaultText: '8, or the number of cores if there are fewer',
    doc: 'Engines: threads that search.',
  }),
  dimension: defineOption({
    env: 'OMENDB_DIMENSION',
    type: type.int(1, LIMITS.dimensionsMax),
    default: 128,
    doc: 'Dimensions of a collection that is created without saying.',
  }),
  jwtSecret: defineOption<type.SigningKeys>({
    env: 'OMENDB_JWT_SECRET',
    type: type.signingKeys(32),
    default: null,
    defaultText: 'none: development mode',
    doc:
      'Key that tokens are signed with. Of several the first one signs and all are taken, so that a key can be ' +
      'changed while tokens of the one before are still good. Without it the server listens on loopback only, ' +
      'makes a key in the data folder and prints a token.',
    secret: true,
  }),
  dataDir: defineOption({
    env: 'OMENDB_DATA_DIR',
    type: type.path('folder'),
    default: './data',
    defaultText: './data, in the image /app/data',
    doc: 'Folder for everything that the server keeps on local disk.',
  }),
  objectStore: defineOption<StoreAddress>({
    env: 'OMENDB_OBJECT_STORE',
    type: type.storeAddress(),
    default: null,
    defaultText: 'file:// and OMENDB_DATA_DIR',
    doc:
      'Where all data is stored. A bucket may be used by any number of servers at once; then nothing that is in ' +
      'OMENDB_DATA_DIR matters. Region and credentials come from where all tools of AWS look.',
  }),
  s3Endpoint: defineOption<string>({
    env: 'OMENDB_S3_ENDPOINT',
    type: type.endpoint(),
    default: null,
    defaultText: 'S3 of AWS in the region of AWS_REGION',
    doc: 'Address of another store that speaks the protocol of S3. It must honour If-Match and If-None-Match.',
  }),
  s3ForcePathStyle: defineOption({
    env: 'OMENDB_S3_FORCE_PATH_STYLE',
    type: type.bool(),
    default: false,
    doc: 'Put the bucket into the path of URLs and not into the name of the host. Most other stores want it.',
  }),
  s3Encryption: defineOption<S3Encryption>({
    env: 'OMENDB_S3_SSE',
    type: type.oneOf(S3_ENCRYPTIONS),
    default: 'none',
    defaultText: 'none: as the bucket says',
    doc: 'How S3 is asked to encrypt each object.',
  }),
  s3KmsKeyId: defineOption<string>({
    env: 'OMENDB_S3_SSE_KMS_KEY_ID',
    type: type.text('the id or ARN of a key'),
    default: null,
    defaultText: "the account's own key for S3",
    doc: 'Key for OMENDB_S3_SSE=aws:kms.',
  }),
  logLevel: defineOption<LogLevel>({
    env: 'OMENDB_LOG_LEVEL',
    type: type.oneOf(LOG_LEVELS),
    default: 'info',
    doc: 'Least important messages to log.',
    live: true,
  }),
  metrics: defineOption({
    env: 'OMENDB_METRICS',
    type: type.bool(),
    default: true,
    doc: 'Measure, and answer /metrics on the port of the probes.',
  }),
  countTenants: defineOption({
    env: 'OMENDB_METRICS_TENANTS',
    type: type.bool(),
    default: false,
    doc: 'Measure requests and vectors of each tenant apart, of the first 50.',
  }),
  recallSample: defineOption({
    env: 'OMENDB_RECALL_SAMPLE',
    type: type.ratio(),
    default: 0.01,
    doc:
      'Share of the queries that are repeated exactly, to measure what they miss: at most one a second, and only ' +
      'while no request waits for an engine. 0 measures nothing.',
  }),
  podName: defineOption<string>({
    env: 'OMENDB_POD_NAME',
    type: type.text('a name without spaces'),
    default: null,
    defaultText: 'none',
    doc: 'Pod that the server runs in, for its log, its traces and the jobs that it has claimed.',
    own: true,
  }),
  podNamespace: defineOption<string>({
    env: 'OMENDB_POD_NAMESPACE',
    type: type.text('a name without spaces'),
    default: null,
    defaultText: 'none',
    doc: 'Namespace of that pod, for the log and traces.',
    own: true,
  }),
  nodeName: defineOption<string>({
    env: 'OMENDB_NODE_NAME',
    type: type.text('a name without spaces'),
    default: null,
    defaultText: 'none',
    doc: 'Machine that the pod runs on, for the log and traces.',
    own: true,
  }),
  memoryBytes: defineOption({
    env: 'OMENDB_MEMORY_BYTES',
    type: type.byteSize('128Mi', String(ARENA_BYTES_MAX)),
    default: (machine) => engineBytes(machine),
    defaultText:
      'half of the memory of the container or machine, less in containers below 2 GiB, at most 4 GiB',
    doc: 'Memory that the engines share for vectors and indexes.',
  }),
  cacheBytes: defineOption<number>({
    env: 'OMENDB_CACHE_BYTES',
    type: type.byteSize('0', '16384Gi'),
    default: null,
    defaultText: 'half of what is free on the disk of OMENDB_DATA_DIR, none in a pod or without a bucket',
    doc:
      'Disk below OMENDB_DATA_DIR for a cache of what was read from the bucket, at least 64Mi; 0 is none. It may be ' +
      'deleted at any time.',
  }),
  foldSlots: defineOption<number>({
    env: 'OMENDB_FOLD_SLOTS',
    type: type.int(1, 1_000_000),
    default: null,
    defaultText: '32 on S3, 4096 in a folder',
    doc:
      'Log slots after which a collection is folded into a segment even when it is small: bounds what a server ' +
      'reads when it opens the collection.',
  }),
  retentionMs: defineOption({
    env: 'OMENDB_RETENTION',
    type: type.duration('0ms', '840h'),
    default: 24 * 60 * 60 * 1000,
    doc:
      'How long the past of a collection stays readable. What is deleted or replaced takes up storage for that ' +
      'long; 0ms keeps the present and snapshots only. At most 65536 log slots are kept for it in a folder, ' +
      '1000000 in a bucket.',
  }),
  stalenessMs: defineOption({
    env: 'OMENDB_MAX_STALENESS',
    type: type.duration('0ms', '10m'),
    default: 5000,
    doc:
      'Oldest state that a read is answered from when several servers share a bucket, unless it asks for strong ' +
      'consistency or names a write. 0ms looks for other writes at every read.',
  }),
  backupMarkMs: defineOption({
    env: 'OMENDB_BACKUP_MARK_INTERVAL',
    type: type.duration('100ms', '24h'),
    default: 300_000,
    doc: 'How often the server looks when the last backup was made, while its metrics are asked for.',
  }),
  maxInFlight: defineOption({
    env: 'OMENDB_MAX_IN_FLIGHT',
    type: type.int(1, 100_000),
    default: 1024,
    doc: 'Requests that may be in work at once, over both APIs. More are refused with OVERLOADED.',
    live: true,
  }),
  requestTimeoutMs: defineOption({
    env: 'OMENDB_REQUEST_TIMEOUT',
    type: type.duration('10ms', '1h'),
    default: 60_000,
    doc: 'Longest time for one request, also when the client allows more.',
  }),
  receiveTimeoutMs: defineOption({
    env: 'OMENDB_RECEIVE_TIMEOUT',
    type: type.duration('1s', '1h'),
    default: 60_000,
    doc: 'Longest time for an HTTP client to send its request.',
  }),
  keepAliveMs: defineOption({
    env: 'OMENDB_KEEP_ALIVE',
    type: type.duration('1s', '1h'),
    default: 75_000,
    doc: 'How long an idle HTTP connection stays open. Longer than a load balancer in front keeps it.',
  }),
  jsonBodyBytes: defineOption({
    env: 'OMENDB_JSON_BODY_BYTES',
    type: type.byteSize('64Ki', String(LIMITS.jsonBodyBytesMax)),
    default: LIMITS.jsonBodyBytesMax,
    doc: 'Largest JSON body.',
  }),
  protobufBodyBytes: defineOption({
    env: 'OMENDB_PROTOBUF_BODY_BYTES',
    type: type.byteSize('64Ki', String(LIMITS.protobufBodyBytesMax)),
    default: LIMITS.protobufBodyBytesMax,
    doc: 'Largest protobuf message, over HTTP and gRPC.',
  }),
  grpcConnectionAgeMs: defineOption({
    env: 'OMENDB_GRPC_CONNECTION_AGE',
    type: type.duration('10s', '24h'),
    default: 300_000,
    doc: 'Age at which a gRPC connection is asked to reconnect, so that load spreads over new pods.',
  }),
  grpcReflection: defineOption({
    env: 'OMENDB_GRPC_REFLECTION',
    type: type.bool(),
    default: false,
    doc: 'Let gRPC tools such as grpcurl read the API from the server.',
  }),
  traceEndpoint: defineOption<string>({
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    type: type.url(),
    default: null,
    defaultText: 'none: no traces',
    doc: 'Collector that traces are sent to, by OTLP over HTTP. They are posted to /v1/traces below it.',
  }),
  traceHeaders: defineOption<Readonly<Record<string, string>>>({
    env: 'OTEL_EXPORTER_OTLP_HEADERS',
    type: type.pairs('headers'),
    default: null,
    defaultText: 'none',
    doc: 'Headers for the collector, such as its credential.',
    secret: true,
  }),
  traceRatio: defineOption({
    env: 'OTEL_TRACES_SAMPLER_ARG',
    type: type.ratio(),
    default: 0.01,
    doc: 'Share of the requests to trace. Requests that carry a traceparent follow that instead.',
  }),
  traceService: defineOption({
    env: 'OTEL_SERVICE_NAME',
    type: type.text('a name without spaces'),
    default: 'omendb',
    doc: 'Name of the server in traces.',
  }),
  traceResource: defineOption<Readonly<Record<string, string>>>({
    env: 'OTEL_RESOURCE_ATTRIBUTES',
    type: type.pairs('facts about the server for its traces'),
    default: null,
    defaultText: 'none',
    doc: 'What else traces say of the server, such as k8s.pod.name=omendb-0.',
  }),
  drainMs: defineOption({
    env: 'OMENDB_DRAIN_TIME',
    type: type.duration('0ms', '1h'),
    default: 25_000,
    doc:
      'Longest time to finish requests in work when the server is asked to stop. Five seconds more and it ends, ' +
      'whatever it is at: give a pod longer than both.',
    live: true,
  }),
  drainDelayMs: defineOption<number>({
    env: 'OMENDB_DRAIN_DELAY',
    type: type.duration('0ms', '10m'),
    default: null,
    defaultText: '5s in a pod of Kubernetes, else 0ms',
    doc:
      'Part of OMENDB_DRAIN_TIME in which a server that is asked to stop goes on taking connections, and only ' +
      'says that it is going: as long as balancers may take to notice.',
    live: true,
  }),
} as const;

export type OptionName = keyof typeof OPTIONS;
