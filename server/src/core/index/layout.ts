/*
 * The index of a clustered segment, as bytes: `centroids` and `postingTable` (small, read by every query),
 * `postings` (read in part) and `centroidRows` (read by merges). `docs/formats/postings.md` draws them. They
 * are position-independent and are scanned where they lie.
 *
 * Invariant: `openIvf` accepts only bytes whose sizes agree with each other, so that no kernel is ever led
 * outside of a section.
 */
import { OmenError } from '../errors.js';
import type { Kernels } from '../vector/kernels.js';
import type { Metric } from '../vector/metric.js';
import { METRIC_NUMBERS, metricOfNumber, rowStride } from '../vector/metric.js';

/** "OIVF" as little-endian bytes. */
const MAGIC = 0x4656494f;
const VERSION = 2;
/** What stands before the centres in the section `centroids`. */
export const CENTROIDS_HEADER_BYTES = 192;
const CALIBRATION_AT = 64;
const HISTORY_AT = 160;
const LANES = 16;

/** Entries of a block; an unused one has the row number 0xffffffff. */
export const BLOCK_ENTRIES = LANES;

/** Recall targets and numbers of hits for which a segment knows how many postings to read. */
export const CALIBRATED_TARGETS = [0.8, 0.9, 0.95, 0.98, 0.99, 0.995] as const;
export const CALIBRATED_K = [1, 10, 100, 1000] as const;

export interface Calibration {
  /** Postings to read, `nprobe[k * CALIBRATED_TARGETS.length + target]`, never more than there are. */
  readonly nprobe: Uint32Array;
  /** Rows compared exactly for `k` hits: `ceil(rerank * k)` and a few more. */
  readonly rerank: number;
}

export interface IvfShape {
  readonly metric: Metric;
  readonly dimensions: number;
  readonly rows: number;
  readonly clusters: number;
  /** Blocks of all postings together. */
  readonly blocks: number;
  /** Rows in all postings together: a row stands in one or two. */
  readonly entries: number;
}

/** How the clusters came about: what decides whether a merge goes on with them. */
export interface ClusterHistory {
  /** Merges since the last clustering from scratch. */
  readonly generation: number;
  /** Postings that were cut or dissolved since then. */
  readonly changes: number;
  /** Mean squared distance of a row to its centroid, right after it; 0 in segments that do not say. */
  readonly error: number;
}

/** Addresses of a clustered segment's parts. */
export interface IvfPointers {
  /** f32 rows, in the segment's numbering. */
  readonly raw: number;
  /** One f32 per row. */
  readonly factors: number;
  readonly centroids: number;
  readonly postingTable: number;
  /** 0 when they are not in memory, as `postings`. */
  readonly centroidRows: number;
  readonly postings: number;
}

/** Bytes of the sections that `IvfPointers` names. */
export type IvfSizes = Readonly<Record<'centroids' | 'postingTable' | 'centroidRows' | 'postings', number>>;

/** A clustered segment in the arena, decoded as far as a query needs it. */
export interface IvfView extends IvfShape {
  readonly raw: number;
  readonly factors: number;
  /** Floats per row. */
  readonly stride: number;
  /** Groups of 4 dimensions. */
  readonly groups: number;
  /** f32 per entry beside the code: see `termsOfMetric`. */
  readonly terms: number;
  readonly centres: number;
  readonly steps: number;
  /** f32 rows; 0 when they are not in memory. */
  readonly centroidRows: number;
  readonly centroidBlocks: number;
  readonly centroidBlockCount: number;
  /** u32: first block of every posting, and one more. */
  readonly table: number;
  /** u32: first row of every cluster, and the number of rows: rows are numbered by their first posting. */
  readonly firstRows: number;
  /** 0 when they are not in memory: then each posting is handed over by itself. */
  readonly postingBlocks: number;
  readonly calibration: Calibration;
  readonly history: ClusterHistory;
}

/**
 * How many f32 stand beside each code. Rows of unit length share one step, so cosine needs none; under dot
 * each row has its own scale, since lengths differ; l2 needs ‖x − centre‖²/2 as well.
 */
export function termsOfMetric(metric: Metric): 0 | 1 | 2 {
  return metric === 'cosine' ? 0 : metric === 'dot' ? 1 : 2;
}

/** Bytes of one block: for each entry a row number, `terms` f32 and its code, four bytes per group. */
export function blockBytes(groups: number, terms: number): number {
  return LANES * 4 * (1 + terms + groups);
}

/** The next multiple of 64, the size of a cache line. */
export function align64(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** Offsets within the `centroids` section, and its size. */
export function centroidLayout(dimensions: number, clusters: number) {
  const stride = rowStride(dimensions);
  const centres = CENTROIDS_HEADER_BYTES;
  const steps = centres + align64(stride * 4);
  const blocks = steps + align64(stride * 4);
  const bytes = blocks + Math.ceil(clusters / LANES) * blockBytes(stride / 4, 2);
  return { centres, steps, blocks, bytes };
}

/** Bytes of the sections of an index of this shape. */
export function ivfSizes(shape: Pick<IvfShape, 'metric' | 'dimensions' | 'clusters' | 'blocks'>): IvfSizes {
  const stride = rowStride(shape.dimensions);
  return {
    centroids: centroidLayout(shape.dimensions, shape.clusters).bytes,
    postingTable: (shape.clusters + 1) * 8,
    centroidRows: shape.clusters * stride * 4,
    postings: shape.blocks * blockBytes(stride / 4, termsOfMetric(shape.metric)),
  };
}

/** Where the rows of the clusters begin in the section `postingTable`, behind the blocks of the postings. */
export function firstRowsAt(clusters: number): number {
  return (clusters + 1) * 4;
}

/** Writes the header of the `centroids` section; the rest of the section is the caller's to fill. */
export function writeHeader(
  kernels: Kernels,
  pointer: number,
  shape: IvfShape,
  { calibration, history }: Pick<IvfView, 'calibration' | 'history'>,
): void {
  const at = pointer / 4;
  kernels.u32.fill(0, at, at + CENTROIDS_HEADER_BYTES / 4);
  const words = [MAGIC, VERSION, METRIC_NUMBERS[shape.metric], shape.dimensions, shape.rows];
  kernels.u32.set([...words, shape.clusters, shape.entries, shape.blocks], at);
  kernels.f32[at + 8] = calibration.rerank;
  kernels.u32.set(calibration.nprobe, at + CALIBRATION_AT / 4);
  kernels.u32.set([history.generation, history.changes], at + HISTORY_AT / 4);
  kernels.f32[at + HISTORY_AT / 4 + 2] = history.error;
}

/** Reads the sections. Throws `DATA_CORRUPTED` when they contradict themselves or their sizes. */
export function openIvf(kernels: Kernels, pointers: IvfPointers, bytes: IvfSizes): IvfView {
  const at = pointers.centroids / 4;
  const word = (index: number): number => kernels.u32[at + index] ?? 0;
  const metric = metricOfNumber(word(2));
  check(bytes.centroids >= CENTROIDS_HEADER_BYTES && word(0) === MAGIC, 'it does not begin with "OIVF"');
  check(word(1) === VERSION && metric !== undefined, `version ${word(1)} or metric ${word(2)} is unknown`);
  const shape: IvfShape = {
    metric,
    dimensions: word(3),
    rows: word(4),
    clusters: word(5),
    entries: word(6),
    blocks: word(7),
  };
  const stride = rowStride(shape.dimensions);
  const centroids = centroidLayout(shape.dimensions, shape.clusters);
  const sizes = ivfSizes(shape);
  const firstRows = pointers.postingTable + firstRowsAt(shape.clusters);
  check(shape.clusters > 0 && sizes.centroids <= bytes.centroids, 'the centroids are cut short');
  check(sizes.postingTable <= bytes.postingTable, 'the table of postings is cut short');
  check(sizes.centroidRows <= bytes.centroidRows, 'the rows of the centroids are cut short');
  check(sizes.postings <= bytes.postings, 'the postings are cut short');
  checkTable(kernels, pointers.postingTable, shape.clusters, shape.blocks, 'blocks');
  checkTable(kernels, firstRows, shape.clusters, shape.rows, 'rows');
  const calibrated = at + CALIBRATION_AT / 4;
  return {
    ...shape,
    raw: pointers.raw,
    factors: pointers.factors,
    stride,
    groups: stride / 4,
    terms: termsOfMetric(metric),
    centres: pointers.centroids + centroids.centres,
    steps: pointers.centroids + centroids.steps,
    centroidRows: pointers.centroidRows,
    centroidBlocks: pointers.centroids + centroids.blocks,
    centroidBlockCount: Math.ceil(shape.clusters / LANES),
    table: pointers.postingTable,
    firstRows,
    postingBlocks: pointers.postings,
    calibration: {
      rerank: kernels.f32[at + 8] ?? 0,
      nprobe: kernels.u32.slice(calibrated, calibrated + CALIBRATED_TARGETS.length * CALIBRATED_K.length),
    },
    history: {
      generation: word(HISTORY_AT / 4),
      changes: word(HISTORY_AT / 4 + 1),
      error: kernels.f32[at + HISTORY_AT / 4 + 2] ?? 0,
    },
  };
}

function checkTable(kernels: Kernels, table: number, clusters: number, total: number, what: string): void {
  const words = kernels.u32.subarray(table / 4, table / 4 + clusters + 1);
  check(words[0] === 0 && words[clusters] === total, `the table of ${what} has the wrong ends`);
  const sorted = words.every((word, index) => index === 0 || word >= (words[index - 1] ?? 0));
  check(sorted, `the table of ${what} is not ascending`);
}

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new OmenError('DATA_CORRUPTED', `the index of a segment cannot be read: ${what}`);
}
