/*
 * Reading objects. An answer is believed only when its length and range are those that were asked for: a body
 * that was cut on the way is read again and never returned.
 */
import { invariant } from '../../core/errors.js';
import type { GetOptions, GetOutcome } from '../../ports/object-store.js';
import { HedgePolicy } from './hedge-policy.js';
import type { BodyTarget, HttpAnswer, HttpHeaders } from './http-transport.js';
import { laneOfRead } from './lane-of.js';
import { linkedAbort } from './linked-abort.js';
import { etagOf, lengthOf, nonceOf, quoted, tailOf } from './object-headers.js';
import { HEADERS_MS } from './s3-client.js';
import type { S3Call, S3Calls } from './s3-calls.js';
import { S3Failure } from './s3-failure.js';

/** An object as far as its headers tell. */
export interface ObjectState {
  readonly etag: string;
  /** Null: not written by us. */
  readonly nonce: string | null;
  /** Of the body. */
  readonly size: number;
}

/** Which bytes of an answer are wanted. */
interface Layout {
  readonly etag: string;
  readonly size: number;
  readonly skip: number;
  readonly length: number;
}

type Range = GetOptions['range'];

const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 4;

export class ObjectReader {
  readonly #hedges = new HedgePolicy();

  constructor(private readonly calls: S3Calls) {}

  /** Headers of an object; null when there is none. Rejects with `OmenError`. */
  inspect(key: string, signal?: AbortSignal): Promise<ObjectState | null> {
    const call = { action: 'read', operation: 'get', key, lane: 'commit', signal } as const;
    return this.calls.repeat(call, (attempt) =>
      orAbsent(null, async () => {
        const request = { method: 'HEAD', key, headers: {} } as const;
        const { headers } = await this.calls.access.read(request, { headersMs: HEADERS_MS, signal: attempt });
        const size = lengthOf(headers) - tailOf(headers);
        return { etag: etagOf(headers), nonce: nonceOf(headers), size };
      }),
    );
  }

  /** As in the port, for a full key. */
  async get(key: string, options: GetOptions): Promise<GetOutcome> {
    const { range, signal, background = false } = options;
    // Nothing is a range that cannot be asked for.
    if (range?.length === 0) return this.#getNothing(key, options);
    if (range === undefined && options.into !== undefined && options.into.length > 2 * PART_BYTES)
      return this.#getParts(key, options, options.into);
    const call: S3Call = { action: 'read', operation: 'get', key, lane: laneOfRead(key, background), signal };
    const outcome = await this.calls.repeat<GetOutcome | null>(call, (attempt) =>
      orAbsent({ kind: 'absent' }, async () => {
        try {
          return await this.#hedged(call, options, attempt);
        } catch (error) {
          if (error instanceof S3Failure && error.kind === 'range') return null;
          throw error;
        }
      }),
    );
    return outcome ?? this.#getNothing(key, options);
  }

  /**
   * A large object by ranges, several at once: one connection is slower than the network, and a failure costs
   * a part and not all of it.
   */
  async #getParts(key: string, options: GetOptions, into: Uint8Array): Promise<GetOutcome> {
    const { ifNoneMatch: _, ...rest } = options;
    const part = (offset: number): GetOptions => {
      const bytes = into.subarray(offset, offset + PART_BYTES);
      return { ...rest, range: { offset, length: bytes.length }, into: bytes };
    };
    const first = await this.get(key, { ...options, ...part(0) });
    if (first.kind !== 'found') return first;
    const { etag, size } = first;
    invariant(into.length >= size, `${size} bytes do not fit into ${into.length}`);
    let next = PART_BYTES;
    let whole = true;
    const reader = async (): Promise<void> => {
      for (let offset = next; offset < size && whole; offset = next) {
        next += PART_BYTES;
        const got = await this.get(key, part(offset)).catch((error: unknown) => {
          whole = false;
          throw error;
        });
        whole &&= got.kind === 'found' && got.etag === etag;
      }
    };
    // All of them have ended before the caller may do something else with its memory.
    const readers = await Promise.allSettled(Array.from({ length: PARTS_AT_ONCE }, reader));
    for (const ended of readers) if (ended.status === 'rejected') throw ended.reason;
    // It was replaced or removed meanwhile: parts of two objects are none.
    if (!whole) return this.get(key, options);
    return { kind: 'found', body: into.subarray(0, size), etag, size };
  }

  async #getNothing(key: string, { ifNoneMatch, into, signal }: GetOptions): Promise<GetOutcome> {
    const state = await this.inspect(key, signal);
    if (state === null) return { kind: 'absent' };
    const { etag, size } = state;
    if (etag === ifNoneMatch) return { kind: 'unchanged' };
    return { kind: 'found', body: into?.subarray(0, 0) ?? new Uint8Array(), etag, size };
  }

  /** One try, which may ask twice. */
  async #hedged(call: S3Call, options: GetOptions, signal: AbortSignal): Promise<GetOutcome> {
    const { into, ...rest } = options;
    const { clock, scheduler } = this.calls.deps;
    const { delayMs } = this.#hedges;
    if (delayMs === null || call.lane === 'background')
      return this.#request(call.key, options, { signal, onHeaders: (ms) => this.#hedges.observe(ms) });
    const startedMs = clock.monotonic();
    const [first, second] = [linkedAbort(signal), linkedAbort(signal)];
    let release: (() => void) | null = null;
    let cancel = (): void => undefined;
    const late = new Promise<GetOutcome>((resolve, reject) => {
      cancel = scheduler.after(delayMs, () => {
        release = this.#hedges.take() ? this.calls.spare(call.lane) : null;
        if (release === null) return;
        this.calls.counts.count('get', 'retry');
        // Into memory of its own: both may be under way at once.
        const aside = { signal: second.controller.signal, apart: true };
        this.#request(call.key, rest, aside).then(resolve, reject);
      });
    });
    const prompt = this.#request(call.key, options, {
      signal: first.controller.signal,
      onHeaders: (ms) => {
        this.#hedges.observe(ms);
        cancel();
      },
    });
    try {
      const winner = await Promise.race([
        prompt
          .then((outcome) => ({ outcome, prompt: true }))
          .catch(async (error: unknown) => {
            if (release === null) throw error;
            return { outcome: await late, prompt: false };
          }),
        // A hedge that fails leaves the decision to the first request.
        late.then((outcome) => ({ outcome, prompt: false })).catch(() => new Promise<never>(() => undefined)),
      ]);
      if (!winner.prompt) this.#hedges.observe(clock.monotonic() - startedMs);
      return winner.prompt ? winner.outcome : placed(winner.outcome, into);
    } finally {
      cancel();
      // In the same turn, so that the slower one writes nothing over what the faster one has brought.
      first.controller.abort(new Error('over'));
      second.controller.abort(new Error('over'));
      first.unlink();
      second.unlink();
      (release as (() => void) | null)?.();
    }
  }

  async #request(
    key: string,
    { range, ifNoneMatch, into }: GetOptions,
    how: {
      readonly signal: AbortSignal;
      readonly apart?: boolean;
      readonly onHeaders?: (ms: number) => void;
    },
  ): Promise<GetOutcome> {
    const headers = {
      ...(range === undefined ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
      ...(ifNoneMatch === undefined ? {} : { 'if-none-match': quoted(ifNoneMatch) }),
    };
    let layout: Layout | null = null;
    const target = (status: number, answered: HttpHeaders): BodyTarget | null => {
      layout = layoutOf(status, answered, range);
      if (layout === null) return null;
      const { length, skip } = layout;
      invariant(
        into === undefined || into.length >= length,
        `${length} bytes do not fit into ${into?.length}`,
      );
      return { bytes: into?.subarray(0, length) ?? new Uint8Array(length), skip };
    };
    const answer = await this.calls.access.read(
      { method: 'GET', key, headers },
      { headersMs: HEADERS_MS, target, ...how },
    );
    return outcomeOf(answer, layout);
  }
}

function outcomeOf(answer: HttpAnswer, layout: Layout | null): GetOutcome {
  if (answer.status === 304) return { kind: 'unchanged' };
  if (layout === null)
    throw new S3Failure('wrong-range', 'the store answered with a range that was not asked for', null);
  const { etag, size, length } = layout;
  if (answer.body.length < length)
    throw new S3Failure('truncated', `the answer ended after ${answer.body.length} of ${length} bytes`, null);
  return { kind: 'found', body: answer.body, etag, size };
}

/** Null: not what was asked for. */
function layoutOf(status: number, headers: HttpHeaders, range: Range): Layout | null {
  const etag = etagOf(headers);
  const offset = range?.offset ?? 0;
  if (status === 200) {
    const size = lengthOf(headers) - tailOf(headers);
    const length = Math.max(0, Math.min(range?.length ?? size, size - offset));
    // A store that does not know ranges sends everything: what was asked for is cut out of it.
    return Number.isNaN(size) ? null : { etag, size, skip: offset, length };
  }
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '');
  if (status !== 206 || range === undefined || match === null || Number(match[1]) !== offset) return null;
  const size = Number(match[3]) - tailOf(headers);
  const length = Math.max(0, Math.min(range.length, size - offset));
  return Number(match[2]) + 1 < offset + length ? null : { etag, size, skip: 0, length };
}

/** The outcome with its body where it was asked for. */
function placed(outcome: GetOutcome, into: Uint8Array | undefined): GetOutcome {
  if (outcome.kind !== 'found' || into === undefined) return outcome;
  into.set(outcome.body);
  return { ...outcome, body: into.subarray(0, outcome.body.length) };
}

async function orAbsent<T>(absent: T, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof S3Failure && error.kind === 'absent') return absent;
    throw error;
  }
}
