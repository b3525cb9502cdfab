/*
 * Which backup of a store is meant when none is named.
 */
import { OmenError } from '../../core/errors.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { RetryDeps } from '../log/storage-retry.js';
import type { BackupRecord } from './backup-record.js';
import { listBackups, readBackupRecord, timeOfBackupId } from './backup-record.js';
import type { CollectionSelection } from './selection.js';

/**
 * The newest backup; for a moment of the past the first that was made after it and reaches back to it. Throws
 * `INVALID_ARGUMENT` when there is none.
 */
export async function chooseBackup(
  store: ObjectStore,
  retry: RetryDeps,
  { asOfMs, selection }: { readonly asOfMs?: number; readonly selection: CollectionSelection },
): Promise<string> {
  const ids = await listBackups(store, retry);
  const newest = ids.at(-1);
  if (newest === undefined) {
    throw new OmenError('INVALID_ARGUMENT', 'there is no backup: its record is what comes last', {
      field: 'from',
    });
  }
  if (asOfMs === undefined) return newest;
  for (const id of ids) {
    if (timeOfBackupId(id) < asOfMs) continue;
    if (reachesBack(await readBackupRecord(store, id, retry), selection, asOfMs)) return id;
  }
  // It says which moments it holds.
  return newest;
}

function reachesBack(record: BackupRecord, selection: CollectionSelection, asOfMs: number): boolean {
  const { collections } = record;
  const holds = collections.filter(({ versions }) => (versions[0]?.floorTimeMs ?? Infinity) <= asOfMs);
  if (selection.isAll) return collections.length > 0 && holds.length === collections.length;
  return selection.names.every((wanted) =>
    holds.some(({ tenant, schema }) => tenant === wanted.tenant && schema.name === wanted.name),
  );
}
