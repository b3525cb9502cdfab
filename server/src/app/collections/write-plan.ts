/*
 * Turns requests into the writes of a slot. A plan is made against the state that the slot will be applied
 * to: everything applied so far plus the requests planned before it in the same slot. So a patch sees the
 * upsert that shares its slot, and the counts in an answer are exact.
 *
 * The log holds only effects, whole records and deletions: replaying it needs no decision.
 */
import type { CollectionState } from '../../core/collection/state.js';
import type { Filter } from '../../core/filter/ast.js';
import { compileFilter } from '../../core/filter/match.js';
import type { WalWrites } from '../../core/log/wal-slot.js';
import { OP_DELETE, OP_PUT } from '../../core/log/wal-slot.js';
import type { Room } from '../../core/memory/memtable.js';
import { checkAttributes, decodeAttributes } from '../../core/record/attribute-codec.js';
import type { AttributeValue } from '../../core/record/record.js';
import type { RecordPatch } from '../api.js';

interface Planned {
  readonly vector: Float32Array;
  readonly attributes: Uint8Array;
}

/** The records of a collection as the next write of a slot will find them. */
export class SlotView {
  /** Records that earlier requests of the slot put; null: deleted. */
  readonly #planned = new Map<string, Planned | null>();
  #room: Room = { rows: 0, idBytes: 0, attributeBytes: 0 };

  constructor(private readonly state: CollectionState) {}

  exists(id: string): boolean {
    const planned = this.#planned.get(id);
    return planned === undefined ? this.state.locate(id) !== null : planned !== null;
  }

  read(id: string): Planned | null {
    const planned = this.#planned.get(id);
    if (planned !== undefined) return planned;
    const location = this.state.locate(id);
    if (location === null) return null;
    const { source, row } = location;
    return { vector: source.vectorOf(row), attributes: source.attributesOf(row) };
  }

  /** Adds to the room that the slot's puts take together, and returns the sum. */
  claim(room: Room): Room {
    this.#room = {
      rows: this.#room.rows + room.rows,
      idBytes: this.#room.idBytes + room.idBytes,
      attributeBytes: this.#room.attributeBytes + room.attributeBytes,
    };
    return this.#room;
  }

  put(id: string, vector: Float32Array, attributes: Uint8Array): void {
    this.#planned.set(id, { vector, attributes });
  }

  remove(id: string): void {
    this.#planned.set(id, null);
  }
}

export interface UpsertPlan {
  readonly writes: WalWrites;
  readonly inserted: number;
  readonly updated: number;
}

export interface PutBatch {
  readonly ids: readonly string[];
  readonly vectors: Float32Array;
  readonly dimensions: number;
  readonly attributes: readonly Uint8Array[];
}

export function planUpsert(view: SlotView, batch: PutBatch): UpsertPlan {
  let updated = 0;
  batch.ids.forEach((id, index) => {
    if (view.exists(id)) updated++;
    const from = index * batch.dimensions;
    view.put(id, batch.vectors.subarray(from, from + batch.dimensions), batch.attributes[index] ?? NO_BYTES);
  });
  return {
    writes: {
      ops: new Uint8Array(batch.ids.length).fill(OP_PUT),
      ids: batch.ids,
      vectors: batch.vectors,
      attributes: batch.attributes,
    },
    inserted: batch.ids.length - updated,
    updated,
  };
}

export interface PatchPlan {
  readonly writes: WalWrites;
  readonly patched: number;
  readonly missingIds: readonly string[];
}

export function planPatch(view: SlotView, patches: readonly RecordPatch[], dimensions: number): PatchPlan {
  const ids: string[] = [];
  const missingIds: string[] = [];
  const attributes: Uint8Array[] = [];
  const vectors = new Float32Array(patches.length * dimensions);
  patches.forEach((patch, index) => {
    const record = view.read(patch.id);
    if (record === null) {
      missingIds.push(patch.id);
      return;
    }
    const vector = patch.vector ?? record.vector;
    const merged = mergeAttributes(record.attributes, patch, `patches[${index}]`);
    vectors.set(vector, ids.length * dimensions);
    ids.push(patch.id);
    attributes.push(merged);
    view.put(patch.id, vector, merged);
  });
  return {
    writes: {
      ops: new Uint8Array(ids.length).fill(OP_PUT),
      ids,
      vectors: vectors.subarray(0, ids.length * dimensions),
      attributes,
    },
    patched: ids.length,
    missingIds,
  };
}

export interface DeletePlan {
  readonly writes: WalWrites;
  readonly deleted: number;
}

/**
 * @param filter When the ids were found by a filter: a record that changed since and does not match any more
 * is kept.
 */
export function planDelete(view: SlotView, ids: Iterable<string>, filter?: Filter): DeletePlan {
  const matches = filter === undefined ? null : compileFilter(filter);
  const found: string[] = [];
  for (const id of ids) {
    if (matches === null ? !view.exists(id) : !stillMatches(view, id, matches)) continue;
    found.push(id);
    view.remove(id);
  }
  return {
    writes: {
      ops: new Uint8Array(found.length).fill(OP_DELETE),
      ids: found,
      vectors: new Float32Array(0),
      attributes: [],
    },
    deleted: found.length,
  };
}

const NO_BYTES = new Uint8Array();

function stillMatches(view: SlotView, id: string, matches: ReturnType<typeof compileFilter>): boolean {
  const record = view.read(id);
  return record !== null && matches(id, decodeAttributes(record.attributes));
}

function mergeAttributes(current: Uint8Array, patch: RecordPatch, path: string): Uint8Array {
  if (patch.attributes.size === 0) return current;
  const merged = new Map<string, AttributeValue>(decodeAttributes(current));
  for (const [name, value] of patch.attributes) {
    if (value === null) merged.delete(name);
    else merged.set(name, value);
  }
  return checkAttributes(merged, `${path}.attributes`);
}
