// Queries one after the other, each with what it found, what it took, and what it asked of S3 meanwhile.
import type { Performance, Tier } from '#sdk/index.js';
import { OmenError } from '#sdk/index.js';
import type { AnyAttributes, Filter } from '#sdk/index.js';
import type { ProxiedRequest } from '#support/latency-proxy.js';
import { percentile } from './report.js';
import type { TierSet } from './tiers-sets.js';
import { K } from './tiers-sets.js';
import type { TierNode } from './tiers-world.js';

export interface Ask {
  readonly filter?: Filter<AnyAttributes> | undefined;
  readonly recallTarget?: number;
  /** Collection, when it has not the name of the set. */
  readonly collection?: string;
}

/** One query and what it took. */
export interface Answer {
  /** Number of the query in the set. */
  readonly query: number;
  /** Rows that were found, best first. */
  readonly rows: readonly number[];
  /** As the client saw it. */
  readonly ms: number;
  readonly performance: Performance | undefined;
  /** What S3 was asked meanwhile, for whatever purpose. */
  readonly requests: readonly ProxiedRequest[];
  /** Reason of the error, when there was no answer. */
  readonly refused?: string;
}

/** Asks one query. Never rejects for an answer of the server, whatever it is. */
export async function askOne(node: TierNode, set: TierSet, query: number, ask: Ask = {}): Promise<Answer> {
  const vector = set.queries[query];
  if (vector === undefined) throw new Error(`${set.name} has no query ${query}`);
  return askVector(node, { collection: ask.collection ?? set.name, vector, query }, ask);
}

export async function askVector(
  node: TierNode,
  { collection, vector, query }: { collection: string; vector: Float32Array; query: number },
  { filter, recallTarget }: Ask = {},
): Promise<Answer> {
  node.store.requests.length = 0;
  const started = performance.now();
  try {
    const { hits, performance: took } = await node.client
      .collection(collection)
      .query({ vector, topK: K, filter, recallTarget });
    const ms = performance.now() - started;
    const rows = hits.map(({ id }) => Number(id));
    return { query, rows, ms, performance: took, requests: [...node.store.requests] };
  } catch (error) {
    if (!(error instanceof OmenError)) throw error;
    const ms = performance.now() - started;
    return {
      ...{ query, rows: [], ms, performance: undefined, requests: [...node.store.requests] },
      refused: error.reason,
    };
  }
}

/** Asks queries one after the other, each as `how` says; stops when the server refuses one. */
export async function askMany(
  node: TierNode,
  set: TierSet,
  queries: Iterable<number>,
  how: (query: number) => Ask = () => ({}),
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const query of queries) {
    const answer = await askOne(node, set, query, how(query));
    answers.push(answer);
    if (answer.refused !== undefined) break;
  }
  return answers;
}

/** What many queries took. Means are over the answers that were not refused. */
export interface Summary {
  readonly queries: number;
  readonly recall: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly engineP50Ms: number;
  /** Reads of S3 per query. */
  readonly gets: number;
  /** Read from S3 per query. */
  readonly bytes: number;
  /** The server's own count of what it read from disk and S3, per query. */
  readonly readBytes: number;
  /** Dependent waits for S3: as the requests show it, the median and the most. */
  readonly tripsP50: number;
  readonly tripsMax: number;
  /** The most that the server reports. */
  readonly reportedTrips: number;
  /** Queries by the worst tier that they say. */
  readonly tiers: Readonly<Record<Tier | 'unknown', number>>;
  readonly partial: number;
  /** Answers with fewer hits than there are, without saying so. */
  readonly short: number;
  readonly refused: number;
  /** Why, of the first one. */
  readonly refusal: string | undefined;
}

/** `truth`: the exact answer by number of query. */
export function summarize(answers: readonly Answer[], truth: readonly Uint32Array[]): Summary {
  const good = answers.filter(({ refused }) => refused === undefined);
  const complete = good.filter(({ performance: took }) => took?.partial !== true);
  const sorted = (of: (answer: Answer) => number): Float64Array => Float64Array.from(good, of).sort();
  const mean = (of: (answer: Answer) => number): number =>
    good.reduce((sum, answer) => sum + of(answer), 0) / good.length;
  const [ms, trips] = [
    sorted((answer) => answer.ms),
    sorted(({ requests }) => dependentChain(requests).length),
  ];
  const tiers = { hot: 0, warm: 0, cold: 0, unknown: 0 };
  for (const { performance: took } of good) tiers[took?.tier ?? 'unknown']++;
  const wanted = ({ query }: Answer): Uint32Array => truth[query] ?? new Uint32Array();
  return {
    queries: answers.length,
    recall: meanRecall(complete.map((answer) => [answer.rows, wanted(answer)])),
    p50Ms: percentile(ms, 0.5),
    p99Ms: percentile(ms, 0.99),
    engineP50Ms: percentile(
      sorted(({ performance: took }) => took?.engineMs ?? Number.NaN),
      0.5,
    ),
    gets: mean(({ requests }) => requests.filter(({ method }) => method === 'GET').length),
    bytes: mean(({ requests }) => requests.reduce((sum, { bytes }) => sum + bytes, 0)),
    readBytes: mean(({ performance: took }) => took?.bytesRead ?? Number.NaN),
    tripsP50: percentile(trips, 0.5),
    tripsMax: percentile(trips, 1),
    reportedTrips: Math.max(0, ...good.map(({ performance: took }) => took?.roundTrips ?? 0)),
    tiers,
    partial: good.length - complete.length,
    short: complete.filter((answer) => answer.rows.length < wanted(answer).length).length,
    refused: answers.length - good.length,
    refusal: answers.find(({ refused }) => refused !== undefined)?.refused,
  };
}

function meanRecall(pairs: readonly (readonly [readonly number[], Uint32Array])[]): number {
  let hits = 0;
  let all = 0;
  for (const [rows, truth] of pairs) {
    const found = new Set(rows);
    all += truth.length;
    for (const row of truth) if (found.has(row)) hits++;
  }
  return pairs.length === 0 ? Number.NaN : all === 0 ? 1 : hits / all;
}

/**
 * The most requests of which each began after the one before had ended: as many waits one after the other
 * there were at least, if none began late for another reason.
 */
export function dependentChain(requests: readonly ProxiedRequest[]): ProxiedRequest[] {
  const chain: ProxiedRequest[] = [];
  for (const request of [...requests].sort((a, b) => a.endedMs - b.endedMs)) {
    if (request.startedMs >= (chain.at(-1)?.endedMs ?? -Infinity)) chain.push(request);
  }
  return chain;
}
