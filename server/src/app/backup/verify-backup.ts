/*
 * Reads a backup as if it were to be restored and lists all that is wrong with it: objects that are missing,
 * have another size or other bytes, are not what they must be, or do not fit together.
 */
import type { ObjectStore } from '../../ports/object-store.js';
import type { Root } from '../../core/log/root.js';
import { crc32c } from '../../core/bytes/crc32c.js';
import type { CollectionLayout } from '../log/object-layout.js';
import { ObjectLayout } from '../log/object-layout.js';
import type { RetryDeps } from '../log/storage-retry.js';
import { STORAGE_RETRY, withRetry } from '../log/storage-retry.js';
import type { BackedUpCollection, BackupRecord } from './backup-record.js';
import { readBackupRecord } from './backup-record.js';
import type { Bounds } from './bounded.js';
import { boundsOfCollections, boundsOfObjects, forEachBounded, objectGate } from './bounded.js';
import type { Fault } from './faults.js';
import { faultOf } from './faults.js';
import type { StoredObject } from './inventory.js';
import type { NeededObject } from './needed-objects.js';
import { examine, examineManifest, manifestObject, objectsOf, slotsOf, spansOf } from './needed-objects.js';
import { Presence } from './presence.js';
import { SlotChain } from './slot-chain.js';
import type { StoreWork } from './store-work.js';

export interface VerifyDeps extends StoreWork {
  /** Where the backup is. */
  readonly target: ObjectStore;
}

export interface VerifyReport {
  readonly backupId: string;
  readonly collections: number;
  readonly objects: number;
  readonly bytes: number;
  readonly faults: readonly Fault[];
  readonly tookMs: number;
}

/**
 * Checks a backup.
 *
 * @param quick Look at names and sizes only, and read nothing but manifests.
 */
export async function verifyBackup(
  deps: VerifyDeps,
  { backupId, quick }: { readonly backupId: string; readonly quick: boolean },
): Promise<VerifyReport> {
  const startedMs = deps.clock.monotonic();
  const retry = { scheduler: deps.scheduler, rng: deps.rng, policy: STORAGE_RETRY };
  const record = await readBackupRecord(deps.target, backupId, retry);
  const verification = new Verification(deps, record, { retry, quick });
  await verification.run();
  return {
    ...{ backupId, collections: record.collections.length, ...verification.seen },
    ...{ faults: verification.faults, tookMs: deps.clock.monotonic() - startedMs },
  };
}

class Verification {
  readonly faults: Fault[] = [];
  readonly seen = { objects: 0, bytes: 0 };
  readonly #layout = new ObjectLayout();
  readonly #presence: Presence;
  readonly #looked = new Set<string>();
  readonly #bounds: Bounds<NeededObject>;

  constructor(
    private readonly deps: VerifyDeps,
    private readonly record: BackupRecord,
    private readonly how: { readonly retry: RetryDeps; readonly quick: boolean },
  ) {
    this.#presence = new Presence(deps.target, how.retry);
    this.#bounds = boundsOfObjects(objectGate(), deps.signal);
  }

  async run(): Promise<void> {
    await forEachBounded(this.record.collections, boundsOfCollections(this.deps.signal), (collection) =>
      this.#collection(collection),
    );
    // Keys, and what is left of collections that were found damaged.
    const rest = [...this.record.objects.entries()].map(([key, { size }]): NeededObject => {
      return { key, relative: key, content: { kind: 'plain' }, bytes: size };
    });
    await this.#check(rest, 'objects outside of collections');
  }

  async #collection(collection: BackedUpCollection): Promise<void> {
    const layout = this.#layout.collection(collection.id);
    const of = `${collection.tenant}/${collection.schema.name}`;
    const roots = await this.#manifests(collection, layout, of);
    for (const root of roots.values()) await this.#check(objectsOf(root, layout), of);
    const versions = collection.versions.flatMap(({ version }) => roots.get(version) ?? []);
    if (versions.length < collection.versions.length) return;
    const snapshots = collection.snapshots.flatMap(({ base, through }) => {
      const root = roots.get(base.version);
      return root === undefined ? [] : [{ root, throughSlot: through.slot }];
    });
    const chain = new SlotChain(versions);
    for (const span of spansOf(versions, collection.through.slot, snapshots)) {
      const own = span.root === versions[0] ? chain : new SlotChain([span.root]);
      await this.#check(slotsOf(span, layout), of, own);
    }
    const { slot, sequence } = collection.through;
    if (this.how.quick || this.faults.length > 0) return;
    if (chain.last.slot === slot && chain.last.sequence === sequence) return;
    const problem = `the log ends at write ${chain.last.sequence} and not at ${sequence}`;
    this.faults.push({ key: layout.slotKey(slot), of, problem });
  }

  /** All that can be read, by version. */
  async #manifests(
    { versions, snapshots }: BackedUpCollection,
    layout: CollectionLayout,
    of: string,
  ): Promise<Map<number, Root>> {
    const roots = new Map<number, Root>();
    const looked = new Set<number>();
    for (const checkpoint of [...versions, ...snapshots.map(({ base }) => base)]) {
      if (looked.has(checkpoint.version)) continue;
      looked.add(checkpoint.version);
      const root = await this.#manifest(manifestObject(layout, checkpoint), of);
      if (root !== null) roots.set(checkpoint.version, root);
    }
    return roots;
  }

  async #manifest(needed: NeededObject, of: string): Promise<Root | null> {
    const { key, content } = needed;
    const body = await this.#body(needed, of);
    if (body === null || content.kind !== 'manifest') return null;
    try {
      return examineManifest(body, key, content);
    } catch (error) {
      this.faults.push(faultOf(error, { key, of }));
      return null;
    }
  }

  async #check(needed: Iterable<NeededObject>, of: string, chain?: SlotChain): Promise<void> {
    await forEachBounded(needed, this.#bounds, async (object) => {
      // A branch shares slots with its parent; they are links of both logs.
      if (this.#looked.has(object.key) && (chain === undefined || this.how.quick)) return;
      if (this.how.quick) {
        await this.#expected(object, of);
        return;
      }
      const body = await this.#body(object, of);
      if (body === null) return;
      try {
        const { slot } = examine(body, object);
        if (slot !== undefined) chain?.add(slot);
      } catch (error) {
        this.faults.push(faultOf(error, { key: object.key, of }));
      }
    });
  }

  /** The bytes of an object that are those which were copied, else null and a fault. */
  async #body(object: NeededObject, of: string): Promise<Uint8Array | null> {
    const expected = await this.#expected(object, of);
    if (expected === null) return null;
    const { key } = object;
    const got = await withRetry(this.how.retry, () => this.deps.target.get(key, { background: true })).catch(
      (error: unknown) => faultOf(error, { key, of }),
    );
    if ('problem' in got) {
      this.faults.push(got);
      return null;
    }
    const body = got.kind === 'found' ? got.body : new Uint8Array();
    if (body.length === expected.size && crc32c(body) === expected.crc) return body;
    const problem =
      body.length === expected.size
        ? 'its bytes are not those that were copied: the checksum differs'
        : `it has ${body.length} bytes and not ${expected.size}`;
    this.faults.push({ key, of, problem });
    return null;
  }

  /** What the record says of an object that is there, else null and a fault. */
  async #expected(object: NeededObject, of: string): Promise<StoredObject | null> {
    const { key } = object;
    const again = this.#looked.has(key);
    this.#looked.add(key);
    const expected = this.record.objects.get(key);
    const problem = await this.#presence.problemOf(key, expected);
    if (problem !== null || expected === undefined) {
      this.faults.push({ key, of, problem: problem ?? 'the record of the backup does not name it' });
      return null;
    }
    if (again) return expected;
    this.seen.objects++;
    this.seen.bytes += expected.size;
    const { objects, bytes } = this.seen;
    this.deps.onProgress?.({ at: of, objects, bytes });
    return expected;
  }
}
