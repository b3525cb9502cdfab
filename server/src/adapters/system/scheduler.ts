import type { Scheduler } from '../../ports/scheduler.js';

/** Longest delay of a Node timer; a longer one would fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** The event loop's timers. */
export class SystemScheduler implements Scheduler {
  after(delayMs: number, task: () => void): () => void {
    const timer = setTimeout(task, clamp(delayMs)).unref();
    return () => {
      clearTimeout(timer);
    };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, clamp(delayMs)).unref();
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  }

  yield(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}

function clamp(delayMs: number): number {
  return Math.min(Math.max(0, delayMs), DELAY_MS_MAX);
}
