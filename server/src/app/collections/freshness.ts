/*
 * How new a read is. With several servers on one store, a server learns of other servers' writes by looking
 * at the log; this class decides when a read has to wait for such a look and when an earlier one will do.
 *
 * - strong: a look that began after the read did. Reads that arrive while one is under way share the next.
 * - otherwise: a look that is at most so old as the server is told to allow. From half of that age on it is
 *   renewed in the background, so that a collection under constant reads never waits.
 *
 * A collection that nobody reads is never looked at.
 */
import type { Clock } from '../../ports/clock.js';

/**
 * Oldest state that a read is answered from when other servers write too, unless the server is told another.
 */
export const STALENESS_MS = 5000;

export interface FreshnessDeps {
  readonly clock: Clock;
  /** No other server writes here: memory is always the newest state. */
  readonly alone: boolean;
  readonly stalenessMs: number;
  /** A look failed that nobody waits for. */
  readonly failed: (error: unknown) => void;
  readonly log: {
    /** `Clock.monotonic()` at which memory held every write that was acknowledged anywhere. */
    readonly verifiedMs: number;
    /** Brings every write that was acknowledged before the call into memory. */
    verify(): Promise<void>;
  };
}

export class Freshness {
  #running: Promise<void> | null = null;
  /** `Clock.monotonic()` at the begin of the last look. */
  #beganMs = -Infinity;
  /** Begins when the running look ends. */
  #next: Promise<void> | null = null;

  constructor(private readonly deps: FreshnessDeps) {}

  /**
   * Resolves when every write that was acknowledged before the call is visible: to true when that took a
   * look.
   */
  async strong(): Promise<boolean> {
    if (this.deps.alone) return false;
    if (this.#running === null) await this.#look();
    else await (this.#next ??= this.#afterRunning());
    return true;
  }

  /**
   * Resolves when every write is visible that was acknowledged `stalenessMs` before now: to true when that
   * took a look.
   */
  async recent(): Promise<boolean> {
    const { alone, clock, log, stalenessMs, failed } = this.deps;
    if (alone) return false;
    const nowMs = clock.monotonic();
    const age = nowMs - log.verifiedMs;
    if (age <= stalenessMs / 2) return false;
    if (age > stalenessMs) {
      // A look that has been under way for long shows what was written before it began.
      const newEnough = this.#running !== null && nowMs - this.#beganMs <= stalenessMs;
      if (!newEnough) return this.strong();
      await this.#running;
      return true;
    }
    // Nobody waits for it: a failure fails no read before one has to wait.
    if (this.#running === null) this.#look().catch(failed);
    return false;
  }

  async #afterRunning(): Promise<void> {
    await this.#running?.catch(() => undefined);
    this.#next = null;
    return this.#look();
  }

  #look(): Promise<void> {
    this.#beganMs = this.deps.clock.monotonic();
    const look = this.deps.log.verify().finally(() => {
      if (this.#running === look) this.#running = null;
    });
    this.#running = look;
    return look;
  }
}
