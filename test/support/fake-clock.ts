import type { Clock } from '#server/ports/clock.js';

/** A clock that stands still until it is told to move. */
export class FakeClock implements Clock {
  #wall: number;
  #monotonic = 0;

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#wall = now;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  /** Lets time pass. */
  advance(ms: number): void {
    this.#wall += ms;
    this.#monotonic += ms;
  }

  /** Sets the wall clock forward or back, as an operator or NTP does; durations are not affected. */
  jump(ms: number): void {
    this.#wall += ms;
  }
}
