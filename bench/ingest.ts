// Loading through the client: when is everything durable, when is everything indexed, how much memory does
// the server take.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OmenClient } from '#sdk/index.js';
import { startServer } from '#support/server-process.js';
import type { BenchContext, Goal, Report } from './report.js';
import { untilIndexed } from './network.js';
import { shuffledWords } from './words.js';
import type { Words } from './words.js';

interface Loaded {
  readonly count: number;
  readonly durableS: number;
  readonly indexedS: number;
  readonly serverMiB: number;
  readonly vectorMiB: number;
}

/** Loads 100 000 and all vectors, each into a new server. */
export async function ingestSuite(context: BenchContext): Promise<Report> {
  const sizes = context.quick ? [10_000] : [100_000, 340_479];
  const loaded: Loaded[] = [];
  for (const base of sizes) loaded.push(await load(shuffledWords({ base, queries: 0, context }), context));
  const goal = (count: number, seconds: number): Goal[] =>
    loaded
      .filter((one) => one.count === count)
      .map((one) => ({
        what: `${count} vectors durable and indexed`,
        want: `≤ ${seconds} s`,
        got: `${one.indexedS.toFixed(1)} s`,
        met: one.indexedS <= seconds,
      }));
  return {
    tables: [
      {
        title: 'Loading through the client, into an empty collection on local disk',
        columns: ['vectors', 'durable s', 'vectors/s', 'indexed s', 'server peak MiB', 'of it vectors MiB'],
        rows: loaded.map((one) => [
          one.count,
          one.durableS,
          Math.round(one.count / one.durableS),
          one.indexedS,
          Math.round(one.serverMiB),
          Math.round(one.vectorMiB),
        ]),
        notes: ['seconds from the first byte; indexed = no record is searched without an index any more'],
      },
    ],
    goals: [...goal(100_000, 8), ...goal(340_479, 40)],
  };
}

async function load(words: Words, context: BenchContext): Promise<Loaded> {
  const dataDir = mkdtempSync(join(tmpdir(), 'omendb-bench-'));
  const server = await startServer({ dataDir, env: { OMENDB_LOG_LEVEL: 'warn' } });
  const client = new OmenClient({ endpoint: server.url, token: server.token });
  try {
    const collection = await client.collections.create({
      name: 'words',
      dimensions: words.dimensions,
      metric: 'cosine',
    });
    context.progress(`loading ${words.count} vectors`);
    const started = performance.now();
    await collection.bulk(records(words));
    const durableS = (performance.now() - started) / 1000;
    context.progress(`durable after ${durableS.toFixed(1)} s`);
    await untilIndexed(client, 'words');
    const indexedS = (performance.now() - started) / 1000;
    context.progress(`indexed after ${indexedS.toFixed(1)} s`);
    const { records: count } = await client.collections.stats('words');
    if (count !== words.count)
      throw new Error(`${words.count} records were written, the collection has ${count}`);
    const vectorMiB = (words.count * words.dimensions * 4) / 2 ** 20;
    return { count: words.count, durableS, indexedS, serverMiB: peakMiB(server.pid), vectorMiB };
  } finally {
    await client.close();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function* records(words: Words): Generator<{ id: string; vector: Float32Array }> {
  for (let row = 0; row < words.count; row++) yield { id: words.word(row), vector: words.vector(row) };
}

/** Most memory the process ever had in RAM; NaN where the system does not tell. */
function peakMiB(pid: number): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? Number.NaN : Number(kib) / 1024;
  } catch {
    return Number.NaN;
  }
}
