import type { RequestContext, UpsertRequest, UpsertResponse } from './api.js';
import { checkUpsert } from './collections/check-batch.js';
import type { Collection } from './collections/collection.js';
import { planUpsert } from './collections/write-plan.js';

/** Writes a batch of whole records: all of it or nothing. Answers when it is durable and visible. */
export function upsert(
  collection: Collection,
  request: UpsertRequest,
  { span }: Pick<RequestContext, 'span'>,
): Promise<UpsertResponse> {
  const batch = checkUpsert(collection.info, request.records);
  return collection.write({ kind: 'upsert', requestId: request.requestId, ids: batch.ids, span }, (view) => {
    const { writes, inserted, updated } = planUpsert(view, batch);
    return { writes, answer: { inserted, updated } };
  });
}
