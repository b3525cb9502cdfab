/*
 * The state of a collection that is read, and the next one while the collection is read anew. Reads go on
 * seeing the old state, whole, until the new one holds everything; then the two change places at once.
 */
import { hasReason } from '../../core/errors.js';
import type { CollectionState } from '../../core/collection/state.js';
import type { LogPosition } from '../../core/log/root.js';
import type { DecodedSlot } from '../../core/log/wal-slot.js';
import type { Memtable } from '../../core/memory/memtable.js';
import { positionAfter } from '../log/log-reader.js';
import type { WaitingFlush } from '../maintenance/upkeep.js';

export class States {
  #present: CollectionState;
  #next: CollectionState | null = null;
  #slots = 0;
  #through: LogPosition | null = null;
  #flushes: WaitingFlush[] = [];

  constructor(private readonly create: () => CollectionState) {
    this.#present = create();
  }

  /** What reads see. */
  get state(): CollectionState {
    return this.#present;
  }

  /** What slots are applied to. */
  get written(): CollectionState {
    return this.#next ?? this.#present;
  }

  /** Begins a new state; one that was begun and not finished is dropped. */
  begin(): CollectionState {
    this.#next?.release();
    this.#next = this.create();
    this.#slots = 0;
    this.#through = null;
    this.#flushes = [];
    return this.#next;
  }

  /**
   * Notes an applied slot; true when it went to the next state. A memtable that is full then is frozen, as it
   * was when the slot was written: one of the whole log might not fit into memory.
   */
  replayed(slot: DecodedSlot, isFull: (memtable: Memtable) => boolean): boolean {
    if (this.#next === null) return false;
    this.#slots++;
    this.#through = positionAfter(slot);
    if (isFull(this.#next.memtable)) {
      this.#flushes.push({ frozen: this.#next.freeze(), through: this.#through });
      this.#slots = 0;
    }
    return true;
  }

  /**
   * Runs `apply`. When a memtable cannot grow for it while the log is read back, it is frozen as it is and
   * `apply` runs again with an empty one: what fitted when it was written has to fit again.
   */
  withRoom(apply: () => void): void {
    try {
      apply();
    } catch (error) {
      const full = hasReason(error, 'MEMORY_EXHAUSTED');
      if (!full || this.#next === null || this.#through === null || this.#next.memtable.rows === 0)
        throw error;
      this.#flushes.push({ frozen: this.#next.freeze(), through: this.#through });
      this.#slots = 0;
      apply();
    }
  }

  /**
   * The next state becomes the present one; snapshots of the old one stay valid. Returns what was replayed
   * and the tags no longer used.
   */
  swap(): {
    readonly slots: number;
    readonly through: LogPosition | null;
    readonly forgotten: readonly number[];
    readonly flushes: readonly WaitingFlush[];
  } {
    const old = this.#present;
    const forgotten = old.tags;
    if (this.#next !== null) {
      this.#present = this.#next;
      this.#next = null;
      old.release();
    }
    return { slots: this.#slots, through: this.#through, forgotten, flushes: this.#flushes };
  }

  release(): void {
    this.#next?.release();
    this.#next = null;
    this.#present.release();
  }
}
