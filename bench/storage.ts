// Everything on S3: a real S3 server behind the latency of S3, real servers of ours on its bucket, the
// client. How long is a write, how much can one collection take, what does opening cost, is anything ever
// invisible.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OmenClient } from '#sdk/index.js';
import { S3_LATENCY, startLatencyProxy } from '#support/latency-proxy.js';
import type { LatencyProxy } from '#support/latency-proxy.js';
import { startS3Server } from '#support/s3-server.js';
import { S3_ENVIRONMENT } from '#support/s3-store.js';
import { SeededRng } from '#support/seeded-rng.js';
import type { ServerProcess } from '#support/server-process.js';
import { startServer } from '#support/server-process.js';
import { tokenFor } from '#support/token.js';
import type { BenchContext, Goal, Report, Table } from './report.js';
import { percentile } from './report.js';

const DIMENSIONS = 768;
const SEED = 4;
/** A little longer than servers wait before they collect garbage. */
const COLLECT_MS = 65_000;
const SECRET = 'a bench on one bucket: a secret for nobody';

/** A server of ours and a client of it. */
interface Node {
  readonly server: ServerProcess;
  readonly client: OmenClient;
}

interface Measured {
  readonly table: Table;
  readonly goals: readonly Goal[];
}

/** The goals of storage on S3. Needs the programs that `npm run test:s3` builds. */
export async function storageSuite(context: BenchContext): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'omendb-bench-s3-'));
  const s3 = await startS3Server('versitygw');
  const proxy = await startLatencyProxy(s3.endpoint, { seed: SEED });
  const start = (name: string): Promise<Node> => startNode(proxy, join(folder, name));
  const nodes: Node[] = [];
  try {
    const first = await start('first');
    nodes.push(first);
    const measured = [await singleWrites(first, context), await bulk(first, context)];
    const second = await start('second');
    nodes.push(second);
    measured.push(await visibility([first, second], context), await opening(start, proxy, context));
    return {
      tables: measured.map(({ table }) => table),
      goals: measured.flatMap(({ goals }) => goals),
    };
  } finally {
    for (const { client, server } of nodes) {
      await client.close();
      await server.stop();
    }
    await proxy.stop();
    await s3.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startNode(proxy: LatencyProxy, dataDir: string): Promise<Node> {
  const server = await startServer({
    dataDir,
    env: {
      ...S3_ENVIRONMENT,
      OMENDB_OBJECT_STORE: 's3://bucket/bench',
      OMENDB_S3_ENDPOINT: proxy.endpoint,
      OMENDB_S3_FORCE_PATH_STYLE: 'true',
      OMENDB_HOST: '127.0.0.1',
      OMENDB_JWT_SECRET: SECRET,
      OMENDB_LOG_LEVEL: 'warn',
    },
  });
  return { server, client: new OmenClient({ endpoint: server.url, token: await tokenFor('bench', SECRET) }) };
}

/** Time from a write of one record to its answer, one writer and many. */
async function singleWrites({ client }: Node, context: BenchContext): Promise<Measured> {
  const collection = await client.collections.create({
    name: 'single',
    dimensions: DIMENSIONS,
    metric: 'cosine',
  });
  const rng = new SeededRng(SEED);
  const rows: (readonly [number, Float64Array])[] = [];
  for (const writers of [1, 16]) {
    const each = Math.ceil((context.quick ? 32 : 320) / Math.sqrt(writers));
    context.progress(`writes of one record, ${writers} at a time`);
    const times: number[] = [];
    const write = async (writer: number): Promise<void> => {
      for (let at = 0; at < each; at++) {
        const record = { id: `${writers}-${writer}-${at}`, vector: vectorOf(rng) };
        const started = performance.now();
        await collection.upsert([record]);
        times.push(performance.now() - started);
      }
    };
    await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
    rows.push([writers, Float64Array.from(times).sort()]);
  }
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(rows[0]?.[1] ?? new Float64Array(), share));
  const { get, put } = S3_LATENCY;
  return {
    table: {
      title: 'One record until it is acknowledged, on S3',
      columns: ['writers', 'writes', 'p50 ms', 'p99 ms', 'max ms'],
      rows: rows.map(([writers, times]) => [
        ...[writers, times.length, percentile(times, 0.5), percentile(times, 0.99), percentile(times, 1)],
      ]),
      notes: [
        `GET ${get.p50} / ${get.p99} ms and PUT ${put.p50} / ${put.p99} ms at p50 / p99, drawn lognormal with seed ${SEED}`,
        'a write that finds another under way waits for that one first',
      ],
    },
    goals: [
      {
        what: 'write acknowledged, p50',
        want: '≤ 250 ms',
        got: `${p50?.toFixed(0)} ms`,
        met: (p50 ?? NaN) <= 250,
      },
      {
        what: 'write acknowledged, p99',
        want: '≤ 600 ms',
        got: `${p99?.toFixed(0)} ms`,
        met: (p99 ?? NaN) <= 600,
      },
    ],
  };
}

/** Loading one collection as fast as it takes it. */
async function bulk({ client }: Node, context: BenchContext): Promise<Measured> {
  const collection = await client.collections.create({
    name: 'bulk',
    dimensions: DIMENSIONS,
    metric: 'cosine',
  });
  const count = context.quick ? 10_000 : 100_000;
  const rng = new SeededRng(SEED + 1);
  // Made before, and few: making them must not be what is measured.
  const vectors = Array.from({ length: 1000 }, () => vectorOf(rng));
  function* records(): Generator<{ id: string; vector: Float32Array }> {
    for (let at = 0; at < count; at++) yield { id: String(at), vector: vectors[at % 1000] ?? vectorOf(rng) };
  }
  context.progress(`${count} records into one collection`);
  const started = performance.now();
  await collection.bulk(records());
  const seconds = (performance.now() - started) / 1000;
  const megabytes = (count * DIMENSIONS * 4) / 1e6;
  const rate = megabytes / seconds;
  const { records: stored } = await collection.stats();
  if (stored !== count) throw new Error(`${count} records were written, the collection has ${stored}`);
  return {
    table: {
      title: 'Loading one collection through the client, on S3',
      columns: ['records', 'dimensions', 'MB of vectors', 'seconds', 'MB/s', 'records/s'],
      rows: [[count, DIMENSIONS, megabytes, seconds, rate, Math.round(count / seconds)]],
      notes: ['until the last record is acknowledged, that is durable and searchable'],
    },
    goals: [
      { what: 'into one collection', want: '≥ 20 MB/s', got: `${rate.toFixed(1)} MB/s`, met: rate >= 20 },
    ],
  };
}

/** Batches to one server, each read at once from the other with the session of the write. */
async function visibility([first, second]: readonly [Node, Node], context: BenchContext): Promise<Measured> {
  const collection = await first.client.collections.create({
    ...{ name: 'visible', dimensions: DIMENSIONS, metric: 'cosine' },
  });
  const other = second.client.collection('visible');
  const batches = context.quick ? 10 : 60;
  const rng = new SeededRng(SEED + 2);
  context.progress(`${batches} batches, each read from another server at once`);
  let missing = 0;
  const times: number[] = [];
  let background = Promise.resolve<unknown>(undefined);
  for (let batch = 0; batch < batches; batch++) {
    const records = Array.from({ length: 500 }, (_, at) => ({ id: `${batch}-${at}`, vector: vectorOf(rng) }));
    const { sessionToken } = await collection.upsert(records);
    // The next ones are on their way while the other server catches up.
    background = collection.upsert([{ id: `beside-${batch}`, vector: vectorOf(rng) }]);
    const ids = [0, 250, 499].map((at) => `${batch}-${at}`);
    const started = performance.now();
    const got = await other.getMany(ids, { sessionToken });
    times.push(performance.now() - started);
    missing += ids.length - got.records.length;
    await background;
  }
  const sorted = Float64Array.from(times).sort();
  return {
    table: {
      title: 'A write through one server, read from another with its session token, on S3',
      columns: ['batches', 'records each', 'not seen', 'read p50 ms', 'read p99 ms'],
      rows: [[batches, 500, missing, percentile(sorted, 0.5), percentile(sorted, 0.99)]],
      notes: ['the time includes that the other server reads the log up to the write'],
    },
    goals: [{ what: 'acknowledged writes not seen', want: '0', got: String(missing), met: missing === 0 }],
  };
}

/** The requests of a server that has never seen a collection, for its first answer about it. */
async function opening(
  start: (name: string) => Promise<Node>,
  proxy: LatencyProxy,
  context: BenchContext,
): Promise<Measured> {
  context.progress('opening collections on a new server');
  const { server, client } = await start('third');
  const rows: (readonly [string, number, string, number])[] = [];
  try {
    const empty = await client.collections.create({
      name: 'empty',
      dimensions: DIMENSIONS,
      metric: 'cosine',
    });
    await empty.stats();
    const fresh = await start('fourth');
    for (const name of ['empty', 'visible', 'single']) {
      proxy.requests.length = 0;
      const started = performance.now();
      await fresh.client.collection(name).query({ vector: vectorOf(new SeededRng(SEED)) });
      const ms = performance.now() - started;
      rows.push([name, proxy.requests.length, kindsOf(proxy), ms]);
    }
    context.progress('waiting until folds, merges and collections of garbage have ended');
    if (!context.quick) context.progress(`quiet after ${(await untilQuiet(proxy)).toFixed(0)} s`);
    proxy.requests.length = 0;
    await passes(context.quick ? 2000 : COLLECT_MS);
    rows.push(['all of them, idle', proxy.requests.length, kindsOf(proxy), 0]);
    await fresh.client.close();
    await fresh.server.stop();
  } finally {
    await client.close();
    await server.stop();
  }
  const idle = rows.at(-1)?.[1] ?? -1;
  return {
    table: {
      title: 'Requests to S3 for the first query of a collection on a new server',
      columns: ['collection', 'requests', 'of which', 'query ms'],
      rows,
    },
    goals: [{ what: 'requests of idle collections', want: '0', got: String(idle), met: idle === 0 }],
  };
}

/**
 * Until a collection of garbage, which comes a minute after the last change, would have come. Returns the
 * seconds it took.
 */
async function untilQuiet(proxy: LatencyProxy): Promise<number> {
  const started = performance.now();
  do {
    proxy.requests.length = 0;
    await passes(COLLECT_MS);
  } while (proxy.requests.length > 0 && performance.now() - started < 5 * COLLECT_MS);
  return (performance.now() - started) / 1000;
}

function passes(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

function kindsOf({ requests }: LatencyProxy): string {
  const kinds = new Map<string, number>();
  for (const { method, path } of requests) {
    const kind = kindOf(method, path);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ');
}

/** What a request to S3 is about, such as `GET wal`. */
export function kindOf(method: string, path: string): string {
  const key = decodeURIComponent(path.split('?')[0] ?? '');
  if (path.includes('list-type=2')) return 'LIST';
  if (key.includes('/_catalog/')) return `${method} catalog`;
  const folder = /\/n\/..\/[^/]+\/([a-z]+)/.exec(key)?.[1] ?? 'other';
  return `${method} ${folder}`;
}

function vectorOf(rng: SeededRng): Float32Array {
  return Float32Array.from({ length: DIMENSIONS }, () => rng.uint32() / 2 ** 32 - 0.5);
}
