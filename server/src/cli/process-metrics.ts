/*
 * What is measured about the process as a whole: its memory, the disk it uses, what runs.
 */
import { statfs } from 'node:fs/promises';
import { ARENA_USES } from '../core/memory/arena.js';
import type { LabelsOf } from '../core/metrics/catalog.js';
import type { EnginePool } from '../ports/engine-pool.js';
import type { Gauge, Metrics } from '../ports/metrics.js';
import type { RunningServer } from '../transport/server.js';

/** Some kernels report a number near 2^63 when there is no limit. */
const NO_LIMIT = 2 ** 60;

export interface ProcessParts {
  readonly pool: EnginePool;
  readonly server: RunningServer;
  readonly version: string;
  /** What must not run full: the folder of the store; null for a bucket, which needs no disk. */
  readonly storeFolder: string | null;
}

/** Sets the gauges of the process at every scrape. */
export function measureProcess(metrics: Metrics, { pool, server, version, storeFolder }: ProcessParts): void {
  const node = process.version.replace(/^v/, '');
  metrics.gauge('omendb_build_info', { version, node, kernels: pool.kernels }).set(1);
  const ready = metrics.gauge('omendb_ready', {});
  metrics.onScrape(() => {
    ready.set(server.ready ? 1 : 0);
  });
  if (storeFolder !== null) measureDisk(metrics, storeFolder);
  measureMemory(metrics, pool);
}

function measureDisk(metrics: Metrics, folder: string): void {
  const size = metrics.gauge('omendb_disk_size_bytes', {});
  const free = metrics.gauge('omendb_disk_free_bytes', {});
  metrics.onScrape(async () => {
    // Of what is free, this is what the server may use.
    const { bsize, blocks, bavail } = await statfs(folder);
    size.set(blocks * bsize);
    free.set(bavail * bsize);
  });
}

/**
 * The parts of resident memory. What the engines share is reserved as one piece and becomes resident where it
 * is touched, so what lies in it counts as far as there is resident memory for it.
 */
function measureMemory(metrics: Metrics, pool: EnginePool): void {
  const usage = (component: LabelsOf<'omendb_memory_usage_bytes'>['component']): Gauge =>
    metrics.gauge('omendb_memory_usage_bytes', { component });
  const [buffers, heap, other] = [usage('buffers'), usage('js_heap'), usage('other')];
  const shared = ARENA_USES.map((use) => [use, usage(use)] as const);
  const limit = process.constrainedMemory();
  if (limit > 0 && limit < NO_LIMIT) metrics.gauge('omendb_memory_limit_bytes', {}).set(limit);
  metrics.onScrape(() => {
    const { rss, heapTotal, arrayBuffers } = process.memoryUsage();
    buffers.set(arrayBuffers);
    heap.set(heapTotal);
    const rest = Math.max(0, rss - heapTotal - arrayBuffers);
    const { used, usedFor } = pool.arena;
    const resident = Math.min(1, rest / used);
    for (const [use, gauge] of shared) gauge.set(usedFor[use] * resident);
    other.set(rest - used * resident);
  });
}
