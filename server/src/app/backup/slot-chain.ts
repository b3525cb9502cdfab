/*
 * Checks that slots follow each other, in whatever order they come: each names the hash of the one before it,
 * so one wrong or foreign slot shows.
 */
import { invariant, OmenError } from '../../core/errors.js';
import type { LogPosition, Root } from '../../core/log/root.js';
import { floorOf } from '../../core/log/root.js';
import { checkFollows } from '../log/log-reader.js';
import type { ExaminedSlot } from './needed-objects.js';

export class SlotChain {
  /** Known places in the log: floors of versions, and slots whose neighbours have not come yet. */
  readonly #ends = new Map<number, LogPosition>();
  readonly #waiting = new Map<number, ExaminedSlot>();
  readonly #floors = new Map<number, LogPosition>();
  #last: LogPosition;

  /** @param versions Versions whose floors lie in this log, ascending, at least one. */
  constructor(versions: readonly Root[]) {
    const floors = versions.map((version) => floorOf(version));
    const last = floors.at(-1);
    invariant(last !== undefined, 'a log without a floor');
    this.#last = last;
    for (const floor of floors) {
      this.#floors.set(floor.slot, floor);
      this.#ends.set(floor.slot, floor);
    }
  }

  /** The last place that is known. */
  get last(): LogPosition {
    return this.#last;
  }

  /** Takes a slot in. Throws `DATA_CORRUPTED` when it does not fit to those that are known already. */
  add(slot: ExaminedSlot): void {
    const { after } = slot;
    const floor = this.#floors.get(slot.slot);
    if (floor !== undefined && (floor.hash !== after.hash || floor.sequence !== after.sequence)) {
      throw new OmenError(
        'DATA_CORRUPTED',
        `slot ${slot.slot} of collection ${slot.collectionId} is not the one that was folded`,
      );
    }
    const before = this.#ends.get(slot.slot - 1);
    if (before === undefined) this.#waiting.set(slot.slot, slot);
    else checkFollows(slot, before);
    const next = this.#waiting.get(slot.slot + 1);
    if (next !== undefined) {
      checkFollows(next, after);
      this.#waiting.delete(slot.slot + 1);
    }
    // One end is enough to go on from, except where slots are missing in between.
    if (before !== undefined && !this.#floors.has(slot.slot - 1)) this.#ends.delete(slot.slot - 1);
    if (next === undefined) this.#ends.set(slot.slot, after);
    if (after.slot > this.#last.slot) this.#last = after;
  }
}
