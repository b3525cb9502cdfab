// How the cost of a query, of an index and of its memory grows with the number of records: samples of one
// mixture, each in a server of its own.
import type { BenchContext, Cell, Goal } from './report.js';
import { hotNode, upTo } from './tiers-latency.js';
import { askMany, summarize } from './tiers-measure.js';
import { syntheticSet, truthOf } from './tiers-sets.js';
import type { TierSet } from './tiers-sets.js';
import type { Part } from './tiers-table.js';
import { RECALL_WANTED, goalOf, round } from './tiers-table.js';
import type { TierWorld } from './tiers-world.js';
import { residentMiB } from './tiers-world.js';

const SIZES = [10_000, 100_000, 1_000_000];
const SIZES_QUICK = [10_000, 30_000, 100_000];
const SIZE_FULL = 4_000_000;
const QUERIES = 300;
/** A fitted power of a few noisy points: what is beyond this is growth, what is below may be noise. */
const POWER_MARGIN = 0.05;

/** What was measured at one size. */
interface Point {
  readonly rows: number;
  readonly engineMs: number;
  readonly p50Ms: number;
  readonly recall: number;
  readonly restS: number;
  readonly cpuS: number;
  readonly loadMiB: number;
  readonly hotMiB: number;
  readonly segments: number;
  readonly bytes: number;
}

export async function growthPart(world: TierWorld, context: BenchContext): Promise<Part> {
  const sizes = [...(context.quick ? SIZES_QUICK : SIZES), ...(context.full ? [SIZE_FULL] : [])];
  const points: Point[] = [];
  for (const rows of sizes) points.push(await measure(world, syntheticSet(rows), context));
  return report(points);
}

async function measure(world: TierWorld, set: TierSet, context: BenchContext): Promise<Point> {
  const loaded = await world.load(set);
  const queries = upTo(QUERIES, set);
  const idle = await world.start();
  const idleMiB = residentMiB(idle.server.pid);
  await idle.stop();
  const node = await hotNode(world, set, queries);
  try {
    context.progress(`${set.count} rows: queries from memory`);
    const summary = summarize(await askMany(node, set, queries), truthOf(set, QUERIES));
    return {
      rows: set.count,
      engineMs: summary.engineP50Ms,
      p50Ms: summary.p50Ms,
      recall: summary.recall,
      restS: loaded.restS,
      cpuS: loaded.cpuS,
      loadMiB: loaded.peakMiB - idleMiB,
      hotMiB: residentMiB(node.server.pid) - idleMiB,
      segments: loaded.segments,
      bytes: loaded.bytes,
    };
  } finally {
    await node.stop();
  }
}

function report(points: readonly Point[]): Part {
  const rows = points.map((point): Cell[] => [
    ...[point.rows, round(point.recall, 4), round(point.engineMs * 1000, 0), round(point.p50Ms, 2)],
    ...[round(point.restS, 1), round(point.cpuS, 1), point.segments],
    ...[Math.round(point.hotMiB), Math.round(point.loadMiB), Math.round(point.bytes / 2 ** 20)],
  ]);
  const power = (of: (point: Point) => number): number => fittedPower(points, of);
  const query = power(({ engineMs }) => engineMs);
  // What is left of the power when the logarithm of N log N is taken away.
  const build = power(({ cpuS, rows: count }) => cpuS / Math.log(count));
  const memory = power(({ hotMiB }) => hotMiB);
  const powers = ['power of N', '', query, power(({ p50Ms }) => p50Ms), power(({ restS }) => restS)];
  const others = [power(({ cpuS }) => cpuS), '', memory, power(({ loadMiB }) => loadMiB)];
  const fitted = [...powers, ...others, power(({ bytes }) => bytes)];
  rows.push(fitted.map((cell) => (typeof cell === 'number' ? `N^${cell.toFixed(2)}` : cell)));
  const goals: Goal[] = [
    goalOf('growth of a query, power of N', { name: 'engine p50', most: 0.5 + POWER_MARGIN, got: query }),
    goalOf('growth of a build, power of N beside log N', { name: 'CPU', most: 1 + POWER_MARGIN, got: build }),
    goalOf('growth of memory, power of N', { name: 'resident', most: 1 + POWER_MARGIN, got: memory }),
    goalOf('growth, recall at every size', {
      ...{ name: 'recall', least: RECALL_WANTED },
      got: Math.min(...points.map(({ recall }) => recall)),
    }),
  ];
  const table = {
    title: 'Growth: synthetic 128-d, everything in memory, k = 10',
    columns: [
      ...['rows', 'recall@10', 'engine p50 µs', 'p50 ms', 'at rest s', 'CPU s', 'segments'],
      ...['resident MiB', 'load peak MiB', 'stored MiB'],
    ],
    rows,
    notes: [
      'at rest: loaded through the client, indexed, merged; CPU: processor time of the server until then',
      'resident and load peak: beyond a server without collections, while it answers and while it loads',
      `wanted: query ≤ N^0.5, build ≤ N log N; a power of three points is not known better than ± ${POWER_MARGIN}`,
    ],
  };
  return { tables: [table], goals };
}

/** The slope of the least-squares line through the logarithms. */
function fittedPower(points: readonly Point[], of: (point: Point) => number): number {
  const logs = points.map((point) => [Math.log(point.rows), Math.log(of(point))] as const);
  const [meanX, meanY] = [0, 1].map(
    (axis) => logs.reduce((sum, log) => sum + (log[axis] ?? 0), 0) / logs.length,
  );
  let [above, below] = [0, 0];
  for (const [x, y] of logs) {
    above += (x - (meanX ?? 0)) * (y - (meanY ?? 0));
    below += (x - (meanX ?? 0)) ** 2;
  }
  return above / below;
}
