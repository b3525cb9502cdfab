/*
 * Reads slots of a collection's log and checks that each follows the one before.
 */
import { OmenError } from '../../core/errors.js';
import type { CollectionId } from '../../core/ids.js';
import type { LogBase, LogPosition } from '../../core/log/root.js';
import type { DecodedSlot } from '../../core/log/wal-slot.js';
import { decodeWalSlot } from '../../core/log/wal-slot.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { CollectionLayout } from './object-layout.js';
import type { RetryDeps } from './storage-retry.js';
import { readTwice, withRetry } from './storage-retry.js';

export class LogReader {
  constructor(
    private readonly store: ObjectStore,
    private readonly layout: CollectionLayout,
    private readonly retry: RetryDeps,
    /** The parts of the log that other collections wrote. */
    private readonly bases: () => readonly LogBase[],
  ) {}

  /** The slot, or null when there is none. Throws `DATA_CORRUPTED` when it is broken. */
  async read(slot: number): Promise<DecodedSlot | null> {
    const base = this.bases().find(({ throughSlot }) => slot <= throughSlot);
    const id = base?.writtenFor ?? this.layout.id;
    const key = this.layout.folder(base?.folder).slotKey(slot);
    return readTwice(() => this.#read(key, id, slot));
  }

  async #read(key: string, id: CollectionId, slot: number): Promise<DecodedSlot | null> {
    const got = await withRetry(this.retry, () => this.store.get(key));
    if (got.kind !== 'found') return null;
    const decoded = decodeWalSlot(got.body, key);
    if (decoded.collectionId !== id || decoded.slot !== slot) {
      const seen = `slot ${decoded.slot} of collection ${decoded.collectionId}`;
      throw new OmenError('DATA_CORRUPTED', `log slot ${key} holds ${seen}`);
    }
    return decoded;
  }

  /**
   * The last slot that exists, at least `from`. Found by listing, so its cost does not grow with the bytes of
   * the log.
   */
  async lastSlot(from: number): Promise<number> {
    let last = Math.max(from, this.bases().at(-1)?.throughSlot ?? 0);
    for (;;) {
      const startAfter = this.layout.slotKey(last);
      const page = await withRetry(this.retry, () => this.store.list(this.layout.slotPrefix, startAfter));
      const key = page.at(-1)?.key;
      if (key === undefined) return last;
      last = this.layout.slotOf(key);
    }
  }

  /**
   * Up to `count` slots from `first` on, as far as they are there without a gap. `beyond` is a slot that was
   * found behind the gap: missing ones before it were collected, lost, or written a moment later; the caller
   * tells which by the root and by looking again.
   */
  async group(
    first: number,
    count: number,
  ): Promise<{ readonly slots: readonly DecodedSlot[]; readonly beyond: number | null }> {
    const read = await Promise.all(Array.from({ length: count }, (_, index) => this.read(first + index)));
    const hole = read.indexOf(null);
    const slots = read.slice(0, hole < 0 ? count : hole).filter((slot) => slot !== null);
    return { slots, beyond: read.slice(slots.length).find((slot) => slot !== null)?.slot ?? null };
  }
}

/** What ties a slot to the one before it. */
export type SlotLink = Pick<DecodedSlot, 'collectionId' | 'slot' | 'previousHash' | 'firstSequence'>;

/** Throws `DATA_CORRUPTED` unless `slot` is the one that comes right after `position`. */
export function checkFollows(slot: SlotLink, position: LogPosition): void {
  const fault =
    slot.slot !== position.slot + 1
      ? `slot ${slot.slot} comes after slot ${position.slot}`
      : slot.previousHash !== position.hash
        ? `it follows a slot with hash ${slot.previousHash}, the one before has ${position.hash}`
        : slot.firstSequence !== position.sequence + 1
          ? `it begins with sequence number ${slot.firstSequence} after ${position.sequence}`
          : null;
  if (fault === null) return;
  throw new OmenError(
    'DATA_CORRUPTED',
    `the log of collection ${slot.collectionId} is broken at slot ${slot.slot}: ${fault}`,
  );
}

/** Where the log stands after a slot. */
export function positionAfter(slot: DecodedSlot): LogPosition {
  return {
    slot: slot.slot,
    hash: slot.hash,
    sequence: slot.firstSequence + slot.writes.ops.length - 1,
    timeMs: slot.createdMs,
  };
}
