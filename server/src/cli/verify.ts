/*
 * `omendb verify`
 */
import { chooseBackup } from '../app/backup/choose-backup.js';
import { CollectionSelection } from '../app/backup/selection.js';
import { verifyBackup } from '../app/backup/verify-backup.js';
import { STORAGE_RETRY } from '../app/log/storage-retry.js';
import type { VerifyCommand } from './store-arguments.js';
import type { CommandContext } from './store-session.js';
import { rateText, sizeText, StoreSession } from './store-session.js';

/** Checks a backup. Resolves to false when something is wrong with it. */
export function verifyStore(context: CommandContext, command: VerifyCommand): Promise<boolean> {
  const { from, quick, json } = command;
  return StoreSession.run(context, json, async (session) => {
    const target = await session.openBeside(from);
    const retry = { ...session.work, policy: STORAGE_RETRY };
    const everything = { selection: new CollectionSelection([]) };
    const backupId = command.backupId ?? (await chooseBackup(target, retry, everything));
    const report = await verifyBackup({ ...session.work, target }, { backupId, quick });
    const { faults, objects, bytes, collections, tookMs } = report;
    const looked = quick
      ? `${objects} objects are there with their sizes; their bytes were not read`
      : `${objects} objects, ${sizeText(bytes)}, read at ${rateText(bytes, tookMs)}`;
    session.say({ event: 'verify', ...report, tookMs: Math.round(tookMs) }, [
      ...faults.map(({ key, of, problem }) => `FAULT in ${of}: ${key}: ${problem}`),
      `backup ${backupId}: ${collections} collections, ${looked}`,
      faults.length === 0 ? 'no faults' : `${faults.length} faults`,
    ]);
    return faults.length === 0;
  });
}
