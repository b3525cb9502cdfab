/*
 * What makes a backup of a heap of copied objects: one object, written last and never changed, that names
 * everything with its size and checksum. Without it there is no backup; with it, it can be told what is
 * missing. Drawn in docs/formats/backup.md.
 */
import { OmenError } from '../../core/errors.js';
import type { CollectionId, TenantId } from '../../core/ids.js';
import type { EnvelopeKind } from '../../core/log/envelope.js';
import { decodeEnvelope, encodeEnvelope } from '../../core/log/envelope.js';
import type { Checkpoint, LogPosition, Schema, SnapshotRef } from '../../core/log/root.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import { newNonce, ObjectLayout } from '../log/object-layout.js';
import type { RetryDeps } from '../log/storage-retry.js';
import { withRetry } from '../log/storage-retry.js';
import { listAll } from '../maintenance/list-objects.js';
import { Inventory } from './inventory.js';

/** A collection as a backup holds it. */
export interface BackedUpCollection {
  readonly tenant: TenantId;
  /** The collection's own id; a restored one gets another. */
  readonly id: CollectionId;
  readonly schema: Schema;
  /** Holds every write that was acknowledged before. */
  readonly takenAtMs: number;
  /**
   * Versions that reads can begin with, oldest first. The log is there from the first one's floor on.
   */
  readonly versions: readonly Checkpoint[];
  /** Each with the log from its base's floor to its end. */
  readonly snapshots: readonly SnapshotRef[];
  /** The last slot of the log, with its last write. */
  readonly through: Omit<LogPosition, 'hash'>;
}

/** A collection that could not be backed up, because it is damaged. */
export interface FailedCollection {
  readonly tenant: TenantId;
  readonly name: string;
  readonly message: string;
}

export interface BackupRecord {
  readonly backupId: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Everything in the store was asked for, and not only some collections. */
  readonly full: boolean;
  readonly collections: readonly BackedUpCollection[];
  readonly failed: readonly FailedCollection[];
  readonly objects: Inventory;
}

const KIND: EnvelopeKind = { magic: 'OMBK', version: 1 };
const ID = /^\d{8}T\d{9}Z-[0-9a-f]{8}$/;
const layout = new ObjectLayout();

/** An id that sorts by time. */
export function newBackupId(nowMs: number, rng: Rng): string {
  const time = new Date(nowMs).toISOString().replace(/[-:.]/g, '');
  return `${time}-${newNonce(rng).slice(0, 8)}`;
}

/** When a backup was begun, by its id. */
export function timeOfBackupId(backupId: string): number {
  const parts = /^(....)(..)(..)T(..)(..)(..)(...)Z/.exec(backupId);
  const [, year, month, day, hour, minute, second, ms] = parts ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
}

/** Ids of all backups in a store, oldest first. */
export async function listBackups(store: ObjectStore, retry: RetryDeps): Promise<string[]> {
  const listed = await withRetry(retry, () => listAll(store, layout.backupPrefix));
  return listed.map(({ relative }) => relative).filter((relative) => ID.test(relative));
}

/** Makes the backup valid: to be called when everything it names is there. */
export async function putBackupRecord(
  store: ObjectStore,
  record: BackupRecord,
  retry: RetryDeps,
): Promise<void> {
  const body = encodeEnvelope(KIND, { ...record, objects: record.objects.encode() });
  const nonce = newNonce(retry.rng);
  await withRetry(retry, () => store.putIfAbsent(layout.backupKey(record.backupId), body, nonce));
}

/** Throws `INVALID_ARGUMENT` when there is no such backup, `DATA_CORRUPTED` when its record is damaged. */
export async function readBackupRecord(
  store: ObjectStore,
  backupId: string,
  retry: RetryDeps,
): Promise<BackupRecord> {
  const key = layout.backupKey(backupId);
  const got = ID.test(backupId) ? await withRetry(retry, () => store.get(key)) : null;
  if (got?.kind !== 'found') {
    throw new OmenError('INVALID_ARGUMENT', `there is no backup "${backupId}"`, { field: 'backup' });
  }
  const source = `backup record ${key}`;
  const value = decodeEnvelope(KIND, got.body, source);
  const { backupId: named, startedAtMs, endedAtMs, full, collections, failed, objects } = value;
  const whole =
    named === backupId &&
    [startedAtMs, endedAtMs].every((time) => typeof time === 'number') &&
    typeof full === 'boolean' &&
    Array.isArray(failed) &&
    Array.isArray(collections) &&
    collections.every(isCollection);
  if (!whole) throw new OmenError('DATA_CORRUPTED', `${source} is damaged: a field is not what it must be`);
  return { ...(value as unknown as BackupRecord), objects: Inventory.decode(objects, source) };
}

function isCollection(value: unknown): value is BackedUpCollection {
  const { tenant, id, schema, takenAtMs, versions, snapshots, through } =
    value as Partial<BackedUpCollection>;
  return (
    typeof tenant === 'string' &&
    typeof id === 'string' &&
    typeof schema?.name === 'string' &&
    typeof takenAtMs === 'number' &&
    Array.isArray(versions) &&
    versions.length > 0 &&
    versions.every(({ manifest }) => typeof manifest === 'string') &&
    Array.isArray(snapshots) &&
    snapshots.every(({ base }) => typeof base?.manifest === 'string') &&
    Number.isSafeInteger(through?.slot)
  );
}
