/*
 * Turns a filter into a bitmap of a part's rows (bit set = the row matches), in the engine's own memory.
 *
 * A segment answers from its attribute index. Its rows never change, so the bitmap is kept and the next query
 * with the same filter finds it there; deleted rows are no part of it, since they do change. A memtable is
 * evaluated row by row.
 */
import type { Filter } from '../filter/ast.js';
import { EncodedFilter } from '../filter/match-encoded.js';
import type { Kernels } from '../vector/kernels.js';
import type { Scratch } from '../vector/scratch.js';
import { spansOf } from './memtable-rows.js';
import type { IdLookup } from '../segment/id-index.js';
import type { OpenParts } from './open-parts.js';
import type { PagedPart } from './stages.js';
import type { MemtablePart, Part, SegmentPart } from './tasks.js';

export interface Matches {
  /** Address of the bitmap. */
  readonly pointer: number;
  readonly words: number;
  /** Bits set, deleted rows included. */
  readonly count: number;
}

export class Matcher {
  readonly #cached = new Map<string, Matches>();
  #cacheEnd: number;

  constructor(
    private readonly kernels: Kernels,
    private readonly parts: OpenParts,
    /** Where bitmaps of segments are kept; emptied when full. */
    private readonly cache: { readonly pointer: number; readonly bytes: number },
  ) {
    this.#cacheEnd = cache.pointer;
  }

  /** @param scratch Takes the bitmap when it cannot be kept. */
  match(part: Part | PagedPart, filter: Filter, key: string, scratch: Scratch): Matches {
    return part.kind === 'memtable'
      ? this.#memtable(part, filter, scratch)
      : this.#segment(part, filter, key, scratch);
  }

  /** Drops what is kept of these parts. */
  forget(tags: readonly number[]): void {
    const prefixes = tags.map((tag) => `${tag}:`);
    for (const key of this.#cached.keys()) {
      if (prefixes.some((prefix) => key.startsWith(prefix))) this.#cached.delete(key);
    }
  }

  #segment(part: SegmentPart | PagedPart, filter: Filter, filterKey: string, scratch: Scratch): Matches {
    const key = `${part.tag}:${filterKey}`;
    const known = this.#cached.get(key);
    if (known !== undefined) return known;
    const view = this.parts.viewOf(part);
    const words = Math.ceil(view.rows / 32);
    const kept = this.#reserve(words * 4);
    const pointer = kept ?? scratch.take(words * 4);
    const out = this.kernels.u32.subarray(pointer / 4, pointer / 4 + words);
    const ids: IdLookup = {
      lookup: (id) => view.idIndex.lookup(id),
      rowsWithPrefix: (prefix) => view.idIndex.rowsWithPrefix(prefix),
    };
    const matches = { pointer, words, count: view.attributeIndex.evaluate(filter, ids, out) };
    if (kept !== null) this.#cached.set(key, matches);
    return matches;
  }

  #memtable(part: MemtablePart, filter: Filter, scratch: Scratch): Matches {
    const { u32, u8 } = this.kernels;
    const encoded = new EncodedFilter(filter);
    const words = Math.ceil(part.rows / 32);
    const pointer = scratch.take(words * 4);
    const base = pointer / 4;
    u32.fill(0, base, base + words);
    let count = 0;
    for (let row = 0; row < part.rows; row++) {
      if (!encoded.matches(u8, spansOf(this.kernels, part, row))) continue;
      const at = base + (row >>> 5);
      u32[at] = (u32[at] ?? 0) | (1 << (row & 31));
      count++;
    }
    return { pointer, words, count };
  }

  #reserve(bytes: number): number | null {
    const size = Math.ceil(bytes / 64) * 64;
    if (size > this.cache.bytes / 4) return null;
    if (this.#cacheEnd + size > this.cache.pointer + this.cache.bytes) {
      this.#cached.clear();
      this.#cacheEnd = this.cache.pointer;
    }
    const pointer = this.#cacheEnd;
    this.#cacheEnd += size;
    return pointer;
  }
}

/** A text that is equal for equal filters. */
export function filterKey(filter: Filter): string {
  return JSON.stringify(filter, (_, value: unknown) =>
    typeof value === 'bigint' ? { int64: value.toString() } : value,
  );
}

/** Rows whose bit is set in `matches` and not in the bitmap of deleted rows (address 0: none), ascending. */
export function* visibleRows(kernels: Kernels, matches: Matches, deleted: number): Generator<number> {
  for (let index = 0; index < matches.words; index++) {
    for (let word = visibleWord(kernels, matches, deleted, index); word !== 0; word &= word - 1) {
      yield index * 32 + (31 - Math.clz32(word & -word));
    }
  }
}

/** How many rows `visibleRows` gives. */
export function countVisible(kernels: Kernels, matches: Matches, deleted: number): number {
  if (deleted === 0) return matches.count;
  let count = 0;
  for (let index = 0; index < matches.words; index++)
    count += ones(visibleWord(kernels, matches, deleted, index));
  return count;
}

function visibleWord(kernels: Kernels, matches: Matches, deleted: number, index: number): number {
  const word = kernels.u32[matches.pointer / 4 + index] ?? 0;
  return deleted === 0 ? word : word & ~(kernels.u32[deleted / 4 + index] ?? 0);
}

/** Bits set in a 32-bit word (Warren, Hacker's Delight, figure 5-2). */
function ones(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
