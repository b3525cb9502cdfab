// Why an answer is partial reaches clients alike on every way into the server.
import { expect } from 'chai';
import { grpcTransport } from '#sdk/grpc.js';
import { OmenClient } from '#sdk/index.js';
import { PARTIAL_REASONS } from '#sdk/results.js';
import type { PartialReason } from '#server/app/api.js';
import type { EdgeServer } from '../support/edge-server.js';
import { startEdgeServer } from '../support/edge-server.js';
import { NO_HITS, stubHandlers } from '../support/stub-handlers.js';

describe('The reason of a partial answer', () => {
  let edge: EdgeServer;
  let token: string;
  let reason: PartialReason | null = null;
  before(async () => {
    const query = async (): Promise<typeof NO_HITS> => ({
      ...NO_HITS,
      performance: { ...NO_HITS.performance, partial: reason !== null, partialReason: reason },
    });
    edge = await startEdgeServer(stubHandlers({ query }));
    token = await edge.token();
  });
  after(() => edge.stop());

  for (const transport of ['http', 'grpc'] as const) {
    it(`comes to the client over ${transport}`, async () => {
      const endpoint = transport === 'http' ? edge.url : `http://${edge.grpcAddress}`;
      const own = transport === 'http' ? {} : { transport: grpcTransport() };
      const db = new OmenClient({ endpoint, token, ...own });
      try {
        for (const each of [...PARTIAL_REASONS, null]) {
          reason = each;
          const { performance } = await db.collection('c').query({ vector: [1] });
          expect(performance).to.include({ partial: each !== null, partialReason: each ?? undefined });
        }
      } finally {
        await db.close();
      }
    });
  }

  it('is a lower case word in JSON', async () => {
    for (const each of PARTIAL_REASONS) {
      reason = each;
      const answer = await fetch(`${edge.url}/v1/collections/c/records:query`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{"vector":[1]}',
      });
      const { performance } = (await answer.json()) as { performance: Record<string, unknown> };
      expect(performance).to.include({ partial: true, partialReason: each });
    }
  });
});
