import { NO_BLOCK_CACHE } from '#server/adapters/memory/no-block-cache.js';
import { NO_METRICS } from '#server/adapters/memory/no-metrics.js';
import { loadKernels } from '#server/adapters/wasm/kernel-binary.js';
import { InlineEnginePool } from '#server/adapters/worker-pool/inline-engine-pool.js';
import type { RecordColumns, RequestContext } from '#server/app/api.js';
import type { App } from '#server/app/app.js';
import { openApp } from '#server/app/app.js';
import type { TenantId } from '#server/core/ids.js';
import { Arena } from '#server/core/memory/arena.js';
import type { Attributes } from '#server/core/record/record.js';
import type { BlockCache } from '#server/ports/block-cache.js';
import type { Logger } from '#server/ports/logger.js';
import type { Metrics } from '#server/ports/metrics.js';
import type { ObjectStore } from '#server/ports/object-store.js';
import { FakeClock } from './fake-clock.js';
import { FakeScheduler } from './fake-scheduler.js';
import { silentLogger } from './log-node.js';
import { SeededRng } from './seeded-rng.js';

const MIB = 1024 * 1024;
const kernels = loadKernels();

export interface TestAppOptions {
  readonly seed?: number;
  readonly arenaBytes?: number;
  readonly foldSlots?: number;
  readonly openCollections?: number;
  readonly retentionMs?: number;
  readonly flushRows?: number;
  readonly clusterFromRows?: number;
  readonly blockCache?: BlockCache;
  readonly openWholeBytes?: number;
  readonly promoteAfter?: number;
  readonly postingBytesMax?: number;
  /** False: other servers use the store too. */
  readonly ownsStore?: boolean;
  readonly metrics?: Metrics;
  readonly logger?: Logger;
  readonly recallSample?: number;
  readonly countTenants?: boolean;
  readonly backupMarkMs?: number;
  readonly serverName?: string;
  readonly clock?: FakeClock;
  readonly scheduler?: FakeScheduler;
  /** Timers fire by themselves unless this is false. */
  readonly automatic?: boolean;
}

export interface TestApp extends App {
  readonly clock: FakeClock;
  readonly scheduler: FakeScheduler;
  readonly arena: Arena;
}

/** The application on a store, with a fake clock, seeded randomness and an engine on the calling thread. */
export async function openTestApp(store: ObjectStore, options: TestAppOptions = {}): Promise<TestApp> {
  const clock = options.clock ?? new FakeClock();
  const scheduler = options.scheduler ?? new FakeScheduler(clock, { automatic: options.automatic ?? true });
  const arena = new Arena(options.arenaBytes ?? 192 * MIB);
  const app = await openApp({
    store,
    pool: new InlineEnginePool(arena, kernels.module, kernels.variant),
    clock,
    scheduler,
    rng: new SeededRng(options.seed ?? 1),
    logger: options.logger ?? silentLogger,
    metrics: options.metrics ?? NO_METRICS,
    version: '0.0.0-test',
    objectStore: 'memory',
    ownsStore: options.ownsStore ?? true,
    defaultDimensions: 128,
    foldSlots: options.foldSlots ?? 4096,
    retentionMs: options.retentionMs ?? 0,
    recallSample: options.recallSample ?? 0,
    countTenants: options.countTenants ?? false,
    serverName: options.serverName ?? null,
    blockCache: options.blockCache ?? NO_BLOCK_CACHE,
    ...(options.openWholeBytes === undefined ? {} : { openWholeBytes: options.openWholeBytes }),
    ...(options.promoteAfter === undefined ? {} : { promoteAfter: options.promoteAfter }),
    ...(options.postingBytesMax === undefined ? {} : { postingBytesMax: options.postingBytesMax }),
    ...(options.backupMarkMs === undefined ? {} : { backupMarkMs: options.backupMarkMs }),
    ...(options.openCollections === undefined ? {} : { openCollections: options.openCollections }),
    ...(options.flushRows === undefined ? {} : { flushRows: options.flushRows }),
    ...(options.clusterFromRows === undefined ? {} : { clusterFromRows: options.clusterFromRows }),
  });
  return { ...app, clock, scheduler, arena };
}

/** A request of a tenant that nobody cancels. */
export function contextOf(tenant = 'acme'): RequestContext {
  return {
    tenant: tenant as TenantId,
    subject: 'test',
    requestId: 'test',
    signal: new AbortController().signal,
    startedMs: 0,
    tier: 'hot',
  };
}

export interface TestRecord {
  readonly id: string;
  readonly vector: readonly number[];
  readonly attributes?: Attributes;
}

export function columnsOf(records: readonly TestRecord[]): RecordColumns {
  return {
    ids: records.map(({ id }) => id),
    vectors: Float32Array.from(records.flatMap(({ vector }) => [...vector])),
    dimensions: records[0]?.vector.length ?? 0,
    attributes: records.map(({ attributes }) => attributes ?? new Map()),
    path: (index) => `records[${index}]`,
  };
}
