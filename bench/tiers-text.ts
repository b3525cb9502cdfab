// The text set in memory against hnswlib-node, and what its 1-bit codes save when it is cold.
import type { BenchContext, Cell, Goal } from './report.js';
import { buildOwn } from './engine-index.js';
import { measureLatency, recallOf, smallestReaching } from './engine-measure.js';
import { openRival, rivalIsKept } from './engine-rival.js';
import type { Answer, Summary } from './tiers-measure.js';
import type { TierSet } from './tiers-sets.js';
import { K } from './tiers-sets.js';
import type { Part } from './tiers-table.js';
import { goalOf, round, verdictOf } from './tiers-table.js';

const RECALLS = [0.97, 0.99];
const SHARE_WANTED = 0.6;
const EF_MAX = 1000;
/** Of the bytes that a cold query reads when it reads byte codes. */
const BYTES_WANTED = 0.25;
const QUERIES_QUICK = 200;

/** One thread each, in one process and one run, at the smallest settings that reach each recall. */
export function rivalPart(set: TierSet | undefined, context: BenchContext): Part {
  if (set === undefined) return { tables: [], goals: [] };
  if (context.quick && !rivalIsKept(set.name, set.count)) {
    context.progress(
      'no hnswlib-node: building its index takes minutes, which a run without --quick does once',
    );
    return { tables: [], goals: [] };
  }
  const queries = context.quick ? set.queries.slice(0, QUERIES_QUICK) : set.queries;
  context.progress(`${set.name}: building the index`);
  const own = buildOwn(set.base, queries, K);
  context.progress('building or loading hnswlib-node');
  const rival = openRival(set.base, queries, K, set.name);
  const rows: (readonly Cell[])[] = [];
  const goals: Goal[] = [];
  for (const recall of RECALLS) {
    context.progress(`latencies at recall ${recall}`);
    const nprobe = smallestReaching(recall, 1, own.view.clusters, (setting) =>
      recallOf(own.searcher({ nprobe: setting }), own.truth),
    );
    const ef = smallestReaching(recall, K, EF_MAX, (setting) => recallOf(rival.searcher(setting), own.truth));
    const searchers = [() => own.searcher({ nprobe }), () => rival.searcher(ef)];
    const rounds = context.quick ? 3 : 5;
    const [mine, theirs] = measureLatency(searchers, queries.length, rounds);
    const share = (mine?.p50Us ?? Number.NaN) / (theirs?.p50Us ?? Number.NaN);
    const target = { name: 'share', most: SHARE_WANTED, got: round(share, 3) };
    const reached = searchers.map((prepare) => round(recallOf(prepare(), own.truth), 4));
    rows.push(
      [
        ...['OmenDB', `nprobe ${nprobe}`, recall, reached[0] ?? 0],
        ...[round(mine?.p50Us ?? 0, 0), round(mine?.p99Us ?? 0, 0), round(share, 3), verdictOf([target])],
      ],
      [
        ...['hnswlib-node', `ef ${ef}`, recall, reached[1] ?? 0],
        ...[round(theirs?.p50Us ?? 0, 0), round(theirs?.p99Us ?? 0, 0), 1, ''],
      ],
    );
    goals.push(goalOf(`hot p50 on ${set.title} at recall ${recall}, of hnswlib-node's`, target));
  }
  const table = {
    title: `Hot against hnswlib-node: ${set.title}, ${set.count} rows, one thread, k = ${K}`,
    columns: ['index', 'setting', 'recall wanted', 'recall@10', 'p50 µs', 'p99 µs', 'share', 'verdict'],
    rows,
    notes: [
      `share: of its p50; wanted ≤ ${SHARE_WANTED}`,
      `build: ${own.buildSeconds.toFixed(1)} s, hnswlib-node ${rival.buildSeconds.toFixed(1)} s of processor time`,
    ],
  };
  return { tables: [table], goals };
}

/** What a cold query reads, beside what it would read of byte codes alone for the same recall. */
export function codeBytesPart(
  set: TierSet,
  { answers, cold }: { readonly answers: readonly Answer[]; readonly cold: Summary },
  context: BenchContext,
): Part {
  const queries = answers.map(({ query }) => set.queries[query] ?? new Float32Array(set.dimensions));
  context.progress(`${set.name}: what byte codes would be`);
  const own = buildOwn(set.base, queries, K);
  const nprobe = smallestReaching(cold.recall, 1, own.view.clusters, (setting) =>
    recallOf(own.searcher({ nprobe: setting }), own.truth),
  );
  const codes = own.postingBytes(nprobe);
  const target = { name: 'share', most: BYTES_WANTED, got: round(cold.bytes / codes, 3) };
  const table = {
    title: `Bytes of a cold query: ${set.title}, at the recall of the cold queries above, ${round(cold.recall, 3)}`,
    columns: ['what', 'KiB', 'share', 'verdict'],
    rows: [
      ['read from S3', Math.round(cold.bytes / 1024), target.got, verdictOf([target])],
      [`byte codes of ${nprobe} postings`, Math.round(codes / 1024), 1, ''],
    ],
    notes: [
      'byte codes: of the postings that an index in this process reads for that recall of the same queries, no vectors',
      `wanted ≤ ${BYTES_WANTED}; what is read from S3 includes the vectors of candidates and what the answer shows`,
    ],
  };
  return { tables: [table], goals: [goalOf(`bytes of a cold query on ${set.title}, of byte codes`, target)] };
}
