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
import { invariant, OmenError } from '../../core/errors.js';
import type { LogPosition } from '../../core/log/root.js';
import { floorOf } from '../../core/log/root.js';
import { checkOpen } from '../../core/log/transitions.js';
import type { DecodedSlot, EncodedSlot } from '../../core/log/wal-slot.js';
import { encodeWalSlot, joinWrites } from '../../core/log/wal-slot.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import { isFinal, notTried, unknownOutcome } from './commit-errors.js';
import { checkFollows, LogReader, positionAfter } from './log-reader.js';
import type { CollectionLayout } from './object-layout.js';
import { newNonce } from './object-layout.js';
import type { RootSnapshot, RootStore } from './root-store.js';
import type { Acknowledged, Assembly, PreparedWrites, Seated, SlotBounds, Waiting } from './slot-assembly.js';
import { assembleSlot, waitingRequest } from './slot-assembly.js';
import type { RetryDeps, RetryPolicy } from './storage-retry.js';
import { backoffMs, isRefusal, STORAGE_RETRY } from './storage-retry.js';

export interface CommitLoopDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly rootStore: RootStore;
  readonly layout: CollectionLayout;
  readonly dimensions: number;
  /** Brings a committed slot into memory: in order, each once, before its writers are acknowledged. */
  readonly apply: (slot: DecodedSlot) => void;
  /** Forget all that was applied: the state is what `root` says, and slots behind its floor follow. */
  readonly reset?: (snapshot: RootSnapshot) => void | Promise<void>;
  /** After `reset`: everything that the root and the log hold has been applied. */
  readonly recovered?: () => void;
  readonly bounds?: SlotBounds;
  readonly retry?: RetryPolicy;
}

/** 8 MiB is where the time of a write is the bytes and no longer the round trip. */
export const SLOT_BOUNDS: SlotBounds = { bytes: 8 * 1024 * 1024, writes: 20_000 };

/** Restarts of a recovery that a moving floor overtakes, before it gives up. */
const RECOVERY_ROUNDS = 20;

/** A slot on its way into the log. */
interface Attempt {
  readonly body: Uint8Array;
  readonly slot: DecodedSlot;
  seated: readonly Seated[];
  /** An earlier try may have written the slot. */
  uncertain: boolean;
}

type Outcome =
  | { readonly kind: 'committed' }
  /** Another writer has this slot; nothing of ours was written. */
  | { readonly kind: 'lost' }
  /** The slot's name had been collected: whether the writes stand cannot be told. */
  | { readonly kind: 'overtaken' }
  /** For certain not written, and not to be tried again. */
  | { readonly kind: 'refused'; readonly error: unknown }
  /** Storage does not answer. */
  | { readonly kind: 'unresolved'; readonly error: unknown };

export class CommitLoop {
  readonly #reader: LogReader;
  readonly #retry: RetryDeps;
  readonly #queue: Waiting[] = [];
  #position: LogPosition | null = null;
  #attempt: Attempt | null = null;
  /** What is in memory may differ from the log: it is read anew before the next slot. */
  #stale = false;
  #closed = false;
  /** One thing at a time: a slot, a recovery or a catch-up. */
  #running: Promise<void> | null = null;
  /** Recoveries and catch-ups that wait for their turn: slots let them in. */
  #claims = 0;

  constructor(private readonly deps: CommitLoopDeps) {
    const { scheduler, rng, retry, store, layout } = deps;
    this.#retry = { scheduler, rng, policy: retry ?? STORAGE_RETRY };
    this.#reader = new LogReader(store, layout, this.#retry);
  }

  /** The last slot applied. What is in memory is exactly the writes up to here. */
  get position(): LogPosition {
    invariant(this.#position !== null, 'a log is used before it was recovered');
    return this.#position;
  }

  /** Requests that wait for a slot. */
  get waiting(): number {
    return this.#queue.length;
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
  append(prepare: () => PreparedWrites, signal?: AbortSignal): Promise<Acknowledged> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new OmenError('DRAINING', 'the server is stopping and takes no more writes'));
        return;
      }
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      this.#queue.push(waitingRequest({ prepare, resolve, reject, signal }));
      this.#wake();
    });
  }

  /**
   * Reads the root and the log behind its floor, and applies it all. To be called once before anything else.
   */
  async recover(): Promise<RootSnapshot> {
    return this.#exclusive(() => this.#recover());
  }

  /** Applies what other writers have committed meanwhile. */
  async catchUp(): Promise<LogPosition> {
    return this.#exclusive(async () => {
      await this.#refreshState();
      await this.#tail();
      return this.position;
    });
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
        await this.#refreshState();
        this.#attempt = this.#assemble();
      }
      if (this.#attempt !== null) await this.#settle(this.#attempt, await this.#commit(this.#attempt));
      // Lets microtasks of this slot end before the next one is prepared.
      else await this.deps.scheduler.yield();
    }
  }

  async #refreshState(): Promise<void> {
    if (this.#stale) await this.#recover();
  }

  /** The next slot, or null when no waiting request has anything to log. */
  #assemble(): Attempt | null {
    const { slot, sequence } = this.position;
    const nowMs = Math.trunc(this.deps.clock.now());
    const assembly = assembleSlot(this.#queue, this.deps.bounds ?? SLOT_BOUNDS, nowMs);
    const { seated } = assembly;
    if (assembly.requests.length === 0 && seated.every(({ count }) => count === 0)) {
      for (const seat of seated) acknowledge(seat, slot, sequence + 1);
      return null;
    }
    try {
      const { body, decoded } = this.#encode(assembly, nowMs);
      return { body, slot: decoded, seated, uncertain: false };
    } catch (error) {
      // Writes that do not fit together are a bug of whoever prepared them; nobody may wait for ever because
      // of it.
      for (const { waiting } of seated) waiting.reject(error);
      return null;
    }
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
          return await this.#checkBoundary(attempt);
        }
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
    const { root } = await this.deps.rootStore.refresh();
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
    this.#stale = true;
    return attempt.uncertain ? { kind: 'overtaken' } : { kind: 'lost' };
  }

  async #settle(attempt: Attempt, outcome: Outcome): Promise<void> {
    const { logger, layout } = this.deps;
    if (outcome.kind !== 'unresolved') this.#attempt = null;
    switch (outcome.kind) {
      case 'committed':
        this.#acknowledge(attempt);
        return;
      case 'lost':
        // Back to the front of the queue, in their old order, to be prepared against the other writer's slot.
        this.#queue.unshift(...attempt.seated.map(({ waiting }) => waiting));
        logger.debug('log slot lost to another writer', { collection: layout.id, slot: attempt.slot.slot });
        await this.#refreshState();
        await this.#tail();
        return;
      case 'overtaken':
        this.#stale = true;
        rejectSeated(attempt, unknownOutcome(attempt.slot));
        return;
      case 'refused':
        rejectSeated(attempt, outcome.error);
        return;
      case 'unresolved':
        logger.error('storage does not answer', {
          collection: layout.id,
          slot: attempt.slot.slot,
          error: outcome.error,
        });
        rejectSeated(attempt, unknownOutcome(attempt.slot, outcome.error));
        attempt.seated = [];
        this.#rejectAll(notTried(outcome.error));
    }
  }

  #acknowledge(attempt: Attempt): void {
    try {
      // A catch-up may have met the slot in the log before the loop knew that it was written.
      if (this.position.slot < attempt.slot.slot) this.#apply(attempt.slot);
    } catch (error) {
      // The log has it, memory has not.
      this.#stale = true;
      rejectSeated(attempt, error);
      return;
    }
    const { slot, firstSequence } = attempt.slot;
    for (const seat of attempt.seated) acknowledge(seat, slot, firstSequence);
  }

  #apply(slot: DecodedSlot): void {
    this.deps.apply(slot);
    this.#position = positionAfter(slot);
  }

  #rejectAll(error: unknown): void {
    for (const waiting of this.#queue.splice(0)) waiting.reject(error);
  }

  async #recover(): Promise<RootSnapshot> {
    const { rootStore, reset } = this.deps;
    // Until it has ended well: a recovery that fails half-way is begun again before the next slot.
    this.#stale = true;
    for (let round = 1; round <= RECOVERY_ROUNDS; round++) {
      const snapshot = await (rootStore.current === null ? rootStore.load() : rootStore.refresh());
      checkOpen(snapshot.root);
      await reset?.(snapshot);
      this.#position = floorOf(snapshot.root);
      if (!(await this.#tail())) continue;
      this.#stale = false;
      this.deps.recovered?.();
      return snapshot;
    }
    throw new OmenError('COLLECTION_BUSY', 'the log moved on faster than it could be read', {
      retryAfterMs: 1000,
    });
  }

  /**
   * Applies the slots behind the position. Before a group is applied the root is read again: with the floor
   * still below the group, none of its names was ever collected. False when the floor has passed the
   * position, so that memory has a gap.
   */
  async #tail(): Promise<boolean> {
    const { rootStore, logger, layout } = this.deps;
    const last = await this.#reader.lastSlot(this.position.slot);
    for await (const group of this.#reader.groups(this.position.slot + 1, last)) {
      const { root } = await rootStore.refresh();
      checkOpen(root);
      if (root.walFloor > this.position.slot) break;
      for (const slot of group) {
        checkFollows(slot, this.position);
        this.#apply(slot);
      }
    }
    const { root } = await rootStore.refresh();
    if (root.walFloor > this.position.slot) {
      this.#stale = true;
      logger.info('log was folded by another writer', { collection: layout.id, floor: root.walFloor });
      return false;
    }
    if (this.position.slot < last) {
      throw new OmenError(
        'DATA_CORRUPTED',
        `the log of collection ${layout.id} has slot ${last} but slot ${this.position.slot + 1} is missing`,
      );
    }
    return true;
  }
}

function acknowledge({ waiting, firstWrite, count }: Seated, slot: number, slotSequence: number): void {
  const firstSequence = slotSequence + firstWrite;
  waiting.resolve({ slot, firstSequence, count, lastSequence: firstSequence + count - 1 });
}

function rejectSeated(attempt: Attempt, error: unknown): void {
  for (const { waiting } of attempt.seated) waiting.reject(error);
}
