/*
 * `omendb backup`
 */
import { backUp } from '../app/backup/run-backup.js';
import { storeAddress } from '../config/option-types.js';
import type { BackupCommand } from './store-arguments.js';
import type { CommandContext } from './store-session.js';
import { rateText, sizeText, StoreSession } from './store-session.js';

/** Makes a backup. Resolves to false when a collection is damaged and not part of it. */
export function backupStore(context: CommandContext, command: BackupCommand): Promise<boolean> {
  const { to, selection, history, json } = command;
  return StoreSession.run(context, json, async (session) => {
    const source = await session.openBeside(command.from ?? context.config.objectStore);
    const target = await session.open(to);
    const report = await backUp(
      { ...session.work, source, target },
      { selection, history, to: storeAddress().format(to) },
    );
    const { backupId, collections, failed, objects, bytes, copiedObjects, copiedBytes, tookMs } = report;
    const names = collections.map(({ tenant, schema }) => `${tenant}/${schema.name}`);
    session.say(
      {
        ...{ event: 'backup', backupId, collections: names, failed, objects, bytes },
        ...{ copiedObjects, copiedBytes, tookMs: Math.round(tookMs) },
      },
      [
        ...failed.map(({ tenant, name, message }) => `NOT backed up: ${tenant}/${name}: ${message}`),
        `backup ${backupId}: ${names.length} collections, ${objects} objects, ${sizeText(bytes)}`,
        `copied ${copiedObjects} objects, ${sizeText(copiedBytes)}, ${rateText(copiedBytes, tookMs)}; ` +
          'the others were there already',
      ],
    );
    return failed.length === 0;
  });
}
