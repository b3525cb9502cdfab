/*
 * An engine: answers search and match tasks from bytes in the arena. One per thread; it keeps nothing that
 * could not be made again.
 *
 * Search takes the parts one by one and picks for each the cheapest way that is right: all rows, the rows
 * that a selective filter leaves, or the clusters nearest to the query. Scores are exact whatever the way, so
 * hits of all parts are merged by score.
 */
import type { Filter } from '../filter/ast.js';
import { flatScratchBytes, searchAllowed, searchFlat } from '../index/flat.js';
import type { IvfView } from '../index/layout.js';
import { calibratedProbes, calibratedRerank, ivfScratchBytes, searchIvf } from '../index/search.js';
import { OmenError } from '../errors.js';
import type { Hits } from '../vector/collector.js';
import { mergeHits } from '../vector/collector.js';
import type { Kernels } from '../vector/kernels.js';
import { Scratch } from '../vector/scratch.js';
import type { Matches } from './matcher.js';
import { Matcher, countVisible, filterKey, visibleRows } from './matcher.js';
import { flatViewOf } from './memtable-rows.js';
import { OpenParts } from './open-parts.js';
import { pageOfRows } from './page.js';
import { StagedEngine } from './staged-search.js';
import type { StageOutcome, StageTask } from './stages.js';
import type { MatchOutcome, MatchTask, Part, SearchOutcome, SearchTask } from './tasks.js';

/**
 * An exact comparison costs about as much as this many comparisons of codes: a row is four times as long and
 * lies anywhere.
 */
const EXACT_COST = 12;
/** Where a filter matches a larger share of a flat part, reading all rows in order beats picking them. */
const LIST_SHARE_MAX = 1 / 8;

interface PartHits {
  readonly hits: Hits;
  readonly candidates: number;
  readonly exact: boolean;
}

export class Engine {
  readonly #scratch: Scratch;
  readonly #parts: OpenParts;
  readonly #matcher: Matcher;
  readonly #staged: StagedEngine;

  /** @param scratch Memory of this engine alone, on a multiple of 64. Half of it keeps bitmaps of filters. */
  constructor(
    private readonly kernels: Kernels,
    scratch: { readonly pointer: number; readonly bytes: number },
  ) {
    const half = Math.floor(scratch.bytes / 128) * 64;
    this.#scratch = new Scratch(scratch.pointer, half);
    this.#parts = new OpenParts(kernels);
    this.#matcher = new Matcher(kernels, this.#parts, {
      pointer: scratch.pointer + half,
      bytes: scratch.bytes - half,
    });
    this.#staged = new StagedEngine(kernels, this.#scratch, this.#parts, this.#matcher);
  }

  search(task: SearchTask): SearchOutcome {
    const mark = this.#scratch.mark();
    try {
      const key = task.filter === undefined ? '' : filterKey(task.filter);
      const results = task.parts.map((part) => this.#searchPart(part, task, key));
      const merged = mergeHits(
        results.map(({ hits }) => hits),
        task.topK,
      );
      return {
        parts: merged.sources,
        rows: merged.rows,
        scores: merged.scores,
        candidates: results.reduce((sum, { candidates }) => sum + candidates, 0),
        exact: results.every(({ exact }) => exact),
      };
    } finally {
      this.#scratch.release(mark);
    }
  }

  match(task: MatchTask): MatchOutcome {
    const mark = this.#scratch.mark();
    try {
      const key = task.filter === undefined ? '' : filterKey(task.filter);
      const matches = task.parts.map((part) => this.#matches(part, task.filter, key));
      if (task.want === 'page') return pageOfRows(this.kernels, this.#parts, task, matches);
      if (task.want === 'rows') return this.#allRows(task, matches);
      const count = task.parts.reduce(
        (sum, part, index) => sum + this.#countMatches(part, matches[index] ?? null),
        0,
      );
      return { count, parts: new Uint32Array(0), rows: new Uint32Array(0) };
    } finally {
      this.#scratch.release(mark);
    }
  }

  /** One stage of a search in segments that are not in memory. */
  stage(task: StageTask): StageOutcome {
    return this.#staged.run(task);
  }

  /** Drops what is kept of these parts. */
  forget(tags: readonly number[]): void {
    this.#matcher.forget(tags);
    this.#parts.forget(tags);
  }

  #searchPart(part: Part, task: SearchTask, key: string): PartHits {
    const matches = this.#matches(part, task.filter, key);
    if (matches?.count === 0) return NO_HITS;
    const bitmaps = { deleted: part.deleted, allow: matches?.pointer ?? 0 };
    if (part.kind === 'memtable') {
      return this.#searchFlat(flatViewOf(part, task.dimensions, task.metric), task, bitmaps, matches);
    }
    const { flat, ivf } = this.#parts.segment(part);
    if (ivf === null || task.exact || isSelective(ivf, task, matches))
      return this.#searchFlat(flat, task, bitmaps, matches);
    const k = Math.min(task.topK, ivf.rows);
    this.#need(ivfScratchBytes(ivf, k, task.rerank ?? calibratedRerank(ivf.calibration, k)));
    const found = searchIvf(this.kernels, this.#scratch, ivf, task.query, {
      ...bitmaps,
      k,
      recallTarget: task.recallTarget,
      ...(task.nprobe === undefined ? {} : { nprobe: task.nprobe }),
      ...(task.rerank === undefined ? {} : { rerank: task.rerank }),
      ...(matches === null ? {} : { matching: matches.count }),
    });
    return { hits: found, candidates: found.scanned, exact: false };
  }

  #searchFlat(
    view: Parameters<typeof searchFlat>[2],
    task: SearchTask,
    bitmaps: { readonly deleted: number; readonly allow: number },
    matches: Matches | null,
  ): PartHits {
    const options = { ...bitmaps, k: Math.min(task.topK, view.rows) };
    if (matches !== null && matches.count < view.rows * LIST_SHARE_MAX) {
      this.#need(flatScratchBytes(task.dimensions, options.k, matches.count));
      const allowed = { ...options, allow: matches.pointer, matching: matches.count };
      const hits = searchAllowed(this.kernels, this.#scratch, view, task.query, allowed);
      return { hits, candidates: matches.count, exact: true };
    }
    this.#need(flatScratchBytes(task.dimensions, options.k));
    const hits = searchFlat(this.kernels, this.#scratch, view, task.query, options);
    return { hits, candidates: view.rows, exact: true };
  }

  #matches(part: Part, filter: Filter | undefined, key: string): Matches | null {
    return filter === undefined ? null : this.#matcher.match(part, filter, key, this.#scratch);
  }

  #countMatches(part: Part, matches: Matches | null): number {
    if (matches !== null) return countVisible(this.kernels, matches, part.deleted);
    return this.#rowsOf(part) - part.deletedRows;
  }

  #rowsOf(part: Part): number {
    return part.kind === 'memtable' ? part.rows : this.#parts.segment(part).view.rows;
  }

  #allRows(task: MatchTask, matches: readonly (Matches | null)[]): MatchOutcome {
    const parts: number[] = [];
    const rows: number[] = [];
    task.parts.forEach((part, index) => {
      const matching = matches[index];
      if (matching === null || matching === undefined)
        throw new Error('all rows are asked for without a filter');
      for (const row of visibleRows(this.kernels, matching, part.deleted)) {
        parts.push(index);
        rows.push(row);
      }
    });
    return { count: rows.length, parts: Uint32Array.from(parts), rows: Uint32Array.from(rows) };
  }

  /** Refuses a task that its working memory cannot hold, instead of running over it. */
  #need(bytes: number): void {
    const left = this.#scratch.pointer + this.#scratch.bytes - this.#scratch.mark();
    if (bytes <= left) return;
    throw new OmenError(
      'MEMORY_EXHAUSTED',
      `a query needs ${bytes} bytes of working memory, an engine has ${left}: ask for a smaller topK`,
    );
  }
}

const NO_HITS: PartHits = {
  hits: { rows: new Uint32Array(0), scores: new Float32Array(0) },
  candidates: 0,
  exact: true,
};

/** Whether comparing all matching rows exactly is cheaper than searching the clusters for them. */
function isSelective(ivf: IvfView, task: SearchTask, matches: Matches | null): boolean {
  if (matches === null) return false;
  const probes =
    task.nprobe ?? calibratedProbes(ivf, (task.topK * ivf.rows) / matches.count, task.recallTarget);
  return matches.count * EXACT_COST <= probes * (ivf.entries / ivf.clusters);
}
