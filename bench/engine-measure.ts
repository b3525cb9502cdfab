// How two indexes are compared: settings that reach the same recall, then latencies in alternating rounds, so
// that whatever else the machine does meets both.
import { percentile } from './report.js';

/** Answers query number `query` with row numbers. */
export type Searcher = (query: number) => ArrayLike<number>;

export interface Latency {
  readonly p50Us: number;
  readonly p99Us: number;
}

/**
 * Seconds of processor time since `start`. Builds run on one thread, and processor time stays the same when
 * others use the machine; a kept build time could not be compared otherwise.
 */
export function cpuSeconds(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** Mean share of the first `k` true rows that are found. */
export function recallOf(search: Searcher, truth: readonly Uint32Array[]): number {
  let found = 0;
  let all = 0;
  truth.forEach((rows, query) => {
    const returned = new Set(Array.from(search(query)));
    all += rows.length;
    for (const row of rows) if (returned.has(row)) found++;
  });
  return found / all;
}

/**
 * The smallest setting from `low` to `high` whose recall reaches the target; recall grows with the setting.
 */
export function smallestReaching(
  target: number,
  low: number,
  high: number,
  recallAt: (setting: number) => number,
): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (recallAt(middle) >= target) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** One thread, one query at a time. For each searcher the round with the lowest median counts. */
export function measureLatency(
  searchers: readonly (() => Searcher)[],
  queries: number,
  rounds: number,
): Latency[] {
  const best = searchers.map((): Latency => ({ p50Us: Infinity, p99Us: Infinity }));
  for (let round = 0; round < rounds; round++) {
    searchers.forEach((prepare, index) => {
      const search = prepare();
      const times = new Float64Array(queries);
      for (let query = 0; query < queries; query++) {
        const started = performance.now();
        search(query);
        times[query] = (performance.now() - started) * 1000;
      }
      times.sort();
      const p50Us = percentile(times, 0.5);
      if (p50Us < (best[index]?.p50Us ?? 0)) best[index] = { p50Us, p99Us: percentile(times, 0.99) };
    });
  }
  return best;
}
