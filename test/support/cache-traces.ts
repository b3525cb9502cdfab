// Traces of requests to a cache, and how many hits some ways to choose what is kept would have.
import type { SeededRng } from './seeded-rng.js';

/** One request. A key always has the same size. */
export interface CacheRequest {
  readonly key: number;
  readonly bytes: number;
}

/** What a trace gave. */
export interface HitRatio {
  /** Share of the requests. */
  readonly requests: number;
  /** Share of the bytes. */
  readonly bytes: number;
}

/** Which keys a trace asks for. */
export interface TraceOptions {
  readonly keys: number;
  readonly requests: number;
  /** Popularity of the n-th key is n^-skew. */
  readonly skew: number;
  /** Bytes of a key: the same, or between the two. */
  readonly bytes: readonly [min: number, max: number];
  /** Every so many requests, a scan of `scanKeys` keys that nobody asks for again. */
  readonly scanEvery?: number;
  readonly scanKeys?: number;
}

/** Requests with Zipf-distributed popularity, and scans between them. */
export function zipfTrace(rng: SeededRng, options: TraceOptions): CacheRequest[] {
  const { keys, requests, skew, bytes, scanEvery = Infinity, scanKeys = 0 } = options;
  const cumulative = new Float64Array(keys);
  let total = 0;
  for (let key = 0; key < keys; key++) cumulative[key] = total += (key + 1) ** -skew;
  const [min, max] = bytes;
  const sizes = Array.from({ length: keys }, () => min + rng.below(max - min + 1));
  const trace: CacheRequest[] = [];
  let nextScanned = keys;
  while (trace.length < requests) {
    const key = lowerBound(cumulative, rng.unit() * total);
    trace.push({ key, bytes: sizes[key] ?? min });
    if (trace.length % scanEvery !== 0) continue;
    for (let scanned = 0; scanned < scanKeys; scanned++) {
      trace.push({ key: nextScanned++, bytes: min + rng.below(max - min + 1) });
    }
  }
  return trace;
}

/** What is kept, seen from a request: true for a hit. */
export type Keep = (request: CacheRequest, at: number) => boolean;

/** Runs a trace against a way to keep. */
export function replay(trace: readonly CacheRequest[], keep: Keep): HitRatio {
  let [hits, hitBytes, bytes] = [0, 0, 0];
  for (const [at, request] of trace.entries()) {
    bytes += request.bytes;
    if (!keep(request, at)) continue;
    hits++;
    hitBytes += request.bytes;
  }
  return { requests: hits / trace.length, bytes: hitBytes / bytes };
}

/** Keeps what was asked for last. */
export function leastRecentlyUsed(capacityBytes: number): Keep {
  const kept = new Map<number, number>();
  let used = 0;
  return ({ key, bytes }) => {
    const hit = kept.delete(key);
    kept.set(key, bytes);
    if (hit) return true;
    used += bytes;
    for (const [oldest, size] of kept) {
      if (used <= capacityBytes) break;
      kept.delete(oldest);
      used -= size;
    }
    return false;
  };
}

/**
 * Keeps what is asked for again soonest, which needs the whole future: Belady's MIN ("A study of replacement
 * algorithms for a virtual-storage computer", 1966). With keys of one size no way to keep has more hits; with
 * keys of different sizes that would be too hard to compute, and this is close to the best.
 */
export function bestPossible(trace: readonly CacheRequest[], capacityBytes: number): Keep {
  const next = nextUses(trace);
  const kept = new Map<number, { readonly bytes: number; next: number }>();
  const latest = new LatestFirst();
  let used = 0;
  return ({ key, bytes }, at) => {
    const again = next[at] ?? Infinity;
    const found = kept.get(key);
    if (found !== undefined) {
      found.next = again;
      if (again === Infinity) {
        kept.delete(key);
        used -= bytes;
      } else latest.push(again, key);
      return true;
    }
    if (again === Infinity || bytes > capacityBytes) return false;
    kept.set(key, { bytes, next: again });
    latest.push(again, key);
    used += bytes;
    while (used > capacityBytes) {
      const { use, key: last } = latest.pop();
      const entry = kept.get(last);
      // An entry of the heap may be older than the last use of its key.
      if (entry?.next !== use) continue;
      kept.delete(last);
      used -= entry.bytes;
    }
    return false;
  };
}

/** For each request, when its key is asked for next. */
function nextUses(trace: readonly CacheRequest[]): Float64Array {
  const next = new Float64Array(trace.length).fill(Infinity);
  const seen = new Map<number, number>();
  for (let at = trace.length - 1; at >= 0; at--) {
    const key = trace[at]?.key ?? 0;
    next[at] = seen.get(key) ?? Infinity;
    seen.set(key, at);
  }
  return next;
}

/** A binary heap of uses, the latest on top. */
class LatestFirst {
  readonly #uses: { readonly use: number; readonly key: number }[] = [];

  push(use: number, key: number): void {
    const heap = this.#uses;
    let at = heap.length;
    heap.push({ use, key });
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#at(parent).use >= this.#at(at).use) break;
      this.#swap(parent, at);
      at = parent;
    }
  }

  pop(): { readonly use: number; readonly key: number } {
    const top = this.#at(0);
    const last = this.#uses.pop();
    if (last !== undefined && this.#uses.length > 0) {
      this.#uses[0] = last;
      this.#sink();
    }
    return top;
  }

  #sink(): void {
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let largest = at;
      for (const child of [left, right]) {
        if (child < this.#uses.length && this.#at(child).use > this.#at(largest).use) largest = child;
      }
      if (largest === at) return;
      this.#swap(at, largest);
      at = largest;
    }
  }

  #at(index: number): { readonly use: number; readonly key: number } {
    return this.#uses[index] ?? { use: -1, key: -1 };
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#at(a), this.#at(b)];
    this.#uses[a] = second;
    this.#uses[b] = first;
  }
}

function lowerBound(ascending: Float64Array, value: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
