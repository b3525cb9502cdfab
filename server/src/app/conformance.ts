/*
 * Asks the object store, at every start, whether it keeps the promises that no acknowledged write can do
 * without.
 *
 * There are stores that ignore preconditions, and stores that keep them for one request at a time but not for
 * two at once. Both lose data silently, so the server refuses to run on them. One request of each kind tells
 * the first sort; several rounds of concurrent creates and swaps, each with exactly one winner, tell the
 * second. All parts run at once, so it takes about ten round trips; leaves nothing behind.
 *
 * A call that fails is repeated, because a store may have a bad moment. A wrong answer never is.
 */
import { OmenError } from '../core/errors.js';
import type { GetOutcome, ObjectStore } from '../ports/object-store.js';
import type { Rng } from '../ports/rng.js';
import type { Scheduler } from '../ports/scheduler.js';
import { newNonce, ObjectLayout } from './log/object-layout.js';
import { STORAGE_RETRY, withRetry } from './log/storage-retry.js';

export interface ProbeDeps {
  readonly store: ObjectStore;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
}

export interface ProbeOptions {
  readonly prefix?: string;
  /**
   * Rounds of each race, on a key of their own. A store that lets a second writer win in half of the races
   * passes 8 rounds once in 256 starts.
   */
  readonly rounds?: number;
  readonly writers?: number;
}

/** Throws `STORAGE_UNAVAILABLE` naming the operation that did not do what it must, and what was seen. */
export async function checkObjectStore(deps: ProbeDeps, options: ProbeOptions = {}): Promise<void> {
  const probe = new Probe(deps, options);
  const parts = [probe.create(), probe.swap(), probe.read(), probe.list(), ...probe.races()];
  // All of them end before the cleaning, which would otherwise miss what is still being written.
  const outcomes = await Promise.allSettled(parts);
  await probe.clean();
  const failures = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
  // What a store does wrong says more than what it failed to do.
  const [first] = [...failures.filter(isWrongAnswer), ...failures];
  if (first !== undefined) throw first;
}

class Probe {
  readonly #store: ObjectStore;
  readonly #prefix: string;
  readonly #rounds: number;
  readonly #writers: number;
  readonly #keys = new Set<string>();

  constructor(
    private readonly deps: ProbeDeps,
    options: ProbeOptions,
  ) {
    this.#store = repeating(deps);
    this.#prefix = new ObjectLayout(options.prefix).probePrefix(newNonce(deps.rng));
    this.#rounds = options.rounds ?? 8;
    this.#writers = options.writers ?? 8;
  }

  async create(): Promise<void> {
    const key = this.#key('create');
    const nonce = this.#nonce();
    await this.#expectAbsent(key);
    const first = await this.#store.putIfAbsent(key, text('first'), nonce);
    expect('putIfAbsent on a new key', first.kind, 'created');
    const second = await this.#store.putIfAbsent(key, text('second'), this.#nonce());
    expect('putIfAbsent on a key that exists', second.kind, 'exists');
    const retried = await this.#store.putIfAbsent(key, text('first'), nonce);
    expect('putIfAbsent repeated with the same nonce', retried.kind, 'created');
    expect('get after putIfAbsent', bodyOf(await this.#store.get(key)), 'first');
  }

  async swap(): Promise<void> {
    const key = this.#key('swap');
    const store = this.#store;
    const wrong = await store.compareAndSwap(key, text('x'), 'no-such-etag', this.#nonce());
    expect('compareAndSwap with an etag on an absent key', wrong.kind, 'conflict');
    const first = await store.compareAndSwap(key, text('1'), null, this.#nonce());
    expect('compareAndSwap on an absent key', first.kind, 'swapped');
    const again = await store.compareAndSwap(key, text('x'), null, this.#nonce());
    expect('compareAndSwap without etag on a key that exists', again.kind, 'conflict');
    const old = first.kind === 'swapped' ? first.etag : '';
    const second = await store.compareAndSwap(key, text('2'), old, this.#nonce());
    expect('compareAndSwap with the current etag', second.kind, 'swapped');
    const stale = await store.compareAndSwap(key, text('x'), old, this.#nonce());
    expect('compareAndSwap with an old etag', stale.kind, 'conflict');
    const got = await store.get(key);
    expect('get after compareAndSwap', bodyOf(got), '2');
    const etag = got.kind === 'found' ? got.etag : '';
    const unchanged = await store.get(key, { ifNoneMatch: etag });
    expect('get with ifNoneMatch of the current etag', unchanged.kind, 'unchanged');
    const changed = await store.get(key, { ifNoneMatch: old });
    expect('get with ifNoneMatch of an old etag', bodyOf(changed), '2');
  }

  async read(): Promise<void> {
    const key = this.#key('read');
    await this.#store.putIfAbsent(key, text('0123456789'), this.#nonce());
    const ranges = [
      [0, 4, '0123'],
      [3, 2, '34'],
      [8, 100, '89'],
      [10, 5, ''],
    ] as const;
    const check = async ([offset, length, wanted]: (typeof ranges)[number]): Promise<void> => {
      const got = await this.#store.get(key, { range: { offset, length } });
      expect(`get of ${length} bytes at ${offset} of 10`, bodyOf(got), wanted);
      expect('size of an object read by range', got.kind === 'found' ? got.size : -1, 10);
    };
    await Promise.all(ranges.map(check));
    await this.#expectAbsent(this.#key('absent'));
  }

  async list(): Promise<void> {
    const names = ['list/b', 'list/a-b', 'list/a.b', 'list/a0'].map((name) => this.#key(name));
    await Promise.all(names.map((key) => this.#store.putIfAbsent(key, text('x'), this.#nonce())));
    const sorted = [...names].sort();
    const prefix = `${this.#prefix}list/`;
    const all = await this.#store.list(prefix);
    expect('list of a prefix', all.map(({ key }) => key).join(' '), sorted.join(' '));
    const rest = await this.#store.list(prefix, sorted[1]);
    expect('list behind a key', rest.map(({ key }) => key).join(' '), sorted.slice(2).join(' '));
    const [gone = ''] = sorted;
    await this.#store.delete(gone);
    await this.#expectAbsent(gone);
    const left = await this.#store.list(prefix);
    expect('list after delete', left.map(({ key }) => key).join(' '), sorted.slice(1).join(' '));
  }

  races(): Promise<void>[] {
    return Array.from({ length: this.#rounds }, (_, round) => [
      this.#raceCreate(this.#key(`race-create/${round}`)),
      this.#raceSwap(this.#key(`race-swap/${round}`)),
    ]).flat();
  }

  async clean(): Promise<void> {
    // A probe that found a fault reports that fault and not one of cleaning up.
    await Promise.allSettled([...this.#keys].map((key) => this.#store.delete(key)));
  }

  /** Several writers create one key at once: one wins, and its body stands. */
  async #raceCreate(key: string): Promise<void> {
    const outcomes = await this.#together((writer) =>
      this.#store.putIfAbsent(key, text(`writer ${writer}`), this.#nonce()),
    );
    const winners = outcomes.flatMap(({ kind }, writer) => (kind === 'created' ? [`writer ${writer}`] : []));
    expect(`winners of ${this.#writers} concurrent putIfAbsent of one key`, winners.length, 1);
    expect('body after concurrent putIfAbsent', bodyOf(await this.#store.get(key)), winners[0]);
  }

  /** Several writers swap on one etag at once. */
  async #raceSwap(key: string): Promise<void> {
    const first = await this.#store.compareAndSwap(key, text('begin'), null, this.#nonce());
    const etag = first.kind === 'swapped' ? first.etag : null;
    const outcomes = await this.#together((writer) =>
      this.#store.compareAndSwap(key, text(`writer ${writer}`), etag, this.#nonce()),
    );
    const winners = outcomes.flatMap((outcome, writer) =>
      outcome.kind === 'swapped' ? [{ etag: outcome.etag, body: `writer ${writer}` }] : [],
    );
    expect(`winners of ${this.#writers} concurrent compareAndSwap on one etag`, winners.length, 1);
    const got = await this.#store.get(key);
    expect('body after concurrent compareAndSwap', bodyOf(got), winners[0]?.body);
    expect('etag after concurrent compareAndSwap', got.kind === 'found' ? got.etag : '', winners[0]?.etag);
  }

  #key(name: string): string {
    const key = `${this.#prefix}${name}`;
    this.#keys.add(key);
    return key;
  }

  #nonce(): string {
    return newNonce(this.deps.rng);
  }

  #together<T>(run: (writer: number) => Promise<T>): Promise<T[]> {
    return Promise.all(Array.from({ length: this.#writers }, (_, writer) => run(writer)));
  }

  async #expectAbsent(key: string): Promise<void> {
    expect('get of an absent key', (await this.#store.get(key)).kind, 'absent');
  }
}

/** The store, each call repeated while it fails. */
function repeating({ store, ...deps }: ProbeDeps): ObjectStore {
  const again = <T>(call: () => Promise<T>): Promise<T> =>
    withRetry({ ...deps, policy: STORAGE_RETRY }, call);
  return {
    putIfAbsent: (...args) => again(() => store.putIfAbsent(...args)),
    compareAndSwap: (...args) => again(() => store.compareAndSwap(...args)),
    get: (...args) => again(() => store.get(...args)),
    list: (...args) => again(() => store.list(...args)),
    delete: (key) => again(() => store.delete(key)),
    close: () => store.close(),
  };
}

function isWrongAnswer(error: unknown): boolean {
  return error instanceof OmenError && error.metadata['operation'] !== undefined;
}

function expect(operation: string, seen: unknown, wanted: unknown): void {
  if (seen === wanted) return;
  const difference = `${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`;
  throw new OmenError(
    'STORAGE_UNAVAILABLE',
    `the object store cannot be used: ${operation} gave ${difference}; ` +
      'a store that does not keep preconditions loses acknowledged writes',
    { metadata: { operation } },
  );
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function bodyOf(got: GetOutcome): string {
  return got.kind === 'found' ? new TextDecoder().decode(got.body) : `(${got.kind})`;
}
