// How long the server keeps connections: longer than the balancers in front of it do, so that none of them
// sends a request on a connection that is being closed.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { METHODS } from '#sdk/gen/methods.js';
import { startServer } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';
import { ServiceBalancer } from '../support/service-balancer.js';

const KEEP_ALIVE_MS = 3000;
const RECEIVE_MS = 1000;
const CONNECTION_AGE_MS = 10_000;

describe('Connections to a pod', function () {
  this.timeout(60_000);
  let folder: string;
  let server: ServerProcess;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-connections-'));
    const env = {
      OMENDB_KEEP_ALIVE: `${KEEP_ALIVE_MS}ms`,
      OMENDB_RECEIVE_TIMEOUT: `${RECEIVE_MS}ms`,
      OMENDB_GRPC_CONNECTION_AGE: `${CONNECTION_AGE_MS}ms`,
      OMENDB_WORKER_THREADS: '1',
      OMENDB_MEMORY_BYTES: '128Mi',
    };
    server = await startServer({ dataDir: folder, env });
  });

  after(async () => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are kept while idle for as long as the settings say, whatever the time to send a request is', async () => {
    const connection = new RawConnection(server.ports.http);
    const answer = await connection.ask();
    expect(answer)
      .to.match(/^HTTP\/1\.1 200 OK\r\n/)
      .and.match(/^keep-alive: timeout=3\r$/im);
    const answeredMs = performance.now();
    await connection.closed;
    expect(performance.now() - answeredMs).to.be.at.least(KEEP_ALIVE_MS - 50);
  });

  it('are kept over pauses that are longer than the time to send a request', async () => {
    const connection = new RawConnection(server.ports.http);
    for (let pause = 0; pause < 3; pause++) {
      expect(await connection.ask(), `after ${pause} pauses`).to.match(/^HTTP\/1\.1 200 OK\r\n/);
      await secondsOfServer(2);
    }
    expect(await connection.ask()).to.match(/^HTTP\/1\.1 200 OK\r\n/);
    connection.end();
  });

  it('that were opened for later and never used end without a word, and are no failed requests', async () => {
    const connection = new RawConnection(server.ports.http);
    await connection.closed;
    expect(connection.received).to.equal('');
    const metrics = await (await fetch(`http://127.0.0.1:${server.ports.ops}/metrics`)).text();
    expect(metrics).to.match(/^omendb_errors_total\{type="deadline_exceeded".*\} 0$/m);
    expect(metrics).to.not.match(/^omendb_errors_total.* [1-9]\d*$/m);
  });

  it('over gRPC are left for new ones at their age, without a call that fails', async () => {
    const backend = { port: server.ports.grpc, opsPort: server.ports.ops };
    const balancer = await ServiceBalancer.start([backend], { lagMs: 0 });
    await balancer.untilReady(1);
    const client = new Client(`127.0.0.1:${balancer.port}`, credentials.createInsecure());
    let calls = 0;
    while (balancer.accepted < 3) {
      await serverInfo(client, server.token);
      calls++;
    }
    expect(calls).to.be.greaterThan(100);
    client.close();
    await balancer.stop();
  });

  /** Until so many seconds have passed for the server. */
  async function secondsOfServer(count: number): Promise<void> {
    const uptime = async (): Promise<number> => {
      const response = await fetch(`${server.url}/health`);
      return ((await response.json()) as { uptimeSeconds: number }).uptimeSeconds;
    };
    const end = (await uptime()) + count;
    while ((await uptime()) < end);
  }
});

/** One connection, byte by byte. */
class RawConnection {
  received = '';
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #onData: () => void = () => undefined;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString();
      this.#onData();
    });
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  /** Asks for the health of the server. Returns the whole answer; rejects when the connection ends before. */
  async ask(): Promise<string> {
    this.received = '';
    this.#socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
    const ended = this.closed.then(() => Promise.reject(new Error('the server has closed the connection')));
    while (!/\r\n\r\n\{.*\}$/s.test(this.received)) {
      await Promise.race([new Promise<void>((resolve) => (this.#onData = resolve)), ended]);
    }
    return this.received;
  }

  end(): void {
    this.#socket.destroy();
  }
}

function serverInfo(client: Client, token: string): Promise<void> {
  const { grpcPath, request } = METHODS.getServerInfo;
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      grpcPath,
      () => Buffer.from(request.encode({})),
      (bytes: Buffer) => bytes,
      {},
      metadata,
      (error) => (error === null ? resolve() : reject(error)),
    );
  });
}
