// What metrics cost: the time of a scrape when there is as much to show as there can be, and what measuring
// takes from the throughput of the same server.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OmenClient } from '#sdk/index.js';
import { startDrivenServer } from '#support/driven-server.js';
import type { DrivenServer } from '#support/driven-server.js';
import { parseOpenMetrics, seriesCount, sumOf } from '#support/openmetrics.js';
import { startServer } from '#support/server-process.js';
import type { ServerProcess } from '#support/server-process.js';
import { collect, measureLoad } from './load.js';
import type { BenchContext, Goal, Report, Table } from './report.js';
import { percentile } from './report.js';

const OPEN_COLLECTIONS = 1000;
const TENANTS = 100;
const SCRAPE_MS_WANTED = 20;
const COST_WANTED = 0.02;
const CLIENTS = 8;
const DIMENSIONS = 64;
/** Three times as often as Prometheus does. */
const SCRAPE_EVERY_MS = 5000;
/** The kernel counts processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** Scrapes of a server full of series, then pairs of servers with and without metrics. */
export async function metricsSuite(context: BenchContext): Promise<Report> {
  const scrapes = await scrapeSuite(context);
  const cost = await costSuite(context);
  return { tables: [scrapes.table, cost.table], goals: [...scrapes.goals, ...cost.goals] };
}

interface Part {
  readonly table: Table;
  readonly goals: readonly Goal[];
}

async function scrapeSuite({ quick, progress }: BenchContext): Promise<Part> {
  const dataDir = mkdtempSync(join(tmpdir(), 'omendb-bench-'));
  const env = { OMENDB_METRICS_TENANTS: 'true', OMENDB_LOG_LEVEL: 'error' };
  const server = await startDrivenServer({ dataDir, env });
  try {
    progress('calling every method, rightly and wrongly');
    await server.drive();
    const open = quick ? 200 : OPEN_COLLECTIONS;
    progress(`opening ${open} collections of ${TENANTS} tenants`);
    await openMany(server, open);
    const times: number[] = [];
    let text = '';
    progress('scraping');
    for (let run = 0; run < (quick ? 30 : 300); run++) {
      const started = performance.now();
      text = await scrapeOnce(server.process);
      times.push(performance.now() - started);
    }
    const families = parseOpenMetrics(text);
    const ascending = Float64Array.from(times).sort();
    const [p50, p99] = [percentile(ascending, 0.5), percentile(ascending, 0.99)];
    return {
      table: {
        title: 'A scrape when every cap is full, over HTTP',
        columns: ['open collections', 'series', 'KiB', 'p50 ms', 'p99 ms'],
        rows: [
          [
            sumOf(families, 'omendb_collections'),
            seriesCount(families),
            Math.round(text.length / 1024),
            p50,
            p99,
          ],
        ],
      },
      goals: [
        {
          what: 'scrape of a full registry, p99',
          want: `≤ ${SCRAPE_MS_WANTED} ms`,
          got: `${p99.toFixed(1)} ms`,
          met: p99 <= SCRAPE_MS_WANTED,
        },
      ],
    };
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function openMany(server: DrivenServer, count: number): Promise<void> {
  const clients = await Promise.all(
    Array.from(
      { length: TENANTS },
      async (_, tenant) =>
        new OmenClient({ endpoint: server.process.url, token: await server.token(`t${tenant}`) }),
    ),
  );
  await collect(count, CLIENTS, async (at) => {
    const client = clients[at % TENANTS];
    const name = `collection-${at}`;
    await client?.collections.create({ name, dimensions: 2 });
    await client?.collection(name).upsert([{ id: 'a', vector: [at, 1] }]);
  });
  for (const client of clients) await client.close();
}

/** What one kind of request measured: throughput with metrics over that without, pair by pair. */
interface Pairs {
  readonly name: string;
  readonly withMetrics: number[];
  readonly without: number[];
  readonly cpuWith: number[];
  readonly cpuWithout: number[];
}

async function costSuite(context: BenchContext): Promise<Part> {
  const rounds = context.quick ? 1 : 4;
  const pairs = context.quick ? 2 : 6;
  const kinds = [newPairs('query'), newPairs('get')];
  for (let round = 0; round < rounds; round++) {
    context.progress(`servers ${round + 1} of ${rounds}, with and without metrics`);
    // Which one is started first must not matter.
    const [a, b] = [await startOne(round % 2 === 0), await startOne(round % 2 !== 0)];
    const [on, off] = round % 2 === 0 ? [a, b] : [b, a];
    const scraping = setInterval(() => void scrapeOnce(on.server).catch(() => undefined), SCRAPE_EVERY_MS);
    try {
      for (const kind of kinds) {
        for (const one of [on, off]) await measureOne(one, kind.name, context.quick ? 300 : 2000);
        for (let pair = 0; pair < pairs; pair++)
          await measurePair(kind, pair % 2 === 0, { on, off }, context);
      }
    } finally {
      clearInterval(scraping);
      await on.stop();
      await off.stop();
    }
  }
  return { table: costTable(kinds, rounds * pairs), goals: kinds.slice(0, 1).map((kind) => costGoal(kind)) };
}

const newPairs = (name: string): Pairs => ({
  name,
  withMetrics: [],
  without: [],
  cpuWith: [],
  cpuWithout: [],
});

async function measurePair(
  kind: Pairs,
  onFirst: boolean,
  { on, off }: { readonly on: OneServer; readonly off: OneServer },
  { quick }: BenchContext,
): Promise<void> {
  for (const isOn of onFirst ? [true, false] : [false, true]) {
    const { perSecond, cpuUs } = await measureOne(isOn ? on : off, kind.name, quick ? 500 : 2500);
    (isOn ? kind.withMetrics : kind.without).push(perSecond);
    (isOn ? kind.cpuWith : kind.cpuWithout).push(cpuUs);
  }
}

interface OneServer {
  readonly server: ServerProcess;
  readonly client: OmenClient;
  stop(): Promise<void>;
}

async function startOne(measured: boolean): Promise<OneServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'omendb-bench-'));
  const server = await startServer({
    dataDir,
    env: { OMENDB_LOG_LEVEL: 'warn', OMENDB_METRICS: String(measured) },
  });
  const client = new OmenClient({ endpoint: server.url, token: server.token });
  await client.collections.create({ name: 'c', dimensions: DIMENSIONS });
  const records = Array.from({ length: 2000 }, (_, at) => ({ id: String(at), vector: vectorOf(at) }));
  await client.collection('c').upsert(records);
  return {
    ...{ server, client },
    stop: async () => {
      await client.close();
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function scrapeOnce({ ports }: ServerProcess): Promise<string> {
  return (await fetch(`http://127.0.0.1:${ports.ops}/metrics`)).text();
}

/** Any vector, the same for the same number. */
function vectorOf(seed: number): Float32Array {
  return Float32Array.from({ length: DIMENSIONS }, (_, at) => Math.sin((seed + 1) * (at + 1)));
}

/** One window. */
async function measureOne(
  { server, client }: OneServer,
  kind: string,
  ms: number,
): Promise<{ readonly perSecond: number; readonly cpuUs: number }> {
  const collection = client.collection('c');
  const before = cpuSeconds(server.pid);
  const { perSecond, requests } = await measureLoad(CLIENTS, ms, (at) =>
    kind === 'query'
      ? collection.query({ vector: vectorOf(at % 500), topK: 10 })
      : collection.get(String(at % 2000)),
  );
  return { perSecond, cpuUs: ((cpuSeconds(server.pid) - before) / requests) * 1e6 };
}

/** Processor time of a process so far, of all its threads; NaN where the system does not tell. */
function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}

function costTable(kinds: readonly Pairs[], pairs: number): Table {
  return {
    title: `Throughput with metrics and without: ${pairs} alternating pairs, ${CLIENTS} clients, one machine`,
    columns: [
      'request',
      'with /s',
      'without /s',
      'cost %',
      'middle half %',
      'CPU with µs',
      'CPU without µs',
      'CPU %',
    ],
    rows: kinds.map((kind) => {
      const costs = costsOf(kind.withMetrics, kind.without);
      const cpu = [median(kind.cpuWith), median(kind.cpuWithout)] as const;
      return [
        ...[kind.name, Math.round(median(kind.withMetrics)), Math.round(median(kind.without))],
        percent(median(costs)),
        `${percent(at(costs, 0.25))} to ${percent(at(costs, 0.75))}`,
        ...[cpu[0], cpu[1], percent(cpu[0] / cpu[1] - 1)],
      ];
    }),
    notes: [
      'cost: the median over pairs of 1 − with / without; below 0 the one with metrics was the faster',
      'CPU: processor time of the server for one request',
    ],
  };
}

function costGoal(kind: Pairs): Goal {
  const cost = median(costsOf(kind.withMetrics, kind.without));
  return {
    what: `cost of metrics, throughput of ${kind.name}`,
    want: `≤ ${percent(COST_WANTED)} %`,
    got: `${percent(cost)} %`,
    met: cost <= COST_WANTED,
  };
}

function costsOf(withMetrics: readonly number[], without: readonly number[]): number[] {
  return withMetrics.map((each, pair) => 1 - each / (without[pair] ?? Number.NaN));
}

const percent = (share: number): string => (share * 100).toFixed(1);
const median = (values: readonly number[]): number => at(values, 0.5);
const at = (values: readonly number[], share: number): number =>
  percentile(Float64Array.from(values).sort(), share);
