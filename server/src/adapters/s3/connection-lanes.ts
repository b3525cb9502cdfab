/*
 * Who may have a connection next.
 *
 * Bulk transfers take seconds, commits take a round trip, and a writer waits for a commit: so a part of the
 * connections is never given to anything but commits, bulk gets half at most, and among those that wait the
 * more urgent lane goes first. Within a lane the flows (collections) take turns, so that one that asks for a
 * thousand objects does not keep the others waiting.
 */
import { invariant } from '../../core/errors.js';

/** What a request is for, most urgent first. */
const LANES = ['interactive', 'commit', 'flush', 'background'] as const;
export type Lane = (typeof LANES)[number];

/** How many connections there are. */
export interface LaneLimits {
  /** In all. */
  readonly total: number;
  /** Of these, for commits alone. */
  readonly reserved: number;
}

interface Waiter {
  readonly admit: () => void;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: () => void;
}

export class ConnectionLanes {
  readonly #active: Record<Lane, number> = { interactive: 0, commit: 0, flush: 0, background: 0 };
  readonly #waiting: Record<Lane, Map<string, Waiter[]>> = {
    interactive: new Map(),
    commit: new Map(),
    flush: new Map(),
    background: new Map(),
  };

  constructor(private readonly limits: LaneLimits) {
    invariant(
      limits.total >= 4 && limits.reserved < limits.total / 2,
      'there are connections for every lane',
    );
  }

  /** Connections in use. */
  get active(): number {
    return LANES.reduce((sum, lane) => sum + this.#active[lane], 0);
  }

  /**
   * Waits for a connection. The returned function gives it back and must be called once. Rejects with the
   * signal's reason when that comes first.
   */
  async acquire(lane: Lane, flow: string, signal?: AbortSignal): Promise<() => void> {
    if (signal?.aborted === true) throw signal.reason;
    if (!this.#mayStart(lane) || this.#waiting[lane].size > 0) await this.#wait(lane, flow, signal);
    else this.#active[lane]++;
    return () => {
      this.#active[lane]--;
      this.#admitNext();
    };
  }

  /** A connection that nobody has to wait for, or null: for work that may as well be left undone. */
  tryAcquire(lane: Lane): (() => void) | null {
    if (!this.#mayStart(lane) || LANES.some((other) => this.#waiting[other].size > 0)) return null;
    this.#active[lane]++;
    return () => {
      this.#active[lane]--;
      this.#admitNext();
    };
  }

  #wait(lane: Lane, flow: string, signal: AbortSignal | undefined): Promise<void> {
    const flows = this.#waiting[lane];
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const left = (flows.get(flow) ?? []).filter((other) => other !== waiter);
        if (left.length === 0) flows.delete(flow);
        else flows.set(flow, left);
        reject(signal?.reason as Error);
      };
      const waiter: Waiter = { admit: resolve, signal, onAbort };
      const waiters = flows.get(flow) ?? [];
      waiters.push(waiter);
      flows.set(flow, waiters);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #admitNext(): void {
    for (const lane of LANES) {
      while (this.#waiting[lane].size > 0 && this.#mayStart(lane)) this.#admitFrom(lane);
    }
  }

  #admitFrom(lane: Lane): void {
    const flows = this.#waiting[lane];
    for (const [flow, waiters] of flows) {
      const first = waiters.shift();
      // Behind the other flows: they take turns.
      flows.delete(flow);
      if (waiters.length > 0) flows.set(flow, waiters);
      if (first === undefined) continue;
      first.signal?.removeEventListener('abort', first.onAbort);
      this.#active[lane]++;
      first.admit();
      return;
    }
  }

  #mayStart(lane: Lane): boolean {
    const { total, reserved } = this.limits;
    if (this.active >= total) return false;
    if (lane === 'commit') return true;
    const bulk = this.#active.flush + this.#active.background;
    if (bulk + this.#active.interactive >= total - reserved) return false;
    if (lane === 'interactive') return true;
    return bulk < total / 2 && (lane === 'flush' || this.#active.background < total / 4);
  }
}
