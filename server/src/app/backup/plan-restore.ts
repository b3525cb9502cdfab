/*
 * What has to be copied so that a collection of a backup comes to life again at a moment.
 *
 * The moment is the newest version in the backup that is not past it, and the log from there up to the last
 * slot that was written by then. Times in a log never go back, so the slot is found by halving.
 */
import { invariant, OmenError } from '../../core/errors.js';
import { crc32c } from '../../core/bytes/crc32c.js';
import type { CollectionName, TenantId } from '../../core/ids.js';
import type { Checkpoint, LogPosition, Root, SnapshotRef } from '../../core/log/root.js';
import { floorOf } from '../../core/log/root.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { CollectionLayout } from '../log/object-layout.js';
import { ObjectLayout } from '../log/object-layout.js';
import type { RetryDeps } from '../log/storage-retry.js';
import { withRetry } from '../log/storage-retry.js';
import type { BackedUpCollection, BackupRecord } from './backup-record.js';
import type { Fault } from './faults.js';
import { faultOf } from './faults.js';
import type { NeededObject } from './needed-objects.js';
import {
  examine,
  examineManifest,
  manifestObject,
  objectsOf,
  slotOf,
  slotsOf,
  spansOf,
} from './needed-objects.js';
import { Presence } from './presence.js';

export interface RestorePlan {
  readonly tenant: TenantId;
  readonly name: CollectionName;
  readonly from: BackedUpCollection;
  /** Oldest first. The last one is what the collection begins as, the others are its past. */
  readonly versions: readonly Root[];
  readonly snapshots: readonly PlannedSnapshot[];
  /** The last slot that counts. */
  readonly end: Omit<LogPosition, 'hash'>;
  /** To be copied. Made anew with every call: a log may be long. */
  readonly needed: () => Iterable<NeededObject>;
}

export interface PlannedSnapshot {
  readonly snapshot: SnapshotRef;
  readonly base: Root;
}

export interface PlanDeps {
  readonly target: ObjectStore;
  readonly retry: RetryDeps;
  readonly record: BackupRecord;
}

/** What is wanted of one collection. */
export interface Wanted {
  readonly from: BackedUpCollection;
  readonly name: CollectionName;
  readonly asOfMs?: number;
  /** The past before this is not needed. */
  readonly pastFromMs: number;
}

/** A plan, or what is missing for it. */
export type Planned =
  | { readonly kind: 'plan'; readonly plan: RestorePlan }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] };

export class RestorePlanner {
  readonly #layout = new ObjectLayout();
  readonly #presence: Presence;

  constructor(private readonly deps: PlanDeps) {
    this.#presence = new Presence(deps.target, deps.retry);
  }

  /**
   * Plans one collection and looks whether all that it needs is there. Throws `MOMENT_NOT_KEPT` when the
   * backup does not hold the moment.
   */
  async plan(wanted: Wanted): Promise<Planned> {
    const { from, name, asOfMs } = wanted;
    const layout = this.#layout.collection(from.id);
    const of = `${from.tenant}/${from.schema.name}`;
    const checkpoints = chooseVersions(wanted);
    const kept = from.snapshots.filter(({ through }) => asOfMs === undefined || through.timeMs <= asOfMs);
    const manifests = [...checkpoints, ...kept.map(({ base }) => base)];
    const missing = await this.#missing(new Set(manifests.map((it) => manifestObject(layout, it))), of);
    if (missing.length > 0) return { kind: 'faults', faults: missing };
    try {
      const roots = new Map<number, Root>();
      for (const it of manifests) roots.set(it.version, await this.#manifest(layout, it));
      const versions = checkpoints.flatMap(({ version }) => roots.get(version) ?? []);
      const snapshots = kept.flatMap((snapshot): PlannedSnapshot[] => {
        const base = roots.get(snapshot.base.version);
        return base === undefined ? [] : [{ snapshot, base }];
      });
      const base = versions.at(-1);
      invariant(base !== undefined, 'a restored collection begins as nothing');
      const end = asOfMs === undefined ? from.through : await this.#cut(base, layout, { from, asOfMs });
      const needed = neededBy({ versions, snapshots, end }, layout);
      const faults = await this.#missing(needed(), of);
      if (faults.length > 0) return { kind: 'faults', faults };
      const plan = { tenant: from.tenant, name, from, versions, snapshots, end, needed };
      return { kind: 'plan', plan };
    } catch (error) {
      return { kind: 'faults', faults: [faultOf(error, { key: layout.prefix, of })] };
    }
  }

  async #manifest(layout: CollectionLayout, checkpoint: Checkpoint): Promise<Root> {
    const manifest = manifestObject(layout, checkpoint);
    const { version } = checkpoint;
    return examineManifest(await this.read(manifest), manifest.key, { id: layout.id, version });
  }

  /** Objects of these that are not there, or not of their size. */
  async #missing(needed: Iterable<NeededObject>, of: string): Promise<Fault[]> {
    const faults: Fault[] = [];
    for (const { key } of needed) {
      const expected = this.deps.record.objects.get(key);
      const problem =
        expected === undefined
          ? 'the record of the backup does not name it'
          : await this.#presence.problemOf(key, expected);
      if (problem !== null) faults.push({ key, of, problem });
    }
    return faults;
  }

  /** Objects outside of collections, with what is wrong with them. */
  async missingKeys(keys: readonly NeededObject[]): Promise<Fault[]> {
    return this.#missing(keys, 'API keys');
  }

  /** The bytes of an object, checked against the record. Throws `DATA_CORRUPTED`. */
  async read({ key }: NeededObject): Promise<Uint8Array> {
    return readChecked(this.deps, key);
  }

  /** The last slot that was written by then. */
  async #cut(
    base: Root,
    layout: CollectionLayout,
    { from, asOfMs }: { readonly from: BackedUpCollection; readonly asOfMs: number },
  ): Promise<Omit<LogPosition, 'hash'>> {
    if (from.through.timeMs <= asOfMs) return from.through;
    // Counts, while the slot `beyond` does not.
    let end = floorOf(base);
    let beyond = from.through.slot;
    while (beyond - end.slot > 1) {
      const needed = slotOf(base, layout, Math.floor((end.slot + beyond) / 2));
      const { slot } = examine(await this.read(needed), needed);
      if (slot !== undefined && slot.after.timeMs <= asOfMs) end = slot.after;
      else beyond = Math.floor((end.slot + beyond) / 2);
    }
    return end;
  }
}

/** Reads an object of a backup. Throws `DATA_CORRUPTED` when its bytes are not those that were copied. */
export async function readChecked({ target, retry, record }: PlanDeps, key: string): Promise<Uint8Array> {
  const got = await withRetry(retry, () => target.get(key, { background: true }));
  const expected = record.objects.get(key);
  if (got.kind === 'found' && got.body.length === expected?.size && crc32c(got.body) === expected.crc) {
    return got.body;
  }
  throw new OmenError('DATA_CORRUPTED', `object ${key} of the backup is missing or not what was copied`);
}

/** What has to be copied: each object once. */
function neededBy(
  { versions, snapshots, end }: Pick<RestorePlan, 'versions' | 'snapshots' | 'end'>,
  layout: CollectionLayout,
): () => Generator<NeededObject> {
  const roots = [...versions, ...snapshots.map(({ base }) => base)];
  const objects = new Map(roots.flatMap((root) => objectsOf(root, layout)).map((it) => [it.key, it]));
  const kept = snapshots.map(({ snapshot, base }) => ({ root: base, throughSlot: snapshot.through.slot }));
  const spans = spansOf(versions, end.slot, kept).sort((a, b) => a.root.walFloor - b.root.walFloor);
  return function* () {
    yield* objects.values();
    // Spans of snapshots may overlap.
    let done = 0;
    for (const span of spans) {
      for (const object of slotsOf(span, layout, done + 1)) yield object;
      done = Math.max(done, span.throughSlot);
    }
  };
}

/** The version to begin as, after those of its past that are wanted. */
function chooseVersions({ from, asOfMs = Infinity, pastFromMs }: Wanted): readonly Checkpoint[] {
  const { versions, takenAtMs, schema, tenant } = from;
  const before = versions.filter(({ floorTimeMs }) => floorTimeMs <= asOfMs);
  if (before.length > 0 && (asOfMs <= takenAtMs || asOfMs === Infinity)) {
    return before.slice(
      Math.max(
        0,
        before.findLastIndex(({ floorTimeMs }) => floorTimeMs <= pastFromMs),
      ),
    );
  }
  const reach = [versions[0]?.floorTimeMs ?? takenAtMs, takenAtMs].map((ms) => new Date(ms).toISOString());
  throw new OmenError(
    'MOMENT_NOT_KEPT',
    `the backup holds collection "${tenant}/${schema.name}" from ${reach.join(' to ')}`,
    { field: 'asOf' },
  );
}
