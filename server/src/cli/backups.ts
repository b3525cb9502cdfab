/*
 * `omendb backups`
 */
import { listBackups, readBackupRecord } from '../app/backup/backup-record.js';
import { STORAGE_RETRY } from '../app/log/storage-retry.js';
import type { BackupsCommand } from './store-arguments.js';
import type { CommandContext } from './store-session.js';
import { sizeText, StoreSession } from './store-session.js';

/** Lists the backups in a store, oldest first. */
export function listBackupsOfStore(
  context: CommandContext,
  { from, json }: BackupsCommand,
): Promise<boolean> {
  return StoreSession.run(context, json, async (session) => {
    const target = await session.openBeside(from);
    const retry = { ...session.work, policy: STORAGE_RETRY };
    for (const backupId of await listBackups(target, retry)) {
      context.signal.throwIfAborted();
      const record = await readBackupRecord(target, backupId, retry);
      const { startedAtMs, full, collections, failed, objects } = record;
      const [count, bytes] = [collections.length, objects.bytes];
      const startedAt = new Date(startedAtMs).toISOString();
      session.say(
        {
          ...{ event: 'backup', backupId, startedAt, full, collections: count, failed: failed.length },
          ...{ objects: objects.size, bytes },
        },
        [
          `${backupId}  ${startedAt}  ${count} collections${full ? '' : ' (some of them)'}, ` +
            `${objects.size} objects, ${sizeText(bytes)}${failed.length > 0 ? `, ${failed.length} LEFT OUT` : ''}`,
        ],
      );
    }
    return true;
  });
}
