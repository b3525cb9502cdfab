/*
 * One virtual time for a whole world of processes.
 *
 * The timeline fires what is due, one task per turn of the event loop, so that everything that follows from a
 * task has happened before the next one. A process sees it through a clock and a scheduler of its own, which
 * can be frozen (nothing reaches the process until it thaws, then everything does, in order) and killed
 * (nothing ever does). One seed gives one order of events: nothing here looks at real time.
 */
import type { Clock } from '#server/ports/clock.js';
import type { Scheduler } from '#server/ports/scheduler.js';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  task: (() => void) | null;
}

/** Times are multiples of a part of a millisecond that sums and differences keep exactly. */
const TICKS = 1024;

export class Timeline {
  readonly #heap: Timer[] = [];
  #order = 0;
  #nowMs = 0;

  /** Milliseconds since the world began. */
  get now(): number {
    return this.#nowMs;
  }

  /** Runs `task` at that time, or now if it has passed. Returns a function that cancels it. */
  at(dueMs: number, task: () => void): () => void {
    const tick = Math.ceil(dueMs * TICKS) / TICKS;
    const timer: Timer = { dueMs: Math.max(tick, this.#nowMs), order: this.#order++, task };
    this.#push(timer);
    return () => (timer.task = null);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(this.#nowMs + ms, resolve));
  }

  /** Fires the next timer and lets its consequences happen. False when nothing is left to happen. */
  async step(): Promise<boolean> {
    for (let timer = this.#pop(); timer !== null; timer = this.#pop()) {
      if (timer.task === null) continue;
      this.#nowMs = timer.dueMs;
      timer.task();
      await nextTurn();
      return true;
    }
    return false;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(timer, heap[parent] as Timer)) break;
      heap[at] = heap[parent] as Timer;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): Timer | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Timer, heap[child] as Timer)) child++;
      if (!before(heap[child] as Timer, last)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

/** The time of one process. Its wall clock may jump; its timers do not notice. */
export class ProcessTime implements Clock, Scheduler {
  #jumpedMs = 0;
  #frozen = false;
  #killed = false;
  #waiting: (() => void)[] = [];
  /** Times frozen: a call that spans a freeze has no bound on its duration. */
  freezes = 0;

  constructor(
    private readonly timeline: Timeline,
    private readonly startedMs = Date.UTC(2026, 0, 1),
  ) {}

  get frozen(): boolean {
    return this.#frozen;
  }

  get killed(): boolean {
    return this.#killed;
  }

  now(): number {
    return this.startedMs + this.timeline.now + this.#jumpedMs;
  }

  monotonic(): number {
    return this.timeline.now;
  }

  after(delayMs: number, task: () => void): () => void {
    return this.timeline.at(this.timeline.now + Math.max(0, delayMs), () => this.enter(task));
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
    return this.sleep(0);
  }

  /** Something reaches the process: at once, when it thaws, or never. */
  enter(task: () => void): void {
    if (this.#killed) return;
    if (this.#frozen) this.#waiting.push(task);
    else task();
  }

  /** Sets the wall clock forward or back. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
  }

  freeze(): void {
    this.#frozen = true;
    this.freezes++;
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    for (const task of this.#waiting.splice(0)) this.timeline.at(this.timeline.now, () => this.enter(task));
  }

  kill(): void {
    this.#killed = true;
    this.#waiting = [];
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

/** Lets everything happen that needs no time. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
