// A real server process, and clients that call every method of it on every way in, rightly and wrongly: for
// tests of what it says about itself.
import { createHmac } from 'node:crypto';
import type { ErrorReason } from '#server/core/errors.js';
import { signToken } from '#server/transport/auth/jwt.js';
import { SystemClock } from '#server/adapters/system/clock.js';
import { SystemRng } from '#server/adapters/system/rng.js';
import { PARITY_CASES } from '../contract/parity-cases.js';
import type { MethodName, MethodTypes } from '#sdk/gen/methods.js';
import * as pb from '#sdk/gen/messages.js';
import { TENANTS_MAX } from '#server/core/metrics/catalog.js';
import type { Bearer } from '../contract/parity-table.js';
import { f32, record } from '../contract/parity-table.js';
import type { ExposedFamily } from './openmetrics.js';
import { parseOpenMetrics } from './openmetrics.js';
import { RequestTally } from './request-tally.js';
import type { ServerProcess, ServerProcessOptions } from './server-process.js';
import { startServer } from './server-process.js';
import type { Way } from './wire-client.js';
import { WAYS, send, wireClient } from './wire-client.js';

const SECRET = 'the secret of servers that are driven, long';

export interface DrivenServer {
  readonly process: ServerProcess;
  /** What the clients saw so far. */
  readonly tally: RequestTally;
  /** Calls every method on every way in, each way with a tenant of its own. */
  drive(): Promise<void>;
  /**
   * Makes more tenants and collections than metrics tell apart, and asks more at once than there are engines.
   */
  crowd(): Promise<void>;
  token(tenant: string, claims?: Partial<Claims>): Promise<string>;
  scrape(headers?: Readonly<Record<string, string>>): Promise<Map<string, ExposedFamily>>;
  stop(): Promise<void>;
}

interface Claims {
  readonly scopes: readonly string[];
  readonly collections: readonly string[];
}

/** Starts a server with the settings that are given. */
export async function startDrivenServer(options: ServerProcessOptions): Promise<DrivenServer> {
  const env = {
    OMENDB_JWT_SECRET: SECRET,
    OMENDB_HOST: '127.0.0.1',
    OMENDB_LOG_LEVEL: 'error',
    ...options.env,
  };
  const server = await startServer({ ...options, env });
  const tally = new RequestTally();
  const token = (tenant: string, { scopes = ['*'], collections }: Partial<Claims> = {}): Promise<string> => {
    const request = { tenant, subject: 'test', scopes, lifeMs: 600_000 };
    return signToken(
      new TextEncoder().encode(SECRET),
      collections === undefined ? request : { ...request, collections },
      { clock: new SystemClock(), rng: new SystemRng() },
    );
  };
  return {
    ...{ process: server, tally, token },
    drive: async () => {
      for (const [at, way] of WAYS.entries()) await driveOneWay(server, way, `tenant${at}`, { tally, token });
      await driveRaw({ process: server, tally, token });
    },
    crowd: () => crowd({ process: server, tally, token }),
    scrape: async (headers = {}) => {
      const response = await fetch(`http://127.0.0.1:${server.ports.ops}/metrics`, { headers });
      return parseOpenMetrics(await response.text());
    },
    stop: async () => {
      const code = await server.stop();
      if (code !== 0) throw new Error(`the server ended with ${code}:\n${server.output()}`);
    },
  };
}

async function driveOneWay(
  server: ServerProcess,
  way: Way,
  tenant: string,
  { tally, token }: Pick<DrivenServer, 'tally' | 'token'>,
): Promise<void> {
  const owner = await token(tenant);
  const [header, , signature] = owner.split('.');
  const claims = Buffer.from(JSON.stringify({ tid: tenant })).toString('base64url');
  const tokens = new Map<Bearer, string>([
    ['owner', owner],
    ['reader', await token(tenant, { scopes: ['records.read'] })],
    ['limited', await token(tenant, { collections: ['def*'] })],
    ['rival', await token(`${tenant}-rival`)],
    ['forged', `${header}.${claims}.${signature}`],
  ]);
  const client = wireClient(way, server);
  try {
    for (const { method, request, bearer } of PARITY_CASES) {
      const bearing = tokens.get(bearer);
      const outcome = await client.call(
        method,
        request as never,
        bearing === undefined ? {} : { token: bearing },
      );
      const reason = outcome.ok ? 'OK' : (outcome.failure.reason as ErrorReason);
      tally.saw(way === 'gRPC' ? 'grpc' : 'http', method, reason);
    }
  } finally {
    client.close();
  }
}

/** Bodies that can be wrong over HTTP with JSON only, or that the table of parity has not. */
const BODIES: readonly (readonly [method: MethodName, path: string, body: string, type?: string])[] = [
  ['createCollection', '', '{"name":"angles","dimensions":2,"metric":"cosine"}'],
  ['query', '/angles/records:query', '{"vector":'],
  ['query', '/angles/records:query', '{"vektor":[1,2]}'],
  ['query', '/angles/records:query', '<query/>', 'text/xml'],
  ['query', '/angles/records:query', '{"vector":[1,2],"filter":{"a":{"$like":"b"}}}'],
  ['query', '/angles/records:query', `{"vector":[${'0,'.repeat(40_000)}0]}`],
  ['query', '/angles/records:query', '{"vector":[1,2],"sessionToken":"bm9uZQ"}'],
  ['query', '/angles/records:query', '{"vector":[1,2],"asOf":"2001-01-01T00:00:00Z"}'],
  ['upsertRecords', '/angles/records:upsert', '{"records":[{"id":"a","vector":[0,0]}]}'],
  [
    'upsertRecords',
    '/angles/records:upsert',
    '{"records":[{"id":"a","vector":[1,0],"attributes":{"n":9007199254740993}}]}',
  ],
  ['upsertRecords', '/angles/records:upsert', '{"records":[{"id":"a","vector":[1,0]}],"requestId":"once"}'],
  ['deleteRecords', '/angles/records:delete', '{"ids":["a"],"requestId":"once"}'],
];

async function driveRaw(driven: Pick<DrivenServer, 'process' | 'tally' | 'token'>): Promise<void> {
  const { process, tally, token } = driven;
  const { url } = process;
  const now = Math.floor(Date.now() / 1000);
  const good = await token('raw');
  for (const [method, path, body, type = 'application/json'] of BODIES) {
    const headers = { 'content-type': type, authorization: `Bearer ${good}` };
    tally.saw(
      'http',
      method,
      reasonIn(await send(url, `/v1/collections${path}`, { method: 'POST', headers, body })),
    );
  }
  for (const times of [
    { iat: now - 7200, exp: now - 3600 },
    { iat: now, exp: now + 48 * 3600 },
  ]) {
    const headers = {
      authorization: `Bearer ${forge({ aud: 'omendb', tid: 'raw', sub: 'test', scp: ['*'], ...times })}`,
    };
    tally.saw(
      'http',
      'listCollections',
      reasonIn(await send(url, '/v1/collections', { method: 'GET', headers })),
    );
  }
  for (const path of ['/', '/v2/collections', '/v1/collections/c/nothing', '/v1/collections/%zz']) {
    tally.saw('http', undefined, reasonIn(await send(url, path, { method: 'GET' })));
  }
}

async function crowd({
  process,
  tally,
  token,
}: Pick<DrivenServer, 'process' | 'tally' | 'token'>): Promise<void> {
  const client = wireClient('gRPC', process);
  const call = async <N extends MethodName>(
    tenant: string,
    method: N,
    request: MethodTypes[N]['request'],
  ): Promise<void> => {
    const outcome = await client.call(method, request, { token: await token(tenant) });
    tally.saw('grpc', method, outcome.ok ? 'OK' : (outcome.failure.reason as ErrorReason));
  };
  const records = [record('a', f32(1, 0)), record('b', f32(0, 1))];
  try {
    for (let at = 0; at < TENANTS_MAX + 10; at++) {
      for (const collection of [`of-${at}`, `also-of-${at}`]) {
        const made = pb.CreateCollectionRequest.fromPartial({ name: collection, dimensions: 2 });
        await call(`crowd${at}`, 'createCollection', made);
        await call(
          `crowd${at}`,
          'upsertRecords',
          pb.UpsertRecordsRequest.fromPartial({ collection, records }),
        );
      }
    }
    const query = pb.QueryRequest.fromPartial({ collection: 'of-0', vector: f32(1, 1), topK: 2 });
    await Promise.all(Array.from({ length: 100 }, () => call('crowd0', 'query', query)));
  } finally {
    client.close();
  }
}

function reasonIn({ status, bytes }: Awaited<ReturnType<typeof send>>): ErrorReason | 'OK' {
  if (status === 200) return 'OK';
  const reason = /"reason":"([A-Z_]+)"/.exec(new TextDecoder().decode(bytes))?.[1];
  if (reason === undefined) throw new Error(`HTTP ${status} without a reason`);
  return reason as ErrorReason;
}

/** A token with any claims. */
function forge(claims: object): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}
