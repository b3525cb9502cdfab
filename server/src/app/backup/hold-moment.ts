/*
 * Keeps the present of a collection, and as much of its past as it keeps itself, until a backup has copied
 * it: by a pin for each version that is to be part of the backup.
 *
 * The oldest version's pin keeps the log from its floor up to the last slot. That slot was found before the
 * pin was put, and the version was still kept after: so no slot behind its floor had been collected, and what
 * was found is the real log.
 */
import { hasReason, OmenError } from '../../core/errors.js';
import { checkOpen } from '../../core/log/conflict.js';
import type { Checkpoint, Root, SnapshotRef } from '../../core/log/root.js';
import { checkpointOf } from '../../core/log/root.js';
import { LogReader } from '../log/log-reader.js';
import { readManifest } from '../log/manifest-chain.js';
import type { PinDeps } from '../log/pin.js';
import { putPin, removePin } from '../log/pin.js';
import { STORAGE_RETRY } from '../log/storage-retry.js';
import type { Logger } from '../../ports/logger.js';
import { objectsOf } from './needed-objects.js';

/** What of the past becomes part of a backup. */
export const HISTORIES = ['all', 'none'] as const;
export type BackupHistory = (typeof HISTORIES)[number];

export interface HeldMoment {
  /** Oldest first, at least one. The log is held from the first one's floor on. */
  readonly versions: readonly Root[];
  readonly throughSlot: number;
  readonly snapshots: readonly HeldSnapshot[];
  /** Every write that was acknowledged before is held. */
  readonly takenAtMs: number;
  /** Lets go. Never rejects: a pin that cannot be removed expires. */
  readonly release: () => Promise<void>;
}

export interface HeldSnapshot {
  readonly snapshot: SnapshotRef;
  readonly base: Root;
}

/** A backup of one collection that takes longer than this has died. */
const PIN_MS = 24 * 60 * 60 * 1000;
/** Tries to hold a moment that is collected meanwhile. */
const ROUNDS = 32;
/** Bytes that versions between the oldest and the present may add, as a share of those two. */
const BETWEEN_SHARE = 0.25;

export interface HoldDeps extends PinDeps {
  readonly logger: Logger;
}

/** Throws `COLLECTION_NOT_FOUND` when the collection was deleted. */
export async function holdMoment(
  deps: HoldDeps,
  { history, holder }: { readonly history: BackupHistory; readonly holder: string },
): Promise<HeldMoment> {
  for (let round = 1; ; round++) {
    const pins = new Pins(deps, holder);
    try {
      return await hold(deps, pins, history);
    } catch (error) {
      await pins.release();
      const moved = hasReason(error, 'MOMENT_NOT_KEPT');
      if (!moved || round >= ROUNDS) throw error;
    }
  }
}

async function hold(deps: HoldDeps, pins: Pins, history: BackupHistory): Promise<HeldMoment> {
  const { store, layout, rootStore, scheduler, rng } = deps;
  const takenAtMs = Math.floor(deps.clock.now());
  const { root } = await rootStore.refresh();
  checkOpen(root);
  const retry = { scheduler, rng, policy: STORAGE_RETRY };
  const throughSlot = await new LogReader(store, layout, retry, () => root.logBases).lastSlot(root.walFloor);
  const ends = await pinEnds(deps, pins, { root, throughSlot, history });
  const snapshots = history === 'all' ? await pinSnapshots(deps, pins, root) : [];
  const past = history === 'all' ? root.checkpoints : [];
  const [first = root] = ends;
  const bases = snapshots.map(({ base }) => base).filter(({ walFloor }) => walFloor >= first.walFloor);
  const certain = distinct([...ends, ...bases]);
  const between = await pinBetween(deps, pins, { certain, past, throughSlot });
  const versions = distinct([...certain, ...between]);
  return { versions, throughSlot, snapshots, takenAtMs, release: () => pins.release() };
}

/**
 * The oldest version and the newest. A busy collection goes from version to version faster than one can be
 * pinned: then its newest checkpoint, which is kept for long, begins the log a little earlier.
 */
async function pinEnds(
  deps: HoldDeps,
  pins: Pins,
  {
    root,
    throughSlot,
    history,
  }: { readonly root: Root; readonly throughSlot: number; readonly history: BackupHistory },
): Promise<Root[]> {
  const { checkpoints } = root;
  const [oldest] = history === 'all' ? checkpoints : [];
  const ends: Root[] = [];
  if (oldest !== undefined) {
    await pins.put(oldest, throughSlot);
    ends.push(await pinned(deps, oldest));
  }
  if (await pins.tryPut(checkpointOf(root), throughSlot)) return [...ends, root];
  const newest = checkpoints.at(-1);
  if (newest === oldest && oldest !== undefined) return ends;
  // Without a checkpoint this is refused, and another look is taken.
  await pins.put(newest ?? checkpointOf(root), throughSlot);
  return [...ends, newest === undefined ? root : await pinned(deps, newest)];
}

/** In order, each once. */
function distinct(versions: readonly Root[]): Root[] {
  const byVersion = new Map(versions.map((root) => [root.version, root]));
  return [...byVersion.values()].sort((a, b) => a.version - b.version);
}

/** Those that are not deleted meanwhile. */
async function pinSnapshots(deps: HoldDeps, pins: Pins, root: Root): Promise<HeldSnapshot[]> {
  const held: HeldSnapshot[] = [];
  for (const snapshot of root.snapshots) {
    const { base, through } = snapshot;
    if (!(await pins.tryPut(base, through.slot))) continue;
    held.push({ snapshot, base: await pinned(deps, base) });
  }
  return held;
}

/** Further versions, newest first, as long as they do not make the backup much larger. */
async function pinBetween(
  deps: HoldDeps,
  pins: Pins,
  held: {
    readonly certain: readonly Root[];
    readonly past: readonly Checkpoint[];
    readonly throughSlot: number;
  },
): Promise<Root[]> {
  const { layout } = deps;
  const known = new Set<string>();
  const added = (root: Root): number => {
    const more = objectsOf(root, layout).filter(({ key }) => !known.has(key));
    return more.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  };
  const take = (root: Root): void => objectsOf(root, layout).forEach(({ key }) => known.add(key));
  let room = 0;
  for (const root of held.certain) {
    room += added(root) * BETWEEN_SHARE;
    take(root);
  }
  const taken: Root[] = [];
  for (const checkpoint of held.past.slice(1).reverse()) {
    const root = await readManifest(deps, checkpoint.manifest);
    const bytes = root === null ? Infinity : added(root);
    // One that is not kept any more is left out: the oldest one and the log say the same.
    if (root === null || bytes > room || !(await pins.tryPut(checkpoint, held.throughSlot))) continue;
    room -= bytes;
    take(root);
    taken.push(root);
  }
  return taken;
}

async function pinned(deps: HoldDeps, checkpoint: Checkpoint): Promise<Root> {
  const root = await readManifest(deps, checkpoint.manifest);
  if (root !== null) return root;
  throw new OmenError(
    'DATA_CORRUPTED',
    `the manifest of version ${checkpoint.version} of collection ${deps.layout.id} must be kept and is missing`,
  );
}

class Pins {
  readonly #ids: string[] = [];

  constructor(
    private readonly deps: HoldDeps,
    private readonly holder: string,
  ) {}

  /** Throws `MOMENT_NOT_KEPT` when the version is not kept any more. */
  async put(checkpoint: Checkpoint, throughSlot: number): Promise<void> {
    const expiresAtMs = Math.floor(this.deps.clock.now()) + PIN_MS;
    this.#ids.push(await putPin(this.deps, { checkpoint, throughSlot, holder: this.holder, expiresAtMs }));
  }

  /** False when the version is not kept any more. */
  async tryPut(checkpoint: Checkpoint, throughSlot: number): Promise<boolean> {
    try {
      await this.put(checkpoint, throughSlot);
      return true;
    } catch (error) {
      if (hasReason(error, 'MOMENT_NOT_KEPT')) return false;
      throw error;
    }
  }

  async release(): Promise<void> {
    for (const pinId of this.#ids.splice(0)) {
      try {
        await removePin(this.deps, pinId);
      } catch (error) {
        const facts = { collection: this.deps.layout.id, pinId, error };
        this.deps.logger.warn('a pin could not be removed: it expires within a day', facts);
      }
    }
  }
}
