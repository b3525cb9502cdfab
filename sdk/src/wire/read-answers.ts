/* Answers of the server as the surface's results. */
import {
  MaintenanceJobKind,
  Metric as MetricCode,
  PartialReason as PartialReasonCode,
  Tier as TierCode,
} from '../gen/messages.js';
import type {
  Collection,
  Hit as HitMessage,
  MaintenanceJob as JobMessage,
  Performance as PerformanceMessage,
  Record as RecordMessage,
  Snapshot as SnapshotMessage,
  Usage as UsageMessage,
} from '../gen/messages.js';
import type { Metric, Selection } from '../requests.js';
import type {
  CollectionInfo,
  FoundRecord,
  Hit,
  MaintenanceJob,
  PartialReason,
  Performance,
  Snapshot,
  Tier,
  Usage,
} from '../results.js';
import { attributesFromWire } from '../values/attributes.js';
import { vectorFromBytes } from '../values/vector.js';

/** The enum value of a metric; unset for the server's default. */
export const METRIC_CODES = {
  cosine: MetricCode.COSINE,
  l2: MetricCode.L2,
  dot: MetricCode.DOT,
} as const satisfies Record<Metric, number>;

const METRIC_NAMES: ReadonlyMap<number, Metric> = new Map([
  [MetricCode.UNSPECIFIED, 'cosine'],
  [MetricCode.COSINE, 'cosine'],
  [MetricCode.L2, 'l2'],
  [MetricCode.DOT, 'dot'],
]);

const TIER_NAMES: ReadonlyMap<number, Tier> = new Map([
  [TierCode.HOT, 'hot'],
  [TierCode.WARM, 'warm'],
  [TierCode.COLD, 'cold'],
]);

const PARTIAL_REASON_NAMES: ReadonlyMap<number, PartialReason> = new Map([
  [PartialReasonCode.BUDGET, 'budget'],
  [PartialReasonCode.ROUNDS, 'rounds'],
  [PartialReasonCode.DEADLINE, 'deadline'],
]);

const JOB_KINDS: ReadonlyMap<number, 'flush' | 'merge'> = new Map([
  [MaintenanceJobKind.FLUSH, 'flush'],
  [MaintenanceJobKind.MERGE, 'merge'],
]);

/** What a caller gets to know of a collection. */
export function readCollection(collection: Collection): CollectionInfo {
  return {
    name: collection.name,
    dimensions: collection.dimensions,
    metric: METRIC_NAMES.get(collection.metric) ?? 'cosine',
    createdAt: collection.createTime,
  };
}

/** A snapshot as the server tells of it. */
export function readSnapshot({ name, createTime, sequenceNumber }: SnapshotMessage): Snapshot {
  return { name, createdAt: createTime, sequenceNumber: Number(sequenceNumber) };
}

/** Work in the background. A kind that this client does not know is absent. */
export function readJob({
  jobId,
  kind,
  claimedBy,
  startTime,
  inputs,
  inputBytes,
}: JobMessage): MaintenanceJob {
  const known = JOB_KINDS.get(kind);
  return { jobId, kind: known, claimedBy, startedAt: startTime, inputs, inputBytes: Number(inputBytes) };
}

/** A record that was read. The caller's type parameters say what it asked for. */
export function readRecord<A, S, V extends boolean>(
  record: RecordMessage | HitMessage,
): FoundRecord<A, S, V> {
  const attributes = attributesFromWire(record.attributes);
  const { id } = record;
  const data = record.vector?.data;
  if (data === undefined) return { id, attributes } as FoundRecord<A, S, V>;
  const vector = data.$case === 'f32' ? vectorFromBytes(data.value) : Float32Array.from(data.value.values);
  return { id, attributes, vector } as unknown as FoundRecord<A, S, V>;
}

/** A hit of a query. */
export function readHit<A, S, V extends boolean>(hit: HitMessage): Hit<A, S, V> {
  return Object.assign(readRecord<A, S, V>(hit), { score: hit.score, distance: hit.distance });
}

/** The attribute names to ask for; `undefined` leaves the choice to the server. */
export function selectionToWire(select: Selection<Record<string, unknown>> | undefined): string[] {
  if (select === undefined) return [];
  return select === '*' ? ['*'] : [...select];
}

/** What a request consumed. */
export function readUsage(usage: UsageMessage | undefined): Usage | undefined {
  if (usage === undefined) return undefined;
  return {
    recordsRead: Number(usage.recordsRead),
    recordsWritten: Number(usage.recordsWritten),
    bytesRead: Number(usage.bytesRead),
    bytesWritten: Number(usage.bytesWritten),
  };
}

/** Where the time of a request went. */
export function readPerformance(performance: PerformanceMessage | undefined): Performance | undefined {
  if (performance === undefined) return undefined;
  return {
    serverMs: performance.serverMs,
    queueMs: performance.queueMs,
    engineMs: performance.engineMs,
    tier: TIER_NAMES.get(performance.tier),
    roundTrips: performance.roundTrips,
    objectStoreGets: performance.objectStoreGets,
    bytesRead: Number(performance.bytesRead),
    candidates: performance.candidates,
    exact: performance.exact,
    partial: performance.partial,
    partialReason: PARTIAL_REASON_NAMES.get(performance.partialReason),
  };
}
