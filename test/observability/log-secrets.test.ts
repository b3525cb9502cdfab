// Requests of all kinds, right and wrong, whose every value is a secret, against the whole server with its
// log at debug level: no line may hold one of them.
import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { PinoLogger } from '#server/adapters/pino/logger.js';
import { METHODS } from '#sdk/gen/methods.js';
import { PARITY_CASES } from '../contract/parity-cases.js';
import type { EdgeServer } from '../support/edge-server.js';
import { startEdgeServer } from '../support/edge-server.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import type { TestApp } from '../support/test-app.js';
import { openTestApp } from '../support/test-app.js';
import type { Way } from '../support/wire-client.js';
import { WAYS, send, wireClient } from '../support/wire-client.js';

const SECRET_TEXT = 'attribute-93b1c4';
const SECRET_NUMBER = 0.7317731;
const SECRET_INTEGER = 7_316_554_099n;
/** What betrays a secret in a line: numbers as they are printed, texts whole. */
const MARKS = ['attribute-93b1c4', '7317731', '0.73177', '7316554099', 'credential-5e7d'];
const WRONG_CREDENTIALS = [
  'Bearer credential-5e7d',
  'credential-5e7d',
  `Bearer ${'omdb_credential-5e7d'.padEnd(60, 'x')}`,
];

type Line = Readonly<Record<string, unknown>>;

/** The request with every value that a client may want to keep to itself replaced by a secret. */
function withSecrets(value: unknown): unknown {
  if (value instanceof Uint8Array)
    return value.length === 0 || value.length % 4 > 0 ? value : secretVector(value);
  if (Array.isArray(value)) return value.map(withSecrets);
  if (value instanceof Map) return new Map([...value].map(([key, inner]) => [key, withSecrets(inner)]));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const { $case } = value as { readonly $case?: string };
  if ($case === 'stringValue') return { ...value, value: SECRET_TEXT };
  if ($case === 'intValue') return { ...value, value: SECRET_INTEGER };
  if ($case === 'doubleValue') return { ...value, value: SECRET_NUMBER };
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withSecrets(inner)]));
}

function secretVector({ length }: Uint8Array): Uint8Array {
  return new Uint8Array(new Float32Array(length / 4).fill(SECRET_NUMBER).buffer);
}

describe('The log at debug level', function () {
  this.timeout(60_000);
  let text: string;
  let failing: FailingObjectStore;
  let app: TestApp;
  let server: EdgeServer;

  beforeEach(async () => {
    text = '';
    const logger = new PinoLogger({
      level: 'debug',
      stream: { write: (line: string) => void (text += line) },
    });
    failing = new FailingObjectStore(new MemoryObjectStore());
    app = await openTestApp(failing, { logger, retentionMs: 24 * 60 * 60 * 1000 });
    server = await startEdgeServer(app.handlers, { logger });
  });
  afterEach(async () => {
    await server.stop();
    await app.close();
  });

  const lines = (): Line[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);

  function expectNoSecrets(): void {
    for (const line of text.split('\n')) {
      for (const mark of MARKS) expect(line.includes(mark), `${mark} in ${line}`).to.equal(false);
    }
  }

  async function callAll(way: Way, tenant: string): Promise<string[]> {
    const client = wireClient(way, server);
    const token = await server.token({ tenant });
    const ids: string[] = [];
    for (const [index, { method, request }] of PARITY_CASES.entries()) {
      const requestId = `${tenant}-${index}`;
      ids.push(requestId);
      await client.call(method, withSecrets(request) as never, { token, requestId });
    }
    client.close();
    expect(text).to.not.include(token);
    return ids;
  }

  it('has one line for each request, with its end and its tenant, and no secret', async () => {
    for (const [index, way] of WAYS.entries()) {
      const ids = await callAll(way, `tenant${index}`);
      const mine = lines().filter(({ requestId }) => String(requestId).startsWith(`tenant${index}-`));
      expect(mine.map(({ requestId }) => requestId)).to.deep.equal(ids);
      for (const line of mine) {
        expect(line).to.include.keys('method', 'code', 'protocol', 'ms');
        if (line['code'] === 'OK') expect(line).to.include.keys('bytes');
      }
      const tenants = new Set(mine.map(({ tenant }) => tenant).filter((tenant) => tenant !== undefined));
      expect([...tenants]).to.deep.equal([`tenant${index}`]);
    }
    expect(new Set(lines().map(({ method }) => method)).size).to.be.at.least(Object.keys(METHODS).length);
    expectNoSecrets();
  });

  it('holds no secret when storage fails', async () => {
    const client = wireClient('HTTP with JSON', server);
    const token = await server.token();
    for (const [index, { method, request }] of PARITY_CASES.entries()) {
      if (index === 20) failing.failAlways('before');
      if (index === 60) break;
      await client.call(method, withSecrets(request) as never, { token });
    }
    expect(lines().some(({ reason }) => reason === 'STORAGE_UNAVAILABLE')).to.equal(true);
    expectNoSecrets();
  });

  it('holds no credential that was refused', async () => {
    for (const way of WAYS) {
      const client = wireClient(way, server);
      for (const authorization of WRONG_CREDENTIALS) {
        const outcome = await client.call(
          'listCollections',
          { pageSize: 0, pageToken: '' },
          { headers: { authorization } },
        );
        expect(outcome.ok).to.equal(false);
      }
      client.close();
    }
    expect(lines().filter(({ code }) => code === 'UNAUTHENTICATED')).to.have.lengthOf(9);
    expectNoSecrets();
  });

  it('holds nothing of a body or an address that cannot be read', async () => {
    const token = await server.token();
    const bodies = [
      `{"vector": [${SECRET_NUMBER}, "${SECRET_TEXT}`,
      `{"vector": "${SECRET_TEXT}"}`,
      `{"vector": [${SECRET_NUMBER}], "unknown": "${SECRET_TEXT}"}`,
      `{"records": [{"id": 7316554099, "attributes": {"a": {"b": "${SECRET_TEXT}"}}}]}`,
      `{"filter": {"a": {"$wrong": "${SECRET_TEXT}"}}, "vector": [${SECRET_NUMBER}]}`,
      `{"topK": "${SECRET_TEXT}", "pageToken": "${SECRET_TEXT}"}`,
      `"${SECRET_TEXT}"`,
      `${SECRET_TEXT}`,
    ];
    const paths = Object.values(METHODS).map(({ verb, path }) => ({
      verb,
      path: path.replace(/\{\w+\}/g, 'x'),
    }));
    for (const { verb, path } of [...paths, { verb: 'POST', path: `/v1/nothing?token=${SECRET_TEXT}` }]) {
      for (const type of ['application/json', 'application/x-protobuf', 'text/plain']) {
        for (const body of bodies) {
          const headers = {
            authorization: `Bearer ${token}`,
            'content-type': type,
            'content-length': body.length,
          };
          await send(server.url, path, { method: verb, headers, body });
        }
      }
      await send(server.url, `${path}${path.includes('?') ? '&' : '?'}pageToken=${SECRET_TEXT}&x=%zz`, {
        method: verb,
        headers: { authorization: `Bearer ${token}` },
      });
    }
    for (const path of [`/%zz${SECRET_TEXT}`, `//${SECRET_TEXT}`])
      await send(server.url, path, { method: 'GET' });
    expect(lines().length).to.be.above(300);
    expectNoSecrets();
  });
});
