import { connect } from 'node:net';
import { expect } from 'chai';
import type { Handlers } from '#server/app/api.js';
import { OmenError } from '#server/core/errors.js';
import { LIMITS } from '#server/core/limits.js';
import * as pb from '#sdk/gen/messages.js';
import type { EdgeServer, EdgeServerOptions } from '../../support/edge-server.js';
import { startEdgeServer } from '../../support/edge-server.js';
import type { ExposedFamily } from '../../support/openmetrics.js';
import { parseOpenMetrics, sumOf, valueOf } from '../../support/openmetrics.js';
import { NO_HITS, stubHandlers } from '../../support/stub-handlers.js';
import type { WireClient } from '../../support/wire-client.js';
import { WAYS, send, wireClient } from '../../support/wire-client.js';

type Families = ReadonlyMap<string, ExposedFamily>;

const QUERY = pb.QueryRequest.fromPartial({
  collection: 'words',
  vector: { data: { $case: 'values', value: { values: [1, 2] } } },
});

describe('What is counted about requests', () => {
  let server: EdgeServer;

  async function start(handlers: Partial<Handlers> = {}, options: EdgeServerOptions = {}): Promise<void> {
    server = await startEdgeServer(stubHandlers({ query: async () => NO_HITS, ...handlers }), options);
  }

  afterEach(() => server.stop());

  async function scrape(): Promise<Families> {
    const response = await fetch(`${server.opsUrl}/metrics`);
    expect(response.headers.get('content-type')).to.include('application/openmetrics-text; version=1.0.0');
    return parseOpenMetrics(await response.text());
  }

  for (const way of WAYS) {
    const protocol = way === 'gRPC' ? 'grpc' : 'http';

    describe(`over ${way}`, () => {
      let client: WireClient;

      async function call(token?: string): Promise<void> {
        await client.call('query', QUERY, token === undefined ? {} : { token });
      }

      async function begin(handlers: Partial<Handlers> = {}, options: EdgeServerOptions = {}): Promise<void> {
        await start(handlers, options);
        client = wireClient(way, server);
      }

      afterEach(() => client.close());

      it('is a success, with its time', async () => {
        await begin();
        await call(await server.token());
        const families = await scrape();
        const labels = { protocol, operation: 'query', code: 'OK' };
        expect(valueOf(families, 'omendb_requests_total', labels)).to.equal(1);
        expect(sumOf(families, 'omendb_errors_total')).to.equal(0);
        const times = { operation: 'query', tier: 'hot' };
        expect(valueOf(families, 'omendb_query_latency_seconds', times, '_count')).to.equal(1);
      });

      it('is a read that waited for the object store, in the tier that the use case tells', async () => {
        await begin({
          query: async (context) => {
            context.tier = 'cold';
            return NO_HITS;
          },
        });
        await call(await server.token());
        const times = { operation: 'query', tier: 'cold' };
        expect(valueOf(await scrape(), 'omendb_query_latency_seconds', times, '_count')).to.equal(1);
      });

      it('is an error by type and fault, and no time', async () => {
        await begin({
          query: async () => {
            throw new OmenError('STORAGE_UNAVAILABLE', 'no answer');
          },
        });
        await call(await server.token());
        const families = await scrape();
        const labels = { protocol, operation: 'query', code: 'UNAVAILABLE' };
        expect(valueOf(families, 'omendb_requests_total', labels)).to.equal(1);
        expect(valueOf(families, 'omendb_errors_total', { type: 'storage', fault: 'server' })).to.equal(1);
        expect(sumOf(families, 'omendb_errors_total')).to.equal(1);
        expect(sumOf(families, 'omendb_query_latency_seconds', {}, '_count')).to.equal(0);
      });

      it('is why credentials were refused', async () => {
        await begin();
        await call();
        await call('nonsense');
        await call(await server.token({ scopes: ['collections:read'] }));
        const families = await scrape();
        const refused = (reason: string): number | undefined =>
          valueOf(families, 'omendb_auth_failures_total', { reason });
        expect([refused('missing'), refused('invalid'), refused('forbidden')]).to.deep.equal([1, 1, 1]);
        expect(sumOf(families, 'omendb_errors_total')).to.equal(3);
      });

      it('is a request of its tenant, also when it failed, and of nobody when nobody is known', async () => {
        await begin({}, { countTenants: true });
        await call();
        await call(await server.token({ tenant: 'acme' }));
        const wrong = pb.QueryRequest.fromPartial({ collection: 'words' });
        await client.call('query', wrong, { token: await server.token({ tenant: 'acme' }) });
        const families = await scrape();
        expect(sumOf(families, 'omendb_requests_total')).to.equal(3);
        expect(sumOf(families, 'omendb_errors_total')).to.equal(2);
        expect(valueOf(families, 'omendb_tenant_requests_total', { tenant: 'acme' })).to.equal(2);
        expect(sumOf(families, 'omendb_tenant_requests_total')).to.equal(2);
      });

      it('is what is in work, while it is', async () => {
        const [inside, held] = [signal(), signal()];
        await begin({
          query: async () => {
            inside.give();
            await held.given;
            return NO_HITS;
          },
        });
        const running = call(await server.token());
        await inside.given;
        expect(valueOf(await scrape(), 'omendb_requests_in_flight', { protocol })).to.equal(1);
        held.give();
        await running;
        expect(sumOf(await scrape(), 'omendb_requests_in_flight')).to.equal(0);
      });

      it('is a request that was not let in', async () => {
        await begin({}, { maxInFlight: 0 });
        await call(await server.token());
        const families = await scrape();
        expect(valueOf(families, 'omendb_errors_total', { type: 'overloaded', fault: 'server' })).to.equal(1);
        expect(sumOf(families, 'omendb_requests_total')).to.equal(1);
        expect(sumOf(families, 'omendb_requests_in_flight')).to.equal(0);
      });

      it('is an answer that there was no room for, once and as a failure', async () => {
        const attributes = new Map([['text', 'x'.repeat(200_000)]]);
        const hit = { id: 'a', score: 1, distance: 0, attributes };
        const [inside, held] = [signal(), signal()];
        await begin(
          {
            query: async () => ({ ...NO_HITS, hits: [hit] }),
            upsertRecords: async () => {
              inside.give();
              await held.given;
              throw new OmenError('CANCELLED', 'over');
            },
          },
          { heldBytesMax: 300_000 },
        );
        const token = await server.token();
        // Holds most of the room while it is read.
        const body = JSON.stringify({
          records: [{ id: 'b', vector: [1], attributes: { t: 'y'.repeat(250_000) } }],
        });
        const other = send(server.url, '/v1/collections/words/records:upsert', {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body,
        });
        await inside.given;
        await call(token);
        const families = await scrape();
        expect(sumOf(families, 'omendb_requests_total')).to.equal(1);
        expect(valueOf(families, 'omendb_errors_total', { type: 'overloaded', fault: 'server' })).to.equal(1);
        held.give();
        await other;
      });
    });
  }

  it('counts an unknown route and what is not HTTP as requests of no operation', async () => {
    await start();
    await fetch(`${server.url}/nothing`);
    await new Promise((resolve) => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () =>
        socket.write('nonsense\r\n\r\n'),
      );
      socket.resume().once('close', resolve);
    });
    const families = await scrape();
    const of = (code: string): number | undefined =>
      valueOf(families, 'omendb_requests_total', { protocol: 'http', operation: 'unknown', code });
    expect([of('UNIMPLEMENTED'), of('INVALID_ARGUMENT')]).to.deep.equal([1, 1]);
    expect(sumOf(families, 'omendb_errors_total')).to.equal(2);
  });

  it('counts a gRPC message that grpc-js refuses as a failure of its operation', async () => {
    await start({}, { protobufBodyBytes: 65_536 });
    const client = wireClient('gRPC', server);
    const values = new Array<number>(20_000).fill(1);
    const large = pb.QueryRequest.fromPartial({
      collection: 'words',
      vector: { data: { $case: 'values', value: { values } } },
    });
    await client.call('query', large, { token: await server.token() });
    client.close();
    const labels = { protocol: 'grpc', operation: 'query', code: 'RESOURCE_EXHAUSTED' };
    expect(valueOf(await scrape(), 'omendb_requests_total', labels)).to.equal(1);
  });

  it('counts records of valid requests', async () => {
    await start({ batchGetRecords: async () => ({ records: [], missingIds: [] }) as never });
    const client = wireClient('HTTP with JSON', server);
    const token = await server.token();
    await client.call(
      'batchGetRecords',
      pb.BatchGetRecordsRequest.fromPartial({ collection: 'w', ids: ['a', 'b'] }),
      { token },
    );
    const ids = Array.from({ length: LIMITS.batchRecordsMax + 1 }, (_, i) => String(i));
    await client.call('batchGetRecords', pb.BatchGetRecordsRequest.fromPartial({ collection: 'w', ids }), {
      token,
    });
    client.close();
    const families = await scrape();
    const labels = { operation: 'batch_get_records' };
    expect(valueOf(families, 'omendb_batch_records', labels, '_count')).to.equal(1);
    expect(valueOf(families, 'omendb_batch_records', labels, '_sum')).to.equal(2);
  });
});

interface Signal {
  readonly given: Promise<void>;
  give(): void;
}

function signal(): Signal {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}
