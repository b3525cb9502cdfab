import type { Snapshot } from '../core/collection/snapshot.js';
import { normaliseFilter } from '../core/filter/normalise.js';
import type { EnginePool } from '../ports/engine-pool.js';
import type { DeleteRequest, DeleteResponse, RequestContext } from './api.js';
import { checkDelete } from './collections/check-batch.js';
import type { Collection } from './collections/collection.js';
import { planDelete } from './collections/write-plan.js';
import { taskOf } from './fetch.js';
import type { PartGroup } from './tiers/tiers.js';

/**
 * Deletes records by id, or all that match a filter. A filter is evaluated against one snapshot; a record
 * that was changed afterwards and does not match any more is kept, one that began to match afterwards is not
 * deleted.
 */
export async function remove(
  pool: EnginePool,
  context: RequestContext,
  collection: Collection,
  request: DeleteRequest,
): Promise<DeleteResponse> {
  checkDelete(request);
  const filter = request.filter === undefined ? undefined : normaliseFilter(request.filter);
  const ids =
    filter === undefined ? new Set(request.ids) : await matchingIds(pool, context, collection, filter);
  return collection.write(
    {
      ...{ kind: 'delete', requestId: request.requestId, ids: [...ids] },
      ...{ reads: filter !== undefined, span: context.span },
    },
    (view) => {
      const { writes, deleted } = planDelete(view, ids, filter);
      return { writes, answer: { deleted } };
    },
  );
}

async function matchingIds(
  pool: EnginePool,
  context: RequestContext,
  collection: Collection,
  filter: NonNullable<DeleteRequest['filter']>,
): Promise<Set<string>> {
  // Records that other servers wrote before the request are to be deleted too.
  const view = await collection.view({ consistency: 'strong', sessionToken: '' }, context);
  const snapshot: Snapshot = view.state.snapshot();
  try {
    const ids = new Set<string>();
    const find = async ({ parts, sources }: PartGroup): Promise<void> => {
      const task = { ...taskOf(collection, filter), parts, want: 'rows' } as const;
      const { outcome } = await pool.match(task, context.signal);
      outcome.rows.forEach((row, index) => {
        const source = sources[outcome.parts[index] ?? 0];
        if (source !== undefined) ids.add(source.idOf(row));
      });
    };
    await collection.tiers.eachGroup(snapshot, find, context.signal);
    return ids;
  } finally {
    snapshot.release();
    view.release();
  }
}
