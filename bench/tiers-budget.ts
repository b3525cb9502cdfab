// A collection many times larger than the memory that engines may have, and queries of which some are much
// more popular than others: does memory stay within its budget, and how often is the data where it should
// be, beside the best that is possible.
import { OmenError } from '#sdk/index.js';
import { SeededRng } from '#support/seeded-rng.js';
import type { CacheRequest } from '#support/cache-traces.js';
import { bestPossible, leastRecentlyUsed, replay } from '#support/cache-traces.js';
import { parseOpenMetrics, sumOf } from '#support/openmetrics.js';
import type { BenchContext, Cell, Goal, Table } from './report.js';
import type { Answer, Summary } from './tiers-measure.js';
import { askMany, askVector, summarize } from './tiers-measure.js';
import { newMixture, rowOf, syntheticSet, truthOf } from './tiers-sets.js';
import type { TierSet } from './tiers-sets.js';
import type { Part, Target } from './tiers-table.js';
import { RECALL_WANTED, goalOf, round, verdictOf } from './tiers-table.js';
import type { TierNode, TierWorld } from './tiers-world.js';
import { TINY_BYTES, loadInto, passes, peakMiB, residentMiB } from './tiers-world.js';

const MIB = 2 ** 20;
const TIMES_WANTED = 20;
const QUERIES = 3000;
const QUERIES_QUICK = 200;
/** For recall: exact answers of so large a collection take long. */
const CHECKED = 60;
const ROWS_QUICK = 100_000;
const ROWS_LITTLE_QUICK = 30_000;
/** Stored bytes per record of 128 dimensions: vector, two codes, id. */
const RECORD_BYTES = 790;
/** Resident memory may be so much more than its budget. */
const MARGIN = 1.1;
const SAMPLE_MS = 100;
const STAGES = 10;
const SEED = 19;
/** A load with little memory: how long a batch is tried again, and how long all may take. */
const RETRY_MS = 20_000;
const LOAD_S_MAX = 60;
/** The model of what queries read: postings of so many records, of which a query reads so many. */
const POSTING_ROWS = 256;
const POSTING_BYTES = POSTING_ROWS * 136;
const PROBES = 12;

/** What a server did while it was watched. */
interface Watched {
  readonly answers: readonly Answer[];
  readonly stages: readonly (readonly Cell[])[];
  readonly idleMiB: number;
  readonly mostMiB: number;
  /** Look-ups of pieces by cache and outcome. */
  readonly lookups: (cache: string, outcome: string) => number;
}

export async function budgetPart(world: TierWorld, context: BenchContext): Promise<Part> {
  const rows = context.quick ? ROWS_QUICK : Math.ceil((TIMES_WANTED * TINY_BYTES) / RECORD_BYTES);
  const set = syntheticSet(rows);
  const loaded = await world.load(set);
  const { vectors, clusters } = zipfQueries(context.quick ? QUERIES_QUICK : QUERIES);
  context.progress(
    `${vectors.length} queries, ${TINY_BYTES / MIB} MiB for ${(loaded.bytes / MIB).toFixed(0)} MiB`,
  );
  const watched = await watch(world, set, vectors);
  const node = await world.start({ memoryBytes: TINY_BYTES });
  const checked = summarize(await askMany(node, set, Array(CHECKED).keys()), truthOf(set, CHECKED));
  await node.stop();
  const loading = await loadWithLittle(world, context);
  const times = loaded.bytes / TINY_BYTES;
  const budget = budgetTable(watched, checked, times, context);
  const hits = hitTable(watched, modelTrace(set, vectors), clusters.size);
  return {
    tables: [budget.table, hits.table, loading.table],
    goals: [...budget.goals, ...hits.goals, ...loading.goals],
  };
}

/** New vectors of clusters, the n-th most popular of which is asked for with a weight of 1/n. */
function zipfQueries(count: number): { readonly vectors: Float32Array[]; readonly clusters: Set<number> } {
  const mixture = newMixture();
  const { clusters, dimensions } = mixture.options;
  const rng = new SeededRng(SEED);
  // Popularity has nothing to do with size.
  const order = Array.from({ length: clusters }, (_, cluster) => [rng.uint32(), cluster] as const)
    .sort(([a], [b]) => a - b)
    .map(([, cluster]) => cluster);
  let sum = 0;
  const cumulative = order.map((_, rank) => (sum += 1 / (rank + 1)));
  const asked = new Set<number>();
  const vectors = Array.from({ length: count }, () => {
    const wanted = rng.unit() * sum;
    const cluster = order[cumulative.findIndex((upTo) => upTo >= wanted)] ?? 0;
    const vector = new Float32Array(dimensions);
    mixture.draw(cluster, vector, 0);
    asked.add(cluster);
    return vector;
  });
  return { vectors, clusters: asked };
}

/** Asks all queries of a server with little memory, one after the other. */
async function watch(world: TierWorld, set: TierSet, vectors: readonly Float32Array[]): Promise<Watched> {
  const node = await world.start({ memoryBytes: TINY_BYTES });
  await passes(1000);
  const idleMiB = residentMiB(node.server.pid);
  let mostMiB = idleMiB;
  const sampling = setInterval(() => {
    mostMiB = Math.max(mostMiB, residentMiB(node.server.pid));
  }, SAMPLE_MS);
  try {
    const answers: Answer[] = [];
    const stages: (readonly Cell[])[] = [];
    const each = Math.ceil(vectors.length / STAGES);
    for (let from = 0; from < vectors.length; from += each) {
      const stage: Answer[] = [];
      for (const [at, vector] of vectors.slice(from, from + each).entries()) {
        stage.push(await askVector(node, { collection: set.name, vector, query: from + at }));
        if (stage.at(-1)?.refused !== undefined) break;
      }
      answers.push(...stage);
      stages.push(stageRow(from + stage.length, summarize(stage, []), residentMiB(node.server.pid)));
      if (stage.at(-1)?.refused !== undefined) break;
    }
    return { answers, stages, idleMiB, mostMiB, lookups: await cacheLookups(node) };
  } finally {
    clearInterval(sampling);
    await node.stop();
  }
}

function stageRow(queries: number, summary: Summary, resident: number): Cell[] {
  const { hot, warm, cold } = summary.tiers;
  return [
    ...[queries, Math.round(resident), `${hot}/${warm}/${cold}`, round(summary.p50Ms, 2)],
    ...[round(summary.p99Ms, 1), round(summary.gets, 2), Math.round(summary.bytes / 1024)],
    summary.refusal === undefined ? '' : `refused: ${summary.refusal}`,
  ];
}

async function cacheLookups({ server }: TierNode): Promise<Watched['lookups']> {
  const page = await (await fetch(`http://127.0.0.1:${server.ports.ops}/metrics`)).text();
  const families = parseOpenMetrics(page);
  return (cache, outcome) => sumOf(families, 'omendb_cache_requests_total', { cache, outcome });
}

function budgetTable(
  { answers, stages, idleMiB, mostMiB }: Watched,
  checked: Summary,
  times: number,
  { quick }: BenchContext,
): { readonly table: Table; readonly goals: readonly Goal[] } {
  const limit = idleMiB + TINY_BYTES / MIB;
  const refused = answers.filter((answer) => answer.refused !== undefined).length;
  const targets: Target[] = [
    { name: 'most resident MiB', most: round(limit * MARGIN, 0), got: round(mostMiB, 0) },
    { name: 'recall', least: RECALL_WANTED, got: checked.recall },
    { name: 'refused queries', most: 0, got: refused },
    ...(quick ? [] : [{ name: 'times the budget', least: TIMES_WANTED * 0.95, got: times }]),
  ];
  return {
    table: {
      title: `Budget: ${TINY_BYTES / MIB} MiB for a collection of ${times.toFixed(1)} times as much, queries by Zipf(1.0)`,
      columns: [
        ...['queries so far', 'resident MiB', 'hot/warm/cold', 'p50 ms', 'p99 ms', 'GETs', 'KiB from S3'],
        '',
      ],
      rows: [...stages, ['verdict', '', '', '', '', '', '', verdictOf(targets)]],
      notes: [
        `resident before the first query ${idleMiB.toFixed(0)} MiB, at most ${mostMiB.toFixed(0)} MiB; wanted: that and the budget, ` +
          `${limit.toFixed(0)} MiB, ± 10 %`,
        `recall of ${checked.queries} queries on such a server: ${checked.recall.toFixed(4)}`,
      ],
    },
    goals: targets.map((target) => goalOf('budget', target)),
  };
}

/**
 * Which postings the queries would read, if centroids were rows drawn at random and postings all of one
 * size.
 */
function modelTrace(set: TierSet, vectors: readonly Float32Array[]): CacheRequest[] {
  const count = Math.max(PROBES, Math.floor((2 * set.count) / POSTING_ROWS));
  const rng = new SeededRng(SEED);
  const centroids = Array.from({ length: count }, () => rowOf(set, rng.below(set.count)));
  const scores = new Float32Array(count);
  return vectors.flatMap((vector) => {
    centroids.forEach((centroid, at) => {
      let dot = 0;
      for (let d = 0; d < vector.length; d++) dot += (centroid[d] as number) * (vector[d] as number);
      scores[at] = dot;
    });
    const least = scores.slice().sort().at(-PROBES) ?? 0;
    const keys: number[] = [];
    scores.forEach((score, key) => void (score >= least && keys.push(key)));
    return keys.map((key) => ({ key, bytes: POSTING_BYTES }));
  });
}

function hitTable(
  { answers, lookups }: Watched,
  trace: readonly CacheRequest[],
  clusters: number,
): { readonly table: Table; readonly goals: readonly Goal[] } {
  const { tiers } = summarize(answers, []);
  const good = Math.max(1, tiers.hot + tiers.warm + tiers.cold);
  const [memory, disk] = ['memory', 'disk'].map((cache) => {
    const [hits, misses] = [lookups(cache, 'hit'), lookups(cache, 'miss')];
    return hits + misses === 0 ? Number.NaN : hits / (hits + misses);
  });
  const best = replay(trace, bestPossible(trace, TINY_BYTES)).requests;
  const lru = replay(trace, leastRecentlyUsed(TINY_BYTES)).requests;
  const all = replay(trace, bestPossible(trace, Infinity)).requests;
  const shown = (ratio: number | undefined): Cell =>
    ratio === undefined || Number.isNaN(ratio) ? 'not counted' : round(ratio, 3);
  return {
    table: {
      title: 'Hit ratios of the same queries',
      columns: ['what', 'memory', 'disk, of what was not in memory', 'never asked for before'],
      rows: [
        ['server, pieces', shown(memory), shown(disk), ''],
        ['server, whole queries', round(tiers.hot / good, 3), round(tiers.warm / good, 3), ''],
        [
          'model: best possible (Belady)',
          round(best, 3),
          round((all - best) / (1 - best), 3),
          round(1 - all, 3),
        ],
        ['model: least recently used', round(lru, 3), round((all - lru) / (1 - lru), 3), round(1 - all, 3)],
      ],
      notes: [
        `model: ${trace.length} reads of postings of ${POSTING_BYTES / 1024} KiB by ${answers.length} queries on ${clusters} clusters, ` +
          'the whole budget for postings, a disk that keeps all',
        'of queries the second column is the share that read disk and nothing slower',
      ],
    },
    goals: [],
  };
}

/** A load of a server that has little memory: it may be slow, but it must neither fail nor swell. */
async function loadWithLittle(
  world: TierWorld,
  context: BenchContext,
): Promise<{ readonly table: Table; readonly goals: readonly Goal[] }> {
  const set = syntheticSet(context.quick ? ROWS_LITTLE_QUICK : ROWS_QUICK);
  context.progress(`loading ${set.count} rows with ${TINY_BYTES / MIB} MiB`);
  const node = await world.start({ memoryBytes: TINY_BYTES, direct: true });
  const idleMiB = residentMiB(node.server.pid);
  let outcome = 'at rest';
  let seconds = Number.NaN;
  let mostMiB = Number.NaN;
  try {
    seconds = (await loadInto(node, set, 'little', { retryForMs: RETRY_MS })).restS;
  } catch (error) {
    if (!(error instanceof OmenError)) throw error;
    outcome = error.reason;
    context.progress(error.message);
  } finally {
    mostMiB = peakMiB(node.server.pid);
    await node.stop();
  }
  const limit = idleMiB + TINY_BYTES / MIB;
  const targets: Target[] = [
    { name: 'most resident MiB', most: round(limit * MARGIN, 0), got: round(mostMiB, 0) },
    { name: 'seconds', most: LOAD_S_MAX, got: round(seconds, 1) },
  ];
  return {
    table: {
      title: `Loading with ${TINY_BYTES / MIB} MiB`,
      columns: ['rows', 'at rest s', 'idle MiB', 'most MiB', 'outcome', 'verdict'],
      rows: [
        [set.count, round(seconds, 1), round(idleMiB, 0), round(mostMiB, 0), outcome, verdictOf(targets)],
      ],
    },
    goals: targets.map((target) => goalOf('budget, while it is loaded', target)),
  };
}
