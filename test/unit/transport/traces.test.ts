import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { Handlers } from '#server/app/api.js';
import { OmenError } from '#server/core/errors.js';
import * as pb from '#sdk/gen/messages.js';
import { METHODS } from '#sdk/gen/methods.js';
import { PARITY_CASES } from '../../contract/parity-cases.js';
import type { EdgeServer, EdgeServerOptions } from '../../support/edge-server.js';
import { startEdgeServer } from '../../support/edge-server.js';
import type { RecordedSpan } from '../../support/recorded-span.js';
import { RecordedTracer } from '../../support/recorded-tracer.js';
import { stubHandlers } from '../../support/stub-handlers.js';
import { openTestApp } from '../../support/test-app.js';
import type { WireClient } from '../../support/wire-client.js';
import { WAYS, wireClient } from '../../support/wire-client.js';

const QUERY = pb.QueryRequest.fromPartial({
  collection: 'words',
  vector: { data: { $case: 'f32', value: new Uint8Array(8) } },
  topK: 1,
});
/** As traces name the methods: the names of the metrics. */
const OPERATIONS = Object.keys(METHODS).map(
  (name) => `omendb.${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
);

for (const way of WAYS) {
  describe(`A traced request over ${way}`, () => {
    let tracer: RecordedTracer;
    let server: EdgeServer;
    let client: WireClient;

    async function start(handlers: Partial<Handlers>, options: EdgeServerOptions = {}): Promise<void> {
      tracer = new RecordedTracer();
      server = await startEdgeServer(stubHandlers(handlers), { ...options, tracer });
      client = wireClient(way, server);
    }

    /** Resolves to the span of the first request when it has ended. */
    async function ended(): Promise<RecordedSpan> {
      for (;;) {
        const root = tracer.roots.find(({ name }) => name === 'omendb.query');
        if (root?.endMs !== undefined) return root;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }

    afterEach(async () => {
      client.close();
      await server.stop(0);
    });

    it('ends once and with its outcome, whatever comes of it', async () => {
      const app = await openTestApp(new MemoryObjectStore(), { retentionMs: 3_600_000 });
      await start(app.handlers);
      const token = await server.token();
      for (const { method, request } of PARITY_CASES) await client.call(method, request as never, { token });
      expect(tracer.roots).to.have.lengthOf(PARITY_CASES.length);
      for (const { name, endMs, startMs, values, parts } of tracer.roots) {
        expect(OPERATIONS).to.include(name);
        expect(endMs, name).to.be.at.least(startMs);
        expect(values, name).to.include.keys('db.response.status_code', 'omendb.request_id', 'omendb.tier');
        expect('error.type' in values, name).to.equal(values['db.response.status_code'] !== 'OK');
        for (const part of parts) expect(part.endMs, `${part.name} of ${name}`).to.not.equal(undefined);
      }
      expect(new Set(tracer.roots.map(({ name }) => name)).size).to.equal(OPERATIONS.length);
      await app.close();
    });

    it('tells nothing about the inside of the server when it fails', async () => {
      await start({
        query: async () => {
          throw new OmenError('STORAGE_UNAVAILABLE', 'bucket "secret-bucket" at 10.0.0.7 is away');
        },
      });
      await client.call('query', QUERY, { token: await server.token() });
      const root = await ended();
      expect(root.values).to.include({ 'error.type': 'STORAGE_UNAVAILABLE', 'omendb.tenant': 'acme' });
      expect(root.message)
        .to.match(/does not answer/)
        .and.not.match(/secret-bucket/);
    });

    it('is not failed by mistakes of its client', async () => {
      await start({});
      await client.call('query', { ...QUERY, topK: 0 }, { token: await server.token() });
      const root = await ended();
      expect(root.values).to.include({ 'db.response.status_code': 'INVALID_ARGUMENT' });
      expect(root.message).to.equal(undefined);
    });

    it('ends when the client gives up, and when its time is over', async () => {
      await start({ query: ({ signal }) => rejectedBy(signal) });
      const token = await server.token();
      // So that the connection is there when the time begins.
      await client.call('listCollections', { pageSize: 0, pageToken: '' }, { token });
      await client.call('query', QUERY, { token, timeoutMs: 20 }).catch(() => undefined);
      const late = await ended();
      // A client of gRPC may be the first of the two to notice.
      expect(late.values['error.type']).to.be.oneOf(['DEADLINE_EXCEEDED', 'CANCELLED']);
    });

    it('hands the headers of the client to the tracer', async () => {
      await start({});
      const headers = { traceparent: '00-1-2-3', tracestate: 'a=b' };
      await client.call('query', QUERY, { token: await server.token(), headers });
      expect(tracer.parents).to.deep.equal([headers]);
    });

    it('does not begin before it is let in', async () => {
      await start({}, { maxInFlight: 0 });
      await client.call('query', QUERY, { token: await server.token() });
      expect(tracer.roots).to.deep.equal([]);
    });
  });
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}
