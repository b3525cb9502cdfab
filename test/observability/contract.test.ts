// The catalogue is what a server really shows, and what it shows is true: a real process is driven through
// every method on every way in, and its page is compared with the catalogue and with what the clients saw.
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ERROR_TABLE } from '#server/core/errors.js';
import {
  CATALOG,
  COLLECTIONS_MAX,
  OPERATIONS,
  RUNTIME_FAMILIES,
  TENANTS_MAX,
} from '#server/core/metrics/catalog.js';
import type { Family } from '#server/core/metrics/families.js';
import * as pb from '#sdk/gen/messages.js';
import { undeclaredIn } from '../support/declared-labels.js';
import type { DrivenServer } from '../support/driven-server.js';
import { startDrivenServer } from '../support/driven-server.js';
import type { ExposedFamily } from '../support/openmetrics.js';
import { seriesCount, sumOf, valueOf } from '../support/openmetrics.js';
import { WAYS, wireClient } from '../support/wire-client.js';
import { ROOT, expectNone } from '../tidy/tree.js';

type Families = ReadonlyMap<string, ExposedFamily>;

const ENGINES = 2;
const SERIES_MAX = 1500;
const DECLARED = new Map<string, string>([
  ...Object.entries<Family>(CATALOG).map(([name, { type }]): [string, string] => [name, type]),
  ...Object.entries(RUNTIME_FAMILIES).map(([name, [type]]): [string, string] => [name, type]),
]);
/** As in a container with a limit. */
const LIMITED = ['--import', 'data:text/javascript,process.constrainedMemory=()=>2**31'];

/**
 * What moves only when something is broken or large, each with the test that makes it move: a family is here
 * or moves below.
 */
const MOVED_ELSEWHERE: Readonly<Record<string, string>> = {
  omendb_background_failures_total: 'test/unit/app/metrics/background.test.ts',
  omendb_commit_conflicts_total: 'test/unit/app/metrics/background.test.ts',
  omendb_engine_restarts_total: 'test/unit/adapters/worker-pool/pool-metrics.test.ts',
};

/** Reasons that driving leads to; every reason is counted under its labels in errors.test.ts. */
const PROVOKED: readonly string[] = [
  ...['BATCH_TOO_LARGE', 'COLLECTION_EXISTS', 'COLLECTION_NOT_FOUND', 'DIMENSION_MISMATCH', 'DUPLICATE_ID'],
  ...[
    'EMPTY_BATCH',
    'INTEGER_PRECISION_LOSS',
    'INVALID_ARGUMENT',
    'INVALID_ATTRIBUTE',
    'INVALID_COLLECTION_NAME',
  ],
  ...['INVALID_FILTER', 'INVALID_ID', 'INVALID_PAGE_TOKEN', 'INVALID_TOKEN', 'INVALID_VECTOR'],
  ...['MALFORMED_BODY', 'METHOD_NOT_FOUND', 'MISSING_CREDENTIALS', 'MOMENT_NOT_KEPT', 'OK'],
  ...['RECORD_NOT_FOUND', 'REQUEST_ID_REUSED', 'SCOPE_MISSING', 'SNAPSHOT_EXISTS', 'SNAPSHOT_NOT_FOUND'],
  ...['TOKEN_EXPIRED', 'TOKEN_LIFETIME', 'UNKNOWN_FIELD', 'UNKNOWN_OPERATOR', 'UNSUPPORTED_MEDIA_TYPE'],
  ...['ZERO_VECTOR'],
];

describe('What a real server shows', function () {
  this.timeout(120_000);
  let folder: string;
  /** With default settings. */
  let plain: DrivenServer;
  /** With everything that is off by default, on what the first one left behind. */
  let full: DrivenServer;
  let atStart: Families;
  let driven: Families;
  let complete: Families;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-metrics-'));
    const env = { OMENDB_WORKER_THREADS: String(ENGINES) };
    plain = await startDrivenServer({ dataDir: folder, env });
    atStart = await until(plain, knowsOfBackups);
    await plain.drive();
    driven = await plain.scrape();
    await plain.stop();
    full = await startDrivenServer({
      dataDir: folder,
      env: { ...env, OMENDB_METRICS_TENANTS: 'true', OMENDB_FOLD_SLOTS: '2', OMENDB_RECALL_SAMPLE: '1' },
      nodeArgs: LIMITED,
    });
    await full.drive();
    await full.crowd();
    const merged = (families: Families): boolean => moves('omendb_compaction_duration_seconds', families);
    complete = await until(full, (families) => knowsOfBackups(families) && merged(families));
  });

  after(async () => {
    await full?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is the families of the catalogue and of the runtime, no more and no fewer, with their types', () => {
    for (const families of [atStart, driven, complete]) {
      const shown = new Map([...families.values()].map(({ name, type }) => [name, type]));
      expect(Object.fromEntries(shown)).to.deep.equal(Object.fromEntries(DECLARED));
    }
  });

  it('has a value for every family: what is declared is measured', () => {
    const empty = [...DECLARED.keys()].filter((name) => complete.get(name)?.samples.length === 0);
    expectNone(empty);
  });

  it('has a value from the start for everything that needs no collection, tenant or limit', () => {
    const empty = [...DECLARED.keys()].filter((name) => atStart.get(name)?.samples.length === 0);
    expect(empty).to.deep.equal([
      'omendb_tenant_requests_total',
      'omendb_tenant_vectors',
      'omendb_memory_limit_bytes',
    ]);
  });

  it('moves: every counter and histogram counts something when there is something to count', () => {
    const still = Object.entries<Family>(CATALOG)
      .filter(([name, { type }]) => type !== 'gauge' && !moves(name, driven) && !moves(name, complete))
      .map(([name]) => name);
    expect(still.sort()).to.deep.equal(Object.keys(MOVED_ELSEWHERE).sort());
    for (const [name, test] of Object.entries(MOVED_ELSEWHERE)) {
      expect(existsSync(join(ROOT, test)), test).to.equal(true);
      expect(readFileSync(join(ROOT, test), 'utf8'), test).to.include(name);
    }
  });

  it('has the labels that are declared, with the values that are declared', () => {
    for (const families of [driven, complete]) {
      expectNone([...families.values()].flatMap((family) => undeclaredIn(family)));
    }
  });

  it('never blames a side for what is not its fault', () => {
    const pairs = new Set(Object.values(ERROR_TABLE).map(({ type, fault }) => `${type} ${fault}`));
    for (const { labels } of driven.get('omendb_errors_total')?.samples ?? []) {
      expect(pairs).to.include(`${labels['type']} ${labels['fault']}`);
    }
  });

  it('is at most 1 500 series, with every operation driven and all caps full', () => {
    for (const [name, max] of [
      ['omendb_vectors_total', COLLECTIONS_MAX],
      ['omendb_tenant_requests_total', TENANTS_MAX],
      ['omendb_tenant_vectors', TENANTS_MAX],
    ] as const) {
      expect(complete.get(name)?.samples, name).to.have.length(max + 1);
    }
    expect(seriesCount(driven)).to.be.at.most(SERIES_MAX);
    expect(seriesCount(complete)).to.be.at.most(SERIES_MAX);
  });

  it('counts every request once, as the clients saw it', () => {
    expectNone(plain.tally.differences(atStart, driven));
    expectNone(full.tally.differences(new Map(), complete));
    expect(sumOf(driven, 'omendb_requests_total')).to.equal(plain.tally.requests);
  });

  it('is driven through every operation on both protocols, and through many reasons to fail', () => {
    for (const protocol of ['grpc', 'http']) {
      const missing = OPERATIONS.filter(
        (operation) =>
          operation !== 'unknown' &&
          (valueOf(driven, 'omendb_requests_total', { protocol, operation, code: 'OK' }) ?? 0) === 0,
      );
      expectNone(missing.map((operation) => `${protocol} ${operation}`));
    }
    expect([...plain.tally.outcomes]).to.include.members(PROVOKED);
  });

  it('counts as many errors as requests that failed', () => {
    const failed =
      sumOf(driven, 'omendb_requests_total') - sumOf(driven, 'omendb_requests_total', { code: 'OK' });
    expect(sumOf(driven, 'omendb_errors_total')).to.equal(failed);
  });

  it('times as many reads and writes as succeeded', () => {
    for (const name of ['omendb_query_latency_seconds', 'omendb_write_latency_seconds'] as const) {
      for (const operation of CATALOG[name].labels.operation) {
        const ok = sumOf(driven, 'omendb_requests_total', { operation, code: 'OK' });
        expect(sumOf(driven, name, { operation }, '_count'), operation).to.equal(ok);
      }
    }
  });

  it('tells of the disk what the system tells of it, and of what is free what the server may use', () => {
    const { bsize, blocks, bavail } = statfsSync(tmpdir());
    expect(valueOf(complete, 'omendb_disk_size_bytes')).to.equal(blocks * bsize);
    // Others write to it meanwhile.
    expect(valueOf(complete, 'omendb_disk_free_bytes')).to.be.closeTo(bavail * bsize, 0.02 * blocks * bsize);
  });

  it('adds up to the resident memory, in parts that are each at least nothing', () => {
    for (const families of [atStart, driven, complete]) {
      const parts = families.get('omendb_memory_usage_bytes')?.samples ?? [];
      for (const { labels, value } of parts) expect(value, labels['component']).to.be.at.least(0);
      const resident = valueOf(families, 'process_resident_memory_bytes') ?? 0;
      expect(sumOf(families, 'omendb_memory_usage_bytes')).to.be.closeTo(resident, resident * 0.05);
    }
    expect(valueOf(complete, 'omendb_memory_limit_bytes')).to.equal(2 ** 31);
  });

  it('has as many vectors as the collections have records, and as the tenants have', async () => {
    let records = 0;
    for (const [at, way] of WAYS.entries()) {
      for (const tenant of [`tenant${at}`, `tenant${at}-rival`]) {
        records += await countAll(full, tenant, way);
      }
    }
    for (const tenant of ['raw', ...Array.from({ length: TENANTS_MAX + 10 }, (_, at) => `crowd${at}`)]) {
      records += await countAll(full, tenant, 'gRPC');
    }
    const families = await full.scrape();
    expect(records).to.be.greaterThan(0);
    expect(sumOf(families, 'omendb_vectors_total')).to.equal(records);
    expect(sumOf(families, 'omendb_tenant_vectors')).to.equal(records);
  });

  it('counts the requests of tenants, all but those of nobody', () => {
    const known = ['tenant0', 'tenant1', 'tenant2', 'raw'];
    for (const tenant of known) {
      expect(valueOf(complete, 'omendb_tenant_requests_total', { tenant }), tenant).to.be.greaterThan(0);
    }
    const all = sumOf(complete, 'omendb_tenant_requests_total');
    expect(all).to.be.at.most(sumOf(complete, 'omendb_requests_total'));
  });

  it('says how many engines there are, and what each of them does', () => {
    expect(valueOf(driven, 'omendb_engine_pool_size')).to.equal(ENGINES);
    expect(valueOf(driven, 'omendb_engine_pool_available')).to.be.within(0, ENGINES);
    const engines = driven.get('omendb_engine_utilization_ratio')?.samples ?? [];
    expect(engines.map(({ labels }) => labels['engine'])).to.deep.equal(['0', '1']);
    for (const { value } of engines) expect(value).to.be.within(0, 1);
  });

  it('is OpenMetrics for whoever asks, whatever it would rather have', async () => {
    const accepts = [
      'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      'text/plain;version=0.0.4',
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
    ];
    for (const accept of accepts) {
      const response = await fetch(metricsOf(full), { headers: { accept } });
      expect(response.headers.get('content-type')).to.equal(
        'application/openmetrics-text; version=1.0.0; charset=utf-8',
      );
      expect(await response.text()).to.match(/# EOF\n$/);
    }
  });

  it('shows nothing but the page: no metrics on the ports of the API', async () => {
    expect((await fetch(`${full.process.url}/metrics`)).status).to.equal(404);
  });

  it('answers a scrape at the budget within 20 ms', async () => {
    const times: number[] = [];
    for (let run = 0; run < 20; run++) {
      const started = performance.now();
      await (await fetch(metricsOf(full))).arrayBuffer();
      times.push(performance.now() - started);
    }
    expect(Math.min(...times)).to.be.at.most(20);
  });
});

describe('A server that is told to measure nothing', function () {
  this.timeout(30_000);

  it('has no page of metrics, and answers probes', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'omendb-no-metrics-'));
    const server = await startDrivenServer({ dataDir, env: { OMENDB_METRICS: 'false' } });
    try {
      expect((await fetch(metricsOf(server))).status).to.equal(404);
      expect((await fetch(`http://127.0.0.1:${server.process.ports.ops}/readyz`)).status).to.equal(200);
    } finally {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

const metricsOf = ({ process }: DrivenServer): string => `http://127.0.0.1:${process.ports.ops}/metrics`;

/** Whether a family that counts has counted anything. */
function moves(name: string, families: Families): boolean {
  return (families.get(name)?.samples ?? []).some(({ value }) => value > 0);
}

/** A scrape makes the server look for backups, and the next one tells. */
function knowsOfBackups(families: Families): boolean {
  return valueOf(families, 'omendb_backup_last_success_timestamp_seconds') !== undefined;
}

/** The metrics when they are as wanted; jobs begin some time after what made them due. */
async function until(server: DrivenServer, wanted: (families: Families) => boolean): Promise<Families> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const families = await server.scrape();
    if (wanted(families) || Date.now() > deadline) return families;
    await new Promise((again) => void setTimeout(again, 50));
  }
}

async function countAll(server: DrivenServer, tenant: string, way: (typeof WAYS)[number]): Promise<number> {
  const client = wireClient(way, server.process);
  const token = await server.token(tenant);
  try {
    const listed = await client.call('listCollections', pb.ListCollectionsRequest.fromPartial({}), { token });
    if (!listed.ok) throw new Error(listed.failure.message);
    let records = 0;
    for (const { name: collection } of listed.answer.collections) {
      const counted = await client.call('countRecords', pb.CountRecordsRequest.fromPartial({ collection }), {
        token,
      });
      if (!counted.ok) throw new Error(counted.failure.message);
      records += Number(counted.answer.count);
    }
    return records;
  } finally {
    client.close();
  }
}
