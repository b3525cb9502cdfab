/*
 * Reads the pins of a collection and lets go of those whose holder needs them no more, or is dead.
 *
 * A branch names its pin in its root for as long as it uses objects of the parent, so a root without the pin
 * frees it. A branch that has no root yet may still be being made: after a while its root is created here,
 * sealed, so that its maker cannot succeed any more, and then the pin goes. Other pins expire.
 */
import type { CollectionId } from '../../core/ids.js';
import { encodeRoot, newRoot } from '../../core/log/root.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { CollectionLayout } from '../log/object-layout.js';
import { newNonce } from '../log/object-layout.js';
import type { Pin } from '../log/pin.js';
import { decodePin, removePin } from '../log/pin.js';
import type { RootStore } from '../log/root-store.js';
import { readRoot } from '../log/root-store.js';
import { listAll } from './list-objects.js';

export interface PinCollectorDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly layout: CollectionLayout;
  readonly rootStore: RootStore;
}

/** After this long, whoever was making a branch has died. */
const MAKING_MS_MAX = 60 * 60 * 1000;

/** All pins, by id. */
export async function readPins({
  store,
  layout,
}: Pick<PinCollectorDeps, 'store' | 'layout'>): Promise<Map<string, Pin>> {
  const pins = new Map<string, Pin>();
  for (const { key } of await listAll(store, layout.pinPrefix)) {
    const got = await store.get(key);
    // Removed since it was listed: whoever held it needs it no more.
    if (got.kind === 'found') pins.set(key.slice(layout.pinPrefix.length), decodePin(got.body, key));
  }
  return pins;
}

/** Removes the pins that nobody needs. Returns the others. */
export async function collectPins(
  deps: PinCollectorDeps,
  pins: ReadonlyMap<string, Pin>,
): Promise<ReadonlyMap<string, Pin>> {
  const kept = new Map<string, Pin>();
  for (const [pinId, pin] of pins) {
    if (await isNeeded(deps, pinId, pin)) {
      kept.set(pinId, pin);
      continue;
    }
    deps.logger.info('a pin that nobody needs was removed', {
      collection: deps.layout.id,
      holder: pin.holder,
    });
    await removePin(deps, pinId);
  }
  return kept;
}

async function isNeeded(deps: PinCollectorDeps, pinId: string, pin: Pin): Promise<boolean> {
  const nowMs = deps.clock.now();
  if (pin.child === undefined) return pin.expiresAtMs === undefined || nowMs < pin.expiresAtMs;
  const child = deps.layout.folder(pin.child);
  const found = await readRoot(deps.store, child);
  if (found !== null) return found.root.parents.some((parent) => parent.pinId === pinId);
  if (nowMs - pin.createdAtMs < MAKING_MS_MAX) return true;
  return !(await fence(deps, pin.child));
}

/** Makes it impossible that a root with this id is created. False when it was created meanwhile. */
async function fence({ store, rng, layout }: PinCollectorDeps, id: CollectionId): Promise<boolean> {
  const schema = { name: '(never made)', dimensions: 1, metric: 'l2', createdAtMs: 0 } as const;
  const body = encodeRoot({ ...newRoot(id, schema), sealed: true });
  const { rootKey } = layout.folder(id);
  return (await store.compareAndSwap(rootKey, body, null, newNonce(rng))).kind === 'swapped';
}
