/* Calls about one collection that both `db.collections` and its handle offer. */
import type { ClientCore } from './core.js';
import type { CallOptions } from './options.js';
import type { CollectionInfo, CollectionStats } from './results.js';
import { readCollection, readJob } from './wire/read-answers.js';

/** Describes a collection. Rejects with `COLLECTION_NOT_FOUND` when there is none. */
export async function getCollection(
  core: ClientCore,
  name: string,
  options: CallOptions | undefined,
): Promise<CollectionInfo> {
  const requestId = core.requestIdOf(options);
  const answer = await core.invoke('getCollection', { collection: name }, requestId, options);
  return readCollection(answer.collection ?? { name, dimensions: 0, metric: 0 });
}

/** How large a collection is and where its data lies. */
export async function getStats(
  core: ClientCore,
  name: string,
  options: CallOptions | undefined,
): Promise<CollectionStats> {
  const requestId = core.requestIdOf(options);
  const answer = await core.invoke('getCollectionStats', { collection: name }, requestId, options);
  const { hot, warm, cold } = answer.tiers ?? { hot: 0n, warm: 0n, cold: 0n };
  return {
    records: Number(answer.records),
    unindexedRecords: Number(answer.unindexedRecords),
    segments: answer.segments,
    bytes: Number(answer.bytes),
    tiers: { hot: Number(hot), warm: Number(warm), cold: Number(cold) },
    sequenceNumber: Number(answer.sequenceNumber),
    unfoldedBytes: Number(answer.unfoldedBytes),
    jobs: answer.jobs.map(readJob),
    snapshots: answer.snapshots,
    readableFrom: answer.readableFrom,
    requestId,
  };
}
