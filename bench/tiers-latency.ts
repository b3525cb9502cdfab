// A query when its data is in object storage only, when it is on local disk, and when it is in memory.
import type { BenchContext } from './report.js';
import type { Answer, Summary } from './tiers-measure.js';
import { askMany, spreadQueries, summarize } from './tiers-measure.js';
import type { TierSet } from './tiers-sets.js';
import { truthOf } from './tiers-sets.js';
import type { Part, Target } from './tiers-table.js';
import { QUERY_COLUMNS, QUERY_NOTES, RECALL_WANTED, queryRow } from './tiers-table.js';
import type { TierNode, TierWorld } from './tiers-world.js';
import { STORE, TINY_BYTES, passes } from './tiers-world.js';

/** Second touches fill a cache that takes nothing at the first. */
const WARM_ROUNDS = 2;
const QUIET_MS = 500;
const FILL_MS_MAX = 30_000;

type Row = ReturnType<typeof queryRow>;

/**
 * Servers that begin with an empty folder: the first query of each, which opens the collection, and then
 * queries that lie as far apart as they can.
 */
export async function coldPart(
  world: TierWorld,
  sets: readonly TierSet[],
  context: BenchContext,
): Promise<Part> {
  const [starts, next] = context.quick ? [3, 12] : [12, 24];
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const set of sets) {
    await world.load(set);
    const truth = truthOf(set, set.queries.length);
    context.progress(`${set.name}: ${starts} servers that begin with nothing`);
    const { first, rest } = await coldAnswers(world, set, { starts, next });
    // What an earlier query has read by chance is not cold.
    const cold = rest.filter(isCold);
    if (cold.length === 0) notes.push(`${set.name}: nothing was left to read after the first query`);
    rows.push(
      queryRow(set.title, 'cold, the first', ...coldTargets(summarize(first, truth))),
      queryRow(set.title, 'cold, others', ...coldTargets(summarize(cold.length > 0 ? cold : rest, truth))),
    );
  }
  return partOf('Cold: the folder of the server was empty', rows, [
    `GET ${STORE.get.p50} / ${STORE.get.p99} ms and PUT ${STORE.put.p50} / ${STORE.put.p99} ms at p50 / p99, ` +
      `lognormal with seed ${STORE.seed}; ${STORE.bytesPerSecond / 1e6} MB/s for each connection`,
    'others: those that were cold of queries as far from each other as the set allows',
    ...notes,
  ]);
}

async function coldAnswers(
  world: TierWorld,
  set: TierSet,
  { starts, next }: { readonly starts: number; readonly next: number },
): Promise<{ readonly first: Answer[]; readonly rest: Answer[] }> {
  const first: Answer[] = [];
  const rest: Answer[] = [];
  for (let start = 0; start < starts; start++) {
    const node = await world.start();
    try {
      const [one, ...others] = await askMany(node, set, spreadQueries(set, start * 37, next + 1));
      if (one !== undefined) first.push(one);
      rest.push(...others);
    } finally {
      await node.stop();
    }
  }
  return { first, rest };
}

function coldTargets(summary: Summary): [Summary, Target[]] {
  return [
    summary,
    [
      { name: 'recall', least: RECALL_WANTED, got: summary.recall },
      { name: 'cold queries', least: 1, got: summary.tiers.cold },
      { name: 'trips', most: 4, got: Math.max(summary.tripsP50, summary.reportedTrips) },
      { name: 'p50 ms', most: 300, got: summary.p50Ms },
      { name: 'p99 ms', most: 800, got: summary.p99Ms },
    ],
  ];
}

/** A server whose folder an earlier one has filled, with as little memory as it takes. */
export async function warmPart(
  world: TierWorld,
  sets: readonly TierSet[],
  context: BenchContext,
): Promise<Part> {
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const set of sets) {
    await world.load(set);
    const queries = upTo(context.quick ? 150 : 500, set);
    context.progress(`${set.name}: filling the local disk`);
    const { node, note } = await warmNode(world, set, queries, context);
    if (note !== undefined) notes.push(note);
    try {
      context.progress(`${set.name}: queries from local disk`);
      // Once before, for what is read at the first query only.
      const answers = await askMany(node, set, [queries[0] ?? 0, ...queries]);
      const warm = answers.slice(1).filter((answer) => answer.performance?.tier === 'warm');
      if (warm.length === 0) notes.push(`${set.name}: no query read local disk`);
      const summary = summarize(warm.length > 0 ? warm : answers.slice(1), truthOf(set, set.queries.length));
      rows.push(
        queryRow(set.title, 'warm', summary, [
          { name: 'recall', least: RECALL_WANTED, got: summary.recall },
          { name: 'warm queries', least: 1, got: summary.tiers.warm },
          { name: 'p50 ms', most: 10, got: summary.p50Ms },
          { name: 'cold queries', most: 0, got: answers.slice(1).filter(isCold).length },
        ]),
      );
    } finally {
      await node.stop();
    }
  }
  return partOf(`Warm: ${TINY_BYTES >> 20} MiB for the engines, all data on local disk`, rows, notes);
}

/**
 * A server with tiny memory on a folder that has everything. Where a collection must be in memory as a
 * whole, which tiny memory cannot hold, it gets the memory it wants.
 */
export async function warmNode(
  world: TierWorld,
  set: TierSet,
  queries: readonly number[],
  context: BenchContext,
): Promise<{ readonly node: TierNode; readonly note?: string }> {
  for (const memoryBytes of [TINY_BYTES, undefined]) {
    const options = { folder: world.newFolder(), ...(memoryBytes === undefined ? {} : { memoryBytes }) };
    const filler = await world.start(options);
    let refused = false;
    for (let round = 0; round < WARM_ROUNDS && !refused; round++) {
      refused = (await askMany(filler, set, queries)).some((answer) => answer.refused !== undefined);
    }
    await untilStoreIsQuiet(filler);
    await filler.stop();
    if (!refused || memoryBytes === undefined) {
      const node = await world.start(options);
      if (memoryBytes !== undefined) return { node };
      return { node, note: `${set.name}: refused with so little memory, measured with the server's default` };
    }
    context.progress(`${set.name}: refused with ${memoryBytes >> 20} MiB`);
  }
  throw new Error('not reached');
}

/** Until nothing was asked of S3 for a while: caches are filled beside the queries. */
export async function untilStoreIsQuiet(node: TierNode): Promise<void> {
  const deadline = performance.now() + FILL_MS_MAX;
  do {
    node.store.requests.length = 0;
    await passes(QUIET_MS);
  } while (node.store.requests.length > 0 && performance.now() < deadline);
}

/** A server with its usual memory, all of whose data was asked for before. */
export async function hotPart(
  world: TierWorld,
  sets: readonly TierSet[],
  context: BenchContext,
): Promise<Part> {
  const rows: Row[] = [];
  for (const set of sets) {
    await world.load(set);
    const queries = upTo(context.quick ? 300 : 1000, set);
    const node = await hotNode(world, set, queries);
    try {
      context.progress(`${set.name}: queries from memory`);
      const summary = summarize(await askMany(node, set, queries), truthOf(set, set.queries.length));
      rows.push(
        queryRow(set.title, 'hot', summary, [
          { name: 'recall', least: RECALL_WANTED, got: summary.recall },
          { name: 'engine p50 ms', most: 1, got: summary.engineP50Ms },
          { name: 'GETs', most: 0.02, got: summary.gets },
        ]),
      );
    } finally {
      await node.stop();
    }
  }
  return partOf('Hot: everything in memory', rows, [
    'a GET now and then asks whether another server wrote: once in five seconds',
  ]);
}

/** A server that was asked these queries until nothing is fetched any more. */
export async function hotNode(world: TierWorld, set: TierSet, queries: readonly number[]): Promise<TierNode> {
  const node = await world.start();
  for (let round = 0; round < WARM_ROUNDS; round++) await askMany(node, set, queries);
  await untilStoreIsQuiet(node);
  return node;
}

function isCold({ performance: took }: Answer): boolean {
  return took?.tier === 'cold';
}

/** The first queries of the set. */
export function upTo(count: number, set: TierSet): number[] {
  return Array.from({ length: Math.min(count, set.queries.length) }, (_, query) => query);
}

function partOf(title: string, rows: readonly Row[], notes: readonly string[]): Part {
  return {
    tables: [
      { title, columns: QUERY_COLUMNS, rows: rows.map(({ row }) => row), notes: [...QUERY_NOTES, ...notes] },
    ],
    goals: rows.flatMap(({ goals }) => goals),
  };
}
