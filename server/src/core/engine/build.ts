/*
 * Makes one segment of the visible rows of several parts: the work of a flush and of a merge, on a thread of
 * its own.
 *
 * A clustered segment numbers its rows by cluster. So the vectors are gathered first, clustered where they
 * lie, and copied into the segment in their final order; everything else is written in that order directly.
 * The same task gives the same bytes on every machine.
 */
import { buildScratchBytes, planIvf, writeIvf } from '../index/build.js';
import { addOneBit } from '../index/one-bit/build.js';
import { oneBitBytes } from '../index/one-bit/layout.js';
import type { IvfPlan } from '../index/plan.js';
import { Setsum } from '../log/setsum.js';
import { buildAttributeIndex } from '../segment/attribute-builder.js';
import { buildIdIndex } from '../segment/id-index.js';
import type { SegmentHeader } from '../segment/header.js';
import { encodeHeader } from '../segment/header.js';
import type { SectionLength, SegmentPlan } from '../segment/layout.js';
import { HEADER_BYTES, planSegment } from '../segment/layout.js';
import { firstRowsOf, marksBytes, writeMarks } from '../segment/marks.js';
import { RowHeapView, RowHeapWriter, rowHeapBytes } from '../segment/row-heap.js';
import { SegmentWriter } from '../segment/segment-writer.js';
import { sequencesBytes, writeSequence } from '../segment/sequences.js';
import type { Kernels } from '../vector/kernels.js';
import { rowStride } from '../vector/metric.js';
import { Scratch } from '../vector/scratch.js';
import { GatheredRows } from './gather.js';
import { keptClusters } from './kept-clusters.js';
import { selfTestBytes, writeSelfTest } from './self-test.js';
import type { BuildTask, BuiltSegment } from './tasks.js';

/** Memory of the arena, asked of the thread that owns it. Addresses are multiples of 64. */
export interface BuildMemory {
  allocate(bytes: number, purpose: string): Promise<number>;
  shrink(pointer: number, bytes: number): void;
  free(pointer: number): void;
}

export interface BuildEnvironment {
  readonly kernels: Kernels;
  readonly memory: BuildMemory;
}

const SELF_TEST_QUERIES = 256;

/** Null when no row is visible. The segment's memory is the caller's. */
export async function buildSegment(
  { kernels, memory }: BuildEnvironment,
  task: BuildTask,
): Promise<BuiltSegment | null> {
  const rows = new GatheredRows(kernels, task.parts, task.dimensions);
  if (rows.count === 0) return null;
  if (rows.count < task.clusterFrom) return writeSegment({ kernels, memory, task, rows }, null);
  const vectorBytes = rows.count * (rowStride(task.dimensions) + 1) * 4 + 64;
  const kept = keptClusters(kernels, task.parts, rows);
  const shape = {
    ...{ metric: task.metric, dimensions: task.dimensions, rows: rows.count, seed: task.seed },
    ...(kept === null ? {} : { kept }),
  };
  const scratchBytes = buildScratchBytes(shape);
  const scratchAt = await memory.allocate(scratchBytes, 'the working memory of an index build');
  const scratch = new Scratch(scratchAt, scratchBytes);
  try {
    const raw = await memory.allocate(vectorBytes, 'the vectors of an index build');
    let plan: IvfPlan;
    try {
      const factors = raw + Math.ceil((rows.count * rowStride(task.dimensions) * 4) / 64) * 64;
      rows.copyVectors(raw, factors, null);
      plan = planIvf(kernels, scratch, { ...shape, raw, factors });
    } finally {
      memory.free(raw);
    }
    return await writeSegment({ kernels, memory, task, rows }, { plan, scratch });
  } finally {
    memory.free(scratchAt);
  }
}

interface Job extends BuildEnvironment {
  readonly task: BuildTask;
  readonly rows: GatheredRows;
}

interface Clustering {
  readonly plan: IvfPlan;
  readonly scratch: Scratch;
}

async function writeSegment(job: Job, clustering: Clustering | null): Promise<BuiltSegment> {
  const { kernels, memory, task, rows } = job;
  const order = clustering?.plan.order ?? null;
  const ids = heapOf(rows.count, order, (index) => rows.idBytes(index));
  const attributes = heapOf(rows.count, order, (index) => rows.attributeBytes(index));
  const idIndex = buildIdIndex(new RowHeapView(ids, rows.count));
  const attributeIndex = buildAttributeIndex(new RowHeapView(attributes, rows.count));
  const plan = planSegment([
    { kind: 'raw', length: rows.count * rowStride(task.dimensions) * 4 },
    { kind: 'factors', length: rows.count * 4 },
    { kind: 'ids', length: ids.length },
    { kind: 'idIndex', length: idIndex.length },
    { kind: 'attributes', length: attributes.length },
    { kind: 'attributeIndex', length: attributeIndex.length },
    { kind: 'sequences', length: sequencesBytes(rows.count) },
    ...(clustering === null ? [] : indexSections(clustering.plan, rows.count)),
  ]);
  const pointer = await memory.allocate(plan.size, 'a segment');
  try {
    const writer = new SegmentWriter(kernels.u8.subarray(pointer, pointer + plan.size), plan);
    writer.put('ids', ids);
    writer.put('idIndex', idIndex);
    writer.put('attributes', attributes);
    writer.put('attributeIndex', attributeIndex);
    const at = addressesOf(pointer, plan);
    rows.copyVectors(at('raw'), at('factors'), order);
    const range = writeSequences(
      ...([
        writer.section('sequences'),
        { rows, ids: new RowHeapView(writer.section('ids'), rows.count) },
        order,
      ] as const),
    );
    const header: SegmentHeader = {
      ...{ collectionId: task.collectionId, jobId: task.jobId, rows: rows.count },
      ...{ dimensions: task.dimensions, metric: task.metric, clusters: clustering?.plan.clusters ?? 0 },
      ...{ minSequence: range.minSequence, maxSequence: range.maxSequence },
    };
    const written =
      clustering === null ? {} : writeClusters(kernels, { ...clustering, seed: task.seed }, writer, at);
    if (clustering !== null) {
      writer.put('headerCopy', encodeHeader(header));
      const heaps = [ids, attributes].map((heap) => new RowHeapView(heap, rows.count));
      writeMarks(writer.section('marks'), firstRowsOf(writer.section('postingTable')), heaps);
    }
    writer.finish(header);
    const summary = { ...written, skeleton: plan.skeleton };
    return { pointer, bytes: plan.size, rows: rows.count, ...range, clustered: clustering !== null, summary };
  } catch (error) {
    memory.free(pointer);
    throw error;
  }
}

/** The index in the order of the file: what a query plans with comes last. */
function indexSections(plan: IvfPlan, rows: number): SectionLength[] {
  const { sizes, clusters } = plan;
  const codes1bit = oneBitBytes(plan);
  return [
    { kind: 'selfTest', length: selfTestBytes(Math.min(SELF_TEST_QUERIES, rows)) },
    { kind: 'centroidRows', length: sizes.centroidRows },
    { kind: 'postings', length: sizes.postings },
    ...(codes1bit === 0 ? [] : [{ kind: 'codes1bit', length: codes1bit } as const]),
    { kind: 'headerCopy', length: HEADER_BYTES },
    { kind: 'centroids', length: sizes.centroids },
    { kind: 'postingTable', length: sizes.postingTable },
    { kind: 'marks', length: marksBytes(clusters) },
  ];
}

type Addresses = (kind: SegmentPlan['sections'][number]['kind']) => number;

function addressesOf(pointer: number, plan: SegmentPlan): Addresses {
  const offsets = new Map(plan.sections.map(({ kind, offset }) => [kind, pointer + offset]));
  return (kind) => offsets.get(kind) ?? 0;
}

function heapOf(
  count: number,
  order: Uint32Array | null,
  bytesOf: (index: number) => Uint8Array,
): Uint8Array {
  let total = 0;
  for (let index = 0; index < count; index++) total += bytesOf(index).length;
  const heap = new Uint8Array(rowHeapBytes(count, total));
  const writer = new RowHeapWriter(heap, count);
  for (let row = 0; row < count; row++) writer.append(bytesOf(order === null ? row : (order[row] ?? 0)));
  writer.finish();
  return heap;
}

/** The sum is made of the ids as they stand in the segment, so that it shows what really got there. */
function writeSequences(
  section: Uint8Array,
  { rows, ids }: { readonly rows: GatheredRows; readonly ids: RowHeapView },
  order: Uint32Array | null,
): { readonly minSequence: number; readonly maxSequence: number; readonly setsum: string } {
  const setsum = new Setsum();
  let minSequence = Infinity;
  let maxSequence = 0;
  for (let row = 0; row < rows.count; row++) {
    const sequence = rows.sequence(order === null ? row : (order[row] ?? 0));
    writeSequence(section, row, sequence);
    setsum.add(ids.bytesOf(row), sequence);
    minSequence = Math.min(minSequence, sequence);
    maxSequence = Math.max(maxSequence, sequence);
  }
  return { minSequence, maxSequence, setsum: setsum.toString() };
}

/** Writes codes and calibration; returns what the root keeps of them. */
function writeClusters(
  kernels: Kernels,
  { plan, scratch, seed }: Clustering & { readonly seed: number },
  writer: SegmentWriter,
  at: Addresses,
): Record<string, unknown> {
  const pointers = {
    raw: at('raw'),
    factors: at('factors'),
    ...{ centroids: at('centroids'), postingTable: at('postingTable') },
    ...{ centroidRows: at('centroidRows'), postings: at('postings') },
  };
  const { view, report } = writeIvf(kernels, scratch, plan, pointers);
  writeSelfTest(writer.section('selfTest'), report);
  if (oneBitBytes(plan) > 0) {
    const measured = { report, membership: plan };
    addOneBit(kernels, scratch, view, measured, { address: at('codes1bit'), seed });
  }
  return {
    clusters: view.clusters,
    entries: view.entries,
    rerank: view.calibration.rerank,
    nprobe: [...view.calibration.nprobe],
    generation: view.history.generation,
    changes: view.history.changes,
  };
}
