/*
 * What the engine pool tells about itself.
 */
import type { Arena } from '../../core/memory/arena.js';
import type { Counter, Histogram, Metrics } from '../../ports/metrics.js';
import type { EngineThread } from './engine-thread.js';

/** What is recorded when it happens. */
export interface PoolSeries {
  /** How the waits for an engine ended. */
  readonly wait: Readonly<Record<'acquired' | 'cancelled' | 'rejected', Histogram>>;
  readonly exhausted: Counter;
  readonly task: Readonly<Record<'build' | 'match' | 'search', Histogram>>;
  readonly restarts: Readonly<Record<'crash' | 'oom', Counter>>;
}

export function poolSeries(metrics: Metrics): PoolSeries {
  const wait = (outcome: keyof PoolSeries['wait']): Histogram =>
    metrics.histogram('omendb_engine_pool_wait_seconds', { outcome });
  const task = (name: keyof PoolSeries['task']): Histogram =>
    metrics.histogram('omendb_engine_task_seconds', { task: name });
  const restarts = (reason: keyof PoolSeries['restarts']): Counter =>
    metrics.counter('omendb_engine_restarts_total', { reason });
  return {
    wait: { acquired: wait('acquired'), cancelled: wait('cancelled'), rejected: wait('rejected') },
    exhausted: metrics.counter('omendb_engine_pool_exhausted_total', {}),
    task: { build: task('build'), match: task('match'), search: task('search') },
    restarts: { crash: restarts('crash'), oom: restarts('oom') },
  };
}

/** The parts of a pool that are looked at. */
export interface WatchedPool {
  readonly arena: Arena;
  /** Those that search. */
  readonly threads: readonly EngineThread[];
  /** Tasks that wait for an engine. */
  readonly waiting: () => number;
}

/**
 * Looks at the pool at every scrape. What it returns is to be called when a thread may have become idle.
 *
 * Idle are told as many as were idle at once since the last scrape, at most: a moment in which all happen to
 * work is none in which the pool is exhausted.
 */
export function watchPool(metrics: Metrics, { arena, threads, waiting }: WatchedPool): () => void {
  const size = metrics.gauge('omendb_engine_pool_size', {});
  const available = metrics.gauge('omendb_engine_pool_available', {});
  const depth = metrics.gauge('omendb_engine_pool_queue_depth', {});
  const used = metrics.gauge('omendb_engine_memory_used_bytes', {});
  const memory = metrics.gauge('omendb_engine_memory_size_bytes', {});
  const utilization = threads.map((_, engine) =>
    metrics.gauge('omendb_engine_utilization_ratio', { engine: String(engine) }),
  );
  let idleMost = 0;
  const idle = (): number => {
    let count = 0;
    // One that hangs has a task, and one that died is not started: neither counts.
    for (const { isIdle } of threads) if (isIdle) count++;
    return count;
  };
  metrics.onScrape(() => {
    size.set(threads.length);
    const now = idle();
    available.set(Math.max(idleMost, now));
    idleMost = now;
    depth.set(waiting());
    used.set(arena.used);
    memory.set(arena.capacity);
    threads.forEach((thread, engine) => utilization[engine]?.set(thread.utilization()));
  });
  return () => {
    idleMost = Math.max(idleMost, idle());
  };
}
