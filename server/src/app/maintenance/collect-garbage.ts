/*
 * Removes objects that nothing can need any more.
 *
 * The order is the proof, no clock takes part:
 *   1. raise the retention floor (and revoke jobs that nobody works on) by compare-and-swap,
 *   2. list the objects, 3. list the pins, 4. read the root last.
 * A job is registered before its first upload, so an object seen in step 2 shows in step 4 as belonging to a
 * job, as referred to, or as left behind by a job that was revoked or has published: the last kind can never
 * be referred to again. Whoever pins a version puts the pin first and then reads the root, so it is seen in
 * step 3 or finds its version below the floor. A log slot is removed only at or below the floor of a durable
 * root that every kept version has passed. A manifest that is not part of the root's history is removed only
 * when the root is past its version, so that its swap cannot succeed.
 */
import { OmenError } from '../../core/errors.js';
import { expireCheckpoints, keeps } from '../../core/log/retention.js';
import type { Root } from '../../core/log/root.js';
import { foldersOf } from '../../core/log/root.js';
import { raiseRetention, revokeJob } from '../../core/log/transitions.js';
import { manifestOf, readManifest } from '../log/manifest-chain.js';
import type { CollectionLayout } from '../log/object-layout.js';
import { classifyKey } from '../log/object-layout.js';
import type { Pin } from '../log/pin.js';
import { removePin } from '../log/pin.js';
import type { PinCollectorDeps } from './collect-pins.js';
import { collectPins, readPins } from './collect-pins.js';
import type { Listed } from './list-objects.js';
import { listAll, removeAll } from './list-objects.js';

export interface CollectorDeps extends PinCollectorDeps {
  /** What kept versions refer to, by manifest: they never change. Filled here. */
  readonly known?: Map<string, KeptVersion>;
}

export interface CollectorOptions {
  /** Say what would be removed and remove nothing; the root is left alone too. */
  readonly dryRun?: boolean;
  /** How long the past stays readable; 0 milliseconds unless given. */
  readonly windowMs?: number;
  /** Log slots kept for that at most; no bound unless given. */
  readonly slotsMax?: number;
  /** Older versions to keep beside the present one: none unless asked for. */
  readonly keepVersions?: number;
  /** Jobs whose work is known to have ended without publishing. */
  readonly revoke?: readonly string[];
  /** Removals at once. */
  readonly concurrency?: number;
}

/** What a version that must stay readable refers to. */
export interface KeptVersion {
  readonly version: number;
  readonly walFloor: number;
  /** Relative to the collection's folder. */
  readonly keys: readonly string[];
  /** Whether it uses objects of another collection. */
  readonly foreign: boolean;
}

export const GARBAGE_CLASSES = ['slot', 'manifest', 'job'] as const;
export type GarbageClass = (typeof GARBAGE_CLASSES)[number];

export interface GarbageReport {
  readonly dryRun: boolean;
  /** Objects looked at. */
  readonly listed: number;
  /** Removed, or to be removed, by class. */
  readonly objects: Readonly<Record<GarbageClass, number>>;
  readonly bytes: number;
  /** Keys relative to the collection's folder. */
  readonly keys: readonly string[];
  /** Keys in the collection's folder that are none of ours: never touched. */
  readonly unknown: readonly string[];
}

/**
 * One pass over one collection. Safe beside writers, jobs and other collectors. Of a sealed collection only
 * what is pinned is kept.
 */
export async function collectGarbage(
  deps: CollectorDeps,
  options: CollectorOptions = {},
): Promise<GarbageReport> {
  const { store, layout, rootStore } = deps;
  const dryRun = options.dryRun === true;
  const step = (root: Root): Root => prepare(root, options, deps.clock.now());
  const prepared = dryRun ? step((await rootStore.refresh()).root) : (await rootStore.commit(step)).root;
  const listed = await listAll(store, layout.prefix, lastToList(prepared, layout));
  const pins = await readPins(deps);
  const { root } = await rootStore.refresh();
  // What the root of step 1 kept stays, too: a pin put after step 3 may rely on a version, a checkpoint or a
  // snapshot that was let go of since.
  const kept = await readKept(deps, { root, prepared, pins: [...pins.values()] });
  const needed = { kept, prepared, pins: [...pins.values()] };
  const garbage = findGarbage(root, needed, listed);
  if (!dryRun) {
    await removeAll(store, garbage, options.concurrency);
    // A pin that goes now frees its objects for the next pass.
    await collectPins(deps, pins);
    await releaseParents(deps, root, kept);
  }
  return report({ garbage, listed, dryRun });
}

/** A pass that logs what it did. Resolves to the number of objects that it removed. */
export async function collectCollection(deps: CollectorDeps, options?: CollectorOptions): Promise<number> {
  const { objects, bytes, keys, unknown } = await collectGarbage(deps, options);
  const facts = { collection: deps.layout.id, objects, bytes };
  if (bytes > 0) deps.logger.debug('garbage collected', facts);
  if (unknown.length > 0) deps.logger.warn('objects that are none of ours', { ...facts, keys: unknown });
  return keys.length;
}

interface Garbage extends Listed {
  readonly kind: GarbageClass;
}

/** Step 1 as a transition: the same root when there is nothing to change. */
function prepare(root: Root, options: CollectorOptions, nowMs: number): Root {
  if (root.sealed) return root;
  const { keepVersions = 0, revoke = [], windowMs = 0, slotsMax = Infinity } = options;
  const revoked = root.jobs.some(({ jobId }) => revoke.includes(jobId))
    ? revoke.reduce(revokeJob, root)
    : root;
  const expired = expireCheckpoints(revoked, { nowMs, windowMs, slotsMax });
  const target = root.version - keepVersions;
  // The commit itself makes a version, with the content of the one before: a floor that followed that too
  // would never come to rest.
  return target - root.retentionFloor >= 2 || expired !== root ? raiseRetention(expired, target) : expired;
}

/** The log is the last in the order of keys, and slots that are kept for reads of the past need no look. */
function lastToList(root: Root, layout: CollectionLayout): string | undefined {
  if (root.sealed) return undefined;
  return layout.slotKey(Math.min(root.walFloor, ...root.checkpoints.map(({ walFloor }) => walFloor)));
}

interface Wanted {
  readonly root: Root;
  /** The root of step 1. */
  readonly prepared: Root;
  readonly pins: readonly Pin[];
}

/**
 * The versions that must stay readable, by manifest: from the floor on, checkpoints, and those of snapshots
 * and pins. Found through the root and not through the listing, which may be older than the newest of them.
 */
async function readKept(
  deps: CollectorDeps,
  { root, prepared, pins }: Wanted,
): Promise<Map<string, KeptVersion>> {
  const kept = new Map<string, KeptVersion>();
  const keep = async (manifest: string | null, version: number): Promise<void> => {
    if (manifest !== null && kept.has(manifest)) return;
    const known = manifest === null ? undefined : deps.known?.get(manifest);
    const read = known === undefined && manifest !== null ? await readManifest(deps, manifest) : null;
    const entry = known ?? (read === null ? null : keptVersion(read));
    if (manifest !== null && entry !== null) kept.set(manifest, entry);
    // What the root of now does not keep, another collector may have removed already, or a pinner has found
    // out and is about to let go.
    else if (keeps((await deps.rootStore.refresh()).root, version)) throw missing(root, version);
  };
  if (!root.sealed) {
    kept.set(root.manifests.at(-1) ?? '', keptVersion(root));
    for (let version = root.version - 1; version >= prepared.retentionFloor; version--) {
      await keep(await manifestOf(deps, root, version), version);
    }
    for (const { checkpoints, snapshots } of [prepared, root]) {
      for (const { manifest, version } of checkpoints) await keep(manifest, version);
      for (const { base } of snapshots) await keep(base.manifest, base.version);
    }
  }
  for (const { manifest, version } of pins) await keep(manifest, version);
  deps.known?.clear();
  for (const [manifest, entry] of kept) deps.known?.set(manifest, entry);
  return kept;
}

function keptVersion(root: Root): KeptVersion {
  const { version, walFloor } = root;
  return { version, walFloor, keys: keysOf(root), foreign: foldersOf(root).length > 0 };
}

function missing({ collectionId }: Root, version: number): OmenError {
  return new OmenError(
    'DATA_CORRUPTED',
    `the manifest of version ${version} of collection ${collectionId} must be kept and is missing: ` +
      'nothing is removed',
  );
}

interface Needed {
  readonly kept: ReadonlyMap<string, KeptVersion>;
  /** The root of step 1. */
  readonly prepared: Root;
  readonly pins: readonly Pin[];
}

function findGarbage(root: Root, needed: Needed, listed: readonly Listed[]): Garbage[] {
  const { kept } = needed;
  const referenced = new Set([...[...kept.values()].flatMap(({ keys }) => keys), ...kept.keys()]);
  const jobs = new Set(root.jobs.map(({ jobId }) => jobId));
  const isKeptSlot = keptSlots(root, needed);
  return listed.flatMap((object): Garbage[] => {
    const known = classifyKey(object.relative);
    const gone = (kind: GarbageClass): Garbage[] => [{ ...object, kind }];
    switch (known?.kind) {
      case 'slot':
        return isKeptSlot(known.slot) ? [] : gone('slot');
      case 'manifest':
        return known.version <= root.version && !referenced.has(object.relative) ? gone('manifest') : [];
      case 'job':
        return jobs.has(known.jobId) || referenced.has(object.relative) ? [] : gone('job');
      case 'root':
      case 'pin':
      case undefined:
        return [];
    }
  });
}

/**
 * Of an open collection the log above the floor of every version that begins reads of the past; and for each
 * snapshot and pin the stretch from its version's floor to its end.
 */
function keptSlots(root: Root, { kept, prepared, pins }: Needed): (slot: number) => boolean {
  const snapshots = [...prepared.snapshots, ...root.snapshots];
  const spans = [
    ...snapshots.map(({ base, through }) => ({ from: base.walFloor, through: through.slot })),
    ...pins.map(({ walFloor, throughSlot }) => ({ from: walFloor, through: throughSlot })),
  ];
  const checkpoints = [...prepared.checkpoints, ...root.checkpoints];
  const begins = new Set(checkpoints.map(({ version }) => version));
  const floor = prepared.retentionFloor;
  const open = [...kept.values()].filter(({ version }) => version >= floor || begins.has(version));
  const bottom = root.sealed ? Infinity : Math.min(root.walFloor, ...open.map(({ walFloor }) => walFloor));
  return (slot) => slot > bottom || spans.some(({ from, through }) => slot > from && slot <= through);
}

/** When no version that is kept uses objects of other collections any more, they may have them back. */
async function releaseParents(
  deps: CollectorDeps,
  root: Root,
  kept: ReadonlyMap<string, KeptVersion>,
): Promise<void> {
  if (root.sealed || root.parents.length === 0 || [...kept.values()].some(({ foreign }) => foreign)) return;
  await deps.rootStore.commit((present) =>
    present.parents.length === 0 ? present : { ...present, parents: [] },
  );
  for (const { collectionId, pinId } of root.parents) {
    await removePin({ ...deps, layout: deps.layout.folder(collectionId) }, pinId);
  }
}

function keysOf({ segments, requestWindows }: Root): string[] {
  const keys = segments.flatMap(({ key, deletes }) => (deletes === undefined ? [key] : [key, deletes.key]));
  return [...keys, ...requestWindows.map(({ key }) => key)];
}

interface Pass {
  readonly garbage: readonly Garbage[];
  readonly listed: readonly Listed[];
  readonly dryRun: boolean;
}

function report({ garbage, listed, dryRun }: Pass): GarbageReport {
  const objects = { slot: 0, manifest: 0, job: 0 };
  for (const { kind } of garbage) objects[kind]++;
  return {
    dryRun,
    listed: listed.length,
    objects,
    bytes: garbage.reduce((sum, { size }) => sum + size, 0),
    keys: garbage.map(({ relative }) => relative),
    unknown: listed.filter(({ relative }) => classifyKey(relative) === null).map(({ relative }) => relative),
  };
}
