// Segments built, merged and searched in an arena of a test's own, without a server around them.
import { loadKernels } from '#server/adapters/wasm/kernel-binary.js';
import { buildSegment } from '#server/core/engine/build.js';
import type { OpenedSegment } from '#server/core/engine/open-parts.js';
import { openPart } from '#server/core/engine/open-parts.js';
import type { BuiltSegment, MemtablePart, Part, SegmentPart } from '#server/core/engine/tasks.js';
import type { IvfView } from '#server/core/index/layout.js';
import { searchIvf } from '#server/core/index/search.js';
import type { Region } from '#server/core/memory/arena.js';
import { Arena } from '#server/core/memory/arena.js';
import type { Kernels, KernelVariant } from '#server/core/vector/kernels.js';
import { instantiateKernels } from '#server/core/vector/kernels.js';
import type { Metric } from '#server/core/vector/metric.js';
import { factorOfNorm, rowStride, squaredNorm } from '#server/core/vector/metric.js';
import { Scratch } from '#server/core/vector/scratch.js';
import type { Rows } from './vector-space.js';
import { exactScores, rowOf, scoreRecall } from './vector-space.js';

const ID_BYTES = 8;
const SCRATCH_BYTES = 8 * 1024 * 1024;

export interface Made extends BuiltSegment {
  readonly part: SegmentPart;
}

export class SegmentSpace {
  readonly arena: Arena;
  readonly kernels: Kernels;
  readonly #scratch: Scratch;
  readonly #regions = new Map<number, Region>();
  #tag = 1;

  constructor(
    readonly metric: Metric,
    readonly dimensions: number,
    options: { readonly variant?: KernelVariant; readonly bytes?: number } = {},
  ) {
    this.arena = new Arena(options.bytes ?? 192 * 1024 * 1024);
    this.kernels = instantiateKernels(loadKernels(options.variant).module, this.arena.memory);
    this.#scratch = new Scratch(this.#allocate(SCRATCH_BYTES), SCRATCH_BYTES);
  }

  /** A segment of these rows; row `i` has the id `first + i`. */
  async write(rows: Rows, first: number, seed = 1): Promise<Made> {
    const table = this.#memtable(rows, first);
    const made = await this.merge([table], seed);
    for (const at of [table.raw, table.factors, table.idOffsets, table.idHeap, table.sequences])
      this.free(at);
    return made;
  }

  async merge(parts: readonly Part[], seed = 1): Promise<Made> {
    const memory = {
      allocate: (bytes: number) => Promise.resolve(this.#allocate(bytes)),
      shrink: () => undefined,
      free: (pointer: number) => this.free(pointer),
    };
    const { metric, dimensions } = this;
    const task = { metric, dimensions, parts, seed, collectionId: 'c', jobId: 'j', clusterFrom: 1024 };
    const built = await buildSegment({ kernels: this.kernels, memory }, { ...task, lane: 'merge' });
    if (built === null) throw new Error('nothing is left to build a segment of');
    const { pointer, bytes } = built;
    const part = { kind: 'segment', tag: this.#tag++, pointer, bytes, deleted: 0, deletedRows: 0 } as const;
    return { ...built, part };
  }

  /** The segment without the rows whose ids are named. */
  without({ part, rows }: Made, isGone: (id: number) => boolean): SegmentPart {
    const words = Math.ceil(rows / 32);
    const deleted = this.#allocate(words * 4);
    this.arena.u32.fill(0, deleted / 4, deleted / 4 + words);
    const { view } = openPart(this.kernels, part);
    let deletedRows = 0;
    for (let row = 0; row < rows; row++) {
      if (!isGone(Number(view.idOf(row)))) continue;
      const byte = deleted + (row >>> 3);
      this.arena.u8[byte] = (this.arena.u8[byte] ?? 0) | (1 << (row & 7));
      deletedRows++;
    }
    return { ...part, deleted, deletedRows };
  }

  open({ part }: Made): OpenedSegment {
    return openPart(this.kernels, part);
  }

  index(made: Made): IvfView {
    const { ivf } = this.open(made);
    if (ivf === null) throw new Error('the segment is not clustered');
    return ivf;
  }

  bytesOf({ pointer, bytes }: Made): Uint8Array {
    return this.arena.bytes(pointer, bytes).slice();
  }

  /** The rows of every posting. */
  postings(made: Made): number[][] {
    const { table, clusters, postingBlocks, groups, terms } = this.index(made);
    const words = 16 * (1 + terms + groups);
    return Array.from({ length: clusters }, (_, cluster) => {
      const rows: number[] = [];
      const [from = 0, to = 0] = this.arena.u32.subarray(table / 4 + cluster, table / 4 + cluster + 2);
      for (let block = from; block < to; block++) {
        const at = postingBlocks / 4 + block * words;
        rows.push(...this.arena.u32.slice(at, at + 16).filter((row) => row !== 0xffffffff));
      }
      return rows;
    });
  }

  /** Mean recall of the ten nearest by default, against the rows given, which are those of the segment. */
  recall(made: Made, rows: Rows, queries: Rows): number {
    const count = queries.values.length / queries.dimensions;
    const ivf = this.index(made);
    let sum = 0;
    for (let query = 0; query < count; query++) {
      const vector = rowOf(queries, query);
      const hits = searchIvf(this.kernels, this.#scratch, ivf, vector, { k: 10, recallTarget: 0.95 });
      sum += scoreRecall(hits.scores, exactScores(this.metric, rows, vector, 10));
    }
    return sum / count;
  }

  free(pointer: number): void {
    this.#regions.get(pointer)?.release();
    this.#regions.delete(pointer);
  }

  #allocate(bytes: number): number {
    const region = this.arena.allocate(bytes, 'a test');
    this.#regions.set(region.pointer, region);
    return region.pointer;
  }

  #memtable({ values, dimensions }: Rows, first: number): MemtablePart {
    const rows = values.length / dimensions;
    const stride = rowStride(dimensions);
    const [raw, factors] = [this.#allocate(rows * stride * 4), this.#allocate(rows * 4)];
    const [idOffsets, idHeap] = [this.#allocate((rows + 1) * 4), this.#allocate(rows * ID_BYTES)];
    const sequences = this.#allocate(rows * 8);
    const { f32, f64, u32, u8 } = this.arena;
    f32.fill(0, raw / 4, raw / 4 + rows * stride);
    for (let row = 0; row < rows; row++) {
      const vector = values.subarray(row * dimensions, (row + 1) * dimensions);
      f32.set(vector, raw / 4 + row * stride);
      f32[factors / 4 + row] = factorOfNorm(this.metric, squaredNorm(vector));
      u32[idOffsets / 4 + row] = row * ID_BYTES;
      u8.set(new TextEncoder().encode(String(first + row).padStart(ID_BYTES, '0')), idHeap + row * ID_BYTES);
      f64[sequences / 8 + row] = 1 + first + row;
    }
    u32[idOffsets / 4 + rows] = rows * ID_BYTES;
    const attributes = this.#allocate((rows + 1) * 4);
    u32.fill(0, attributes / 4, attributes / 4 + rows + 1);
    const place = { raw, factors, idOffsets, idHeap, sequences };
    const none = { deleted: 0, deletedRows: 0, attributeOffsets: attributes, attributeHeap: idHeap };
    return { kind: 'memtable', tag: this.#tag++, rows, ...place, ...none };
  }
}

/** Rows of several lists, one after the other. */
export function joined(...lists: readonly Rows[]): Rows {
  const values = new Float32Array(lists.reduce((sum, list) => sum + list.values.length, 0));
  let at = 0;
  for (const list of lists) {
    values.set(list.values, at);
    at += list.values.length;
  }
  return { dimensions: lists[0]?.dimensions ?? 1, values };
}

/** Rows `from` to `to`. */
export function sliced({ dimensions, values }: Rows, from: number, to: number): Rows {
  return { dimensions, values: values.subarray(from * dimensions, to * dimensions) };
}
