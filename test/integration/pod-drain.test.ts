// A server as a pod: what clients behind a Service see of its end. Two servers on one bucket, clients that
// keep their connections and repeat nothing.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { POD_SECRET, bucketSettings } from '../support/pod-settings.js';
import { S3Stub } from '../support/s3-stub.js';
import { startServer } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';
import { ServiceBalancer } from '../support/service-balancer.js';
import { SteadyLoad } from '../support/steady-load.js';
import { tokenFor } from '../support/token.js';
import { send } from '../support/wire-client.js';

const MAIN = fileURLToPath(new URL('../../../server/dist/main.js', import.meta.url));
/** What kube-proxy and controllers of balancers may take on a bad day, in small. */
const LAG_MS = 700;

/** For a server that is started without `startServer`. */
function settings(folder: string): Record<string, string> {
  const free = { OMENDB_HTTP_PORT: '0', OMENDB_GRPC_PORT: '0', OMENDB_OPS_PORT: '0' };
  return {
    PATH: process.env['PATH'] ?? '',
    ...bucketSettings(),
    ...free,
    OMENDB_DATA_DIR: join(folder, 'data'),
  };
}

describe('A pod that is asked to stop', function () {
  this.timeout(90_000);
  let folder: string;
  let stub: S3Stub;
  let token: string;
  let servers: ServerProcess[] = [];
  let balancers: ServiceBalancer[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-pod-'));
    stub = await S3Stub.start();
    token = await tokenFor('acme', POD_SECRET);
  });

  afterEach(async () => {
    await Promise.all(balancers.map((balancer) => balancer.stop()));
    await Promise.all(servers.map((server) => server.kill()));
    [servers, balancers] = [[], []];
    await stub.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(index: number, env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    const before = servers[index];
    return startServer({
      dataDir: join(folder, String(index)),
      env: { ...bucketSettings(), OMENDB_S3_ENDPOINT: stub.endpoint, ...env },
      ...(before === undefined ? {} : { ports: before.ports }),
    });
  }

  async function createCollection(): Promise<void> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = '{"name":"words","dimensions":2,"metric":"l2"}';
    const answer = await fetch(`${servers[0]?.url}/v1/collections`, { method: 'POST', headers, body });
    expect(answer.status, await answer.text()).to.equal(200);
  }

  async function balance(): Promise<{ url: string; grpcAddress: string }> {
    const backends = (port: 'http' | 'grpc') =>
      servers.map(({ ports }) => ({ port: ports[port], opsPort: ports.ops }));
    for (const port of ['http', 'grpc'] as const)
      balancers.push(await ServiceBalancer.start(backends(port), { lagMs: LAG_MS }));
    const [http, grpc] = balancers;
    return { url: `http://127.0.0.1:${http?.port}`, grpcAddress: `127.0.0.1:${grpc?.port}` };
  }

  const bothReady = (count: number): Promise<unknown> =>
    Promise.all(balancers.map((balancer) => balancer.untilReady(count)));

  it('loses no request of 200 a second over HTTP and gRPC while both are replaced, one by one', async () => {
    const env = { OMENDB_DRAIN_DELAY: '1500ms', OMENDB_DRAIN_TIME: '10s' };
    servers = [await start(0, env), await start(1, env)];
    await createCollection();
    const addresses = await balance();
    await bothReady(2);
    const load = new SteadyLoad({
      ...addresses,
      ...{ token: () => token, collection: 'words', requestsPerSecond: 200, connections: 8 },
    });
    try {
      await load.more(200);
      for (const index of [0, 1]) {
        expect(await servers[index]?.stop(), servers[index]?.output()).to.equal(0);
        await bothReady(1);
        servers[index] = await start(index, env);
        await bothReady(2);
        await load.more(200);
      }
    } finally {
      await load.stop();
    }
    expect(load.failures).to.deep.equal([]);
    expect(load.done).to.be.greaterThan(600);
  });

  it('says so to probes and clients first, and still answers on old and new connections', async () => {
    const server = await start(0, { OMENDB_DRAIN_DELAY: '4s', OMENDB_DRAIN_TIME: '30s' });
    servers = [server];
    await createCollection();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const kept = { headers: { authorization: `Bearer ${token}` }, agent };
    const list = (options: object) => send(server.url, '/v1/collections', { ...kept, ...options, body: '' });
    expect((await list({})).headers.connection).to.equal('keep-alive');
    const health = grpcHealth(server.grpcAddress);
    expect(await health.check()).to.equal('SERVING');
    // Never ends by itself: the server must not wait for it.
    const watched = health.watch();
    await watched('SERVING');

    const ended = server.stop();
    const probe = async (path: string) => (await fetch(`http://127.0.0.1:${server.ports.ops}${path}`)).status;
    while ((await probe('/readyz')) !== 503);
    expect([await probe('/livez'), await probe('/startupz'), await probe('/metrics')]).to.deep.equal([
      200, 200, 200,
    ]);
    expect(await health.check()).to.equal('NOT_SERVING');
    await watched('NOT_SERVING');
    const old = await list({});
    expect([old.status, old.headers.connection]).to.deep.equal([200, 'close']);
    for (const path of ['/v1/collections', '/health', '/openapi.json', '/nowhere']) {
      const fresh = await send(server.url, path, { ...kept, agent: false, body: '' });
      expect(fresh.headers.connection, path).to.equal('close');
    }
    expect(await ended).to.equal(0);
    expect(server.output()).to.not.include('still in work');
    health.close();
    agent.destroy();
  });

  it('finishes what is in work after it lets nobody in, with probes and metrics until then', async () => {
    const server = await start(0, { OMENDB_DRAIN_TIME: '30s' });
    servers = [server];
    const slow = slowRequest(server, token, '{"name":"late","dimensions":2}');
    await slow.begun;
    const ended = server.stop();
    const metrics = `http://127.0.0.1:${server.ports.ops}/metrics`;
    while (await accepts(server.ports.http));
    expect(await (await fetch(metrics)).text())
      .to.include('omendb_ready 0')
      .and.include('in_flight{protocol="http"} 1');
    slow.finish();
    expect(await slow.status).to.equal(200);
    expect(await ended).to.equal(0);
  });

  it('ends with code 0 in time when its store hangs in the middle of a write', async () => {
    const store = new URL(stub.endpoint);
    const passed: Socket[] = [];
    const between = createServer((socket) => {
      passed.push(socket);
      socket.pipe(connect(Number(store.port), store.hostname)).pipe(socket);
    });
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
    const { port } = between.address() as AddressInfo;
    const env = { OMENDB_S3_ENDPOINT: `http://127.0.0.1:${port}`, OMENDB_DRAIN_TIME: '1s' };
    const server = await start(0, env);
    servers = [server];
    await createCollection();
    // Nothing goes through any more, and nothing is refused.
    between.removeAllListeners('connection');
    for (const socket of passed) socket.unpipe().pause();
    const body = '{"records":[{"id":"a","vector":[1,2]}]}';
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const write = send(server.url, '/v1/collections/words/records:upsert', { method: 'POST', headers, body });
    const outcome = write.catch(() => 'cut off');
    const metrics = `http://127.0.0.1:${server.ports.ops}/metrics`;
    while (!(await (await fetch(metrics)).text()).includes('in_flight{protocol="http"} 1'));
    const askedMs = performance.now();
    expect(await server.stop(), server.output()).to.equal(0);
    expect(performance.now() - askedMs).to.be.below(9000);
    expect(server.output()).to.include('requests were still in work when the time to drain was over');
    expect(await outcome).to.equal('cut off');
    between.close();
    for (const socket of passed) socket.destroy();
  });

  it('ends with code 0 while it still waits for its store to answer', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const asked = new Promise<void>((resolve) => silent.once('connection', () => resolve()));
    const env = { ...settings(folder), OMENDB_S3_ENDPOINT: `http://127.0.0.1:${port}` };
    const child = spawn(process.execPath, [MAIN, 'serve'], { env, stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve([code, signal])));
    await asked;
    child.kill('SIGTERM');
    expect(await ended).to.deep.equal([0, null]);
    silent.close();
  });

  it('obeys as the first process of its container, where signals have no default', async function () {
    const unshare = ['--pid', '--fork', '--kill-child'];
    if (spawnSync('unshare', [...unshare, 'true']).status !== 0) this.skip();
    const env = settings(folder);
    const child = spawn('unshare', [...unshare, process.execPath, MAIN, 'serve'], {
      env: { ...env, OMENDB_S3_ENDPOINT: stub.endpoint },
    });
    const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve([code, signal])));
    let printed = '';
    await new Promise<void>((resolve) => {
      child.stderr.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        if (printed.includes('the server is ready')) resolve();
      });
    });
    const [first] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
    expect(readFileSync(`/proc/${first}/status`, 'utf8')).to.match(/^NSpid:\s+\d+\s+1$/m);
    process.kill(Number(first), 'SIGTERM');
    expect(await ended, printed).to.deep.equal([0, null]);
    expect(printed).to.include('the server has stopped');
  });
});

/** A request whose body is not complete before `finish`. */
function slowRequest(server: ServerProcess, token: string, body: string) {
  const outgoing = request(`${server.url}/v1/collections`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', expect: '100-continue' },
  });
  const status = new Promise<number | undefined>((resolve, reject) => {
    outgoing.once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    outgoing.once('error', reject);
  });
  // The server asks for the body when it has begun with the request.
  const begun = new Promise<void>((resolve) => outgoing.once('continue', () => resolve()));
  outgoing.write(body.slice(0, 1));
  return { begun, status, finish: () => outgoing.end(body.slice(1)) };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The health service as balancers ask it, with a connection for each question. */
function grpcHealth(address: string) {
  const names = ['UNKNOWN', 'SERVING', 'NOT_SERVING'];
  const stateOf = (bytes: Buffer): string | undefined => names[bytes[1] ?? 0];
  const client = new Client(address, credentials.createInsecure());
  return {
    check: () =>
      new Promise<string | undefined>((resolve, reject) => {
        client.makeUnaryRequest(
          '/grpc.health.v1.Health/Check',
          () => Buffer.alloc(0),
          stateOf,
          {},
          (error, answer) => (error === null ? resolve(answer) : reject(error)),
        );
      }),
    /** Begins to watch; what it returns resolves when a state was seen. */
    watch: () => {
      const seen = new Set<string | undefined>();
      let onState = (): void => undefined;
      const path = '/grpc.health.v1.Health/Watch';
      const states = client.makeServerStreamRequest(path, () => Buffer.alloc(0), stateOf, {});
      states.on('data', (state: string | undefined) => {
        seen.add(state);
        onState();
      });
      states.on('error', () => undefined);
      return async (state: string): Promise<void> => {
        while (!seen.has(state)) await new Promise<void>((resolve) => (onState = resolve));
      };
    },
    close: () => client.close(),
  };
}
