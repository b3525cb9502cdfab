/*
 * The state of a collection that is read, and the next one while the collection is read anew. Reads go on
 * seeing the old state, whole, until the new one holds everything; then the two change places at once.
 */
import type { CollectionState } from '../../core/collection/state.js';
import type { LogPosition } from '../../core/log/root.js';
import type { DecodedSlot } from '../../core/log/wal-slot.js';
import { positionAfter } from '../log/log-reader.js';

export class States {
  #present: CollectionState;
  #next: CollectionState | null = null;
  #slots = 0;
  #through: LogPosition | null = null;

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
    return this.#next;
  }

  /** Notes an applied slot; true when it went to the next state. */
  replayed(slot: DecodedSlot): boolean {
    if (this.#next === null) return false;
    this.#slots++;
    this.#through = positionAfter(slot);
    return true;
  }

  /**
   * The next state becomes the present one; snapshots of the old one stay valid. Returns what was replayed
   * and the tags no longer used.
   */
  swap(): {
    readonly slots: number;
    readonly through: LogPosition | null;
    readonly forgotten: readonly number[];
  } {
    const old = this.#present;
    const forgotten = old.tags;
    if (this.#next !== null) {
      this.#present = this.#next;
      this.#next = null;
      old.release();
    }
    return { slots: this.#slots, through: this.#through, forgotten };
  }

  release(): void {
    this.#next?.release();
    this.#next = null;
    this.#present.release();
  }
}
