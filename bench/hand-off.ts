// What it costs to hand a query to an engine thread and to take the answer back: the round trip of a search
// that finds nothing to search.
import { SystemClock } from '#server/adapters/system/clock.js';
import { NO_METRICS } from '#server/adapters/memory/no-metrics.js';
import { loadKernels } from '#server/adapters/wasm/kernel-binary.js';
import { WorkerPool } from '#server/adapters/worker-pool/worker-pool.js';
import { Arena } from '#server/core/memory/arena.js';
import { silentLogger } from '#support/log-node.js';
import type { BenchContext, Report } from './report.js';
import { percentile } from './report.js';

const MIB = 1024 * 1024;
const CONCURRENCY = [1, 8, 32] as const;

/** Round trips between the main thread and one engine thread, with an empty snapshot. */
export async function handOffSuite({ progress, quick }: BenchContext): Promise<Report> {
  const { module, variant } = loadKernels();
  const pool = await WorkerPool.start({
    ...{ arena: new Arena(256 * MIB), module, kernels: variant, engines: 1, queueMax: 1024 },
    ...{ clock: new SystemClock(), logger: silentLogger, metrics: NO_METRICS },
  });
  const rows: (string | number)[][] = [];
  for (const concurrency of CONCURRENCY) {
    progress(`hand-off, ${concurrency} at a time`);
    rows.push(await measure(pool, concurrency, quick ? 2_000 : 20_000));
  }
  await pool.close();
  const columns = ['at a time', 'p50 µs', 'p99 µs', 'µs per task'];
  return { tables: [{ title: 'Handing a task to an engine thread and back', columns, rows }], goals: [] };
}

async function measure(pool: WorkerPool, concurrency: number, tasks: number): Promise<(string | number)[]> {
  const query = new Float32Array(100).fill(1);
  const task = {
    query,
    topK: 10,
    exact: false,
    recallTarget: 0.95,
    dimensions: 100,
    metric: 'cosine',
    parts: [],
  } as const;
  const times = new Float64Array(tasks);
  let next = -tasks / 10;
  const run = async (): Promise<void> => {
    while (next < tasks) {
      const index = next++;
      const started = performance.now();
      await pool.search(task);
      if (index >= 0) times[index] = (performance.now() - started) * 1000;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: concurrency }, run));
  const perTask = ((performance.now() - started) * 1000) / (tasks * 1.1);
  times.sort();
  return [concurrency, percentile(times, 0.5), percentile(times, 0.99), perTask];
}
