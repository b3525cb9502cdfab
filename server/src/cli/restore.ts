/*
 * `omendb restore`
 */
import { chooseBackup } from '../app/backup/choose-backup.js';
import type { RestoreOutcome } from '../app/backup/restore-backup.js';
import { restoreBackup } from '../app/backup/restore-backup.js';
import { STORAGE_RETRY } from '../app/log/storage-retry.js';
import type { RestoreCommand } from './store-arguments.js';
import type { CommandContext } from './store-session.js';
import { rateText, sizeText, StoreSession } from './store-session.js';

/** Restores. Resolves to false when the backup is not whole: then nothing was written. */
export function restoreStore(context: CommandContext, command: RestoreCommand): Promise<boolean> {
  const { selection, keys, skipExisting, json } = command;
  return StoreSession.run(context, json, async (session) => {
    const target = await session.openBeside(command.from);
    const retry = { ...session.work, policy: STORAGE_RETRY };
    const asOf = command.asOfMs === null ? {} : { asOfMs: command.asOfMs };
    const name = command.name === null ? {} : { name: command.name };
    const backupId = command.backupId ?? (await chooseBackup(target, retry, { selection, ...asOf }));
    const destination = await session.open(command.to ?? context.config.objectStore);
    const deps = { ...session.work, target, destination };
    const pastMs = context.config.retentionMs;
    const options = { backupId, selection, keys, skipExisting, pastMs, ...asOf, ...name };
    const outcome = await restoreBackup(deps, options);
    const { kind, ...facts } = outcome;
    session.say({ event: kind, backupId, ...facts }, linesOf(backupId, outcome));
    return outcome.kind === 'restored';
  });
}

function linesOf(backupId: string, outcome: RestoreOutcome): string[] {
  if (outcome.kind === 'refused') {
    return [
      ...outcome.faults.map(({ key, of, problem }) => `MISSING for ${of}: ${key}: ${problem}`),
      `backup ${backupId} is not whole: ${outcome.faults.length} faults; nothing was written`,
    ];
  }
  const { collections, skipped, keys, objects, bytes, tookMs } = outcome;
  return [
    ...skipped.map((name) => `left alone ${name}: it exists already`),
    ...collections.map(({ tenant, name, upToMs }) => {
      return `restored ${tenant}/${name}, its last write is of ${new Date(upToMs).toISOString()}`;
    }),
    `backup ${backupId}: ${collections.length} collections, ${objects} objects, ${sizeText(bytes)}, ` +
      `${rateText(bytes, tookMs)}, ${keys} API keys`,
  ];
}
