/*
 * One open collection: its state in memory, its log, its upkeep. Everything a use case does to a collection
 * goes through here.
 *
 * A write is planned when its slot is put together, is durable when the slot is, is applied before the writer
 * hears of it. Reads need no lock: they take a snapshot.
 */
import { UnresolvedId } from '../../core/collection/open-segment.js';
import type { CollectionState } from '../../core/collection/state.js';
import { invariant, OmenError } from '../../core/errors.js';
import type { CollectionId } from '../../core/ids.js';
import { conflictOf } from '../../core/log/conflict.js';
import { addSnapshot, removeSnapshot } from '../../core/log/retention.js';
import type { Checkpoint, Root, SnapshotRef } from '../../core/log/root.js';
import { checkpointOf } from '../../core/log/root.js';
import type { WalWrites } from '../../core/log/wal-slot.js';
import { roomOf } from '../../core/memory/memtable.js';
import type { Clock } from '../../ports/clock.js';
import type { Metrics } from '../../ports/metrics.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { Span } from '../../ports/tracer.js';
import type { AsOf, CollectionInfo, ReadOptions, RequestContext, WriteReceipt } from '../api.js';
import { countFailure } from '../background-failures.js';
import type { CommitLoop } from '../log/commit-loop.js';
import type { RootStore } from '../log/root-store.js';
import type { PreparedWrites } from '../log/slot-assembly.js';
import type { Collector } from '../maintenance/collector.js';
import type { Upkeep } from '../maintenance/upkeep.js';
import { sequenceOfToken, sessionToken } from '../session-token.js';
import { encodeAnswer } from './answer-codec.js';
import { Freshness } from './freshness.js';
import type { History } from './history.js';
import type { ReadView } from './read-view.js';
import type { RememberedRequest, RequestWindow, WriteKind } from './request-window.js';
import { reusedRequestId } from './request-window.js';
import type { Tiers } from '../tiers/tiers.js';
import { SlotView } from './write-plan.js';

/** What a plan decides: the effects to log and the answer to give. */
export interface Plan<Answer> {
  readonly writes: WalWrites;
  readonly answer: Answer;
}

/** What is known of a write before it is planned. */
export interface WriteRequest {
  readonly kind: WriteKind;
  /** Empty: none. */
  readonly requestId: string;
  /** Of all records that it may write or look for. */
  readonly ids: readonly string[];
  /** The plan reads records, and not only whether they are there. */
  readonly reads?: boolean;
  readonly span: Span | undefined;
}

/** A moment that a new collection can begin with. */
export interface FixedMoment {
  readonly base: Root;
  readonly checkpoint: Checkpoint;
  readonly throughSlot: number;
}

type AnswerBody = Readonly<Record<string, unknown>>;

/** A request on its way. */
interface InFlight {
  readonly kind: WriteKind;
  readonly answer: Promise<AnswerBody & WriteReceipt>;
}

export interface CollectionParts {
  readonly id: CollectionId;
  readonly info: CollectionInfo;
  readonly present: { readonly state: CollectionState };
  readonly rootStore: RootStore;
  readonly loop: CommitLoop;
  readonly window: RequestWindow;
  readonly upkeep: Upkeep;
  readonly collector: Collector;
  readonly history: History;
  readonly tiers: Tiers;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  /** No other server writes here. */
  readonly alone: boolean;
  /** Oldest state that a read is answered from. */
  readonly stalenessMs: number;
}

const NO_WRITES: WalWrites = {
  ops: new Uint8Array(0),
  ids: [],
  vectors: new Float32Array(0),
  attributes: [],
};

export class Collection {
  readonly id: CollectionId;
  readonly info: CollectionInfo;
  readonly upkeep: Upkeep;
  /** Requests on their way, by request id: a repeated request waits for the first one. */
  readonly #inFlight = new Map<string, InFlight>();
  readonly #freshness: Freshness;
  #view: SlotView | null = null;
  #closed = false;
  #closing: Promise<void> | null = null;

  constructor(private readonly parts: CollectionParts) {
    const { clock, alone, stalenessMs, loop, metrics } = parts;
    const failed = (error: unknown): void => countFailure(metrics, 'follow', error);
    this.#freshness = new Freshness({ clock, alone, stalenessMs, log: loop, failed });
    this.id = parts.id;
    this.info = parts.info;
    this.upkeep = parts.upkeep;
  }

  /** The state that reads see; another object after the collection was read anew. */
  get state(): CollectionState {
    return this.parts.present.state;
  }

  /**
   * Makes a write durable and visible. `plan` runs when the slot is put together and again if the slot was
   * lost to another writer; an error it throws fails this request only. A known `requestId` is answered from
   * memory.
   */
  async write<Answer extends AnswerBody>(
    request: WriteRequest,
    plan: (view: SlotView) => Plan<Answer>,
  ): Promise<Answer & WriteReceipt> {
    const { kind, requestId } = request;
    if (requestId === '') return this.#append(request, plan);
    const known = this.parts.window.find(requestId, kind);
    if (known !== undefined) return this.#answerAgain(known);
    const running = this.#inFlight.get(requestId);
    if (running !== undefined) {
      if (running.kind !== kind) throw reusedRequestId(running.kind, kind);
      return (await running.answer) as Answer & WriteReceipt;
    }
    const run = this.#append(request, plan);
    this.#inFlight.set(requestId, { kind, answer: run });
    try {
      return await run;
    } finally {
      this.#inFlight.delete(requestId);
    }
  }

  /**
   * Resolves when the state is as new as the read asks for: it holds the write that the session token names,
   * and what its consistency promises. To true when it waited for the object store. Throws `CONDITION_FAILED`
   * when the token is not one of this collection, `STORAGE_UNAVAILABLE` when that cannot be told.
   */
  async reach({ consistency, sessionToken }: ReadOptions): Promise<boolean> {
    const sequence = sequenceOfToken(sessionToken, this.id);
    let waited = true;
    if (consistency === 'strong') waited = await this.#freshness.strong();
    else if (sequence <= this.state.sequence) waited = await this.#freshness.recent();
    else await this.parts.loop.verify();
    if (sequence <= this.state.sequence) return waited;
    // Tokens come with acknowledged writes, and all of those are visible now: this one can only be made up.
    throw new OmenError('CONDITION_FAILED', 'sessionToken names a write that this collection does not have', {
      field: 'sessionToken',
    });
  }

  /**
   * The state that a read is answered from: the present one, as new as asked for, or one of the past. To be
   * released when its answer is made.
   *
   * @param request Becomes a cold one when it waits for the object store.
   */
  async view(read: ReadOptions, request: Pick<RequestContext, 'tier' | 'span'>): Promise<ReadView> {
    const { clock, history } = this.parts;
    const startMs = request.span === undefined ? 0 : clock.monotonic();
    // Nothing of the past changes, except that the collection is deleted and its name given to another one.
    const waited = await (read.asOf === undefined ? this.reach(read) : this.#freshness.recent());
    if (waited) {
      request.tier = 'cold';
      request.span?.child('collection.verify', startMs, clock.monotonic());
    }
    if (this.#closed) throw gone(this.info.name);
    if (read.asOf === undefined) return { state: this.state, release: () => undefined };
    const past = request.span?.begin('collection.past', clock.monotonic());
    try {
      return await history.view(read.asOf, request);
    } finally {
      past?.end(clock.monotonic());
    }
  }

  /** The newest root seen. */
  get root(): Root {
    const { current } = this.parts.rootStore;
    invariant(current !== null, 'a collection is open');
    return current.root;
  }

  /** Where its segments are. */
  get tiers(): Tiers {
    return this.parts.tiers;
  }

  get rootStore(): RootStore {
    return this.parts.rootStore;
  }

  /**
   * Where a moment is found: the present, with every write acknowledged before the call, or one of the past.
   */
  async moment(asOf: AsOf | undefined): Promise<FixedMoment> {
    const { history, loop, rootStore } = this.parts;
    if (asOf !== undefined) {
      const moment = await history.locate(asOf);
      const throughSlot = moment.lastSlot ?? (await history.endOf(moment)).slot;
      return { base: moment.base, checkpoint: moment.checkpoint, throughSlot };
    }
    for (;;) {
      await loop.verify();
      const { root } = await rootStore.refresh();
      const { slot } = loop.position;
      if (root.walFloor <= slot) return { base: root, checkpoint: checkpointOf(root), throughSlot: slot };
    }
  }

  /** Keeps the present, with every write acknowledged before the call. Throws `SNAPSHOT_EXISTS`. */
  async createSnapshot(name: string, requestId: string): Promise<SnapshotRef> {
    const { clock, loop, rootStore } = this.parts;
    const createdAtMs = Math.floor(clock.now());
    for (;;) {
      await loop.verify();
      const through = loop.position;
      const wanted = { name, createdAtMs, through, ...(requestId === '' ? {} : { requestId }) };
      try {
        const { root } = await rootStore.commit((present) => addSnapshot(present, wanted));
        const made = root.snapshots.find((snapshot) => snapshot.name === name);
        if (made !== undefined) return made;
      } catch (error) {
        if (conflictOf(error) !== 'floor-moved') throw error;
      }
    }
  }

  async deleteSnapshot(name: string): Promise<void> {
    await this.parts.rootStore.commit((root) => removeSnapshot(root, name));
    await this.parts.collector.look();
  }

  receipt(sequence: number): WriteReceipt {
    return { sequenceNumber: sequence, sessionToken: sessionToken(this.id, sequence) };
  }

  /** Reads the newest root and the log behind it, in place of what is in memory. */
  async readAnew(): Promise<void> {
    await this.parts.loop.recover();
  }

  /** Nothing is only in the log, and nothing is under way: it can be opened again as it is. */
  get atRest(): boolean {
    const { loop, upkeep } = this.parts;
    return loop.atRest && upkeep.atRest && this.#inFlight.size === 0;
  }

  /**
   * Finishes writes under way and lets go of the memory. Everything acknowledged is in the log. Every request
   * that finds the collection gone may call it: it is closed once.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    await this.parts.loop.close();
    await this.upkeep.close();
    await this.parts.collector.close();
    this.parts.history.close();
    this.state.release();
  }

  async #append<Answer extends AnswerBody>(
    request: WriteRequest,
    plan: (view: SlotView) => Plan<Answer>,
  ): Promise<Answer & WriteReceipt> {
    await this.#holdBack(request.span);
    for (;;) {
      await this.parts.tiers.resolve(this.state, request.ids, { records: request.reads === true });
      try {
        return await this.#appendOnce(request, plan);
      } catch (error) {
        // The state changed since the ids were looked up in it, and nothing was written.
        if (!(error instanceof UnresolvedId)) throw error;
      }
    }
  }

  async #appendOnce<Answer extends AnswerBody>(
    { kind, requestId, span }: WriteRequest,
    plan: (view: SlotView) => Plan<Answer>,
  ): Promise<Answer & WriteReceipt> {
    let answer: Answer | undefined;
    let known: RememberedRequest | undefined;
    const prepare = (): PreparedWrites => {
      // Another process may have written the request before it died: its slot was applied since the first
      // look.
      known = requestId === '' ? undefined : this.parts.window.find(requestId, kind);
      if (known !== undefined) return { writes: NO_WRITES };
      const planned = plan(this.#slotView());
      this.#room(planned.writes);
      answer = planned.answer;
      return {
        writes: planned.writes,
        ...(requestId === ''
          ? {}
          : { request: { requestId, answer: encodeAnswer({ kind, answer: planned.answer }) } }),
      };
    };
    const acknowledged = await this.parts.loop.append(prepare, { repeatable: requestId !== '', span });
    if (known !== undefined) return this.#answerAgain(known);
    if (answer === undefined) throw new Error('a slot was acknowledged without a plan');
    return { ...answer, ...this.receipt(acknowledged.lastSequence) };
  }

  /**
   * All plans of one slot are made in one turn of the event loop and see each other; the next slot begins
   * with the state applied.
   */
  #slotView(): SlotView {
    if (this.#view === null) {
      this.#view = new SlotView(this.state);
      queueMicrotask(() => (this.#view = null));
    }
    return this.#view;
  }

  #room(writes: WalWrites): void {
    const view = this.#slotView();
    this.state.reserve(view.claim(roomOf({ ids: writes.ids, attributes: writes.attributes })));
  }

  #answerAgain<Answer>(known: RememberedRequest): Answer & WriteReceipt {
    return { ...(known.answer as Answer), ...this.receipt(known.sequence) };
  }

  /** Slows writers down when flushes fall behind, and refuses them before memory runs out. */
  async #holdBack(span: Span | undefined): Promise<void> {
    const bytes = this.upkeep.unfoldedBytes;
    const { soft, hard } = this.upkeep.unfoldedBounds;
    if (bytes > hard) {
      throw new OmenError(
        'WRITE_BACKPRESSURE',
        `collection "${this.info.name}" has ${bytes} bytes in its log that are not in a segment yet, ` +
          `writes wait from ${hard} on`,
        { retryAfterMs: 500 },
      );
    }
    if (bytes <= soft) return;
    const { clock, scheduler } = this.parts;
    const startMs = clock.monotonic();
    await scheduler.sleep(((bytes - soft) / (hard - soft)) * 200);
    span?.child('backpressure', startMs, clock.monotonic());
  }
}

/** A collection was closed while somebody used it. */
export function gone(name: string): OmenError {
  return new OmenError('COLLECTION_NOT_FOUND', `collection "${name}" was closed meanwhile`);
}
