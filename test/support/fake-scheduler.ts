import type { Scheduler } from '#server/ports/scheduler.js';
import type { FakeClock } from './fake-clock.js';

interface Timer {
  readonly dueMs: number;
  readonly task: () => void;
}

export interface FakeSchedulerOptions {
  /**
   * Timers fire by themselves in the order of their time, one per turn of the event loop, and move the clock:
   * for tests in which time is of no interest, and for simulations.
   */
  readonly automatic?: boolean;
}

/** Timers on a fake clock: nothing waits in real time, and one history of calls gives one order of events. */
export class FakeScheduler implements Scheduler {
  #timers: Timer[] = [];
  #pumping = false;

  constructor(
    private readonly clock: FakeClock,
    private readonly options: FakeSchedulerOptions = {},
  ) {}

  /** Timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#timers.length;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { dueMs: this.clock.monotonic() + Math.max(0, delayMs), task };
    this.#timers.splice(this.#position(timer.dueMs), 0, timer);
    if (this.options.automatic === true) this.#pump();
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const cancel = this.after(delayMs, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      const abort = (): void => {
        cancel();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  yield(): Promise<void> {
    return nextTurn();
  }

  /** Lets time pass: fires what is due, in order, and gives each task's consequences a chance to happen. */
  async advance(ms: number): Promise<void> {
    const end = this.clock.monotonic() + ms;
    await settle();
    for (;;) {
      const timer = this.#timers[0];
      if (timer === undefined || timer.dueMs > end) break;
      this.#fire(timer);
      await settle();
    }
    this.clock.advance(end - this.clock.monotonic());
    await settle();
  }

  /** Behind all timers that are due by then: tests may have tens of thousands. */
  #position(dueMs: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#timers[middle]?.dueMs ?? 0) <= dueMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #fire(timer: Timer): void {
    this.#timers.shift();
    this.clock.advance(Math.max(0, timer.dueMs - this.clock.monotonic()));
    timer.task();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    void settle().then(() => {
      this.#pumping = false;
      const timer = this.#timers[0];
      if (timer === undefined) return;
      this.#fire(timer);
      if (this.#timers.length > 0) this.#pump();
    });
  }
}

/** Waits until everything that needs neither time nor real input has happened. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
