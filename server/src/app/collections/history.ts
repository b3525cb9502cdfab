/*
 * Reads of the past: a version that was kept, and the log from its floor up to the moment asked for, in a
 * state of their own. Segments that the present still has are shared with it.
 *
 * Nothing is pinned while the past is read back. When it is all in memory the root is read once more: if the
 * version is still kept then, everything that was read was the real thing; if not, the answer is an error.
 */
import { CollectionState } from '../../core/collection/state.js';
import type { OpenSegment } from '../../core/collection/open-segment.js';
import { OmenError } from '../../core/errors.js';
import { keeps } from '../../core/log/retention.js';
import type { Checkpoint, LogPosition, Root, SnapshotRef } from '../../core/log/root.js';
import { checkpointOf, floorOf } from '../../core/log/root.js';
import { checkOpen } from '../../core/log/conflict.js';
import type { DecodedSlot } from '../../core/log/wal-slot.js';
import { firstWritesOf } from '../../core/log/wal-slot.js';
import type { Metric } from '../../core/vector/metric.js';
import type { AsOf, RequestContext } from '../api.js';
import { checkFollows, LogReader, positionAfter } from '../log/log-reader.js';
import { readManifest } from '../log/manifest-chain.js';
import type { CollectionLayout } from '../log/object-layout.js';
import type { RootStore } from '../log/root-store.js';
import { STORAGE_RETRY } from '../log/storage-retry.js';
import { applySlot } from './apply-slot.js';
import type { LoadDependencies } from './load-state.js';
import { loadSegments } from './load-state.js';
import type { ReadView } from './read-view.js';
import { RequestWindow } from './request-window.js';

export interface HistoryDeps extends LoadDependencies {
  readonly layout: CollectionLayout;
  readonly rootStore: RootStore;
  readonly name: string;
  readonly dimensions: number;
  readonly metric: Metric;
  /** Segments that lie in memory already. */
  readonly present: () => readonly OpenSegment[];
}

interface PastWrite {
  readonly slot: number;
  readonly timeMs: number;
  readonly sequence: number;
}

/** Where a moment of the past is found. */
export interface PastMoment {
  /** The version to begin with. */
  readonly base: Root;
  readonly checkpoint: Checkpoint;
  /** Whether a write is part of it. */
  readonly includes: (write: PastWrite) => boolean;
  /** Its last slot, if that is known: slots behind it need not be there. */
  readonly lastSlot?: number;
}

/** Moments kept in memory for further reads. */
const CACHED_MAX = 2;
/** Slots read at once. */
const READ_AHEAD = 4;

/** Tries to read a moment whose version is collected meanwhile. */
const ROUNDS = 3;

/** A state with those who need it: readers, and the cache. */
interface Held {
  readonly state: CollectionState;
  owners: number;
}

/** A moment that is being read back, and how many wait for it. */
interface Loading {
  readonly held: Promise<Held>;
  readers: number;
}

export class History {
  /** Oldest first. Only moments to which nothing can be added any more. */
  readonly #cache = new Map<string, Held>();
  readonly #loading = new Map<string, Loading>();
  #closed = false;

  constructor(private readonly deps: HistoryDeps) {}

  /**
   * The state at a moment. Throws `MOMENT_NOT_KEPT`, `SNAPSHOT_NOT_FOUND`, or `MEMORY_EXHAUSTED` when there
   * is no room for it beside the present.
   *
   * @param request Becomes a cold one when it waits for the object store.
   */
  async view(asOf: AsOf, request: Pick<RequestContext, 'tier'>): Promise<ReadView> {
    const key = await this.#keyOf(asOf);
    const cached = this.#cache.get(key);
    if (cached === undefined || asOf.kind === 'snapshot') request.tier = 'cold';
    if (cached !== undefined) cached.owners++;
    const held = cached ?? (await this.#loadOnce(key, asOf));
    return { state: held.state, release: () => this.#leave(held) };
  }

  /**
   * Names what the state at a moment is made of. The name of a snapshot is not enough: it may have been given
   * to another moment meanwhile, or to none.
   */
  async #keyOf(asOf: AsOf): Promise<string> {
    if (asOf.kind !== 'snapshot') return JSON.stringify(asOf);
    const { root } = await this.deps.rootStore.refresh();
    const { base, through } = this.#snapshot(root, asOf.name);
    return JSON.stringify({ version: base.version, slot: through.slot });
  }

  #snapshot(root: Root, name: string): SnapshotRef {
    const snapshot = root.snapshots.find((candidate) => candidate.name === name);
    if (snapshot === undefined) throw this.#notFound(root, name);
    return snapshot;
  }

  /**
   * Finds the version from which a moment is read back. Throws `MOMENT_NOT_KEPT` when none is kept.
   *
   * @param lasting Rather a version that stays than the present one, which the next change replaces.
   */
  async locate(asOf: AsOf, lasting = false): Promise<PastMoment> {
    const { root } = await this.deps.rootStore.refresh();
    checkOpen(root);
    const present = checkpointOf(root);
    const versions = lasting ? [present, ...root.checkpoints] : [...root.checkpoints, present];
    switch (asOf.kind) {
      case 'snapshot': {
        const { base, through } = this.#snapshot(root, asOf.name);
        const end = through.slot;
        return this.#moment(root, base, ({ slot }) => slot <= end, end);
      }
      case 'time': {
        const checkpoint = versions.findLast(({ floorTimeMs }) => floorTimeMs <= asOf.ms);
        if (checkpoint === undefined) throw this.#notKept(root);
        return this.#moment(root, checkpoint, ({ timeMs }) => timeMs <= asOf.ms);
      }
      case 'sequence': {
        const checkpoint = versions.findLast(({ foldedSequence }) => foldedSequence <= asOf.sequence);
        if (checkpoint === undefined) throw this.#notKept(root, 'asOfSequenceNumber');
        return this.#moment(root, checkpoint, ({ sequence }) => sequence <= asOf.sequence);
      }
    }
  }

  /** The last whole slot of a moment. */
  async endOf(moment: PastMoment): Promise<LogPosition> {
    let end = floorOf(moment.base);
    await this.#replay(moment, (slot, whole) => {
      if (whole) end = positionAfter(slot);
    });
    return end;
  }

  /** Lets go of everything kept for further reads. What is still being read back is not kept. */
  close(): void {
    this.#closed = true;
    this.#shrinkTo(0);
  }

  /** Readers of one moment share one reading of it. The caller is one of the owners of the result. */
  #loadOnce(key: string, asOf: AsOf): Promise<Held> {
    const running = this.#loading.get(key);
    if (running !== undefined) {
      running.readers++;
      return running.held;
    }
    const loading: Loading = {
      held: this.#loadAgain(key, asOf, () => this.#joined(key, loading)),
      readers: 1,
    };
    this.#loading.set(key, loading);
    // After a failure nobody has ended it yet.
    const end = (): unknown => this.#joined(key, loading);
    loading.held.then(end, end);
    return loading.held;
  }

  /** Ends the joining of a load; another one of the same moment may have begun since. Returns its readers. */
  #joined(key: string, loading: Loading): number {
    if (this.#loading.get(key) === loading) this.#loading.delete(key);
    return loading.readers;
  }

  /** A version that was the present one a moment ago may be collected while it is read: then look anew. */
  async #loadAgain(key: string, asOf: AsOf, joined: () => number): Promise<Held> {
    for (let round = 1; ; round++) {
      try {
        return await this.#load(key, await this.locate(asOf, round > 1), joined);
      } catch (error) {
        const reason = error instanceof OmenError ? error.reason : null;
        if (round >= ROUNDS || (reason !== 'MOMENT_NOT_KEPT' && reason !== 'MEMORY_EXHAUSTED')) throw error;
        if (reason === 'MEMORY_EXHAUSTED') this.#shrinkTo(0);
      }
    }
  }

  async #moment(
    root: Root,
    checkpoint: Checkpoint,
    includes: PastMoment['includes'],
    lastSlot?: number,
  ): Promise<PastMoment> {
    const { version, manifest } = checkpoint;
    const base = version === root.version ? root : await readManifest(this.deps, manifest);
    if (base === null) throw this.#notKept(root);
    return { base, checkpoint, includes, ...(lastSlot === undefined ? {} : { lastSlot }) };
  }

  async #load(key: string, moment: PastMoment, joined: () => number): Promise<Held> {
    const { deps } = this;
    const state = new CollectionState(deps.pool.arena, deps.dimensions, deps.metric, deps.nextTag);
    try {
      await loadSegments(deps, deps.layout, moment.base, { state, present: deps.present(), inMemory: true });
      const window = new RequestWindow();
      const settled = await this.#replay(moment, (slot) => applySlot(state, window, slot));
      const cached = settled && !this.#closed;
      // Counted in the turn in which the state is there: a reader that resumes later finds it alive.
      const held = { state, owners: joined() + (cached ? 1 : 0) };
      if (cached) this.#cache.set(key, held);
      this.#shrinkTo(CACHED_MAX);
      return held;
    } catch (error) {
      this.#release(state);
      // What the collector removed meanwhile is missing for a good reason.
      const { root } = await deps.rootStore.refresh();
      if (keeps(root, moment.checkpoint.version)) throw error;
      throw this.#notKept(root);
    }
  }

  /**
   * Calls `each` with the slots of a moment in order; the last one may be cut to its first writes. Resolves
   * to true when a slot behind them exists, so that nothing can be added to the moment any more.
   */
  async #replay(moment: PastMoment, each: (slot: DecodedSlot, whole: boolean) => void): Promise<boolean> {
    const { store, layout, rootStore, scheduler, rng } = this.deps;
    const { base, checkpoint, includes, lastSlot = Infinity } = moment;
    const retry = { scheduler, rng, policy: STORAGE_RETRY };
    const reader = new LogReader(store, layout, retry, () => base.logBases);
    let position = floorOf(base);
    while (position.slot < lastSlot) {
      const count = Math.min(READ_AHEAD, lastSlot - position.slot);
      const { slots } = await reader.group(position.slot + 1, count);
      const { root } = await rootStore.refresh();
      if (!keeps(root, checkpoint.version)) throw this.#notKept(root);
      for (const slot of slots) {
        checkFollows(slot, position);
        const part = firstWritesOf(slot, (index) =>
          includes({ slot: slot.slot, timeMs: slot.createdMs, sequence: slot.firstSequence + index }),
        );
        if (part !== null) each(part, part === slot);
        if (part !== slot) return true;
        position = positionAfter(slot);
      }
      if (slots.length === count) continue;
      if (lastSlot === Infinity) return false;
      throw new OmenError(
        'DATA_CORRUPTED',
        `log slot ${position.slot + 1} of collection ${layout.id} is missing`,
      );
    }
    return true;
  }

  #shrinkTo(count: number): void {
    for (const [key, held] of this.#cache) {
      if (this.#cache.size <= count) return;
      this.#cache.delete(key);
      this.#leave(held);
    }
  }

  #leave(held: Held): void {
    if (--held.owners === 0) this.#release(held.state);
  }

  #release(state: CollectionState): void {
    const { tags } = state;
    state.release();
    this.deps.pool.forget(tags);
  }

  #notKept(root: Root, field = 'asOf'): OmenError {
    const oldest = root.checkpoints[0] ?? checkpointOf(root);
    const from = new Date(oldest.floorTimeMs).toISOString();
    return new OmenError(
      'MOMENT_NOT_KEPT',
      `that moment of collection "${this.deps.name}" is not kept: reads of the past reach back to ${from} ` +
        `(sequence number ${oldest.foldedSequence})`,
      { field },
    );
  }

  #notFound(root: Root, name: string): OmenError {
    const names = root.snapshots.map((snapshot) => `"${snapshot.name}"`).join(', ');
    return new OmenError(
      'SNAPSHOT_NOT_FOUND',
      `collection "${this.deps.name}" has no snapshot "${name}": it has ${names === '' ? 'none' : names}`,
      { field: 'snapshot' },
    );
  }
}
