/*
 * Copies objects of collections into the target of a backup. What is there already is not copied again: names
 * are written once, so a name stands for its bytes.
 *
 * One kind of name is not random: the number of a slot. Two stores that were one once (a bucket that was
 * copied and used on both sides) have different slots of one name. So the newest slot that is there already
 * is compared with the source's; the hashes that chain the log make that a comparison of all before it.
 */
import { OmenError } from '../../core/errors.js';
import type { ObjectStore } from '../../ports/object-store.js';
import { newNonce } from '../log/object-layout.js';
import type { RetryDeps } from '../log/storage-retry.js';
import { withRetry } from '../log/storage-retry.js';
import type { Bounds } from './bounded.js';
import { boundsOfObjects, forEachBounded, objectGate } from './bounded.js';
import type { Inventory } from './inventory.js';
import type { Examined, NeededObject } from './needed-objects.js';
import { examine } from './needed-objects.js';
import { Presence } from './presence.js';
import type { SlotChain } from './slot-chain.js';

export interface CopyDeps {
  readonly source: ObjectStore;
  readonly target: ObjectStore;
  readonly retry: RetryDeps;
  /** What earlier backups say of the target's objects. */
  readonly known: readonly Inventory[];
  /** What this backup consists of. */
  readonly objects: Inventory;
  readonly signal?: AbortSignal | undefined;
  readonly onObject: (bytes: number, copied: boolean) => void;
}

export class Copier {
  readonly #inTarget: Presence;
  readonly #bounds: Bounds<NeededObject>;
  readonly #running = new Map<string, Promise<Examined>>();

  constructor(private readonly deps: CopyDeps) {
    this.#inTarget = new Presence(deps.target, deps.retry);
    this.#bounds = boundsOfObjects(objectGate(), deps.signal);
  }

  /** Copies what is not there. Throws `DATA_CORRUPTED` when an object is missing or damaged. */
  async copy(needed: Iterable<NeededObject>, chain?: SlotChain): Promise<void> {
    await forEachBounded(needed, this.#bounds, async (object) => {
      if (this.deps.objects.get(object.key) !== undefined) return;
      const { slot } = await this.#once(object);
      if (slot !== undefined) chain?.add(slot);
    });
  }

  /** A branch and its parent share objects, and may be copied at the same time. */
  async #once(object: NeededObject): Promise<Examined> {
    const { key } = object;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const run = this.#copyOne(object).finally(() => this.#running.delete(key));
    this.#running.set(key, run);
    return run;
  }

  async #copyOne(object: NeededObject): Promise<Examined> {
    const present = await this.#present(object);
    const examined = present ?? (await this.#transfer(object));
    const { size, crc } = examined;
    this.deps.objects.add(object.key, { size, crc });
    this.deps.onObject(size, present === null);
    return examined;
  }

  /** Copies a log, given in order, and checks that it is one. */
  async copyLog(slots: () => Iterable<NeededObject>, chain: SlotChain): Promise<void> {
    let newest: NeededObject | undefined;
    let last: NeededObject | undefined;
    for (const slot of slots()) {
      last = slot;
      if ((await this.#inTarget.sizeOf(slot.key)) !== undefined) newest = slot;
    }
    if (newest !== undefined) await this.#compare(newest, chain);
    await this.copy(slots(), chain);
    if (last !== undefined && last.relative !== newest?.relative) await this.#link(last, chain);
  }

  /** The object as it lies in the target, or null. */
  async #present(object: NeededObject): Promise<Examined | null> {
    const size = await this.#inTarget.sizeOf(object.key);
    if (size === undefined) return null;
    const known = this.deps.known
      .map((inventory) => inventory.get(object.key))
      .find((it) => it !== undefined);
    // What a backup left that did not end is in no record, and a wrong size needs a look.
    if (known?.size === size) return known;
    return this.#examineIn(this.deps.target, object, 'the target of the backup');
  }

  async #transfer(object: NeededObject): Promise<Examined> {
    const { source, target, retry } = this.deps;
    const body = await this.#read(source, object, 'the store');
    const examined = examine(body, object);
    const nonce = newNonce(retry.rng);
    const put = await withRetry(retry, () => target.putIfAbsent(object.key, body, nonce));
    if (put.kind === 'created') return examined;
    // Another backup to this target was first.
    const theirs = await this.#examineIn(target, object, 'the target of the backup');
    if (theirs.crc !== examined.crc) throw differs(object.key);
    return examined;
  }

  async #compare(slot: NeededObject, chain: SlotChain): Promise<void> {
    const { source, target, objects } = this.deps;
    const ours = await this.#examineIn(source, slot, 'the store');
    const theirs = await this.#examineIn(target, slot, 'the target of the backup');
    if (ours.crc !== theirs.crc || ours.size !== theirs.size) throw differs(slot.key);
    if (ours.slot !== undefined) chain.add(ours.slot);
    if (objects.get(slot.key) !== undefined) return;
    objects.add(slot.key, { size: ours.size, crc: ours.crc });
    this.deps.onObject(ours.size, false);
  }

  /** The end of the log is known even when it was copied for another collection that shares it. */
  async #link(slot: NeededObject, chain: SlotChain): Promise<void> {
    if (slot.content.kind !== 'slot' || chain.last.slot >= slot.content.slot) return;
    const examined = await this.#examineIn(this.deps.source, slot, 'the store');
    if (examined.slot !== undefined) chain.add(examined.slot);
  }

  async #examineIn(store: ObjectStore, object: NeededObject, where: string): Promise<Examined> {
    try {
      return examine(await this.#read(store, object, where), object);
    } catch (error) {
      if (store !== this.deps.target || !(error instanceof OmenError)) throw error;
      if (error.reason !== 'DATA_CORRUPTED') throw error;
      const text = `${error.message}; remove this object from ${where} and run the backup again`;
      throw new OmenError('DATA_CORRUPTED', text, { cause: error });
    }
  }

  async #read(store: ObjectStore, { key }: NeededObject, where: string): Promise<Uint8Array> {
    const got = await withRetry(this.deps.retry, () => store.get(key, { background: true }));
    if (got.kind === 'found') return got.body;
    throw new OmenError(
      'DATA_CORRUPTED',
      `object ${key}, which the collection needs, is missing in ${where}`,
    );
  }
}

function differs(key: string): OmenError {
  return new OmenError(
    'CONDITION_FAILED',
    `the target of the backup holds another ${key}: it belongs to a store that was one with this one and has ` +
      'gone its own way since; give an empty target',
  );
}
