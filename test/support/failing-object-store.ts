import { OmenError } from '#server/core/errors.js';
import type {
  GetOptions,
  GetOutcome,
  ListedObject,
  ObjectStore,
  PutOutcome,
  SwapOutcome,
} from '#server/ports/object-store.js';
import type { Scheduler } from '#server/ports/scheduler.js';
import type { SeededRng } from './seeded-rng.js';

export const FAULTS = [
  /** Nothing is applied; the caller cannot know. */
  'before',
  /** Applied, and the answer is lost. */
  'after',
  /** Nothing is applied, and the caller knows. */
  'full',
  /** A body that is read ends early. */
  'truncated',
  /** One bit of a body that is read is wrong. */
  'flipped',
  /**
   * The process dies before the call is applied: neither this nor any later call of this store ever answers.
   */
  'killed-before',
  /** Likewise, after the call is applied. */
  'killed-after',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Call {
  readonly operation: 'putIfAbsent' | 'compareAndSwap' | 'get' | 'list' | 'delete';
  /** Or the prefix of a listing. */
  readonly key: string;
}

export type CallFilter = (call: Call) => boolean;

export interface FailingStoreOptions {
  readonly rng?: SeededRng;
  /** Probability of a fault per call, for faults drawn at random. */
  readonly rates?: Partial<Record<Fault, number>>;
  /** Calls take a random time up to this before they are applied. Needs `scheduler`. */
  readonly delayMsMax?: number;
  readonly scheduler?: Scheduler;
  /** How long a request or an answer is on its way; needs `scheduler`, and excludes `delayMsMax`. */
  readonly latencyMs?: (call: Call, leg: Leg) => number;
  /** On which requests travel that have left the process; absent: on `scheduler` as everything else. */
  readonly network?: (call: Call) => Pick<Scheduler, 'sleep'>;
  /** Decides the fault of a call that no plan concerns; instead of `rates`. */
  readonly draw?: (call: Call) => Fault | null;
  /** Told of every call when it is applied, or fails without: with what the store answered. */
  readonly observe?: (call: Call, fault: Fault | null, result: unknown) => void;
  /** Told when a fault kills the process. */
  readonly killed?: () => void;
}

export type Leg = 'request' | 'answer';

/** A call that is stopped on its way. */
export interface Hold {
  /** Resolves when the call has arrived. */
  readonly reached: Promise<Call>;
  /** Lets it go on. */
  release(): void;
}

interface Plan {
  /** Matching calls to let pass. */
  remaining: number;
  readonly lasting: boolean;
  readonly fault: Fault;
  readonly matches: CallFilter;
}

interface Gate {
  readonly when: 'before' | 'after';
  readonly matches: CallFilter;
  readonly arrive: (call: Call) => void;
  readonly released: Promise<void>;
}

/**
 * Puts the faults of real storage in front of a store that has none. Without plans and rates it changes
 * nothing.
 */
export class FailingObjectStore implements ObjectStore {
  #plans: Plan[] = [];
  #gates: Gate[] = [];
  #killed = false;
  /** Calls made, for bounds and for idleness. */
  readonly calls: Call[] = [];
  /** Whether a planned fault has happened. */
  fired = false;

  constructor(
    private readonly inner: ObjectStore,
    private readonly options: FailingStoreOptions = {},
  ) {}

  /** The `n`-th matching call from now, counted from 0, has this fault. */
  failAt(n: number, fault: Fault, matches: CallFilter = () => true): void {
    this.fired = false;
    this.#plans.push({ remaining: n, lasting: false, fault, matches });
  }

  /** Every matching call has this fault, until `heal`. */
  failAlways(fault: Fault, matches: CallFilter = () => true): void {
    this.#plans.push({ remaining: 0, lasting: true, fault, matches });
  }

  heal(): void {
    this.#plans = [];
  }

  /** Stops the next matching call before or after it is applied. */
  hold(when: Gate['when'], matches: CallFilter): Hold {
    let arrive: (call: Call) => void = () => undefined;
    let release: () => void = () => undefined;
    const reached = new Promise<Call>((resolve) => (arrive = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    this.#gates.push({ when, matches, arrive, released });
    return { reached, release: () => release() };
  }

  putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
    return this.#run({ operation: 'putIfAbsent', key }, () => this.inner.putIfAbsent(key, body, nonce));
  }

  compareAndSwap(key: string, body: Uint8Array, etag: string | null, nonce: string): Promise<SwapOutcome> {
    return this.#run({ operation: 'compareAndSwap', key }, () =>
      this.inner.compareAndSwap(key, body, etag, nonce),
    );
  }

  get(key: string, options?: GetOptions): Promise<GetOutcome> {
    const inPlace = options?.into !== undefined;
    return this.#run({ operation: 'get', key }, () => this.inner.get(key, options), inPlace);
  }

  list(prefix: string, startAfter?: string): Promise<readonly ListedObject[]> {
    return this.#run({ operation: 'list', key: prefix }, () => this.inner.list(prefix, startAfter));
  }

  delete(key: string): Promise<void> {
    return this.#run({ operation: 'delete', key }, () => this.inner.delete(key));
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  async #run<T>(call: Call, apply: () => Promise<T>, inPlace = false): Promise<T> {
    if (this.#killed) await never();
    this.calls.push(call);
    const fault = this.#nextFault(call);
    await this.#delay(call);
    await this.#pass('before', call);
    if (fault === 'killed-before') await this.#kill();
    if (fault === 'before' || fault === 'full') {
      this.options.observe?.(call, fault, null);
      await this.#travel(call, 'answer');
      throw fault === 'before' ? lost(call) : full(call);
    }
    const result = await apply();
    this.options.observe?.(call, fault, result);
    await this.#pass('after', call);
    if (fault === 'killed-after') await this.#kill();
    await this.#travel(call, 'answer');
    if (fault === 'after') throw lost(call);
    if (this.#killed) await never();
    return fault === 'truncated' || fault === 'flipped' ? this.#damage(result, fault, inPlace) : result;
  }

  #kill(): Promise<never> {
    this.#killed = true;
    this.options.killed?.();
    return never();
  }

  async #pass(when: Gate['when'], call: Call): Promise<void> {
    const gate = this.#gates.find((other) => other.when === when && other.matches(call));
    if (gate === undefined) return;
    this.#gates = this.#gates.filter((other) => other !== gate);
    gate.arrive(call);
    await gate.released;
  }

  async #delay(call: Call): Promise<void> {
    const { delayMsMax, rng, scheduler } = this.options;
    if (delayMsMax === undefined || rng === undefined || scheduler === undefined)
      return this.#travel(call, 'request');
    await scheduler.sleep(rng.unit() * delayMsMax);
  }

  async #travel(call: Call, leg: Leg): Promise<void> {
    const { latencyMs, scheduler, network } = this.options;
    if (latencyMs === undefined || scheduler === undefined) return;
    const way = leg === 'request' ? network?.(call) : undefined;
    const ms = latencyMs(call, leg);
    if (ms > 0) await (way ?? scheduler).sleep(ms);
  }

  #nextFault(call: Call): Fault | null {
    for (const plan of this.#plans) {
      if (!plan.matches(call)) continue;
      if (plan.remaining > 0) {
        plan.remaining--;
        continue;
      }
      if (!plan.lasting) this.#plans = this.#plans.filter((other) => other !== plan);
      this.fired = true;
      return plan.fault;
    }
    const { rng, rates = {}, draw } = this.options;
    if (draw !== undefined) return draw(call);
    if (rng === undefined) return null;
    return FAULTS.find((fault) => rng.chance(rates[fault] ?? 0)) ?? null;
  }

  /** Where the caller named the place for the bytes, the damage is done there. */
  #damage<T>(result: T, fault: 'truncated' | 'flipped', inPlace: boolean): T {
    const got = result as GetOutcome;
    if (typeof got !== 'object' || got.kind !== 'found' || got.body.length === 0) return result;
    const at = this.#somewhere(got.body);
    const whole = inPlace ? got.body : got.body.slice();
    if (fault === 'flipped') whole[at] = (whole[at] ?? 0) ^ (1 << (at % 8));
    else whole.fill(0xaa, at);
    return { ...got, body: fault === 'truncated' ? whole.subarray(0, at) : whole } as T;
  }

  /** A byte of the body; rather one that means something than one of the zeros between. */
  #somewhere(body: Uint8Array): number {
    const { rng } = this.options;
    if (rng === undefined) return body.length >> 1;
    let at = rng.below(body.length);
    for (let tries = 0; tries < 8 && body[at] === 0; tries++) at = rng.below(body.length);
    return at;
  }
}

function lost({ operation, key }: Call): OmenError {
  return new OmenError('STORAGE_UNAVAILABLE', `no answer from storage: ${operation} ${key}`);
}

function full({ operation, key }: Call): OmenError {
  return new OmenError('STORAGE_FULL', `storage is full: ${operation} ${key}`);
}

function never(): Promise<never> {
  return new Promise<never>(() => undefined);
}
