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
import type { Root } from '../../core/log/root.js';
import { raiseRetention, revokeJob } from '../../core/log/transitions.js';
import type { Logger } from '../../ports/logger.js';
import type { ObjectStore } from '../../ports/object-store.js';
import { manifestOf, readManifest } from '../log/manifest-chain.js';
import type { CollectionLayout } from '../log/object-layout.js';
import { classifyKey } from '../log/object-layout.js';
import type { Pin } from '../log/pin.js';
import { decodePin } from '../log/pin.js';
import type { RootStore } from '../log/root-store.js';

export interface CollectorDeps {
  readonly store: ObjectStore;
  readonly logger: Logger;
  readonly layout: CollectionLayout;
  readonly rootStore: RootStore;
}

export interface CollectorOptions {
  /** Say what would be removed and remove nothing; the root is left alone too. */
  readonly dryRun?: boolean;
  /** Older versions to keep beside the present one: none unless asked for. */
  readonly keepVersions?: number;
  /** Jobs whose work is known to have ended without publishing. */
  readonly revoke?: readonly string[];
  /** Removals at once. */
  readonly concurrency?: number;
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

/** One pass over one collection. Safe beside writers, jobs and other collectors. */
export async function collectGarbage(
  deps: CollectorDeps,
  options: CollectorOptions = {},
): Promise<GarbageReport> {
  const { store, layout, rootStore } = deps;
  const dryRun = options.dryRun === true;
  const prepared = dryRun
    ? prepare((await rootStore.refresh()).root, options)
    : (await rootStore.commit((root) => prepare(root, options))).root;
  const listed = await listAll(store, layout.prefix);
  const pins = await readPins(store, layout);
  const { root } = await rootStore.refresh();
  // The floor of step 1 and not that of `root`: a pin put after step 3 may rely on a version below a floor
  // raised since.
  const kept = await readKept(deps, { root, pins, floor: prepared.retentionFloor });
  const garbage = findGarbage(root, kept, listed);
  if (!dryRun) await removeAll(store, garbage, options.concurrency ?? 8);
  return report({ garbage, listed, dryRun });
}

/** A pass that only logs what it did. */
export async function collectCollection(deps: CollectorDeps, options?: CollectorOptions): Promise<void> {
  const { objects, bytes, unknown } = await collectGarbage(deps, options);
  const facts = { collection: deps.layout.id, objects, bytes };
  if (bytes > 0) deps.logger.debug('garbage collected', facts);
  if (unknown.length > 0) deps.logger.warn('objects that are none of ours', { ...facts, keys: unknown });
}

export interface Listed {
  readonly key: string;
  readonly relative: string;
  readonly size: number;
}

interface Garbage extends Listed {
  readonly kind: GarbageClass;
}

/** Step 1 as a transition: the same root when there is nothing to change. */
function prepare(root: Root, { keepVersions = 0, revoke = [] }: CollectorOptions): Root {
  const revoked = root.jobs.some(({ jobId }) => revoke.includes(jobId))
    ? revoke.reduce(revokeJob, root)
    : root;
  const target = root.version - keepVersions;
  // The commit itself makes a version, with the content of the one before: a floor that followed that too
  // would never come to rest.
  return target - root.retentionFloor >= 2 || revoked !== root ? raiseRetention(revoked, target) : revoked;
}

export async function listAll(store: ObjectStore, prefix: string): Promise<Listed[]> {
  const all: Listed[] = [];
  for (let after = ''; ;) {
    const page = await store.list(prefix, after);
    if (page.length === 0) return all;
    for (const { key, size } of page) all.push({ key, size, relative: key.slice(prefix.length) });
    after = page.at(-1)?.key ?? after;
  }
}

async function readPins(store: ObjectStore, layout: CollectionLayout): Promise<Pin[]> {
  const pins: Pin[] = [];
  for (const { key } of await listAll(store, layout.pinPrefix)) {
    const got = await store.get(key);
    // Removed since it was listed: whoever held it needs it no more.
    if (got.kind === 'found') pins.push(decodePin(got.body, key));
  }
  return pins;
}

interface Wanted {
  readonly root: Root;
  readonly pins: readonly Pin[];
  readonly floor: number;
}

/**
 * The versions that must stay readable, by manifest: from the floor on, and the pinned ones. Found through
 * the root and not through the listing, which may be older than the newest of them.
 */
async function readKept(deps: CollectorDeps, { root, pins, floor }: Wanted): Promise<Map<string, Root>> {
  const kept = new Map<string, Root>([[root.manifests.at(-1) ?? '', root]]);
  const keep = async (manifest: string | null, version: number): Promise<Root | null> => {
    const read = manifest === null ? null : await readManifest(deps, manifest);
    if (manifest !== null && read !== null) kept.set(manifest, read);
    // Below the floor of now another collector may have been faster, or a pinner has found out and is about
    // to let go.
    else if (version >= root.retentionFloor) throw missing(root, version);
    return read;
  };
  let newer = root;
  for (let version = root.version - 1; version >= floor; version--) {
    newer = (await keep(await manifestOf(deps, newer, version), version)) ?? newer;
  }
  for (const { manifest, version } of pins) if (!kept.has(manifest)) await keep(manifest, version);
  return kept;
}

function missing({ collectionId }: Root, version: number): OmenError {
  return new OmenError(
    'DATA_CORRUPTED',
    `the manifest of version ${version} of collection ${collectionId} must be kept and is missing: ` +
      'nothing is removed',
  );
}

function findGarbage(root: Root, kept: ReadonlyMap<string, Root>, listed: readonly Listed[]): Garbage[] {
  const roots = [root, ...kept.values()];
  const referenced = new Set([...roots.flatMap(keysOf), ...kept.keys()]);
  const jobs = new Set(root.jobs.map(({ jobId }) => jobId));
  const logFloor = Math.min(...roots.map(({ walFloor }) => walFloor));
  return listed.flatMap((object): Garbage[] => {
    const known = classifyKey(object.relative);
    const gone = (kind: GarbageClass): Garbage[] => [{ ...object, kind }];
    switch (known?.kind) {
      case 'slot':
        return known.slot <= logFloor ? gone('slot') : [];
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

function keysOf({ segments, requestWindow }: Root): string[] {
  const keys = segments.flatMap(({ key, deletes }) => (deletes === undefined ? [key] : [key, deletes.key]));
  return requestWindow === undefined ? keys : [...keys, requestWindow.key];
}

export async function removeAll(
  store: ObjectStore,
  garbage: readonly Listed[],
  concurrency: number,
): Promise<void> {
  for (let from = 0; from < garbage.length; from += concurrency) {
    await Promise.all(garbage.slice(from, from + concurrency).map(({ key }) => store.delete(key)));
  }
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
