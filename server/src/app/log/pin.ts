/*
 * A pin keeps a moment of a collection readable for somebody outside of it: a branch that uses its objects, a
 * backup that copies them. It is put first and then the root is read: a collector either sees the pin or has
 * already let go of the version, and then the pinner finds out.
 */
import { OmenError } from '../../core/errors.js';
import type { CollectionId } from '../../core/ids.js';
import type { EnvelopeKind } from '../../core/log/envelope.js';
import { decodeEnvelope, encodeEnvelope } from '../../core/log/envelope.js';
import { checkOpen } from '../../core/log/conflict.js';
import { keeps } from '../../core/log/retention.js';
import type { Checkpoint } from '../../core/log/root.js';
import type { Clock } from '../../ports/clock.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { CollectionLayout } from './object-layout.js';
import { newNonce } from './object-layout.js';
import type { RootStore } from './root-store.js';
import { STORAGE_RETRY, withRetry } from './storage-retry.js';

export interface Pin {
  readonly version: number;
  /** Key of the version's manifest, relative to the collection. */
  readonly manifest: string;
  /** Log slots behind `walFloor`, up to this one, are kept too. */
  readonly walFloor: number;
  readonly throughSlot: number;
  /** Who holds it, for people. */
  readonly holder: string;
  readonly createdAtMs: number;
  /** The collection that uses the objects: the pin goes when that says so. */
  readonly child?: CollectionId;
  /** Without a child: when the holder is taken to be dead. Never for safety: it then finds objects gone. */
  readonly expiresAtMs?: number;
}

export interface PinDeps {
  readonly store: ObjectStore;
  readonly rng: Rng;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly layout: CollectionLayout;
  readonly rootStore: RootStore;
}

/** What to pin, and for whom. */
export interface PinRequest extends Pick<Pin, 'holder' | 'child' | 'expiresAtMs' | 'throughSlot'> {
  /** A version that the root keeps. */
  readonly checkpoint: Checkpoint;
}

const KIND: EnvelopeKind = { magic: 'OMPN', version: 2 };

/**
 * Pins a version with the log up to a slot. Returns the pin's id, to be removed when it is needed no more.
 * Throws `MOMENT_NOT_KEPT` when the version is not kept any more, `COLLECTION_NOT_FOUND` when the collection
 * was deleted.
 */
export async function putPin(deps: PinDeps, request: PinRequest): Promise<string> {
  const { store, layout, rootStore, clock } = deps;
  const { checkpoint, ...rest } = request;
  const { version, manifest, walFloor } = checkpoint;
  const pinId = newNonce(deps.rng);
  const key = layout.pinKey(pinId);
  const pin: Pin = { version, manifest, walFloor, createdAtMs: Math.floor(clock.now()), ...rest };
  await withRetry({ ...deps, policy: STORAGE_RETRY }, () =>
    store.putIfAbsent(key, encodeEnvelope(KIND, pin), pinId),
  );
  try {
    // Read after the pin is there: a root that still keeps the version will respect the pin.
    const { root } = await rootStore.refresh();
    checkOpen(root);
    if (keeps(root, version)) return pinId;
  } catch (error) {
    await removePin(deps, pinId);
    throw error;
  }
  await removePin(deps, pinId);
  throw new OmenError(
    'MOMENT_NOT_KEPT',
    `version ${version} of collection ${layout.id} is not kept any more`,
  );
}

/** Lets go. A pin that is gone is no error. */
export async function removePin(
  { store, layout, scheduler, rng }: Pick<PinDeps, 'store' | 'layout' | 'scheduler' | 'rng'>,
  pinId: string,
): Promise<void> {
  await withRetry({ scheduler, rng, policy: STORAGE_RETRY }, () => store.delete(layout.pinKey(pinId)));
}

export function decodePin(body: Uint8Array, key: string): Pin {
  const value = decodeEnvelope(KIND, body, `pin ${key}`);
  const { version, manifest, walFloor, throughSlot, holder } = value;
  const numbers = [version, walFloor, throughSlot];
  if (numbers.some((number) => !Number.isSafeInteger(number)) || typeof manifest !== 'string') {
    throw new OmenError('DATA_CORRUPTED', `pin ${key} of ${String(holder)} is damaged: a field is missing`);
  }
  return value as unknown as Pin;
}
