import { expect } from 'chai';
import type { Handlers, RequestContext } from '#server/app/api.js';
import { OmenError } from '#server/core/errors.js';
import * as pb from '#sdk/gen/messages.js';
import type { EdgeServer, EdgeServerOptions } from '../../support/edge-server.js';
import { startEdgeServer } from '../../support/edge-server.js';
import { NO_HITS, stubHandlers } from '../../support/stub-handlers.js';
import type { WireClient, WireFailure, WireOutcome } from '../../support/wire-client.js';
import { WAYS, wireClient } from '../../support/wire-client.js';

const QUERY = pb.QueryRequest.fromPartial({
  collection: 'words',
  vector: { data: { $case: 'values', value: { values: [1, 2] } } },
});

for (const way of WAYS) {
  describe(`A call over ${way}`, () => {
    let server: EdgeServer;
    let client: WireClient;
    let token: string;

    async function start(handlers: Partial<Handlers>, options: EdgeServerOptions = {}): Promise<void> {
      server = await startEdgeServer(stubHandlers(handlers), options);
      client = wireClient(way, server);
      token = await server.token();
    }

    afterEach(async () => {
      client.close();
      await server.stop();
    });

    const query = (extras: Parameters<WireClient['call']>[2] = {}): Promise<WireOutcome<'query'>> =>
      client.call('query', QUERY, { token, ...extras });

    async function failureOf(outcome: Promise<WireOutcome<'query'>>): Promise<WireFailure> {
      const settled = await outcome;
      if (settled.ok) throw new Error('the call succeeded');
      return settled.failure;
    }

    it('tells the use case who asks, in which call', async () => {
      const seen: RequestContext[] = [];
      await start({
        query: async (context) => {
          seen.push(context);
          return NO_HITS;
        },
      });
      await query({ requestId: 'my-call-7' });
      expect(seen[0]).to.include({ tenant: 'acme', subject: 'test', requestId: 'my-call-7' });
    });

    it('gives each call an id when the client does not', async () => {
      const seen: string[] = [];
      await start({
        query: async ({ requestId }) => {
          seen.push(requestId);
          return NO_HITS;
        },
      });
      await query();
      await query();
      await query({ requestId: 'x'.repeat(200) });
      expect(new Set(seen).size).to.equal(3);
      expect(seen[2]).to.have.length.below(40);
    });

    it('names the call in an error', async () => {
      await start({ query: () => Promise.reject(new OmenError('COLLECTION_NOT_FOUND', 'no')) });
      expect(await failureOf(query({ requestId: 'my-call-8' }))).to.include({
        requestId: 'my-call-8',
        reason: 'COLLECTION_NOT_FOUND',
        message: 'no',
      });
    });

    it('carries everything an error says', async () => {
      await start({
        query: () =>
          Promise.reject(
            new OmenError('OVERLOADED', 'busy', {
              field: 'vector',
              retryAfterMs: 1500,
              metadata: { queue: '9' },
            }),
          ),
      });
      const failure = await failureOf(query());
      expect(failure).to.deep.include({ code: 'UNAVAILABLE', fields: ['vector'], retryAfterMs: 1500 });
    });

    it('keeps the text of a mistake to itself and logs it', async () => {
      await start({ query: () => Promise.reject(new Error('the secret is hunter2')) });
      const failure = await failureOf(query({ requestId: 'my-call-9' }));
      expect(failure).to.include({ code: 'INTERNAL', reason: 'INTERNAL' });
      expect(failure.message).not.to.include('hunter2');
      expect(server.log.map(({ level, facts }) => [level, facts['requestId']])).to.deep.equal([
        ['error', 'my-call-9'],
      ]);
    });

    it('survives an error whose text cannot be encoded', async () => {
      await start({
        query: () =>
          Promise.reject(
            new OmenError('INVALID_ARGUMENT', `half \ud800 ${'x'.repeat(9000)}`, { field: '\udfff' }),
          ),
      });
      const failure = await failureOf(query());
      expect(failure.reason).to.equal('INVALID_ARGUMENT');
      expect(failure.message).to.have.lengthOf(1024);
    });

    it('ends at the time the client allows, and the use case learns of it', async () => {
      const reasons: unknown[] = [];
      await start({ query: (context) => untilAborted(context, reasons) });
      // gRPC may end the call by itself before the server's answer arrives.
      const outcome = await failureOf(query({ timeoutMs: 60 })).catch((error: { code?: number }) => error);
      expect('reason' in outcome ? outcome.reason : outcome.code).to.be.oneOf(['DEADLINE_EXCEEDED', 4]);
      await until(() => reasons.length > 0);
      expect(reasons[0]).to.be.instanceOf(OmenError);
    });

    it('ends at the time the server allows', async () => {
      await start({ query: (context) => untilAborted(context, []) }, { requestTimeoutMs: 50 });
      expect(await failureOf(query({ timeoutMs: 60_000 }))).to.include({ reason: 'DEADLINE_EXCEEDED' });
    });

    it('is cancelled when the client goes away', async () => {
      const reasons: unknown[] = [];
      const started = signalled();
      await start({
        query: (context) => {
          started.fire();
          return untilAborted(context, reasons);
        },
      });
      const abort = new AbortController();
      const outcome = query({ signal: abort.signal }).catch((error: unknown) => error);
      await started.promise;
      abort.abort();
      await outcome;
      await until(() => reasons.length > 0);
      expect(reasons[0]).to.be.instanceOf(OmenError).and.include({ reason: 'CANCELLED' });
    });

    it('is refused when the server has as many in work as it may', async () => {
      const gate = signalled();
      const started = signalled();
      await start(
        {
          query: async () => {
            started.fire();
            await gate.promise;
            return NO_HITS;
          },
        },
        { maxInFlight: 1 },
      );
      const first = query();
      await started.promise;
      const refused = await failureOf(query());
      expect(refused).to.include({ reason: 'OVERLOADED', code: 'UNAVAILABLE' });
      expect(refused.retryAfterMs).to.be.greaterThan(0);
      gate.fire();
      expect((await first).ok).to.equal(true);
      await until(() => server.server.inFlight === 0);
      gate.fire();
      expect((await query()).ok).to.equal(true);
    });

    it('that is in work is finished when the server stops', async () => {
      const gate = signalled();
      const started = signalled();
      await start({
        query: async () => {
          started.fire();
          await gate.promise;
          return NO_HITS;
        },
      });
      const call = query();
      await started.promise;
      const stopped = server.stop();
      expect((await fetch(`${server.opsUrl}/readyz`)).status).to.equal(503);
      expect((await fetch(`${server.opsUrl}/livez`)).status).to.equal(200);
      gate.fire();
      expect((await call).ok).to.equal(true);
      client.close();
      expect(await stopped).to.equal(true);
    });

    it('that does not end is cut off when the time to stop is over', async () => {
      const started = signalled();
      await start({
        query: (context) => {
          started.fire();
          return untilAborted(context, []);
        },
      });
      const call = query().catch((error: unknown) => error);
      await started.promise;
      expect(await server.stop(50)).to.equal(false);
      await call;
    });

    it('with a body that is too large is refused', async () => {
      await start({}, { jsonBodyBytes: 70_000, protobufBodyBytes: 70_000 });
      const filter: pb.Filter = { expr: { $case: 'idPrefix', value: 'x'.repeat(100_000) } };
      const failure = await failureOf(client.call('query', { ...QUERY, filter }, { token }));
      expect(failure).to.include({ reason: 'MESSAGE_TOO_LARGE', code: 'RESOURCE_EXHAUSTED' });
      expect(failure.message).to.include('70000 bytes');
    });

    it('sees the limits that were set', async () => {
      await start({ getLimits: async () => ({ limits: { topKMax: 7 } }) }, { jsonBodyBytes: 70_000 });
      const outcome = await client.call('getLimits', {});
      expect(outcome.ok && outcome.answer).to.include({ topKMax: 7, jsonBodyBytesMax: 70_000 });
    });
  });
}

/** A use case that works until nobody wants its answer. */
function untilAborted({ signal }: RequestContext, reasons: unknown[]): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reasons.push(signal.reason);
      reject(signal.reason as Error);
    });
  });
}

function signalled(): { readonly promise: Promise<void>; readonly fire: () => void } {
  let fire = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { promise, fire: () => fire() };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited 5 s in vain');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
