// What metrics cost: the time of a scrape when there is as much to show as there can be, and what measuring
// takes from the throughput of the same server.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrometheusMetrics } from '#server/adapters/prometheus/prometheus-metrics.js';
import { SystemClock } from '#server/adapters/system/clock.js';
import { OmenClient } from '#sdk/index.js';
import { startDrivenServer } from '#support/driven-server.js';
import type { DrivenServer } from '#support/driven-server.js';
import { silentLogger } from '#support/log-node.js';
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
  return {
    tables: [scrapes.table, recordingTable(context), cost.table],
    goals: [...scrapes.goals, ...cost.goals],
  };
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

/** What one recording takes; a query makes about ten. */
function recordingTable({ quick }: BenchContext): Table {
  const clock = new SystemClock();
  const metrics = new PrometheusMetrics({ clock, logger: silentLogger });
  const counter = metrics.counter('omendb_requests_total', {
    protocol: 'http',
    operation: 'query',
    code: 'OK',
  });
  const histogram = metrics.histogram('omendb_query_latency_seconds', { operation: 'query', tier: 'hot' });
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const recordings: readonly [string, (at: number) => void][] = [
    ['counter', () => counter.inc()],
    ['histogram', (at) => histogram.observe((at % 1000) / 1e5)],
    ['histogram, of a traced request', (at) => histogram.observe((at % 1000) / 1e5, trace)],
    ['counter of a tenant', (at) => metrics.counterOf('omendb_tenant_requests_total', `t${at % 40}`).inc()],
  ];
  const times = quick ? 1e5 : 5e6;
  return {
    title: 'One recording',
    columns: ['what', 'ns'],
    rows: recordings.map(([what, record]) => {
      for (let at = 0; at < 1e5; at++) record(at);
      const started = performance.now();
      for (let at = 0; at < times; at++) record(at);
      return [what, ((performance.now() - started) / times) * 1e6];
    }),
  };
}

/**
 * One server measures, two do not. What the two without differ by is nothing but the machine's: a cost below
 * that is not to be seen here.
 */
const SERVERS = ['with', 'without', 'control'] as const;
type Which = (typeof SERVERS)[number];

/** What one kind of request measured, window by window. */
interface Windows {
  readonly name: string;
  readonly perSecond: Readonly<Record<Which, number[]>>;
  readonly cpuUs: Readonly<Record<Which, number[]>>;
}

async function costSuite(context: BenchContext): Promise<Part> {
  // Two servers of one kind differ by more than two turns of one server: rather more servers than turns.
  const rounds = context.quick ? 1 : 8;
  const turns = context.quick ? 2 : 3;
  const kinds = [newWindows('query'), newWindows('get')];
  for (let round = 0; round < rounds; round++) {
    context.progress(`servers ${round + 1} of ${rounds}, with and without metrics`);
    // Which one is started first, or asked first, must not matter.
    const servers = new Map<Which, OneServer>();
    for (const which of rotated(round)) servers.set(which, await startOne(which === 'with'));
    const measuring = servers.get('with')?.server;
    const scraping = setInterval(() => {
      if (measuring !== undefined) scrapeOnce(measuring).catch(() => undefined);
    }, SCRAPE_EVERY_MS);
    try {
      for (const kind of kinds) await measureKind(kind, servers, { turns, quick: context.quick });
    } finally {
      clearInterval(scraping);
      for (const one of servers.values()) await one.stop();
    }
  }
  return { table: costTable(kinds, rounds * turns), goals: kinds.slice(0, 1).map((kind) => costGoal(kind)) };
}

function newWindows(name: string): Windows {
  const none = (): Record<Which, number[]> => ({ with: [], without: [], control: [] });
  return { name, perSecond: none(), cpuUs: none() };
}

function rotated(by: number): Which[] {
  return SERVERS.map((_, at) => SERVERS[(at + by) % SERVERS.length] ?? 'with');
}

async function measureKind(
  kind: Windows,
  servers: ReadonlyMap<Which, OneServer>,
  { turns, quick }: { readonly turns: number; readonly quick: boolean },
): Promise<void> {
  for (const one of servers.values()) await measureOne(one, kind.name, quick ? 300 : 2000);
  for (let turn = 0; turn < turns; turn++) {
    for (const which of rotated(turn)) {
      const one = servers.get(which);
      if (one === undefined) continue;
      const { perSecond, cpuUs } = await measureOne(one, kind.name, quick ? 500 : 2000);
      kind.perSecond[which].push(perSecond);
      kind.cpuUs[which].push(cpuUs);
    }
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

function costTable(kinds: readonly Windows[], turns: number): Table {
  return {
    title: `Throughput with metrics and without: ${turns} turns of three servers, ${CLIENTS} clients, one machine`,
    columns: [
      'request',
      'with /s',
      'without /s',
      'cost %',
      'middle half %',
      'noise %',
      'CPU cost %',
      'CPU noise %',
    ],
    rows: kinds.map(({ name, perSecond, cpuUs }) => {
      const costs = lossesOf(perSecond.without, perSecond.with);
      return [
        ...[name, Math.round(median(perSecond.with)), Math.round(median(perSecond.without))],
        percent(median(costs)),
        `${percent(at(costs, 0.25))} to ${percent(at(costs, 0.75))}`,
        percent(Math.abs(median(lossesOf(perSecond.without, perSecond.control)))),
        percent(median(cpuUs.with) / median(cpuUs.without) - 1),
        percent(Math.abs(median(cpuUs.control) / median(cpuUs.without) - 1)),
      ];
    }),
    notes: [
      'cost: the median over turns of 1 − with / without; below 0 the one with metrics was the faster',
      'noise: the same of two servers without metrics; a cost below it cannot be told from nothing',
      'CPU: processor time of the server for one request',
    ],
  };
}

function costGoal({ name, perSecond }: Windows): Goal {
  const cost = median(lossesOf(perSecond.without, perSecond.with));
  return {
    what: `cost of metrics, throughput of ${name}`,
    want: `≤ ${percent(COST_WANTED)} %`,
    got: `${percent(cost)} %`,
    met: cost <= COST_WANTED,
  };
}

function lossesOf(before: readonly number[], after: readonly number[]): number[] {
  return after.map((each, turn) => 1 - each / (before[turn] ?? Number.NaN));
}

const percent = (share: number): string => (share * 100).toFixed(1);
const median = (values: readonly number[]): number => at(values, 0.5);
const at = (values: readonly number[], share: number): number =>
  percentile(Float64Array.from(values).sort(), share);
