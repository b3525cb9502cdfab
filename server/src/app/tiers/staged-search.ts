/*
 * A query over segments of which some are not in memory: ranked, scanned and compared in stages, with reads
 * in between, beside a plain search of everything that is in memory.
 *
 * Cold, each stage that has to read costs one round trip: postings, then the rows of the candidates together
 * with their ids and attributes. The skeleton was one before.
 */
import type { Snapshot } from '../../core/collection/snapshot.js';
import type {
  AttachedSection,
  Candidates,
  ExactHits,
  PagedPart,
  RankedPart,
  StageOutcome,
  StageTask,
  StagedSearch,
} from '../../core/engine/stages.js';
import type { Part, SearchOutcome, SearchTask } from '../../core/engine/tasks.js';
import type { Arena } from '../../core/memory/arena.js';
import { rowStride } from '../../core/vector/metric.js';
import type { EnginePool, Timed } from '../../ports/engine-pool.js';
import { allEnded } from '../all-ended.js';
import { joinHits, renumbered } from './join-hits.js';
import type { HeldSegment, PagedSegments } from './paged-segments.js';
import { holdPart } from './paged-segments.js';
import type { PieceCache, Pinned } from './piece-cache.js';
import type { Reading } from './reading.js';
import type { PartialReason } from '../api.js';
import { withinBudget } from './posting-budget.js';
import type { PostingPiece, SegmentPieces } from './segment-pieces.js';

export interface StagedDependencies {
  readonly pool: EnginePool;
  readonly cache: PieceCache;
  readonly segments: PagedSegments;
}

/** A search of a snapshot, some of whose parts may not be in memory. */
export type TieredTask = Omit<SearchTask, 'parts' | 'exact'>;

/** What a search found, and what it left out. */
export interface StagedOutcome {
  readonly timed: Timed<SearchOutcome>;
  /** Why not every posting that the recall asked for was read; null: all were. */
  readonly partial: PartialReason | null;
}

/** What the answer shows of a candidate is read with its vector when there are few: it saves a round trip. */
const SOON_PARTS_MAX = 4;
const SOON_HITS_MAX = 32;
/** Candidates beyond `topK` that often are hits in the end; estimates by 1-bit codes are twice as vague. */
const SOON_MORE = 4;
/** Further rounds when the postings held fewer rows than asked for. */
const ROUNDS_MAX = 3;

interface PagedSource {
  /** Index among the snapshot's parts. */
  readonly index: number;
  readonly part: PagedPart;
  readonly held: HeldSegment;
}

/** Throws what reads throw, and the reason of the reading's signal. */
export async function searchStaged(
  deps: StagedDependencies,
  task: TieredTask,
  snapshot: Snapshot,
  reading: Reading,
): Promise<StagedOutcome> {
  const paged: PagedSource[] = [];
  const whole: { readonly index: number; readonly part: Part }[] = [];
  snapshot.parts.forEach((part, index) => {
    if (part.kind !== 'paged') whole.push({ index, part });
    else paged.push({ index, part, held: holdPart(deps.segments, snapshot, index) });
  });
  const inMemory =
    whole.length === 0
      ? null
      : deps.pool.search({ ...task, exact: false, parts: whole.map(({ part }) => part) }, reading.signal);
  // Seen below, or not at all when the stages fail first.
  inMemory?.catch(() => undefined);
  const run = new StagedRun(deps, { ...task, parts: paged.map(({ part }) => part) }, paged, reading);
  try {
    const found = await run.search();
    const first = await inMemory;
    return { timed: merged({ task, whole, paged, found, first, run }), partial: found.partial };
  } finally {
    run.release();
    // An engine reads what the caller holds until it is done, also when the stages failed.
    await inMemory?.catch(() => undefined);
  }
}

interface Found {
  readonly hits: readonly ExactHits[];
  readonly scanned: number;
  readonly partial: PartialReason | null;
}

class StagedRun {
  queueMs = 0;
  engineMs = 0;
  readonly #pinned: Pinned[] = [];
  readonly #regions: { release(): void }[] = [];
  #parts: readonly PagedPart[];

  constructor(
    private readonly deps: StagedDependencies,
    private readonly task: StagedSearch,
    private readonly sources: readonly PagedSource[],
    private readonly reading: Reading,
  ) {
    this.#parts = task.parts;
  }

  async search(): Promise<Found> {
    let atLeast: number[] | undefined;
    for (let round = 1; ; round++) {
      const ranked = await this.#rank(atLeast);
      const { candidates, cut } = await this.#scan(ranked);
      const scanned = candidates.reduce((sum, each) => sum + each.scanned, 0);
      const found = candidates.reduce((sum, { rows }) => sum + rows.length, 0);
      const all = ranked.every((part) => part.all) && !cut;
      if (found >= this.task.topK || all || cut || round === ROUNDS_MAX) {
        const hits = await this.#compare(candidates);
        const isShort = found < this.task.topK && !all;
        return { hits, scanned, partial: cut ? 'budget' : isShort ? 'rounds' : null };
      }
      atLeast = ranked.map(({ postings }) => postings.length * 4);
    }
  }

  release(): void {
    for (const pinned of this.#pinned.splice(0)) pinned.release();
    for (const region of this.#regions.splice(0)) region.release();
    for (const { held } of this.sources) held.release();
  }

  async #rank(atLeast: readonly number[] | undefined): Promise<readonly RankedPart[]> {
    const extra = atLeast === undefined ? {} : { atLeast };
    const outcome = await this.#stage(() => ({ ...this.#search(), ...extra, stage: 'rank' }));
    if (outcome.stage !== 'rank') throw new Error('an engine answered another stage');
    return outcome.parts;
  }

  async #scan(
    ranked: readonly RankedPart[],
  ): Promise<{ readonly candidates: readonly Candidates[]; readonly cut: boolean }> {
    const { cache } = this.deps;
    const named = this.sources.map(({ held }, index) => postingsOf(held.pieces, ranked[index]));
    const { kept: wanted, cut } = withinBudget(
      named,
      ({ piece }) => piece.length,
      this.deps.segments.postingBytesMax,
    );
    const pinned = await cache.pin(
      wanted.flat().map(({ piece }) => piece),
      this.reading,
    );
    this.reading.roundTrips += pinned.trips;
    try {
      let next = 0;
      const pieces = wanted.map((postings) =>
        Uint32Array.from(
          postings.flatMap(({ skip, blocks }) => [(pinned.pointers[next++] ?? 0) + skip, blocks]),
        ),
      );
      if (next === 0) return { candidates: ranked.map(listed), cut };
      const oneBit = wanted.map((postings, index) => {
        const codes = ranked[index]?.oneBit ?? null;
        if (codes === null) return null;
        return { postings: Uint32Array.from(postings, ({ posting }) => posting), slack: codes.slack };
      });
      const outcome = await this.#stage(() => ({ ...this.#search(), pieces, oneBit, stage: 'scan' }));
      if (outcome.stage !== 'scan') throw new Error('an engine answered another stage');
      return {
        candidates: outcome.parts.map((found, index) =>
          ranked[index]?.rows ? listed(ranked[index]) : found,
        ),
        cut,
      };
    } finally {
      pinned.release();
    }
  }

  async #compare(candidates: readonly Candidates[]): Promise<readonly ExactHits[]> {
    const { segments, pool } = this.deps;
    const { dimensions, metric, query, topK } = this.task;
    const rows = candidates.map((each) => [...each.rows].sort((a, b) => a - b));
    const total = rows.reduce((sum, each) => sum + each.length, 0);
    if (total === 0) return rows.map(() => ({ rows: new Uint32Array(0), scores: new Float32Array(0) }));
    const stride = rowStride(dimensions);
    const soon = candidates.length <= SOON_PARTS_MAX && topK <= SOON_HITS_MAX;
    const read = await allEnded(
      this.sources.map(({ held }, index) => {
        const { rows: own = [], vague = false } = candidates[index] ?? {};
        const likely = soon ? [...own].slice(0, topK * (vague ? 2 : 1) + SOON_MORE) : [];
        return segments.readRows(held, rows[index] ?? [], { vector: true }, this.reading, likely);
      }),
    );
    this.reading.roundTrips += Math.max(...read.map(({ trips }) => trips));
    const region = pool.arena.allocate(total * (stride + 1) * 4 + 64, 'the rows of a query');
    this.#regions.push(region);
    let free = region.pointer;
    const lists = rows.map((own, index) => {
      const raw = free;
      copyVectors(pool.arena, read[index]?.rows ?? [], raw, stride);
      free += own.length * stride * 4;
      return { rows: Uint32Array.from(own), raw };
    });
    const outcome = await this.#stage(() => ({
      ...{ stage: 'compare', dimensions, metric, query, topK, lists, factors: free },
    }));
    if (outcome.stage !== 'compare') throw new Error('an engine answered another stage');
    return outcome.hits;
  }

  #search(): StagedSearch {
    return { ...this.task, parts: this.#parts };
  }

  /** Runs a stage, bringing sections into memory as it asks for them. */
  async #stage(task: () => StageTask): Promise<StageOutcome> {
    for (;;) {
      const { outcome, queueMs, engineMs } = await this.deps.pool.stage(task(), this.reading.signal);
      this.queueMs += queueMs;
      this.engineMs += engineMs;
      if (outcome.stage !== 'missing') return outcome;
      await this.#attach(outcome.section);
    }
  }

  /** What one part needs, the others will need too. */
  async #attach(kind: AttachedSection['kind']): Promise<void> {
    const { cache } = this.deps;
    const pieces = this.sources.map(({ held }) => held.pieces.section(kind));
    const pinned = await cache.pin(pieces, this.reading);
    this.#pinned.push(pinned);
    this.reading.roundTrips += pinned.trips;
    this.#parts = this.#parts.map((part, index) => ({
      ...part,
      sections: [
        ...part.sections,
        { kind, pointer: pinned.pointers[index] ?? 0, bytes: pieces[index]?.length ?? 0 },
      ],
    }));
  }
}

interface WantedPosting extends PostingPiece {
  readonly posting: number;
}

/** The pieces that hold the codes of the postings to read. */
function postingsOf(pieces: SegmentPieces, part: RankedPart | undefined): WantedPosting[] {
  if (part === undefined) return [];
  const { postings, oneBit } = part;
  return Array.from(postings, (posting, at): WantedPosting => {
    if (oneBit === null) return { posting, ...pieces.posting(posting) };
    const piece = pieces.oneBitPosting(posting, oneBit.offsets[at] ?? 0, oneBit.bytes[at] ?? 0);
    return { posting, piece, skip: 0, blocks: oneBit.blocks[at] ?? 0 };
  }).filter(({ blocks }) => blocks > 0);
}

function listed(part: RankedPart | undefined): Candidates {
  const rows = part?.rows ?? new Uint32Array(0);
  return { rows, scanned: rows.length };
}

function copyVectors(
  arena: Arena,
  rows: readonly { readonly vector: Float32Array }[],
  raw: number,
  stride: number,
): void {
  rows.forEach(({ vector }, index) => {
    const at = raw / 4 + index * stride;
    arena.f32.fill(0, at + vector.length, at + stride);
    arena.f32.set(vector, at);
  });
}

interface Merging {
  readonly task: TieredTask;
  readonly whole: readonly { readonly index: number }[];
  readonly paged: readonly PagedSource[];
  readonly found: Found;
  readonly first: Timed<SearchOutcome> | null;
  readonly run: StagedRun;
}

/** Hits of all parts by score, with the parts numbered as in the snapshot. */
function merged({ task, whole, paged, found, first, run }: Merging): Timed<SearchOutcome> {
  const lists = found.hits.map((hits, at) => ({
    ...hits,
    parts: new Uint32Array(hits.rows.length).fill(paged[at]?.index ?? 0),
  }));
  const indexes = whole.map(({ index }) => index);
  const all = first === null ? lists : [...lists, renumbered(first.outcome, indexes)];
  const outcome = {
    ...{ ...joinHits(all, task.topK), exact: false },
    candidates: found.scanned + (first?.outcome.candidates ?? 0),
  };
  return {
    outcome,
    queueMs: run.queueMs + (first?.queueMs ?? 0),
    engineMs: run.engineMs + (first?.engineMs ?? 0),
  };
}
