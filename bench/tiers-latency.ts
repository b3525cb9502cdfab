// A query when its data is in object storage only, when it is on local disk, and when it is in memory.
import type { BenchContext } from './report.js';
import { kindOf } from './storage.js';
import type { Answer, Ask, Summary } from './tiers-measure.js';
import { askMany, dependentChain, summarize } from './tiers-measure.js';
import type { TierSet } from './tiers-sets.js';
import { truthOf } from './tiers-sets.js';
import type { Part, Target } from './tiers-table.js';
import { QUERY_COLUMNS, QUERY_NOTES, RECALL_WANTED, queryRow } from './tiers-table.js';
import { codeBytesPart } from './tiers-text.js';
import type { TierNode, TierWorld } from './tiers-world.js';
import { STORE, TINY_BYTES, passes } from './tiers-world.js';

/** Second touches fill a cache that takes nothing at the first. */
const WARM_ROUNDS = 2;
/** What is said where a collection must be in memory as a whole, which little memory cannot hold. */
const REFUSED = "refused with so little memory, measured with the server's default";
const QUIET_MS = 500;
const FILL_MS_MAX = 30_000;

type Row = ReturnType<typeof queryRow>;

/**
 * Servers that begin with an empty folder: the first query of each, which opens the collection, and some
 * more, all different.
 */
export async function coldPart(
  world: TierWorld,
  sets: readonly TierSet[],
  context: BenchContext,
): Promise<Part> {
  const [starts, next] = context.quick ? [3, 12] : [12, 24];
  const rows: Row[] = [];
  const notes: string[] = [];
  let bytes: Part = { tables: [], goals: [] };
  for (const set of sets) {
    await world.load(set);
    const truth = truthOf(set, set.queries.length);
    context.progress(`${set.name}: ${starts} servers that begin with nothing`);
    const { first, rest, refused } = await coldAnswers(world, set, { starts, next });
    if (refused) notes.push(`${set.name}: ${REFUSED}`);
    // What an earlier query has read by chance is not cold.
    const cold = rest.filter(isCold);
    notes.push(`${set.name}, waits of a first query: ${waitsOf(first[0])}`);
    if (cold.length === 0) notes.push(`${set.name}: nothing was left to read after the first query`);
    const answers = cold.length > 0 ? cold : rest;
    const others = summarize(answers, truth);
    rows.push(
      // Too few for a recall: that is for the others to show.
      coldRow(set, 'cold, the first', summarize(first, truth), []),
      coldRow(set, 'cold, others', others, ['recall']),
    );
    if (set.name === 'text') bytes = codeBytesPart(set, { answers, cold: others }, context);
  }
  const part = partOf(
    `Cold: ${TINY_BYTES >> 20} MiB for the engines, the folder of the server was empty`,
    rows,
    [
      `GET ${STORE.get.p50} / ${STORE.get.p99} ms and PUT ${STORE.put.p50} / ${STORE.put.p99} ms at p50 / p99, ` +
        `lognormal with seed ${STORE.seed}; ${STORE.bytesPerSecond / 1e6} MB/s for each connection`,
      'others: queries after the first that still had to read from S3',
      ...notes,
    ],
  );
  return { tables: [...part.tables, ...bytes.tables], goals: [...part.goals, ...bytes.goals] };
}

/** The answers of several servers that began with nothing. */
async function coldAnswers(
  world: TierWorld,
  set: TierSet,
  { starts, next }: { readonly starts: number; readonly next: number },
): Promise<{ readonly first: Answer[]; readonly rest: Answer[]; readonly refused: boolean }> {
  const first: Answer[] = [];
  const rest: Answer[] = [];
  let refused = false;
  for (let start = 0; start < starts; start++) {
    // Others than before, so that all together are as many as they can be.
    const from = start * (next + 1);
    const queries = Array.from({ length: next + 1 }, (_, at) => (from + at) % set.queries.length);
    const asked = await askCold(world, set, queries);
    first.push(...asked.answers.slice(0, 1));
    rest.push(...asked.answers.slice(1));
    refused ||= asked.refused;
  }
  return { first, rest, refused };
}

/**
 * Asks a server that begins with nothing, and has little memory, so that what was not asked for is not
 * brought into memory either. Where little memory is refused, it gets the memory it wants.
 */
export async function askCold(
  world: TierWorld,
  set: TierSet,
  queries: readonly number[],
  how?: (query: number) => Ask,
): Promise<{ readonly answers: Answer[]; readonly refused: boolean }> {
  const little = await world.start({ memoryBytes: TINY_BYTES });
  const answers = await askMany(little, set, queries, how).finally(() => little.stop());
  if (answers[0]?.refused === undefined) return { answers, refused: false };
  const usual = await world.start();
  return { answers: await askMany(usual, set, queries, how).finally(() => usual.stop()), refused: true };
}

/** The requests to S3 that waited for one another. */
function waitsOf(answer: Answer | undefined): string {
  return dependentChain(answer?.requests ?? [])
    .map(
      ({ method, path, startedMs, endedMs }) =>
        `${kindOf(method, path)} ${(endedMs - startedMs).toFixed(0)} ms`,
    )
    .join(' → ');
}

function coldRow(set: TierSet, queries: string, summary: Summary, also: readonly 'recall'[]): Row {
  const recalls: Target[] = also.map((name) => ({ name, least: RECALL_WANTED, got: summary.recall }));
  return queryRow(set.title, queries, summary, [
    ...recalls,
    { name: 'cold queries', least: 1, got: summary.tiers.cold },
    { name: 'trips', most: 4, got: Math.max(summary.tripsP50, summary.reportedTrips) },
    { name: 'p50 ms', most: 300, got: summary.p50Ms },
    { name: 'p99 ms', most: 800, got: summary.p99Ms },
  ]);
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
    const queries = upTo(context.quick ? 100 : 500, set);
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
      return { node, note: `${set.name}: ${REFUSED}` };
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
    const queries = upTo(context.quick ? 200 : 1000, set);
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
