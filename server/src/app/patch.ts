import type { PatchRequest, PatchResponse, RequestContext } from './api.js';
import { checkPatch } from './collections/check-batch.js';
import type { Collection } from './collections/collection.js';
import { planPatch } from './collections/write-plan.js';

/**
 * Changes parts of records, each against its state at the moment of the write. Ids without a record are
 * reported and skipped.
 */
export function patch(
  collection: Collection,
  request: PatchRequest,
  { span }: Pick<RequestContext, 'span'>,
): Promise<PatchResponse> {
  checkPatch(collection.info, request);
  const { requestId, patches } = request;
  return collection.write(
    { kind: 'patch', requestId, ids: patches.map(({ id }) => id), reads: true, span },
    (view) => {
      const { writes, patched, missingIds } = planPatch(view, patches, collection.info.dimensions);
      return { writes, answer: { patched, missingIds } };
    },
  );
}
