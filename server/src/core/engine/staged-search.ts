/*
 * Search in segments of which only the skeleton is in memory, stage by stage: the same ranking, the same scan
 * and the same comparison as of whole segments, over bytes that somebody else fetches in between.
 *
 * How many postings are read is planned at once, from the rows that match in each cluster: between two
 * stages lie reads that take as long as a thousand scans.
 */
import { loadQuery, searchFlat } from '../index/flat.js';
import type { IvfView } from '../index/layout.js';
import { BLOCK_ENTRIES } from '../index/layout.js';
import type { Candidates as Estimates } from '../index/one-bit/candidates.js';
import { promising } from '../index/one-bit/candidates.js';
import type { OneBitView } from '../index/one-bit/layout.js';
import { oneBitPlan, oneBitRange } from '../index/one-bit/layout.js';
import { scanOneBit } from '../index/one-bit/scan.js';
import {
  calibratedProbes,
  calibratedRerank,
  planProbes,
  rankCentroids,
  roundQuery,
} from '../index/search.js';
import { newCollector, takeHits } from '../vector/collector.js';
import type { Kernels } from '../vector/kernels.js';
import { factorOfNorm, rowStride, squaredNorm } from '../vector/metric.js';
import type { Scratch } from '../vector/scratch.js';
import { SectionAbsent } from '../segment/segment-view.js';
import type { Matches, Matcher } from './matcher.js';
import { filterKey, visibleRows } from './matcher.js';
import type { OpenParts } from './open-parts.js';
import type {
  Candidates,
  CompareTask,
  ExactHits,
  OneBitPostings,
  OneBitScan,
  PagedPart,
  PostingPieces,
  RankTask,
  RankedPart,
  ScanTask,
  StageOutcome,
  StageTask,
  StagedSearch,
} from './stages.js';

/** Comparing a row exactly costs a read of its own: as much as so many entries of a posting. */
const READ_COST = 24;
/** Rows that are compared in any case: a filter that few rows match is answered exactly. */
const LISTED_ROWS_MIN = 256;
/** Their calibration is of 10 hits. */
const ONE_BIT_HITS_MAX = 32;
/** More rows than these are searched by clusters, however selective the filter is. */
const LISTED_ROWS_MAX = 2048;

/** Runs stages over the memory of one engine. */
export class StagedEngine {
  constructor(
    private readonly kernels: Kernels,
    private readonly scratch: Scratch,
    private readonly parts: OpenParts,
    private readonly matcher: Matcher,
  ) {}

  /** `missing` when a section has to be attached first. */
  run(task: StageTask): StageOutcome {
    const mark = this.scratch.mark();
    try {
      switch (task.stage) {
        case 'rank':
          return this.#perPart(
            task,
            (part, index) => this.#rank(part, task, index),
            (parts) => ({ stage: 'rank', parts }),
          );
        case 'scan':
          return this.#perPart(
            task,
            (part, index) => this.#scan(part, task, index),
            (parts) => ({ stage: 'scan', parts: mostPromising(parts, task.topK) }),
          );
        case 'compare':
          return { stage: 'compare', hits: this.#compare(task) };
      }
    } finally {
      this.scratch.release(mark);
    }
  }

  #perPart<T>(
    task: StagedSearch,
    each: (part: PagedPart, index: number) => T,
    outcome: (parts: T[]) => StageOutcome,
  ): StageOutcome {
    const done: T[] = [];
    for (const part of task.parts) {
      const mark = this.scratch.mark();
      try {
        done.push(each(part, done.length));
      } catch (error) {
        if (!(error instanceof SectionAbsent)) throw error;
        return { stage: 'missing', section: error.kind };
      } finally {
        this.scratch.release(mark);
      }
    }
    return outcome(done);
  }

  #rank(part: PagedPart, task: RankTask, index: number): RankedPart {
    const ivf = this.parts.paged(part);
    const matches = this.#matches(part, task);
    if (matches?.count === 0) return NOTHING;
    if (matches !== null && isListed(ivf, task, matches.count)) {
      const rows = Uint32Array.from(visibleRows(this.kernels, matches, part.deleted));
      return { ...NOTHING, rows };
    }
    const options = optionsOf(ivf, task, matches);
    const plan = planProbes(ivf, options);
    const least = Math.min(ivf.clusters, Math.max(plan.probes, task.atLeast?.[index] ?? 0));
    const oneBit = this.#oneBit(part, task);
    const wider = oneBit === null ? null : oneBitPlan(oneBit, task.recallTarget, least);
    const probes = matches === null ? (wider?.probes ?? least) : least;
    const target = loadQuery(this.kernels, this.scratch, ivf.metric, task.query);
    const rounded = roundQuery(this.kernels, this.scratch, ivf, target);
    const wanted = matches === null ? probes : ivf.clusters;
    const list = rankCentroids(this.kernels, this.scratch, ivf, rounded, wanted) / 4;
    const ranked = this.kernels.u32.slice(list, list + wanted);
    const named =
      matches === null
        ? { ...NOTHING, postings: ranked, all: probes === ivf.clusters }
        : this.#withMatches(ivf, ranked, { probes, matches, plan, k: options.k });
    if (oneBit === null || wider === null) return named;
    return { ...named, oneBit: placesOf(oneBit, named.postings, wider.slack) };
  }

  /** The 1-bit codes to search by: fewer bytes to read, for as many hits as they were calibrated for. */
  #oneBit(part: PagedPart, task: StagedSearch): OneBitView | null {
    if (task.rerank !== undefined || task.topK > ONE_BIT_HITS_MAX) return null;
    return this.parts.oneBit(part);
  }

  /**
   * The first `probes` clusters that hold matching rows, and more when those hold fewer than an even filter
   * would have there.
   */
  #withMatches(ivf: IvfView, ranked: Uint32Array, { probes, matches, plan, k }: FilteredPlan): RankedPart {
    const postings: number[] = [];
    let matching = 0;
    let clusters = 0;
    let seen = 0;
    for (const cluster of ranked) {
      const even = matching >= plan.even && matching >= k;
      const deep = matching >= plan.deep && clusters >= plan.clusters;
      if (seen >= probes && even && (seen === probes || deep)) break;
      const at = ivf.firstRows / 4 + cluster;
      const { u32 } = this.kernels;
      const own = this.kernels.call.countBits(matches.pointer, u32[at] ?? 0, u32[at + 1] ?? 0);
      // A posting holds rows of other clusters as well: within the first ones it is read in any case.
      if (own > 0 || seen < probes) postings.push(cluster);
      if (own > 0) clusters++;
      matching += own;
      seen++;
    }
    return { ...NOTHING, postings: Uint32Array.from(postings), all: seen === ranked.length };
  }

  #scan(part: PagedPart, task: ScanTask, index: number): ScannedPart {
    const { kernels, scratch } = this;
    const ivf = this.parts.paged(part);
    const matches = this.#matches(part, task);
    const oneBit = task.oneBit[index] ?? null;
    if (oneBit !== null)
      return this.#scanOneBit(part, task, matches, { ...oneBit, pieces: task.pieces[index] });
    const k = Math.min(task.topK, ivf.rows);
    const keep = Math.max(k, task.rerank ?? calibratedRerank(ivf.calibration, k));
    const target = loadQuery(kernels, scratch, ivf.metric, task.query);
    const rounded = roundQuery(kernels, scratch, ivf, target);
    const words = Math.ceil(ivf.rows / 32);
    const seen = scratch.take(words * 4);
    kernels.u32.fill(0, seen / 4, seen / 4 + words);
    const bitmaps = { deleted: part.deleted, allow: matches?.pointer ?? 0 };
    const collector = newCollector(kernels, scratch, keep, bitmaps, seen);
    const pieces = task.pieces[index] ?? NO_NUMBERS;
    const list = scratch.take(pieces.length * 4);
    kernels.u32.set(pieces, list / 4);
    const blocks = kernels.call.scanPieces(
      list,
      pieces.length / 2,
      ivf.groups,
      ivf.terms,
      rounded.pointer,
      rounded.factor,
      rounded.shift,
      collector,
    );
    const { rows } = takeHits(kernels, scratch, collector);
    return { rows, scanned: blocks * BLOCK_ENTRIES };
  }

  #scanOneBit(
    part: PagedPart,
    task: ScanTask,
    matches: Matches | null,
    { postings, slack, pieces = NO_NUMBERS }: OneBitScan & { readonly pieces: PostingPieces | undefined },
  ): ScannedPart {
    const { kernels, scratch } = this;
    const view = this.parts.oneBit(part);
    if (view === null) throw new Error('1-bit codes are scanned of a segment that has none');
    const target = loadQuery(kernels, scratch, view.ivf.metric, task.query);
    const scanned = Array.from(postings, (cluster, at) => ({
      ...{ cluster, address: pieces[at * 2] ?? 0, blocks: pieces[at * 2 + 1] ?? 0 },
    }));
    const bitmaps = { deleted: part.deleted, allow: matches?.pointer ?? 0 };
    const estimated = scanOneBit(kernels, scratch, view, target, scanned, bitmaps);
    const blocks = scanned.reduce((sum, piece) => sum + piece.blocks, 0);
    return { rows: estimated.rows, scanned: blocks * BLOCK_ENTRIES, oneBit: { estimated, slack } };
  }

  #compare({ metric, dimensions, query, topK, lists, factors }: CompareTask): ExactHits[] {
    const { kernels, scratch } = this;
    const stride = rowStride(dimensions);
    let free = factors / 4;
    return lists.map(({ rows, raw }) => {
      const from = free;
      for (let index = 0; index < rows.length; index++) {
        const at = raw / 4 + index * stride;
        // The factor of a row is made of the row, as when it was written.
        const vector = kernels.f32.subarray(at, at + dimensions);
        kernels.f32[free++] = factorOfNorm(metric, squaredNorm(vector));
      }
      if (rows.length === 0) return { rows, scores: new Float32Array(0) };
      const view = { metric, dimensions, rows: rows.length, raw, factors: from * 4 };
      const hits = searchFlat(kernels, scratch, view, query, { k: Math.min(topK, rows.length) });
      return { rows: hits.rows.map((index) => rows[index] ?? 0), scores: hits.scores };
    });
  }

  #matches(part: PagedPart, task: StagedSearch): Matches | null {
    if (task.filter === undefined) return null;
    return this.matcher.match(part, task.filter, filterKey(task.filter), this.scratch);
  }
}

/** Candidates of a part, and what the estimates of 1-bit codes are worth. */
interface ScannedPart extends Candidates {
  readonly oneBit?: { readonly estimated: Estimates; readonly slack: number };
}

/** Leaves out what the estimates of all parts together say is none of the nearest. */
function mostPromising(parts: readonly ScannedPart[], topK: number): Candidates[] {
  const slack = Math.max(0, ...parts.map(({ oneBit }) => oneBit?.slack ?? 0));
  const lists = parts.flatMap(({ oneBit }) => (oneBit === undefined ? [] : [oneBit.estimated]));
  const kept = promising(lists, topK, slack);
  let next = 0;
  return parts.map(({ rows, scanned, oneBit }) =>
    oneBit === undefined
      ? { rows, scanned }
      : { rows: kept[next++]?.rows ?? NO_NUMBERS, scanned, vague: true },
  );
}

function placesOf(view: OneBitView, postings: Uint32Array, slack: number): OneBitPostings {
  const ranges = Array.from(postings, (posting) => oneBitRange(view, posting));
  return {
    offsets: Float64Array.from(ranges, ({ offset }) => offset),
    bytes: Uint32Array.from(ranges, ({ bytes }) => bytes),
    blocks: Uint32Array.from(ranges, ({ blocks }) => blocks),
    slack,
  };
}

interface FilteredPlan {
  readonly probes: number;
  readonly matches: Matches;
  readonly plan: ReturnType<typeof planProbes>;
  readonly k: number;
}

const NO_NUMBERS = new Uint32Array(0);
const NOTHING: RankedPart = { postings: NO_NUMBERS, rows: null, all: true, oneBit: null };

function optionsOf(
  ivf: IvfView,
  task: StagedSearch,
  matches: Matches | null,
): Parameters<typeof planProbes>[1] {
  return {
    ...{ k: Math.min(task.topK, ivf.rows), recallTarget: task.recallTarget },
    ...(task.nprobe === undefined ? {} : { nprobe: task.nprobe }),
    ...(matches === null ? {} : { allow: matches.pointer, matching: matches.count }),
  };
}

/** Whether reading the matching rows costs less than reading the postings that a search would. */
function isListed(ivf: IvfView, task: StagedSearch, matching: number): boolean {
  if (matching > LISTED_ROWS_MAX) return false;
  const probes = task.nprobe ?? calibratedProbes(ivf, (task.topK * ivf.rows) / matching, task.recallTarget);
  return (
    matching <= Math.max(LISTED_ROWS_MIN, task.topK * 2) ||
    matching * READ_COST <= probes * (ivf.entries / ivf.clusters)
  );
}
