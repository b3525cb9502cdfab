/*
 * Loads and changes the root of one collection.
 *
 * A change is a pure function of the root. It is written as an immutable manifest first and then swapped in;
 * when the swap is lost the function runs again on the new root. When the answer to a swap is lost, the chain
 * of manifest keys in the root tells whether it was ours, however many others committed on top: an outcome is
 * never guessed.
 */
import { invariant, OmenError } from '../../core/errors.js';
import { violationsOfRoot, violationsOfStep } from '../../core/log/invariants.js';
import type { Root, Schema } from '../../core/log/root.js';
import { decodeRoot, encodeRoot, MANIFESTS_KEPT, newRoot } from '../../core/log/root.js';
import type { Logger } from '../../ports/logger.js';
import type { ObjectStore } from '../../ports/object-store.js';
import type { Rng } from '../../ports/rng.js';
import type { Scheduler } from '../../ports/scheduler.js';
import { manifestOf } from './manifest-chain.js';
import type { CollectionLayout } from './object-layout.js';
import { newNonce, RELATIVE } from './object-layout.js';
import type { RetryDeps, RetryPolicy } from './storage-retry.js';
import { backoffMs, isRefusal, isTransient, STORAGE_RETRY, readTwice, withRetry } from './storage-retry.js';

export interface RootSnapshot {
  readonly root: Root;
  readonly etag: string;
}

export interface RootStoreDeps {
  readonly store: ObjectStore;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly layout: CollectionLayout;
  readonly retry?: RetryPolicy;
}

export type Transition = (root: Root) => Root;
export type RootListener = (after: RootSnapshot, before: RootSnapshot | null) => void;

/** A version that is about to be swapped in. */
interface Candidate {
  readonly root: Root;
  readonly body: Uint8Array;
  readonly nonce: string;
  readonly manifest: string;
}

type SwapResult = { readonly kind: 'done'; readonly snapshot: RootSnapshot } | { readonly kind: 'lost' };

export class RootStore {
  #current: RootSnapshot | null = null;
  #committing: Promise<unknown> = Promise.resolve();
  readonly #listeners = new Set<RootListener>();
  readonly #retry: RetryDeps;

  constructor(private readonly deps: RootStoreDeps) {
    const { scheduler, rng, retry } = deps;
    this.#retry = { scheduler, rng, policy: retry ?? STORAGE_RETRY };
  }

  /** The newest root seen, or null before the first `load` or `create`. */
  get current(): RootSnapshot | null {
    return this.#current;
  }

  /** Calls `listener` in the turn in which a newer root becomes current. Returns a function that ends it. */
  onChange(listener: RootListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Creates the root of a new collection. The id must never have been used. */
  async create(schema: Schema): Promise<RootSnapshot> {
    return this.createFrom(newRoot(this.deps.layout.id, schema));
  }

  /** Creates the root of a collection that begins as something. The id must never have been used. */
  async createFrom(root: Root): Promise<RootSnapshot> {
    const result = await this.#swap(this.#candidate(root, []), null);
    if (result.kind === 'lost') throw new Error(`collection id ${root.collectionId} was used before`);
    return result.snapshot;
  }

  /** Reads the root. Throws `COLLECTION_NOT_FOUND` when there is none. */
  async load(): Promise<RootSnapshot> {
    return this.#fetch(null);
  }

  /**
   * The newest root; costs a conditional read when nothing changed. Throws `COLLECTION_NOT_FOUND` when it is
   * gone.
   */
  async refresh(): Promise<RootSnapshot> {
    return this.#fetch(this.#current);
  }

  /**
   * Applies a transition to the newest root and makes it durable. The transition may run several times; what
   * it throws is thrown here and nothing is changed. When it gives back the root it got, nothing is written.
   * Commits of one instance run one after the other. Throws `STORAGE_UNAVAILABLE` when the outcome stays
   * unknown.
   */
  async commit(transition: Transition): Promise<RootSnapshot> {
    const run = this.#committing.then(() => this.#commit(transition));
    this.#committing = run.catch(() => undefined);
    return run;
  }

  async #commit(transition: Transition): Promise<RootSnapshot> {
    let base = this.#current ?? (await this.load());
    for (let lost = 1; ; lost++) {
      const next = transition(base.root);
      if (next === base.root) return base;
      const candidate = this.#candidate({ ...next, version: base.root.version + 1 }, base.root.manifests);
      const violations = violationsOfStep(base.root, candidate.root);
      invariant(violations.length === 0, violations.map((v) => `${v.invariant} (${v.detail})`).join(', '));
      const result = await this.#swap(candidate, base.etag);
      if (result.kind === 'done') return result.snapshot;
      this.deps.logger.debug('root changed by another writer', { collection: this.deps.layout.id, lost });
      await this.deps.scheduler.sleep(backoffMs(this.#retry, Math.min(lost, 6)));
      base = await this.refresh();
    }
  }

  #candidate(root: Root, chain: readonly string[]): Candidate {
    const nonce = newNonce(this.deps.rng);
    const manifest = RELATIVE.manifest(root.version, nonce);
    const whole = { ...root, manifests: [...chain, manifest].slice(-MANIFESTS_KEPT) };
    const violations = violationsOfRoot(whole);
    invariant(violations.length === 0, violations.map((v) => `${v.invariant} (${v.detail})`).join(', '));
    return { root: whole, body: encodeRoot(whole), nonce, manifest };
  }

  /** Puts the manifest and swaps the root, until the outcome is known. */
  async #swap(candidate: Candidate, etag: string | null): Promise<SwapResult> {
    const { store, layout, scheduler } = this.deps;
    const { body, nonce } = candidate;
    const put = await withRetry(this.#retry, () =>
      store.putIfAbsent(layout.absolute(candidate.manifest), body, nonce),
    );
    invariant(put.kind === 'created', `manifest ${candidate.manifest} exists already`);
    for (let failures = 0; ;) {
      try {
        const swapped = await store.compareAndSwap(layout.rootKey, body, etag, nonce);
        if (swapped.kind === 'swapped') {
          return { kind: 'done', snapshot: this.#adopt({ root: candidate.root, etag: swapped.etag }) };
        }
        // Either another writer was first, or an earlier try of ours was and its answer is lost.
        return await this.#resolve(candidate);
      } catch (error) {
        // A refusal says that this try wrote nothing; an earlier one with an unknown outcome may have.
        if (failures > 0 && isRefusal(error)) throw unknownOutcome(candidate, error);
        if (!isTransient(error) || ++failures >= this.#retry.policy.attempts) throw error;
        await scheduler.sleep(backoffMs(this.#retry, failures));
      }
    }
  }

  /** After a conflict: is the candidate part of the root's history? */
  async #resolve(candidate: Candidate): Promise<SwapResult> {
    const snapshot = await this.refresh();
    const { version } = candidate.root;
    const manifest = await manifestOf(this.deps, snapshot.root, version);
    if (manifest === null && version <= snapshot.root.version) throw unknownOutcome(candidate);
    return manifest === candidate.manifest ? { kind: 'done', snapshot } : { kind: 'lost' };
  }

  async #fetch(known: RootSnapshot | null): Promise<RootSnapshot> {
    const { store, layout } = this.deps;
    const got = await withRetry(this.#retry, () => readTwice(() => readRoot(store, layout, known?.etag)));
    if (got === 'unchanged' && known !== null) return known;
    if (got === null || got === 'unchanged') {
      throw new OmenError('COLLECTION_NOT_FOUND', `collection ${layout.id} does not exist any more`);
    }
    return this.#adopt(got);
  }

  /** A read that was overtaken by a commit must not bring the older root back. */
  #adopt(snapshot: RootSnapshot): RootSnapshot {
    const before = this.#current;
    if (before !== null && before.root.version >= snapshot.root.version) return before;
    this.#current = snapshot;
    for (const listener of this.#listeners) listener(snapshot, before);
    return snapshot;
  }
}

/**
 * Reads the root of a collection: null when there is none, `unchanged` when it still has the etag `known`.
 * Throws `DATA_CORRUPTED`.
 */
export async function readRoot(store: ObjectStore, layout: CollectionLayout): Promise<RootSnapshot | null>;
export async function readRoot(
  store: ObjectStore,
  layout: CollectionLayout,
  known: string | undefined,
): Promise<RootSnapshot | 'unchanged' | null>;
export async function readRoot(
  store: ObjectStore,
  layout: CollectionLayout,
  known?: string,
): Promise<RootSnapshot | 'unchanged' | null> {
  const got = await store.get(layout.rootKey, known === undefined ? {} : { ifNoneMatch: known });
  if (got.kind === 'unchanged') return 'unchanged';
  if (got.kind === 'absent') return null;
  const root = decodeRoot(got.body, `root ${layout.rootKey}`);
  if (root.collectionId !== layout.id) {
    const text = `root ${layout.rootKey} belongs to collection ${root.collectionId}`;
    throw new OmenError('DATA_CORRUPTED', text);
  }
  return { root, etag: got.etag };
}

function unknownOutcome(
  { manifest, root }: Pick<Candidate, 'manifest' | 'root'>,
  cause?: unknown,
): OmenError {
  return new OmenError(
    'STORAGE_UNAVAILABLE',
    `whether ${manifest} of collection ${root.collectionId} was published cannot be told`,
    { metadata: { outcome: 'unknown' }, ...(cause === undefined ? {} : { cause }) },
  );
}
