import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { METHODS } from '#sdk/gen/methods.js';
import type { EdgeServer } from '../support/edge-server.js';
import { startEdgeServer } from '../support/edge-server.js';
import type { TestApp } from '../support/test-app.js';
import { openTestApp } from '../support/test-app.js';
import type { WireClient, WireOutcome } from '../support/wire-client.js';
import { WAYS, wireClient } from '../support/wire-client.js';
import { PARITY_CASES } from './parity-cases.js';
import type { Bearer } from './parity-table.js';

describe('HTTP with JSON, HTTP with protobuf and gRPC', () => {
  let app: TestApp;
  let server: EdgeServer;
  let parties: Party[];

  before(async () => {
    app = await openTestApp(new MemoryObjectStore(), { retentionMs: 24 * 60 * 60 * 1000 });
    server = await startEdgeServer(app.handlers);
    parties = await Promise.all(WAYS.map((way, i) => party(server, wireClient(way, server), `tenant${i}`)));
  });

  after(async () => {
    for (const { client } of parties) client.close();
    await server.stop();
    await app.close();
  });

  it('are tried with every method', () => {
    const tried = new Set(PARITY_CASES.map(({ method }) => method));
    expect([...tried].sort()).to.deep.equal(Object.keys(METHODS).sort());
  });

  for (const [index, { name, method, request, bearer, expected }] of PARITY_CASES.entries()) {
    const outcome = expected === 'success' ? 'the same answer' : expected.reason;
    it(`give ${outcome} when ${name} (${index})`, async () => {
      const outcomes: WireOutcome<typeof method>[] = [];
      for (const { client, tokens } of parties) {
        const token = tokens.get(bearer);
        outcomes.push(await client.call(method, request as never, token === undefined ? {} : { token }));
      }
      const [json, protobuf, grpc] = outcomes.map(comparable);
      expect(server.log.filter(({ level }) => level === 'error')).to.deep.equal([]);
      expect(json).to.deep.include(expected === 'success' ? { ok: true } : { ok: false, ...expected });
      expect(protobuf, 'HTTP with protobuf').to.deep.equal(json);
      expect(grpc, 'gRPC').to.deep.equal(json);
    });
  }
});

interface Party {
  readonly client: WireClient;
  readonly tokens: ReadonlyMap<Bearer, string>;
}

async function party(server: EdgeServer, client: WireClient, tenant: string): Promise<Party> {
  const owner = await server.token({ tenant });
  const [header, , signature] = owner.split('.');
  const claims = Buffer.from(JSON.stringify({ tid: tenant })).toString('base64url');
  return {
    client,
    tokens: new Map<Bearer, string>([
      ['owner', owner],
      ['reader', await server.token({ tenant, scopes: ['records.read'] })],
      ['limited', await server.token({ tenant, collections: ['def*'] })],
      ['rival', await server.token({ tenant: `${tenant}-rival` })],
      ['forged', `${header}.${claims}.${signature}`],
    ]),
  };
}

/** An outcome without what differs from call to call. */
function comparable(outcome: WireOutcome<keyof typeof METHODS>): unknown {
  if (outcome.ok) return { ok: true, answer: steady(outcome.answer) };
  const { code, reason, status } = outcome.failure;
  // A filter has another form in JSON than in protobuf, and its problems are named in the form that was sent.
  const fields = outcome.failure.fields.map((field) => field.replace(/^filter\..*/, 'filter'));
  return { ok: false, code, reason, fields, status };
}

const UNSTEADY = new Set([
  'createTime',
  'startTime',
  'readableFrom',
  'uptimeMs',
  'sessionToken',
  'serverMs',
  'queueMs',
  'engineMs',
]);

function steady(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof Map) return [...value].sort().map(steady);
  if (Array.isArray(value)) return value.map(steady);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, entry]) => !UNSTEADY.has(key) && entry !== undefined)
      .map(([key, entry]) => [key, steady(entry)]),
  );
}
