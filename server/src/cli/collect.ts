/*
 * `omendb collect`
 */
import { collectStore } from '../app/maintenance/collect-store.js';
import type { CollectCommand } from './store-arguments.js';
import type { CommandContext } from './store-session.js';
import { sizeText, StoreSession } from './store-session.js';

/** One pass of the collector. Resolves to false when a collection is damaged. */
export function collectGarbageOfStore(context: CommandContext, command: CollectCommand): Promise<boolean> {
  const { selection, dryRun, json } = command;
  return StoreSession.run(context, json, async (session) => {
    const { objectStore, retentionMs } = context.config;
    const store = await (dryRun ? session.openBeside(objectStore) : session.open(objectStore));
    const options = { selection, dryRun, windowMs: retentionMs };
    const report = await collectStore({ ...session.work, store }, options);
    const verb = dryRun ? 'would be removed' : 'removed';
    const { collections, deleted, failed } = report;
    session.say({ event: 'collect', dryRun, ...report }, [
      ...collections.flatMap(({ collection, objects: { slot, manifest, job }, bytes, unknown }) => [
        `${collection}: ${slot} log slots, ${manifest} manifests, ${job} objects of jobs, ${sizeText(bytes)} ${verb}`,
        ...unknown.map((key) => `${collection}: ${key} is none of ours and was left alone`),
      ]),
      `deleted collections: ${deleted.objects} objects of ${deleted.collections}, ${sizeText(deleted.bytes)} ${verb}`,
      ...failed.map(({ collection, message }) => `${collection}: nothing removed: ${message}`),
    ]);
    return failed.length === 0;
  });
}
