/*
 * Keeps what is in memory equal to the log: reads the root, applies the slots behind its floor, each once and
 * in order, and tells whether anything newer exists.
 *
 * A slot counts only if the root is read after it and the floor is still below it: then its name was never
 * collected, and the object is the one that was acknowledged and not one that a sleeping writer put there
 * since. The same order makes an absent slot count as absent.
 */
import { UnresolvedId } from '../../core/collection/open-segment.js';
import { invariant, OmenError } from '../../core/errors.js';
import type { LogPosition } from '../../core/log/root.js';
import { floorOf } from '../../core/log/root.js';
import { checkOpen } from '../../core/log/conflict.js';
import type { DecodedSlot } from '../../core/log/wal-slot.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import { MissingObject } from './read-object.js';
import { checkFollows, positionAfter } from './log-reader.js';
import type { LogReader } from './log-reader.js';
import type { CollectionLayout } from './object-layout.js';
import type { RootSnapshot, RootStore } from './root-store.js';

export interface FollowerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rootStore: RootStore;
  readonly layout: CollectionLayout;
  /** List the log when it is read back, so that a slot that went missing is not taken for its end. */
  readonly thorough?: boolean;
  /** Reads what applying a slot needs; called right before, and again until there is nothing to wait for. */
  readonly ready?: (slot: DecodedSlot) => Promise<void> | undefined;
  /** Brings a committed slot into memory: in order, each once, before its writers are acknowledged. */
  readonly apply: (slot: DecodedSlot) => void;
  /** Forget all that was applied: the state is what `root` says, and slots behind its floor follow. */
  readonly reset?: (snapshot: RootSnapshot) => void | Promise<void>;
  /** After `reset`: everything that the root and the log hold has been applied. */
  readonly recovered?: () => void;
}

/** What a look beyond the last applied slot found. */
export type Probed =
  /** Memory holds every write that was acknowledged anywhere before the look began. */
  | 'current'
  /** There is more, or the log was folded past the position. */
  | 'behind'
  /** The position moved meanwhile: look again. */
  | 'moved';

/** Restarts of a recovery that a moving floor overtakes, before it gives up. */
const RECOVERY_ROUNDS = 20;
/** Slots fetched at once: enough to hide round trips, few enough to hold in memory. */
const READ_AHEAD = 8;

export class LogFollower {
  #position: LogPosition | null = null;
  #verifiedMs = -Infinity;
  /** What is in memory may differ from the log: it is read anew before it is used for a write. */
  stale = false;

  constructor(
    private readonly deps: FollowerDeps,
    private readonly reader: LogReader,
  ) {}

  /** The last slot applied. What is in memory is exactly the writes up to here. */
  get position(): LogPosition {
    invariant(this.#position !== null, 'a log is used before it was recovered');
    return this.#position;
  }

  /** `Clock.monotonic()` at which memory held every write that was acknowledged anywhere. */
  get verifiedMs(): number {
    return this.#verifiedMs;
  }

  /** Notes that nothing newer existed at `ms`. */
  verified(ms: number): void {
    this.#verifiedMs = Math.max(this.#verifiedMs, ms);
  }

  /** Throws `MissingObject` when a segment that it needs is not there any more. */
  async apply(slot: DecodedSlot): Promise<void> {
    for (;;) {
      for (let wait = this.deps.ready?.(slot); wait !== undefined; wait = this.deps.ready?.(slot)) await wait;
      try {
        this.deps.apply(slot);
        break;
      } catch (error) {
        // Room was made for the slot, which it has from now on, and its ids were found in what had to go.
        if (!(error instanceof UnresolvedId)) throw error;
      }
    }
    this.#position = positionAfter(slot);
  }

  /** Reads the root and the log behind its floor, and applies it all. */
  async recover(): Promise<RootSnapshot> {
    const { rootStore, reset, clock } = this.deps;
    // Until it has ended well: a recovery that fails half-way is begun again before the next slot.
    this.stale = true;
    for (let round = 1; round <= RECOVERY_ROUNDS; round++) {
      const startedMs = clock.monotonic();
      const snapshot = await (rootStore.current === null ? rootStore.load() : rootStore.refresh());
      checkOpen(snapshot.root);
      try {
        await reset?.(snapshot);
      } catch (error) {
        // What this root names may have been replaced and collected meanwhile: then there is a newer one.
        const { root } = await rootStore.refresh();
        if (root.version === snapshot.root.version) throw error;
        continue;
      }
      this.#position = floorOf(snapshot.root);
      const last = this.deps.thorough === true ? await this.reader.lastSlot(this.position.slot) : 0;
      try {
        if (!(await this.tail())) continue;
      } catch (error) {
        if (!(error instanceof MissingObject)) throw error;
        const { root } = await rootStore.refresh();
        if (root.version === snapshot.root.version) throw error;
        continue;
      }
      if (this.position.slot < last) throw this.#missing(last);
      this.stale = false;
      this.verified(startedMs);
      this.deps.recovered?.();
      return snapshot;
    }
    throw new OmenError('COLLECTION_BUSY', 'the log moved on faster than it could be read', {
      retryAfterMs: 1000,
    });
  }

  /** Recovers if memory may differ from the log. */
  async refresh(): Promise<void> {
    if (this.stale) await this.recover();
  }

  /** Applies what was committed behind the position; reads everything anew when that has been folded. */
  async catchUp(): Promise<void> {
    const startedMs = this.deps.clock.monotonic();
    await this.refresh();
    if (await this.#tailIfThere()) this.verified(startedMs);
    else await this.recover();
  }

  /**
   * Applies the slots behind the position. False when the floor has passed the position, so that memory has a
   * gap.
   */
  async tail(): Promise<boolean> {
    const { rootStore, logger, layout } = this.deps;
    for (let width = 1, holes = 0; ; width = Math.min(2 * width, READ_AHEAD)) {
      const { slots, beyond } = await this.reader.group(this.position.slot + 1, width);
      const { root } = await rootStore.refresh();
      checkOpen(root);
      if (root.walFloor > this.position.slot) {
        this.stale = true;
        logger.info('log was folded by another writer', { collection: layout.id, floor: root.walFloor });
        return false;
      }
      for (const slot of slots) {
        checkFollows(slot, this.position);
        await this.apply(slot);
      }
      // Reads of one group are not one moment: a slot may appear right after its place was looked at.
      if (beyond !== null && slots.length === 0 && ++holes > 1) throw this.#missing(beyond);
      if (slots.length < width && beyond === null) return true;
    }
  }

  /** As `tail`; false also when segments that it needs are gone, because others took their place. */
  async #tailIfThere(): Promise<boolean> {
    try {
      return await this.tail();
    } catch (error) {
      if (!(error instanceof MissingObject)) throw error;
      this.stale = true;
      return false;
    }
  }

  /** Looks for writes that are not in memory, without changing it. */
  async probe(): Promise<Probed> {
    const { rootStore, clock } = this.deps;
    const at = this.position;
    const startedMs = clock.monotonic();
    const next = await this.reader.read(at.slot + 1);
    const { root } = await rootStore.refresh();
    checkOpen(root);
    if (this.#position !== at) return 'moved';
    if (next !== null || root.walFloor > at.slot || this.stale) return 'behind';
    this.verified(startedMs);
    return 'current';
  }

  #missing(last: number): OmenError {
    return new OmenError(
      'DATA_CORRUPTED',
      `the log of collection ${this.deps.layout.id} has slot ${last} but slot ${this.position.slot + 1} is missing`,
    );
  }
}
