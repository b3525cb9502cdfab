/*
 * Keeps one collection in shape: folds the log into segments, merges segments, removes what nothing refers to
 * any more.
 *
 * Flushes run one after the other, merges likewise, the two side by side; the short moment in which either
 * changes the root and the state in memory is theirs alone. A failure loses nothing: what was not published
 * stays in the log or in its old segments, and is tried again. A collection at rest has no timer.
 */
import type { FrozenMemtable } from '../../core/collection/state.js';
import { mergeBytesMax, pickMerge } from '../../core/collection/merge-policy.js';
import { hasReason, OmenError } from '../../core/errors.js';
import { conflictOf } from '../../core/log/conflict.js';
import { LIMITS } from '../../core/limits.js';
import type { LogPosition } from '../../core/log/root.js';
import type { DecodedSlot } from '../../core/log/wal-slot.js';
import { countFailure } from '../background-failures.js';
import { positionAfter } from '../log/log-reader.js';
import type { UpkeepDependencies } from './dependencies.js';
import { runFlush } from './flush.js';
import { runMerge } from './merge.js';

/** Bounds of a memtable: above, a scan of it would cost more than a search of a segment. */
const FLUSH_ROWS = 20_000;
const FLUSH_BYTES = 32 * 1024 * 1024;
/** Of the arena: a flush needs room for the memtable, its copy and the segment beside what is there. */
const FLUSH_SHARE = 1 / 16;
/** A write waits at most this long for its segment: few, larger segments instead of many small ones. */
const DIRTY_MS = 15 * 60 * 1000;
/** Without a write for this long, a burst is over: what it left is folded and merged. */
const QUIET_MS = 1000;
/** Fewer rows are not worth a segment of their own, unless they are the end of a burst. */
const QUIET_ROWS = 256;
const BURST_MS = 60_000;
const RETRY_MS = 1000;
const RETRY_MS_MAX = 30_000;

/** A frozen memtable and the place in the log up to which it goes. */
export interface WaitingFlush {
  readonly frozen: FrozenMemtable;
  readonly through: LogPosition;
}

export class Upkeep {
  readonly #flushes: WaitingFlush[] = [];
  #flushing: Promise<void> | null = null;
  #merging: Promise<void> | null = null;
  #publishing: Promise<unknown> = Promise.resolve();
  #slots = 0;
  #through: LogPosition | null = null;
  #dirtySinceMs = 0;
  #lastWriteMs = 0;
  #lastFlushMs = -Infinity;
  #failures = 0;
  #cancelTimer: (() => void) | null = null;
  #closed = false;

  constructor(private readonly deps: UpkeepDependencies) {}

  /** Bytes of writes that are in the log only. */
  get unfoldedBytes(): number {
    const { state } = this.deps;
    return state.frozen.reduce((sum, { memtable }) => sum + memtable.bytes, state.memtable.bytes);
  }

  /** From `soft` on writers are slowed down, from `hard` on refused: less when the arena is small. */
  get unfoldedBounds(): { readonly soft: number; readonly hard: number } {
    const { capacity } = this.deps.pool.arena;
    return {
      soft: Math.min(LIMITS.unfoldedBytesSoft, capacity / 8),
      hard: Math.min(LIMITS.unfoldedBytesHard, capacity / 4),
    };
  }

  /** Everything is in segments, and no flush or merge is under way. */
  get atRest(): boolean {
    const waiting = this.#slots > 0 || this.#flushes.length > 0;
    return !waiting && this.#flushing === null && this.#merging === null;
  }

  /** Bytes of the collection's segments and unfolded writes in object storage. */
  get storedBytes(): number {
    const segments = this.deps.rootStore.current?.root.segments ?? [];
    return segments.reduce((sum, { bytes }) => sum + bytes, this.unfoldedBytes);
  }

  /** To be called when a slot was applied, with everything up to it visible. */
  slotApplied(slot: DecodedSlot): void {
    const { clock, foldSlots } = this.deps;
    this.#through = positionAfter(slot);
    this.#lastWriteMs = clock.monotonic();
    if (this.#slots++ === 0) this.#dirtySinceMs = this.#lastWriteMs;
    if (this.isFull(this.deps.state.memtable) || this.#slots >= foldSlots) this.#freeze();
    this.#schedule(QUIET_MS);
  }

  /** Whether a memtable is so large that it has to be folded. */
  isFull({ rows, bytes }: { readonly rows: number; readonly bytes: number }): boolean {
    const { flushRows = FLUSH_ROWS, pool } = this.deps;
    return rows >= flushRows || bytes >= Math.min(FLUSH_BYTES, pool.arena.capacity * FLUSH_SHARE);
  }

  /**
   * The state was read anew: `slots` slots of the log, up to `through`, are in its memtable, and `flushes`
   * are memtables that were full on the way, oldest first.
   */
  restart(slots: number, through: LogPosition | null, flushes: readonly WaitingFlush[]): void {
    const now = this.deps.clock.monotonic();
    this.#flushes.splice(0, this.#flushes.length, ...flushes);
    if (flushes.length > 0) this.#startFlush();
    this.#slots = slots;
    this.#through = through;
    this.#dirtySinceMs = now;
    this.#lastWriteMs = now;
    this.#schedule(QUIET_MS);
  }

  /** Folds everything written so far. Resolves when it is in segments; rejects when that failed this time. */
  async flush(): Promise<void> {
    this.#freeze();
    await this.#flushing;
    if (this.#flushes.length > 0)
      throw new OmenError('STORAGE_UNAVAILABLE', 'the log could not be folded this time');
  }

  /**
   * Resolves when nothing is left to do: folded and merged to the resting shape. Rejects when a flush or
   * merge fails.
   */
  async settle(): Promise<void> {
    await this.flush();
    await this.#merging;
    while (this.#startMerge(true)) {
      await this.#merging;
      if (this.#failures > 0)
        throw new OmenError('STORAGE_UNAVAILABLE', 'segments could not be merged this time');
    }
  }

  /** Ends flushes and merges under way and starts no more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    await this.#flushing;
    await this.#merging;
  }

  #freeze(): void {
    const { state } = this.deps;
    if (this.#slots === 0 || this.#through === null || this.#closed) return;
    this.#flushes.push({ frozen: state.freeze(), through: this.#through });
    this.#slots = 0;
    this.#startFlush();
  }

  #startFlush(): void {
    if (this.#flushing !== null || this.#closed) return;
    this.#flushing = this.#flushAll().finally(() => (this.#flushing = null));
  }

  async #flushAll(): Promise<void> {
    for (let next = this.#flushes[0]; next !== undefined && !this.#closed; next = this.#flushes[0]) {
      try {
        await runFlush(this.deps, next.frozen, next.through, (task) => this.#exclusive(task));
        if (this.#flushes[0] === next) this.#flushes.shift();
        this.#lastFlushMs = this.deps.clock.monotonic();
        this.#failures = 0;
        this.#startMerge(false);
        // The last flush of a burst is followed by a look for what can be merged at rest.
        this.#schedule(QUIET_MS);
      } catch (error) {
        const full = hasReason(error, 'MEMORY_EXHAUSTED');
        if (full && (await this.deps.relieve()) > 0) continue;
        this.#failed('flush', error);
        return;
      }
    }
  }

  /** False when there is nothing to merge. */
  #startMerge(quiet: boolean): boolean {
    if (this.#merging !== null) return true;
    if (this.#closed) return false;
    const { state } = this.deps;
    const root = this.deps.rootStore.current?.root;
    const refs = root?.detaches === true ? root.segments.filter(({ folder }) => folder !== undefined) : [];
    const foreign = new Set(refs.map(({ key }) => key));
    const candidates = state.segments.map(({ key, bytes, rows, persisted }) => ({
      ...{ bytes, rows, deletedRows: persisted.count, foreign: foreign.has(key) },
    }));
    const picked = pickMerge(candidates, { quiet, bytesMax: mergeBytesMax(this.deps.pool.arena.capacity) });
    const inputs = picked.map((index) => state.segments[index]).filter((segment) => segment !== undefined);
    if (inputs.length === 0) return false;
    this.#merging = runMerge(this.deps, inputs, (task) => this.#exclusive(task))
      .then(
        () => {
          this.#failures = 0;
          this.#schedule(0);
        },
        (error: unknown) => this.#failed('merge', error),
      )
      .finally(() => (this.#merging = null));
    return true;
  }

  async #exclusive<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#publishing.then(task);
    this.#publishing = run.catch(() => undefined);
    return run;
  }

  #failed(what: 'flush' | 'merge', error: unknown): void {
    if (hasReason(error, 'COLLECTION_NOT_FOUND')) {
      // Another server deleted the collection: there is nothing to keep in shape.
      this.#closed = true;
      this.deps.gone();
      return;
    }
    const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** this.#failures++);
    // Another server is at it, or was faster: nothing is wrong.
    const isConflict = conflictOf(error) !== null;
    if (!isConflict) countFailure(this.deps.metrics, what, error);
    this.deps.logger[isConflict ? 'debug' : 'error'](`a ${what} failed and is tried again`, {
      collection: this.deps.layout.id,
      waitMs,
      error: error instanceof Error ? error.message : String(error),
    });
    this.#schedule(waitMs);
  }

  /** One timer at a time; a later need does not postpone an earlier one. */
  #schedule(delayMs: number): void {
    if (this.#cancelTimer !== null || this.#closed) return;
    this.#cancelTimer = this.deps.scheduler.after(delayMs, () => {
      this.#cancelTimer = null;
      this.#look();
    });
  }

  /** Decides what is due, and when to look again. */
  #look(): void {
    if (this.#closed) return;
    if (this.#flushes.length > 0) this.#startFlush();
    const now = this.deps.clock.monotonic();
    const quietFor = now - this.#lastWriteMs;
    if (quietFor < QUIET_MS) {
      this.#schedule(QUIET_MS - quietFor);
      return;
    }
    const { rows } = this.deps.state.memtable;
    const endOfBurst = rows > 0 && now - this.#lastFlushMs < BURST_MS;
    const dirtyFor = now - this.#dirtySinceMs;
    if (rows >= QUIET_ROWS || endOfBurst || (this.#slots > 0 && dirtyFor >= DIRTY_MS)) this.#freeze();
    if (this.#flushing === null) this.#startMerge(true);
    if (this.#flushing === null && this.#merging === null && this.#slots > 0)
      this.#schedule(DIRTY_MS - dirtyFor);
  }
}
