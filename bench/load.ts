// A closed loop of clients: each sends its next request when the last one was answered.
import { percentile } from './report.js';

/** What a loop measured. */
export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
}

/**
 * Runs `concurrency` clients for `durationMs`; `call` gets 0, 1, 2, … over all clients. An error ends the
 * measurement.
 */
export async function measureLoad(
  concurrency: number,
  durationMs: number,
  call: (index: number) => Promise<unknown>,
): Promise<Load> {
  const latencies: number[] = [];
  let next = 0;
  const started = performance.now();
  const end = started + durationMs;
  const client = async (): Promise<void> => {
    for (let now = performance.now(); now < end;) {
      await call(next++);
      const then = performance.now();
      latencies.push(then - now);
      now = then;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
  const seconds = (performance.now() - started) / 1000;
  const ascending = Float64Array.from(latencies).sort();
  return {
    perSecond: latencies.length / seconds,
    p50Ms: percentile(ascending, 0.5),
    p99Ms: percentile(ascending, 0.99),
    requests: latencies.length,
  };
}

/** Calls `call` with 0 … count − 1, `concurrency` at a time, and returns the answers in order. */
export async function collect<T>(
  count: number,
  concurrency: number,
  call: (index: number) => Promise<T>,
): Promise<T[]> {
  const answers = new Array<T>(count);
  let next = 0;
  const client = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) answers[index] = await call(index);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, client));
  return answers;
}
