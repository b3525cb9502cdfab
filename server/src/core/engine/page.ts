/*
 * One page of a scan: the visible rows of all parts in the order of their ids' hashes, equal hashes in the
 * order of the ids' bytes. The order depends on the ids alone, so it survives flushes and merges between two
 * pages.
 */
import { hash64 } from '../bytes/hash64.js';
import { compareBytes, encodeText } from '../record/text.js';
import type { Kernels } from '../vector/kernels.js';
import type { Matches } from './matcher.js';
import { idBytesOf, isMarked } from './memtable-rows.js';
import type { OpenParts } from './open-parts.js';
import type { MatchOutcome, MatchTask, MemtablePart, Part, ScanPosition } from './tasks.js';

interface Entry {
  readonly high: number;
  readonly low: number;
  readonly id: Uint8Array;
  readonly row: number;
}

/** @param matches Per part, null when every row matches. */
export function pageOfRows(
  kernels: Kernels,
  parts: OpenParts,
  task: MatchTask,
  matches: readonly (Matches | null)[],
): MatchOutcome {
  const limit = task.limit ?? 0;
  const streams = task.parts.map((part, index) =>
    entriesOf(kernels, parts, part, matches[index] ?? null, task.after),
  );
  const heads = streams.map((stream) => next(stream));
  const foundParts: number[] = [];
  const rows: number[] = [];
  while (rows.length < limit) {
    let best = -1;
    heads.forEach((head, index) => {
      if (head !== null && (best < 0 || compareEntries(head, heads[best] ?? null) < 0)) best = index;
    });
    const head = heads[best];
    const stream = streams[best];
    if (head === undefined || head === null || stream === undefined) break;
    foundParts.push(best);
    rows.push(head.row);
    heads[best] = next(stream);
  }
  return { count: rows.length, parts: Uint32Array.from(foundParts), rows: Uint32Array.from(rows) };
}

function entriesOf(
  kernels: Kernels,
  parts: OpenParts,
  part: Part,
  matches: Matches | null,
  after: ScanPosition | undefined,
): Generator<Entry> {
  const visible = (row: number): boolean =>
    !isMarked(kernels, part.deleted, row) && (matches === null || isMarked(kernels, matches.pointer, row));
  if (part.kind === 'memtable') return memtableEntries(kernels, part, visible, after);
  return segmentEntries(parts, part, visible, after);
}

function* segmentEntries(
  parts: OpenParts,
  part: Extract<Part, { kind: 'segment' }>,
  visible: (row: number) => boolean,
  after: ScanPosition | undefined,
): Generator<Entry> {
  const { view } = parts.segment(part);
  const { idIndex, ids } = view;
  for (let rank = after === undefined ? 0 : idIndex.rankAfter(after); rank < view.rows; rank++) {
    const row = idIndex.rowAt(rank);
    if (!visible(row)) continue;
    yield { high: idIndex.hashHighAt(rank), low: idIndex.hashLowAt(rank), id: ids.bytesOf(row), row };
  }
}

/** A memtable is bounded by a flush, so its rows are sorted for every page. */
function* memtableEntries(
  kernels: Kernels,
  part: MemtablePart,
  visible: (row: number) => boolean,
  after: ScanPosition | undefined,
): Generator<Entry> {
  const start: Entry | null =
    after === undefined
      ? null
      : { high: after.hashHigh, low: after.hashLow, id: encodeText(after.id), row: -1 };
  const entries: Entry[] = [];
  for (let row = 0; row < part.rows; row++) {
    if (!visible(row)) continue;
    const id = idBytesOf(kernels, part, row);
    const entry = { ...hash64(id), id, row };
    if (start === null || compareEntries(entry, start) > 0) entries.push(entry);
  }
  yield* entries.sort(compareEntries);
}

function compareEntries(a: Entry, b: Entry | null): number {
  if (b === null) return -1;
  return a.high - b.high || a.low - b.low || compareBytes(a.id, 0, a.id.length, b.id, 0, b.id.length);
}

function next(stream: Generator<Entry>): Entry | null {
  const step = stream.next();
  return step.done === true ? null : step.value;
}
