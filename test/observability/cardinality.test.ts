// Whatever clients send, the page of metrics stays as large as it is: nothing that they make up becomes a
// label, but for tenants, which are bounded.
import { Client, credentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import fc from 'fast-check';
import { CATALOG, TENANTS_MAX } from '#server/core/metrics/catalog.js';
import * as pb from '#sdk/gen/messages.js';
import { undeclaredIn } from '../support/declared-labels.js';
import type { EdgeServer } from '../support/edge-server.js';
import { startEdgeServer } from '../support/edge-server.js';
import type { ExposedFamily } from '../support/openmetrics.js';
import { parseOpenMetrics, seriesCount, sumOf, valueOf } from '../support/openmetrics.js';
import { NO_HITS, stubHandlers } from '../support/stub-handlers.js';
import { send, wireClient } from '../support/wire-client.js';
import { expectNone } from '../tidy/tree.js';

const VERBS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'];
const PATH = fc.oneof(
  fc.webPath(),
  fc.webPath().map((path) => `/v1/collections${path}`),
  fc.string({ maxLength: 20 }).map((name) => `/v1/collections/${encodeURIComponent(name)}/records:query`),
);
const REQUEST = fc.record({
  verb: fc.constantFrom(...VERBS),
  path: PATH,
  requestId: fc.stringMatching(/^[!-~]{1,40}$/),
  type: fc.constantFrom('application/json', 'application/x-protobuf', 'text/plain'),
  body: fc.string({ maxLength: 50 }),
});

describe('Labels of metrics', function () {
  this.timeout(60_000);
  let server: EdgeServer;

  beforeEach(async () => {
    server = await startEdgeServer(stubHandlers({ query: async () => NO_HITS }), { countTenants: true });
  });

  afterEach(() => server.stop());

  const scrape = async (): Promise<Map<string, ExposedFamily>> =>
    parseOpenMetrics(await (await fetch(`${server.opsUrl}/metrics`)).text());

  it('hold nothing of what HTTP clients send', async () => {
    const token = await server.token();
    const before = ownSeries(await scrape());
    await fc.assert(
      fc.asyncProperty(REQUEST, async ({ verb, path, requestId, type, body }) => {
        const headers = {
          ...{ authorization: `Bearer ${token}`, 'x-request-id': requestId, 'content-type': type },
          'user-agent': requestId,
        };
        const hasBody = verb !== 'GET' && verb !== 'HEAD';
        // Of some verbs Node.js would not say how long the body is, which would be taken for a next request.
        const framed = { ...headers, 'content-length': Buffer.byteLength(body) };
        await send(server.url, path, {
          method: verb,
          ...(hasBody ? { headers: framed, body } : { headers }),
        });
      }),
      { numRuns: 300 },
    );
    await expectBounded(before);
  });

  it('hold nothing of what gRPC clients call', async () => {
    const before = ownSeries(await scrape());
    const client = new Client(server.grpcAddress, credentials.createInsecure());
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^\/[\w.]{1,20}\/\w{1,20}$/), fc.uint8Array(), (path, bytes) => {
        return new Promise<void>((resolve) => {
          const serialize = (sent: Uint8Array): Buffer => Buffer.from(sent);
          client.makeUnaryRequest(
            path,
            serialize,
            (got) => got,
            bytes,
            () => {
              resolve();
            },
          );
        });
      }),
      { numRuns: 200 },
    );
    client.close();
    await expectBounded(before);
  });

  it('hold names of tenants up to the cap, and all of them count', async () => {
    const client = wireClient('HTTP with protobuf', server);
    const request = pb.QueryRequest.fromPartial({
      collection: 'words',
      vector: { data: { $case: 'values', value: { values: [1] } } },
    });
    const tenants = 3 * TENANTS_MAX;
    for (let at = 0; at < tenants; at++) {
      await client.call('query', request, { token: await server.token({ tenant: `tenant-${at}` }) });
    }
    client.close();
    const families = await scrape();
    expect(families.get('omendb_tenant_requests_total')?.samples).to.have.length(TENANTS_MAX + 1);
    expect(sumOf(families, 'omendb_tenant_requests_total')).to.equal(tenants);
    expect(valueOf(families, 'omendb_tenant_requests_total', { tenant: '_other' })).to.equal(
      tenants - TENANTS_MAX,
    );
    const folded = { metric: 'omendb_tenant_requests_total' };
    expect(valueOf(families, 'omendb_metrics_dropped_label_sets_total', folded)).to.equal(
      tenants - TENANTS_MAX,
    );
  });

  /** New are codes of operations only, of which there is a closed list. */
  async function expectBounded(before: number): Promise<void> {
    const families = await scrape();
    expectNone([...families.values()].flatMap((family) => undeclaredIn(family)));
    const { code } = CATALOG.omendb_requests_total.labels;
    const newCodes = families
      .get('omendb_requests_total')
      ?.samples.filter(({ labels }) => labels['code'] !== 'OK').length;
    expect(newCodes).to.be.within(1, 3 * code.length);
    // The tenant of the token, and `_other`.
    expect(ownSeries(families) - before).to.be.at.most((newCodes ?? 0) + 2);
  }
});

/** Without those of Node.js, of which some come with the first garbage collection. */
function ownSeries(families: ReadonlyMap<string, ExposedFamily>): number {
  return seriesCount(new Map([...families].filter(([name]) => name in CATALOG)));
}
