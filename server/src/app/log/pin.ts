/*
 * A pin keeps one version of a collection readable: for a backup, a branch, a long read. It is put first and
 * then the root is read: a collector either sees the pin or has already let go of the version, and then the
 * pinner finds out.
 */
import { OmenError } from '../../core/errors.js';
import type { EnvelopeKind } from '../../core/log/envelope.js';
import { decodeEnvelope, encodeEnvelope } from '../../core/log/envelope.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import { manifestOf } from './manifest-chain.js';
import type { CollectionLayout } from './object-layout.js';
import { newNonce } from './object-layout.js';
import type { RootStore } from './root-store.js';

export interface Pin {
  readonly version: number;
  /** Key of the version's manifest, relative to the collection. */
  readonly manifest: string;
  /** Who holds it, for people. */
  readonly holder: string;
}

export interface PinDeps {
  readonly store: ObjectStore;
  readonly rng: Rng;
  readonly layout: CollectionLayout;
  readonly rootStore: RootStore;
}

const KIND: EnvelopeKind = { magic: 'OMPN', version: 1 };

/**
 * Pins a version, the present one unless another is named. Returns the key to delete when it is needed no
 * more. Throws `CONDITION_FAILED` when the version is not kept any more.
 */
export async function putPin(deps: PinDeps, holder: string, wanted?: number): Promise<string> {
  const { store, rng, layout, rootStore } = deps;
  const before = (await rootStore.refresh()).root;
  const version = wanted ?? before.version;
  const manifest = await manifestOf(deps, before, version);
  if (manifest === null) throw notKept(layout, version);
  const nonce = newNonce(rng);
  const key = layout.pinKey(nonce);
  const pin: Pin = { version, manifest, holder };
  await store.putIfAbsent(key, encodeEnvelope(KIND, pin), nonce);
  // Read after the pin is there: a floor that is still below the version will respect the pin.
  const { root } = await rootStore.refresh();
  if (version >= root.retentionFloor) return key;
  await store.delete(key);
  throw notKept(layout, version);
}

export function decodePin(body: Uint8Array, key: string): Pin {
  const { version, manifest, holder } = decodeEnvelope(KIND, body, `pin ${key}`);
  if (!Number.isSafeInteger(version) || typeof manifest !== 'string' || typeof holder !== 'string') {
    throw new OmenError(
      'DATA_CORRUPTED',
      `pin ${key} is damaged: "version", "manifest" or "holder" is missing`,
    );
  }
  return { version: version as number, manifest, holder };
}

function notKept({ id }: CollectionLayout, version: number): OmenError {
  return new OmenError('CONDITION_FAILED', `version ${version} of collection ${id} is not kept any more`);
}
