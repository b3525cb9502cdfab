import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import * as pb from '#sdk/gen/messages.js';
import type { MethodName, MethodTypes } from '#sdk/gen/methods.js';
import { f32, record } from '../contract/parity-table.js';
import { parseOpenMetrics } from '../support/openmetrics.js';
import type { OtlpReceiver, ReceivedSpan } from '../support/otlp-receiver.js';
import { startOtlpReceiver, treeOf } from '../support/otlp-receiver.js';
import type { ServerProcess } from '../support/server-process.js';
import { startServer } from '../support/server-process.js';
import { withTemporaryFolder } from '../support/temporary-folder.js';
import type { CallExtras, Way, WireClient, WireOutcome } from '../support/wire-client.js';
import { WAYS, wireClient } from '../support/wire-client.js';

const COLLECTION = pb.CreateCollectionRequest.fromPartial({
  name: 'words',
  dimensions: 2,
  metric: pb.Metric.L2,
});
const RECORDS = pb.UpsertRecordsRequest.fromPartial({
  collection: 'words',
  records: [record('a', f32(0, 1)), record('b', f32(1, 0)), record('c', f32(1, 1))],
});
const QUERY = pb.QueryRequest.fromPartial({ collection: 'words', vector: f32(0, 1), topK: 2 });
const COUNT = pb.CountRecordsRequest.fromPartial({ collection: 'words' });
const WRONG_QUERY = pb.QueryRequest.fromPartial({ collection: 'words', vector: f32(0, 1, 2), topK: 2 });

interface Context {
  readonly traceId: string;
  readonly spanId: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A span of a client, which it samples unless told otherwise. */
function clientSpan(sampled = true): Context {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-${sampled ? '01' : '00'}` } };
}

async function serving(
  env: Readonly<Record<string, string>>,
  use: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  await withTemporaryFolder(async (dataDir) => {
    const server = await startServer({ dataDir, env: { OMENDB_WORKER_THREADS: '1', ...env } });
    try {
      await use(server);
    } finally {
      await server.kill();
    }
  });
}

/** Calls that end well. */
function caller(client: WireClient, token: string) {
  return async <N extends MethodName>(
    name: N,
    message: MethodTypes[N]['request'],
    extras: CallExtras = {},
  ): Promise<WireOutcome<N>> => client.call(name, message, { token, ...extras });
}

function expectInside(spans: readonly ReceivedSpan[]): void {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  for (const span of spans) {
    expect(span.endNs >= span.startNs, `${span.name} ends after its start`).to.equal(true);
    const parent = byId.get(span.parentSpanId ?? '');
    if (parent === undefined) continue;
    expect(span.startNs >= parent.startNs, `${span.name} begins inside ${parent.name}`).to.equal(true);
    expect(span.endNs <= parent.endNs, `${span.name} ends inside ${parent.name}`).to.equal(true);
  }
}

describe('Traces', function () {
  this.timeout(60_000);
  let receiver: OtlpReceiver;

  beforeEach(async () => {
    receiver = await startOtlpReceiver();
  });
  afterEach(() => receiver.close());

  const env = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_TRACES_SAMPLER_ARG: '0',
    ...more,
  });

  for (const way of WAYS) {
    it(`show where the time of requests went, over ${way}`, async () => {
      await serving(env(), async (server) => {
        const client = wireClient(way, server);
        const call = caller(client, server.token);
        await call('createCollection', COLLECTION);
        const [open, write, read] = [clientSpan(), clientSpan(), clientSpan()];
        await call('countRecords', COUNT, { headers: open.headers });
        await call('upsertRecords', RECORDS, { headers: write.headers, requestId: 'the-write' });
        await call('query', QUERY, { headers: read.headers });
        const written = await receiver.trace(write.traceId);
        const found = await receiver.trace(read.traceId);
        client.close();
        const opened = await receiver.trace(open.traceId);
        expectInside(opened);
        expect(treeOf(opened)).to.include('  collection.open\n    catalog.get\n    storage.get');
        expectInside(written);
        expectInside(found);
        expect(treeOf(found)).to.equal(
          ['omendb.query', '  auth', '  decode', '  pool.acquire', '  engine.search', '  serialize'].join(
            '\n',
          ),
        );
        expect(treeOf(written)).to.equal(WRITE_TREE);
        describeRoots(way, { written, found, write, read });
      });
    });
  }

  it('begin with a share of the requests that carry none, and with no others', async () => {
    await serving(env({ OTEL_TRACES_SAMPLER_ARG: '0.5' }), async (server) => {
      const call = caller(wireClient('HTTP with JSON', server), server.token);
      await call('createCollection', COLLECTION);
      const silent = clientSpan(false);
      for (let i = 0; i < 40; i++) await call('query', QUERY, { headers: silent.headers });
      for (let i = 0; i < 60; i++) await call('getCollection', { collection: 'words' });
      expect(await server.stop()).to.equal(0);
      const roots = receiver.spans.filter(({ kind }) => kind === 2);
      const described = roots.filter(({ name }) => name === 'omendb.get_collection');
      expect(described.length).to.be.within(12, 48);
      expect(new Set(described.map(({ traceId }) => traceId)).size).to.equal(described.length);
      expect(roots.filter(({ name }) => name === 'omendb.query')).to.deep.equal([]);
    });
  });

  it('ignore a traceparent that is none', async () => {
    await serving(env(), async (server) => {
      for (const way of WAYS) {
        const client = wireClient(way, server);
        const headers = { traceparent: '00-zzz-1-01', tracestate: '=,=,,' };
        const outcome = await caller(client, server.token)(
          'listCollections',
          { pageSize: 0, pageToken: '' },
          { headers },
        );
        expect(outcome.ok).to.equal(true);
        client.close();
      }
      await server.stop();
      expect(receiver.spans).to.deep.equal([]);
    });
  });

  it('name the reason of a failure, and lead to the line in the log', async () => {
    await serving(env({ OMENDB_LOG_LEVEL: 'debug' }), async (server) => {
      const call = caller(wireClient('gRPC', server), server.token);
      await call('createCollection', COLLECTION);
      const span = clientSpan();
      const outcome = await call('query', WRONG_QUERY, { headers: span.headers, requestId: 'the-wrong-one' });
      expect(outcome.ok).to.equal(false);
      const root = (await receiver.trace(span.traceId)).find(({ kind }) => kind === 2);
      expect(root?.values).to.include({
        'error.type': 'DIMENSION_MISMATCH',
        'db.response.status_code': 'INVALID_ARGUMENT',
      });
      // The client made the mistake: nothing is wrong with the server.
      expect(root?.status).to.equal(0);
      const line = logLines(server).find(({ requestId }) => requestId === 'the-wrong-one');
      expect(line).to.include({ traceId: span.traceId, reason: 'DIMENSION_MISMATCH', tenant: 'dev' });
    });
  });

  it('are what exemplars of the latencies lead to', async () => {
    await serving(env(), async (server) => {
      const call = caller(wireClient('HTTP with protobuf', server), server.token);
      await call('createCollection', COLLECTION);
      const [write, read] = [clientSpan(), clientSpan()];
      await call('upsertRecords', RECORDS, { headers: write.headers });
      await call('query', QUERY);
      await call('query', QUERY, { headers: read.headers });
      const response = await fetch(`http://127.0.0.1:${server.ports.ops}/metrics`);
      const families = parseOpenMetrics(await response.text());
      const tracesOf = (name: string): string[] =>
        (families.get(name)?.samples ?? []).flatMap(({ exemplar }) => exemplar?.labels['trace_id'] ?? []);
      expect(tracesOf('omendb_query_latency_seconds')).to.deep.equal([read.traceId]);
      expect(tracesOf('omendb_write_latency_seconds')).to.deep.equal([write.traceId]);
    });
  });

  it('reach a collector that wants a credential, with what the server is', async () => {
    const more = {
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20of-the-collector',
      OTEL_SERVICE_NAME: 'vectors',
      OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod.name=omendb-0',
    };
    await serving(env(more), async (server) => {
      const span = clientSpan();
      const call = caller(wireClient('HTTP with JSON', server), server.token);
      await call('listCollections', { pageSize: 0, pageToken: '' }, { headers: span.headers });
      const [first] = await receiver.trace(span.traceId);
      expect(receiver.headers['authorization']).to.equal('Bearer of-the-collector');
      expect(first?.resource).to.include({ 'service.name': 'vectors', 'k8s.pod.name': 'omendb-0' });
      expect(first?.resource['service.version']).to.match(/^\d+\.\d+\.\d+$/);
    });
  });

  it('do no harm when the collector is gone or hangs', async () => {
    // It takes connections and answers nothing.
    const hanging = createServer(() => undefined);
    await new Promise<void>((resolve) => void hanging.listen(0, '127.0.0.1', resolve));
    const { port } = hanging.address() as AddressInfo;
    for (const endpoint of ['http://127.0.0.1:1', `http://127.0.0.1:${port}`]) {
      await serving(
        env({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: '1' }),
        async (server) => {
          const call = caller(wireClient('HTTP with JSON', server), server.token);
          await call('createCollection', COLLECTION);
          for (let i = 0; i < 20; i++) expect((await call('query', QUERY)).ok).to.equal(true);
          const startMs = performance.now();
          expect(await server.stop()).to.equal(0);
          expect(performance.now() - startMs).to.be.below(5000);
        },
      );
    }
    hanging.close();
  });
});

const WRITE_TREE = [
  'omendb.upsert_records',
  '  auth',
  '  decode',
  '  commit',
  '    commit.queue',
  '    commit.put',
  '    commit.check',
  '  serialize',
].join('\n');

interface Traced {
  readonly written: readonly ReceivedSpan[];
  readonly found: readonly ReceivedSpan[];
  readonly write: Context;
  readonly read: Context;
}

function describeRoots(way: Way, { written, found, write, read }: Traced): void {
  const [writeRoot, readRoot] = [written, found].map((spans) => spans.find(({ kind }) => kind === 2));
  const protocol = way === 'gRPC' ? 'grpc' : 'http';
  expect(writeRoot?.parentSpanId).to.equal(write.spanId);
  expect(readRoot?.parentSpanId).to.equal(read.spanId);
  expect(writeRoot?.values).to.include({
    ...{ 'db.system.name': 'omendb', 'db.operation.name': 'upsert_records', 'db.collection.name': 'words' },
    ...{ 'db.operation.batch.size': 3, 'omendb.request_id': 'the-write', 'omendb.protocol': protocol },
    ...{ 'omendb.tenant': 'dev', 'db.response.status_code': 'OK' },
  });
  expect(readRoot?.values).to.include({ 'omendb.k': 2, 'omendb.tier': 'hot' });
  const engine = found.find(({ name }) => name === 'engine.search');
  expect(engine?.values).to.include({ 'omendb.candidates': 3, 'omendb.results': 2, 'omendb.exact': true });
}

function logLines(server: ServerProcess): Readonly<Record<string, unknown>>[] {
  return server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
