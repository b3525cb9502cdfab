/*
 * Makes writes of one collection durable: group commit with one slot in flight.
 *
 * A slot is created put-if-absent under the number after the last one, then the root is read again, and only
 * if the log's floor is still below the slot is it applied and acknowledged. Why that is enough: the floor
 * moves only by compare-and-swap after folding, and a collector removes only slots at or below a durable
 * floor; so if the floor is below N after N was created, nobody had removed N before, the create was the
 * first of that name, and slot N-1 was there when N was chosen. No lease and no clock takes part.
 *
 * A slot whose outcome is unknown is tried again under the same number with the same nonce; the loop never
 * moves on before it knows.
 */
import { OmenError } from '../../core/errors.js';
import type { LogBase, LogPosition } from '../../core/log/root.js';
import { checkOpen } from '../../core/log/conflict.js';
import type { EncodedSlot } from '../../core/log/wal-slot.js';
import { encodeWalSlot, joinWrites } from '../../core/log/wal-slot.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { Span } from '../../ports/tracer.js';
import { MissingObject } from './read-object.js';
import type { Attempt, Outcome } from './commit-attempt.js';
import { acknowledge, rejectSeated, traceCommit } from './commit-attempt.js';
import { isFinal, notApplied, notTried, unknownOutcome } from './commit-errors.js';
import type { CommitSeries } from './commit-series.js';
import type { FollowerDeps } from './log-follower.js';
import { LogFollower } from './log-follower.js';
import { LogReader } from './log-reader.js';
import { newNonce } from './object-layout.js';
import type { RootSnapshot } from './root-store.js';
import type { Acknowledged, Assembly, PreparedWrites, Seated, SlotBounds, Waiting } from './slot-assembly.js';
import { assembleSlot, waitingRequest } from './slot-assembly.js';
import type { RetryDeps, RetryPolicy } from './storage-retry.js';
import { backoffMs, isRefusal, STORAGE_RETRY } from './storage-retry.js';

export interface CommitLoopDeps extends FollowerDeps {
  readonly store: ObjectStore;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
  readonly series: CommitSeries;
  readonly dimensions: number;
  /** No other server writes here: what is in memory is the newest there is. */
  readonly alone?: boolean;
  readonly bounds?: SlotBounds;
  readonly retry?: RetryPolicy;
}

export interface AppendOptions {
  readonly signal?: AbortSignal | undefined;
  /** `prepare` notices when the request was committed before, so it may run after an unknown outcome. */
  readonly repeatable?: boolean;
  /** Gets the stages of the commit. */
  readonly span?: Span | undefined;
}

/** 8 MiB is where the time of a write is the bytes and no longer the round trip. */
export const SLOT_BOUNDS: SlotBounds = { bytes: 8 * 1024 * 1024, writes: 20_000 };

/** Looks beside commits under way, before a catch-up stops them for a moment. */
const PROBES = 3;

export class CommitLoop {
  readonly #reader: LogReader;
  readonly #retry: RetryDeps;
  readonly #follower: LogFollower;
  readonly #queue: Waiting[] = [];
  #attempt: Attempt | null = null;
  #closed = false;
  /** One thing at a time: a slot, a recovery or a catch-up. */
  #running: Promise<void> | null = null;
  /** Recoveries and catch-ups that wait for their turn: slots let them in. */
  #claims = 0;

  constructor(private readonly deps: CommitLoopDeps) {
    const { scheduler, rng, retry, store, layout } = deps;
    this.#retry = { scheduler, rng, policy: retry ?? STORAGE_RETRY };
    const bases = (): readonly LogBase[] => deps.rootStore.current?.root.logBases ?? [];
    this.#reader = new LogReader(store, layout, this.#retry, bases);
    this.#follower = new LogFollower(deps, this.#reader);
  }

  /** The last slot applied. What is in memory is exactly the writes up to here. */
  get position(): LogPosition {
    return this.#follower.position;
  }

  /** `Clock.monotonic()` at which memory held every write that was acknowledged anywhere. */
  get verifiedMs(): number {
    return this.#follower.verifiedMs;
  }

  /** Requests that wait for a slot. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** No request waits, and no slot has an unknown outcome. */
  get atRest(): boolean {
    return this.#queue.length === 0 && this.#running === null && this.#attempt === null;
  }

  /**
   * Commits the writes of one request, whole, in one slot.
   *
   * `prepare` is called in the turn in which the slot is put together, against the state of all slots before
   * and after the requests that share the slot; again if the slot was lost to another writer. An error it
   * throws fails this request only.
   *
   * Rejects with `STORAGE_FULL` (nothing written), `COLLECTION_NOT_FOUND` (sealed, nothing acknowledged),
   * `DRAINING` (closed), the signal's reason (outcome unknown once the slot is on its way), or
   * `STORAGE_UNAVAILABLE`, whose `metadata.outcome` is `unknown` when the writes may yet appear and `none`
   * when they cannot.
   */
  append(
    prepare: () => PreparedWrites,
    { signal, repeatable = false, span }: AppendOptions = {},
  ): Promise<Acknowledged> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new OmenError('DRAINING', 'the server is stopping and takes no more writes'));
        return;
      }
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const sinceMs = this.deps.clock.monotonic();
      this.#queue.push(waitingRequest({ prepare, resolve, reject, signal, repeatable, sinceMs, span }));
      this.#wake();
    });
  }

  /**
   * Reads the root and the log behind its floor, and applies it all. To be called once before anything else.
   */
  async recover(): Promise<RootSnapshot> {
    return this.#exclusive(() => this.#follower.recover());
  }

  /** Applies what other writers have committed meanwhile. */
  async catchUp(): Promise<LogPosition> {
    return this.#exclusive(async () => {
      await this.#follower.catchUp();
      return this.position;
    });
  }

  /**
   * Makes sure that every write acknowledged anywhere before the call is in memory. Costs two small reads
   * when nothing is new, and does not hold up commits then.
   */
  async verify(): Promise<void> {
    for (let probes = 0; probes < PROBES; probes++) {
      const probed = await this.#follower.probe();
      if (probed === 'current') return;
      if (probed === 'behind') break;
    }
    await this.catchUp();
  }

  /** Commits what waits, then ends. Later appends are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#running !== null) await this.#running;
  }

  async #exclusive<T>(task: () => Promise<T>): Promise<T> {
    this.#claims++;
    while (this.#running !== null) await this.#running;
    this.#claims--;
    const run = task();
    this.#running = run.then(
      () => this.#rest(),
      () => this.#rest(),
    );
    return run;
  }

  #rest(): void {
    this.#running = null;
    if (this.#queue.length > 0 && this.#claims === 0) this.#wake();
  }

  #wake(): void {
    if (this.#running !== null) return;
    this.#running = this.#drain().then(
      () => this.#rest(),
      (error: unknown) => {
        this.#rejectAll(error);
        this.#rest();
      },
    );
  }

  async #drain(): Promise<void> {
    // Requests that arrived in the same turn share the first slot.
    await this.deps.scheduler.yield();
    while (this.#queue.length > 0 && this.#claims === 0) {
      if (this.#attempt === null) {
        await this.#follower.refresh();
        this.#attempt = await this.#assemble();
      }
      if (this.#attempt !== null) await this.#settle(this.#attempt, await this.#commit(this.#attempt));
      // Lets microtasks of this slot end before the next one is prepared.
      else await this.deps.scheduler.yield();
    }
  }

  /** The next slot, or null when no waiting request has anything to log. */
  async #assemble(): Promise<Attempt | null> {
    // A clock that was set back does not make the log go back in time.
    const nowMs = Math.max(Math.trunc(this.deps.clock.now()), this.position.timeMs);
    const assembly = assembleSlot(this.#queue, this.deps.bounds ?? SLOT_BOUNDS, nowMs);
    const { seated } = assembly;
    if (assembly.requests.length === 0 && seated.every(({ count }) => count === 0)) {
      await this.#answerWithoutSlot(seated);
      return null;
    }
    try {
      const { body, decoded } = this.#encode(assembly, nowMs);
      const startedMs = this.deps.clock.monotonic();
      const sinceMs = seated[0]?.waiting.sinceMs ?? startedMs;
      this.deps.series.seconds.queue.observe((startedMs - sinceMs) / 1000);
      const times = { startedMs, writtenMs: startedMs, checkedMs: startedMs };
      return { body, slot: decoded, seated, uncertain: false, ...times };
    } catch (error) {
      // Writes that do not fit together are a bug of whoever prepared them; nobody may wait for ever because
      // of it.
      for (const { waiting } of seated) waiting.reject(error);
      return null;
    }
  }

  /**
   * Requests that have nothing to log, such as a deletion of what is not there, are true of the state they
   * were prepared against: it has to be the newest one.
   */
  async #answerWithoutSlot(seated: readonly Seated[]): Promise<void> {
    const at = this.position;
    try {
      if (this.deps.alone !== true && seated.length > 0) await this.#follower.catchUp();
    } catch (error) {
      for (const { waiting } of seated) waiting.reject(error);
      return;
    }
    if (this.position === at) for (const seat of seated) acknowledge(seat, at.slot, at.sequence + 1);
    else this.#requeue(seated);
  }

  /** Back to the front, in their old order, to be prepared against the state that is newer now. */
  #requeue(seated: readonly Seated[]): void {
    this.#queue.unshift(...seated.map(({ waiting }) => waiting));
  }

  #encode({ parts, requests }: Assembly, createdMs: number): EncodedSlot {
    const { layout, dimensions, rng } = this.deps;
    const { slot, hash, sequence } = this.position;
    return encodeWalSlot({
      ...{ collectionId: layout.id, slot: slot + 1, nonce: newNonce(rng), previousHash: hash },
      ...{ firstSequence: sequence + 1, createdMs, dimensions, writes: joinWrites(parts), requests },
    });
  }

  async #commit(attempt: Attempt): Promise<Outcome> {
    const { policy } = this.#retry;
    for (let failures = 1; ; failures++) {
      try {
        const { slot, nonce } = attempt.slot;
        const put = await this.deps.store.putIfAbsent(this.deps.layout.slotKey(slot), attempt.body, nonce);
        if (put.kind === 'created') {
          attempt.uncertain = true;
          const { clock, series } = this.deps;
          series.seconds.put.observe((clock.monotonic() - attempt.startedMs) / 1000);
          return await this.#checkBoundary(attempt);
        }
        if (put.unsure === true) attempt.uncertain = true;
        return await this.#whoseSlot(attempt);
      } catch (error) {
        const refusal = isRefusal(error);
        if (refusal && !attempt.uncertain) return { kind: 'refused', error };
        if (!refusal) attempt.uncertain = true;
        if (isFinal(error)) return { kind: 'refused', error };
        if (failures >= policy.attempts) return { kind: 'unresolved', error };
        await this.deps.scheduler.sleep(backoffMs(this.#retry, failures));
      }
    }
  }

  /** The slot is there: does it count? */
  async #checkBoundary(attempt: Attempt): Promise<Outcome> {
    const { clock, rootStore, series } = this.deps;
    attempt.writtenMs = clock.monotonic();
    const { root } = await rootStore.refresh();
    attempt.checkedMs = clock.monotonic();
    series.seconds.check.observe((attempt.checkedMs - attempt.writtenMs) / 1000);
    checkOpen(root);
    return root.walFloor < attempt.slot.slot ? { kind: 'committed' } : { kind: 'overtaken' };
  }

  /**
   * An object is in the way. An adapter knows its own nonce, so it is another writer's, unless the adapter
   * could not tell.
   */
  async #whoseSlot(attempt: Attempt): Promise<Outcome> {
    const found = await this.#reader.read(attempt.slot.slot);
    if (found?.nonce === attempt.slot.nonce) return this.#checkBoundary(attempt);
    const { root } = await this.deps.rootStore.refresh();
    checkOpen(root);
    if (root.walFloor < attempt.slot.slot) {
      if (found !== null) return { kind: 'lost' };
      throw new OmenError('STORAGE_UNAVAILABLE', `log slot ${attempt.slot.slot} exists and cannot be read`);
    }
    // The name was collected. Ours was never there if every try was refused.
    this.#follower.stale = true;
    return attempt.uncertain ? { kind: 'overtaken' } : { kind: 'lost' };
  }

  async #settle(attempt: Attempt, outcome: Outcome): Promise<void> {
    const { logger, layout, series } = this.deps;
    if (outcome.kind !== 'unresolved') this.#attempt = null;
    switch (outcome.kind) {
      case 'committed':
        await this.#acknowledge(attempt);
        return;
      case 'lost':
        series.conflicts.lost.inc();
        this.#requeue(attempt.seated);
        logger.debug('log slot lost to another writer', { collection: layout.id, slot: attempt.slot.slot });
        await this.#follower.catchUp();
        return;
      case 'overtaken':
        series.conflicts.overtaken.inc();
        this.#follower.stale = true;
        // A request that the log remembers finds out by itself when it is prepared again.
        for (const { waiting } of attempt.seated) waiting.uncertain = true;
        this.#requeue(attempt.seated.filter(({ waiting }) => waiting.repeatable));
        attempt.seated = attempt.seated.filter(({ waiting }) => !waiting.repeatable);
        rejectSeated(attempt, unknownOutcome(attempt.slot));
        return;
      case 'refused':
        rejectSeated(attempt, outcome.error);
        return;
      case 'unresolved':
        // The error itself goes to the requests, and is logged with them.
        logger.warn('a log slot has no outcome yet', {
          ...{ collection: layout.id, slot: attempt.slot.slot, why: String(outcome.error) },
        });
        rejectSeated(attempt, unknownOutcome(attempt.slot, outcome.error));
        attempt.seated = [];
        this.#rejectAll(notTried(outcome.error));
    }
  }

  async #acknowledge(attempt: Attempt): Promise<void> {
    try {
      // A catch-up may have met the slot in the log before the loop knew that it was written.
      if (this.position.slot < attempt.slot.slot) await this.#apply(attempt.slot);
      // The slot is the first of its number, so nothing newer existed when it was first tried.
      this.#follower.verified(attempt.startedMs);
    } catch (error) {
      // The log has it, memory has not.
      this.#follower.stale = true;
      rejectSeated(attempt, notApplied(error));
      return;
    }
    const { slot, firstSequence } = attempt.slot;
    for (const seat of attempt.seated) {
      const { span, sinceMs } = seat.waiting;
      if (span !== undefined) traceCommit(span, sinceMs, attempt);
      acknowledge(seat, slot, firstSequence);
    }
  }

  /** Reads everything anew when segments were replaced that the slot's records lie in. */
  async #apply(slot: Attempt['slot']): Promise<void> {
    try {
      await this.#follower.apply(slot);
    } catch (error) {
      if (!(error instanceof MissingObject)) throw error;
      await this.#follower.recover();
    }
  }

  #rejectAll(error: unknown): void {
    for (const waiting of this.#queue.splice(0)) waiting.reject(error);
  }
}
