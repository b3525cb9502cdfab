import type { SearchOutcome } from '../../core/engine/tasks.js';
import { mergeHits } from '../../core/vector/collector.js';

/** Hits with their parts. */
type PartHits = Pick<SearchOutcome, 'parts' | 'rows' | 'scores'>;

/** The `topK` best of several searches that number their parts alike. */
export function joinHits(lists: readonly PartHits[], topK: number): PartHits {
  const { rows, scores, sources } = mergeHits(lists, topK);
  const next = lists.map(() => 0);
  const parts = sources.map((source) => {
    const at = next[source] ?? 0;
    next[source] = at + 1;
    return lists[source]?.parts[at] ?? 0;
  });
  return { parts, rows, scores };
}

/** The hits of a search of some of the parts, with these numbered as in all of them. */
export function renumbered<T extends PartHits>(hits: T, indexes: readonly number[]): T {
  return { ...hits, parts: hits.parts.map((part) => indexes[part] ?? 0) };
}
