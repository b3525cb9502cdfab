/**
 * Shares a budget of bytes among lists, each of which is ordered by how much its items are worth: an item is
 * taken before another when it stands in an earlier part of its own list, so of every list about the same
 * share is kept and no list goes without while another has all. The first item of each comes first.
 *
 * @returns What is kept of each list, in its order, and whether something was left out.
 */
export function withinBudget<T>(
  lists: readonly (readonly T[])[],
  bytesOf: (item: T) => number,
  most: number,
): { readonly kept: readonly (readonly T[])[]; readonly cut: boolean } {
  const all = lists.reduce((sum, list) => list.reduce((own, item) => own + bytesOf(item), sum), 0);
  if (all <= most) return { kept: lists, cut: false };
  const queue = lists
    .flatMap((list, index) => list.map((item, at) => ({ index, item, place: at / list.length })))
    .sort((a, b) => a.place - b.place || a.index - b.index);
  const kept = lists.map((): T[] => []);
  let left = most;
  for (const { index, item } of queue) {
    left -= bytesOf(item);
    if (left < 0) break;
    kept[index]?.push(item);
  }
  return { kept, cut: true };
}
