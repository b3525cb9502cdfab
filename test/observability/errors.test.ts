// Any mixture of requests, right and wrong, at once and on all ways in: what the server counted is what the
// clients saw, each request once, each failure once more under its kind.
import { connect } from 'node:net';
import { Client, credentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import fc from 'fast-check';
import type { ErrorReason } from '#server/core/errors.js';
import { ERROR_TABLE, OmenError } from '#server/core/errors.js';
import type { QueryResponse, RequestContext } from '#server/app/api.js';
import * as pb from '#sdk/gen/messages.js';
import { METHODS } from '#sdk/gen/methods.js';
import type { EdgeServer } from '../support/edge-server.js';
import { startEdgeServer } from '../support/edge-server.js';
import type { ExposedFamily } from '../support/openmetrics.js';
import { parseOpenMetrics, sumOf } from '../support/openmetrics.js';
import { RequestTally } from '../support/request-tally.js';
import { NO_HITS, stubHandlers } from '../support/stub-handlers.js';
import type { CallExtras, Way, WireClient } from '../support/wire-client.js';
import { WAYS, send, wireClient } from '../support/wire-client.js';
import { expectNone } from '../tidy/tree.js';

const REASONS = Object.keys(ERROR_TABLE) as ErrorReason[];
const BODY_BYTES = 65_536;
const HANGS_MS = 30;
const PATH = '/v1/collections/c/records:query';

interface Driver {
  readonly server: EdgeServer;
  readonly token: string;
  readonly forbidden: string;
  readonly clients: ReadonlyMap<Way, WireClient>;
  readonly tally: RequestTally;
  /** Resolves when the use case with this request id is at work. */
  atWork(requestId: string): Promise<void>;
}

/** One request from its beginning to its end; resolves with what came of it, by the client's lights. */
type Kind = (driver: Driver, way: Way, id: string) => Promise<ErrorReason | 'OK'>;

const protocolOf = (way: Way): 'grpc' | 'http' => (way === 'gRPC' ? 'grpc' : 'http');

/** A query whose collection tells the use case what to do. */
async function ask(
  { clients, token }: Driver,
  way: Way,
  collection: string,
  extras: CallExtras = {},
): Promise<ErrorReason | 'OK'> {
  const request = pb.QueryRequest.fromPartial({
    collection,
    vector: { data: { $case: 'values', value: { values: [1] } } },
  });
  const outcome = await clients.get(way)?.call('query', request, { token, ...extras });
  if (outcome === undefined) throw new Error(`no client for ${way}`);
  return outcome.ok ? 'OK' : (outcome.failure.reason as ErrorReason);
}

const ANY_WAY: Readonly<Record<string, Kind>> = {
  success: (driver, way) => ask(driver, way, 'succeed'),
  'slow success': (driver, way) => ask(driver, way, 'linger'),
  'mistake in the server': (driver, way) => ask(driver, way, 'mistake'),
  'no credential': (driver, way) => {
    const { clients, server, tally, atWork, forbidden } = driver;
    return ask({ server, clients, tally, atWork, forbidden } as Driver, way, 'succeed');
  },
  'bad credential': (driver, way) => ask(driver, way, 'succeed', { token: 'nonsense' }),
  'no permission': (driver, way) => ask(driver, way, 'succeed', { token: driver.forbidden }),
  'bad name': (driver, way) => ask(driver, way, 'bad%name'),
  'no answer in time': async (driver, way, id) => {
    // Over gRPC the client ends by itself at its deadline, without a word from the server.
    const ended = ask(driver, way, 'hang', { timeoutMs: HANGS_MS, requestId: id }).catch(() => 'late');
    await ended;
    return 'DEADLINE_EXCEEDED';
  },
  'client that goes away': async (driver, way, id) => {
    const gone = new AbortController();
    const ended = ask(driver, way, 'hang', { signal: gone.signal, requestId: id }).catch(() => 'gone');
    await driver.atWork(id);
    gone.abort();
    await ended;
    return 'CANCELLED';
  },
  'large message': async ({ clients, token }, way) => {
    const values = new Array<number>(BODY_BYTES).fill(0.5);
    const request = pb.QueryRequest.fromPartial({
      collection: 'c',
      vector: { data: { $case: 'values', value: { values } } },
    });
    const outcome = await clients.get(way)?.call('query', request, { token });
    return outcome?.ok === false ? (outcome.failure.reason as ErrorReason) : 'OK';
  },
};

/** What has no operation: the tally is told by the kind itself. */
const RAW: Readonly<Record<string, (driver: Driver) => Promise<void>>> = {
  'unknown route': async ({ server, tally }) => {
    expect((await send(server.url, '/v2/nothing', { method: 'GET' })).status).to.equal(404);
    tally.saw('http', undefined, 'METHOD_NOT_FOUND');
  },
  'verb that the route does not have': async ({ server, tally }) => {
    expect((await send(server.url, PATH, { method: 'PUT' })).status).to.equal(404);
    tally.saw('http', undefined, 'METHOD_NOT_FOUND');
  },
  'address that cannot be read': async ({ server, tally }) => {
    expect((await send(server.url, '/v1/collections/%zz', { method: 'GET' })).status).to.equal(400);
    tally.saw('http', undefined, 'INVALID_ARGUMENT');
  },
  'what is not HTTP': async ({ server, tally }) => {
    expect(await speak(server.url, 'nonsense\r\n\r\n')).to.match(/^HTTP\/1.1 400 /);
    tally.saw('http', undefined, 'MALFORMED_BODY');
  },
  'headers without end': async ({ server, tally }) => {
    const head = `GET /health HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`;
    expect(await speak(server.url, head)).to.match(/^HTTP\/1.1 431 /);
    tally.saw('http', undefined, 'MESSAGE_TOO_LARGE');
  },
  'half a body': async ({ server, token, tally }) => {
    const head = `POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n`;
    const body = 'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"vector":';
    expect(await speak(server.url, head + body, true)).to.equal('');
    tally.saw('http', 'query', 'CANCELLED');
  },
  'chunk of a body that is none': async ({ server, token, tally }) => {
    const head = `POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n`;
    const body = 'content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n';
    expect(await speak(server.url, head + body)).to.match(/^HTTP\/1.1 400 /);
    tally.saw('http', 'query', 'MALFORMED_BODY');
  },
  'rest of a body that nobody waited for': async ({ server, tally }) => {
    const head = `POST ${PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n`;
    expect(await speak(server.url, `${head}half`, true)).to.equal('');
    tally.saw('http', 'query', 'MISSING_CREDENTIALS');
  },
  'body that is no JSON': async (driver) => post(driver, '{"vector":', 'application/json', 'MALFORMED_BODY'),
  'field that does not exist': async (driver) =>
    post(driver, '{"vektor":[1]}', 'application/json', 'UNKNOWN_FIELD'),
  'type of body that nobody reads': async (driver) =>
    post(driver, '<a/>', 'text/xml', 'UNSUPPORTED_MEDIA_TYPE'),
  'time-out that is none': async (driver) =>
    post(driver, '{}', 'application/json', 'INVALID_ARGUMENT', { 'omendb-timeout-ms': 'soon' }),
  'message that cannot be decoded': async ({ server, tally }) => {
    expect(await callRaw(server, METHODS.getServerInfo.grpcPath, Buffer.from([0xff, 0xff, 0xff]))).to.equal(
      3,
    );
    tally.saw('grpc', 'getServerInfo', 'MALFORMED_BODY');
  },
  'call without a message': async ({ server, tally }) => {
    expect(await callWith(server, [])).to.equal(3);
    tally.saw('grpc', 'getServerInfo', 'MALFORMED_BODY');
  },
  'call with two messages': async ({ server, tally }) => {
    expect(await callWith(server, [Buffer.alloc(0), Buffer.alloc(0)])).to.equal(3);
    tally.saw('grpc', 'getServerInfo', 'MALFORMED_BODY');
  },
  'method that does not exist': async ({ server, tally }) => {
    expect(await callRaw(server, '/omendb.v1.QueryService/Guess', Buffer.alloc(0))).to.equal(12);
    tally.saw('grpc', undefined, 'METHOD_NOT_FOUND');
  },
};

interface Step {
  readonly kind: string;
  readonly way: Way;
  readonly reason?: ErrorReason;
}

const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom(...Object.keys(ANY_WAY)), way: fc.constantFrom(...WAYS) }),
  fc.record({ kind: fc.constantFrom(...Object.keys(RAW)), way: fc.constant(WAYS[0]) }),
  fc.record({
    kind: fc.constant('error of the use case'),
    way: fc.constantFrom(...WAYS),
    reason: fc.constantFrom(...REASONS),
  }),
);

describe('Counters of requests and errors', function () {
  this.timeout(60_000);
  let driver: Driver;
  let ids = 0;

  before(async () => {
    const working = new Map<string, () => void>();
    const server = await startEdgeServer(
      stubHandlers({
        query: (context, request) => {
          working.get(context.requestId)?.();
          return behave(context, request.collection);
        },
      }),
      { jsonBodyBytes: BODY_BYTES, protobufBodyBytes: BODY_BYTES },
    );
    driver = {
      server,
      token: await server.token(),
      forbidden: await server.token({ scopes: ['collections.read'] }),
      clients: new Map(WAYS.map((way) => [way, wireClient(way, server)])),
      tally: new RequestTally(),
      atWork: (id) => new Promise((resolve) => working.set(id, resolve)),
    };
  });

  after(async () => {
    for (const client of driver.clients.values()) client.close();
    await driver.server.stop();
  });

  /** Runs all steps at once and compares what was seen with what was counted. */
  async function run(steps: readonly Step[]): Promise<void> {
    const tally = new RequestTally();
    const before = await scrape(driver.server);
    // A gRPC client keeps its deadline by itself: it must not come while the process is busy with the rest.
    const isTimed = ({ kind, way }: Step): boolean => kind === 'no answer in time' && way === 'gRPC';
    for (const some of [steps.filter((step) => !isTimed(step)), steps.filter(isTimed)]) {
      await Promise.all(some.map((step) => take({ ...driver, tally }, step, `id-${ids++}`)));
    }
    const total = sumOf(before, 'omendb_requests_total') + tally.requests;
    const counted = await settled(driver.server, total);
    expectNone(tally.differences(before, counted));
  }

  for (const way of WAYS) {
    for (const kind of Object.keys(ANY_WAY)) {
      it(`count a ${kind} over ${way} once`, () => run([{ kind, way }]));
    }
  }

  for (const kind of Object.keys(RAW)) {
    it(`count a ${kind} once`, () => run([{ kind, way: WAYS[0] }]));
  }

  it('count every reason once, under its code, kind and fault', () =>
    run(WAYS.flatMap((way) => REASONS.map((reason) => ({ kind: 'error of the use case', way, reason })))));

  it('equal what the clients saw, whatever is asked at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 1, maxLength: 60 }), (steps) => run(steps)),
      { numRuns: 30 },
    );
  });

  it('never show more errors than requests, also while requests are in work', async () => {
    const running = run(
      Array.from({ length: 100 }, (_, at) => ({
        kind: Object.keys(ANY_WAY)[at % Object.keys(ANY_WAY).length] ?? '',
        way: WAYS[at % WAYS.length] ?? 'gRPC',
      })),
    );
    for (let over = false; !over;) {
      over = await Promise.race([
        running.then(() => true),
        new Promise<false>((go) => setImmediate(go, false)),
      ]);
      const families = await scrape(driver.server);
      const failed = sumOf(families, 'omendb_errors_total');
      const ok = sumOf(families, 'omendb_requests_total', { code: 'OK' });
      expect(failed + ok).to.equal(sumOf(families, 'omendb_requests_total'));
    }
    await running;
  });
});

async function take(driver: Driver, { kind, way, reason }: Step, id: string): Promise<void> {
  const raw = RAW[kind];
  if (raw !== undefined) return raw(driver);
  const one: Kind = ANY_WAY[kind] ?? ((given, over) => ask(given, over, `throw-${reason}`));
  const outcome = await one(driver, way, id);
  driver.tally.saw(protocolOf(way), 'query', outcome);
}

/** The use case: does what the collection is called. */
async function behave(context: RequestContext, collection: string): Promise<QueryResponse> {
  const [what = '', reason] = collection.split(/-(.*)/s);
  if (what === 'throw') throw new OmenError(reason as ErrorReason, 'as the test wants it');
  if (what === 'mistake') throw new TypeError('as the test wants it');
  if (what === 'linger') await new Promise((resolve) => setImmediate(resolve));
  if (what === 'hang') await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
  return NO_HITS;
}

async function post(
  { server, token, tally }: Driver,
  body: string,
  type: string,
  reason: ErrorReason,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const headers = { 'content-type': type, authorization: `Bearer ${token}`, ...more };
  const { bytes } = await send(server.url, PATH, { method: 'POST', headers, body });
  expect(new TextDecoder().decode(bytes)).to.include(reason);
  tally.saw('http', 'query', reason);
}

/** Sends bytes as they are; resolves with all that came back when the connection is closed. */
function speak(url: string, text: string, leave = false): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write(text, () => {
        if (leave) socket.destroy();
      });
    });
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      resolve(heard);
    });
  });
}

/** The code of a gRPC call with any bytes at any path. */
function callRaw({ grpcAddress }: EdgeServer, path: string, bytes: Buffer): Promise<number> {
  const client = new Client(grpcAddress, credentials.createInsecure());
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      (sent: Buffer) => sent,
      (got) => got,
      bytes,
      (error) => {
        client.close();
        resolve(error?.code ?? 0);
      },
    );
  });
}

/** The code of a call of one method with any number of messages. */
function callWith({ grpcAddress }: EdgeServer, messages: readonly Buffer[]): Promise<number> {
  const client = new Client(grpcAddress, credentials.createInsecure());
  return new Promise((resolve) => {
    const call = client.makeClientStreamRequest(
      METHODS.getServerInfo.grpcPath,
      (sent: Buffer) => sent,
      (got) => got,
      (error) => {
        client.close();
        resolve(error?.code ?? 0);
      },
    );
    for (const message of messages) call.write(message);
    call.end();
  });
}

async function scrape(server: EdgeServer): Promise<Map<string, ExposedFamily>> {
  return parseOpenMetrics(await (await fetch(`${server.opsUrl}/metrics`)).text());
}

/** The metrics when nothing is in work any more and as many requests are counted as were sent. */
async function settled(server: EdgeServer, requests: number): Promise<Map<string, ExposedFamily>> {
  const deadline = Date.now() + 5000;
  for (;;) {
    const families = await scrape(server);
    const over = sumOf(families, 'omendb_requests_in_flight') === 0;
    if ((over && sumOf(families, 'omendb_requests_total') >= requests) || Date.now() > deadline)
      return families;
  }
}
