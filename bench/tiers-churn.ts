// A collection of which half is written or deleted, again and again, beside one that was built of the same
// records at once.
import { readdirSync, rmSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OmenClient } from '#sdk/index.js';
import type { Collection } from '#sdk/index.js';
import { SeededRng } from '#support/seeded-rng.js';
import { startServer } from '#support/server-process.js';
import type { ServerProcess } from '#support/server-process.js';
import type { BenchContext, Cell } from './report.js';
import { collect } from './load.js';
import { K, newMixture } from './tiers-sets.js';
import type { Part, Target } from './tiers-table.js';
import { RECALL_WANTED, goalOf, round, verdictOf } from './tiers-table.js';
import { passes, residentMiB, untilAtRest } from './tiers-world.js';
import { exactNeighbours, recallOf } from './truth.js';

const ROUNDS = 10;
const ROUNDS_QUICK = 4;
const ROWS = 100_000;
const ROWS_QUICK = 10_000;
const QUERIES = 200;
const RATIO_WANTED = 1.5;
const SEED = 11;
const DELETED_AT_ONCE = 1000;
/** Longer than servers wait before they collect garbage. */
const COLLECT_MS = 75_000;

/** The records as they should be. */
interface Kept {
  readonly dimensions: number;
  readonly vectors: Float32Array;
  readonly alive: Uint8Array;
}

interface Shape {
  readonly recall: number;
  readonly records: number;
  readonly segments: number;
  readonly files: number;
  readonly storedMiB: number;
  readonly diskMiB: number;
  readonly residentMiB: number;
}

export async function churnPart(context: BenchContext): Promise<Part> {
  const [rows, rounds] = context.quick ? [ROWS_QUICK, ROUNDS_QUICK] : [ROWS, ROUNDS];
  const mixture = newMixture();
  const { dimensions } = mixture.options;
  const queries = mixture.rows(QUERIES);
  const kept: Kept = { dimensions, vectors: mixture.rows(rows), alive: new Uint8Array(rows).fill(1) };
  const asked = Array.from({ length: QUERIES }, (_, at) =>
    queries.subarray(at * dimensions, (at + 1) * dimensions),
  );
  const shapes: (readonly [string, Shape])[] = [];
  const rng = new SeededRng(SEED);
  await withServer(async (world) => {
    await world.collection.bulk(recordsOf(kept));
    shapes.push(['loaded', await shapeOf(world, kept, asked)]);
    for (let turn = 1; turn <= rounds; turn++) {
      context.progress(`round ${turn} of ${rounds}`);
      await churn(world.collection, kept, mixture.rows(rows >> 1), rng);
      shapes.push([`round ${turn}`, await shapeOf(world, kept, asked)]);
    }
    if (!context.quick) {
      context.progress('waiting for the collection of garbage');
      await untilCollected(world.folder);
    }
    await world.restart();
    shapes.push(['restarted', await shapeOf(world, kept, asked)]);
  });
  context.progress('building anew');
  await withServer(async (world) => {
    await world.collection.bulk(recordsOf(kept));
    shapes.push(['built anew', await shapeOf(world, kept, asked)]);
    await world.restart();
    shapes.push(['built anew, restarted', await shapeOf(world, kept, asked)]);
  });
  return report(shapes, context);
}

/** A quarter goes, the quarter that was gone comes back with other vectors, a quarter gets other vectors. */
async function churn(collection: Collection, kept: Kept, fresh: Float32Array, rng: SeededRng): Promise<void> {
  const { alive, vectors, dimensions } = kept;
  const quarter = alive.length >> 2;
  const order = shuffled(alive.length, rng);
  const gone = order.filter((row) => alive[row] === 0);
  const there = order.filter((row) => alive[row] === 1);
  const written = [...gone, ...there.slice(quarter, 2 * quarter)];
  written.forEach((row, at) => {
    vectors.set(fresh.subarray(at * dimensions, (at + 1) * dimensions), row * dimensions);
    alive[row] = 1;
  });
  const deleted = [...there.slice(0, quarter)];
  for (const row of deleted) alive[row] = 0;
  for (let from = 0; from < deleted.length; from += DELETED_AT_ONCE) {
    await collection.delete({ ids: deleted.slice(from, from + DELETED_AT_ONCE).map(String) });
  }
  await collection.bulk(recordsOf(kept, written));
}

function shuffled(count: number, rng: SeededRng): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at--) {
    const other = rng.below(at + 1);
    [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
  }
  return order;
}

function* recordsOf(
  { vectors, alive, dimensions }: Kept,
  rows: Iterable<number> = alive.keys(),
): Generator<{ id: string; vector: Float32Array }> {
  for (const row of rows) {
    if (alive[row] === 0) continue;
    yield { id: String(row), vector: vectors.subarray(row * dimensions, (row + 1) * dimensions) };
  }
}

/** One server on a folder. */
interface ChurnWorld {
  readonly folder: string;
  readonly collection: Collection;
  readonly server: ServerProcess;
  restart(): Promise<void>;
}

async function withServer(work: (world: ChurnWorld) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'omendb-bench-churn-'));
  const env = { OMENDB_LOG_LEVEL: 'warn', OMENDB_RETENTION: '0ms', OMENDB_RECALL_SAMPLE: '0' };
  let server = await startServer({ dataDir: folder, env });
  let client = new OmenClient({ endpoint: server.url, token: server.token });
  const stop = async (): Promise<void> => {
    await client.close();
    await server.stop();
  };
  try {
    await client.collections.create({ name: 'churn', dimensions: newMixture().options.dimensions });
    await work({
      folder,
      get collection() {
        return client.collection('churn');
      },
      get server() {
        return server;
      },
      restart: async () => {
        await stop();
        server = await startServer({ dataDir: folder, env });
        client = new OmenClient({ endpoint: server.url, token: server.token });
      },
    });
  } finally {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function shapeOf(world: ChurnWorld, kept: Kept, queries: readonly Float32Array[]): Promise<Shape> {
  const { collection, folder, server } = world;
  await untilAtRest(collection);
  const found = await collect(queries.length, 4, async (at) => {
    const { hits } = await collection.query({ vector: queries[at] ?? [], topK: K });
    return hits.map(({ id }) => Number(id));
  });
  const living = Uint32Array.from(kept.alive.keys()).filter((row) => kept.alive[row] === 1);
  const { records, segments, bytes } = await collection.stats();
  if (records !== living.length) throw new Error(`there are ${records} records instead of ${living.length}`);
  const files = filesOf(folder);
  return {
    recall: recallOf(found, exactNeighbours(kept.vectors, queries, K, living)),
    ...{ records, segments, storedMiB: bytes / 2 ** 20, files: files.length },
    diskMiB: files.reduce((sum, size) => sum + size, 0) / 2 ** 20,
    residentMiB: residentMiB(server.pid),
  };
}

/** Sizes of all files below a folder; one that goes meanwhile counts nothing. */
function filesOf(folder: string): number[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0);
}

/** Until nothing went for a while, or a collection of garbage must have been. */
async function untilCollected(folder: string): Promise<void> {
  const deadline = performance.now() + COLLECT_MS;
  const before = filesOf(folder).length;
  while (performance.now() < deadline) {
    await passes(1000);
    if (filesOf(folder).length < before / 2) return;
  }
}

function report(shapes: readonly (readonly [string, Shape])[], { quick }: BenchContext): Part {
  const shape = (name: string): Shape | undefined => shapes.find(([which]) => which === name)?.[1];
  const ratioOf = (name: string, other: string, of: (shape: Shape) => number): number => {
    const [one, two] = [shape(name), shape(other)];
    return one === undefined || two === undefined ? Number.NaN : of(one) / of(two);
  };
  const ratio = (of: (shape: Shape) => number): number => ratioOf('restarted', 'built anew, restarted', of);
  const lastRound = `round ${shapes.filter(([name]) => name.startsWith('round')).length}`;
  const worst = Math.min(...shapes.map(([, { recall }]) => recall));
  const most = RATIO_WANTED;
  const targets: Target[] = [
    { name: 'recall', least: RECALL_WANTED, got: worst },
    { name: 'segments ×', most, got: ratio(({ segments }) => segments) },
    { name: 'stored bytes ×', most, got: ratio(({ storedMiB }) => storedMiB) },
    // Garbage is collected a minute after the last change: a quick run does not wait for that.
    ...(quick
      ? []
      : [
          { name: 'files ×', most, got: ratio(({ files }) => files) },
          { name: 'bytes of files ×', most, got: ratio(({ diskMiB }) => diskMiB) },
        ]),
    { name: 'resident memory ×', most, got: ratioOf(lastRound, 'built anew', (one) => one.residentMiB) },
    { name: 'resident memory, restarted ×', most, got: ratio((one) => one.residentMiB) },
  ];
  const rows = shapes.map(([name, one]): Cell[] => [
    ...[name, one.records, round(one.recall, 4), one.segments, round(one.storedMiB, 1)],
    ...[one.files, round(one.diskMiB, 1), Math.round(one.residentMiB)],
    one.recall >= RECALL_WANTED ? 'met' : 'missed: recall',
  ]);
  rows.push(['after all, against built anew', ...Array<Cell>(7).fill(''), verdictOf(targets)]);
  return {
    tables: [
      {
        title: `Churn: ${shapes[0]?.[1].records} synthetic rows, in each round half of them deleted or written`,
        columns: [
          'when',
          'records',
          'recall@10',
          'segments',
          'stored MiB',
          'files',
          'MiB of files',
          'resident MiB',
          'verdict',
        ],
        rows,
        notes: [
          'stored: what the collection refers to; files: all in the folder, garbage too',
          'stored, files and MiB of files are compared after a restart, memory before it too',
        ],
      },
    ],
    goals: targets.map((target) => goalOf('churn, against a collection that was built anew', target)),
  };
}
