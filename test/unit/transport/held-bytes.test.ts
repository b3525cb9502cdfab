import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { connect as connectHttp2 } from 'node:http2';
import { once } from 'node:events';
import { expect } from 'chai';
import type { QueryResponse } from '#server/app/api.js';
import { METHODS } from '#sdk/gen/methods.js';
import { HeldBytes } from '#server/transport/held-bytes.js';
import type { EdgeServer, EdgeServerOptions } from '../../support/edge-server.js';
import { startEdgeServer } from '../../support/edge-server.js';
import { NO_HITS, stubHandlers } from '../../support/stub-handlers.js';
import { send } from '../../support/wire-client.js';

const PATH = '/v1/collections/words/records:query';
const QUERY = '{"vector":[1,2]}';
const MIB = 1024 * 1024;

describe('Bytes under way', () => {
  it('are counted from 64 KiB on, as each request grows, and let go at once', () => {
    const held = new HeldBytes(MIB);
    const [a, b] = [held.open(), held.open()];
    a.grow(1000);
    expect(held.bytes).to.equal(0);
    a.grow(100_000);
    a.grow(600_000);
    expect(held.bytes).to.equal(600_000);
    expect(() => b.grow(600_000)).to.throw(/hold 600000 bytes, 600000 more do not fit into 1048576/);
    a.release();
    a.release();
    b.grow(600_000);
    expect(held.bytes).to.equal(600_000);
  });

  it('may be more than the bound when one request alone has them', () => {
    const held = new HeldBytes(MIB);
    held.open().grow(2 * MIB);
    expect(held.bytes).to.equal(2 * MIB);
  });

  describe('over HTTP', () => {
    let server: EdgeServer;
    let authorization: string;
    const sockets: Socket[] = [];

    async function start(answer: QueryResponse, options: EdgeServerOptions = {}): Promise<void> {
      server = await startEdgeServer(stubHandlers({ query: async () => answer }), options);
      authorization = `Bearer ${await server.token()}`;
    }

    afterEach(() => {
      for (const socket of sockets.splice(0)) socket.destroy();
      return server.stop();
    });

    function head(length: number): string {
      return (
        `POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n` +
        `content-type: application/json\r\ncontent-length: ${length}\r\n\r\n`
      );
    }

    /** Sends bytes on a connection of its own. */
    async function open(text: string): Promise<Socket> {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      sockets.push(socket);
      await once(socket, 'connect');
      socket.write(text);
      return socket;
    }

    async function query(): Promise<{ status: number; text: string }> {
      const headers = { authorization, 'content-type': 'application/json' };
      const { status, bytes } = await send(server.url, PATH, { method: 'POST', headers, body: QUERY });
      return { status, text: new TextDecoder().decode(bytes) };
    }

    /** An answer that no buffer of a connection takes in one piece. */
    function largeAnswer(rows: number, bytes: number): QueryResponse {
      const id = 'x'.repeat(bytes / rows);
      const hits = Array.from({ length: rows }, () => ({ id, score: 1, distance: 0, attributes: new Map() }));
      return { ...NO_HITS, hits };
    }

    it('are refused when clients do not read their answers, and free again when those clients go', async () => {
      await start(largeAnswer(1000, 24 * MIB), { heldBytesMax: 40 * MIB });
      const slow = await open(head(QUERY.length) + QUERY);
      await once(slow, 'readable');
      const refused = await query();
      expect(refused.status).to.equal(503);
      expect(refused.text).to.include('OVERLOADED').and.to.include('hold');
      slow.destroy();
      await until(async () => (await query()).status === 200);
    });

    it('end with a client that takes nothing for as long as a request may last', async () => {
      await start(largeAnswer(10, 24 * MIB), { heldBytesMax: 40 * MIB, requestTimeoutMs: 200 });
      const slow = await open(head(QUERY.length) + QUERY);
      await once(slow, 'readable');
      expect((await query()).status).to.equal(503);
      // Ours may be cut off for the same reason, on a machine that is busy.
      await until(async () => (await query().catch(() => null))?.status === 200);
    });

    it('are counted for gRPC too, whose clients may leave answers where they are', async () => {
      await start(largeAnswer(1000, 24 * MIB), { heldBytesMax: 40 * MIB });
      const call = METHODS.query;
      const request = call.request.encode({
        ...{
          collection: 'words',
          vector: { data: { $case: 'f32', value: new Uint8Array(8).fill(1) } },
          topK: undefined,
          filter: undefined,
          select: [],
        },
        ...{ includeVectors: false, params: undefined, consistency: 0, sessionToken: '' },
      });
      const frame = Buffer.concat([Buffer.alloc(5), request]);
      frame.writeUInt32BE(request.length, 1);
      const session = connectHttp2(`http://${server.grpcAddress}`);
      const slow = session.request({
        ...{ ':method': 'POST', ':path': call.grpcPath, 'content-type': 'application/grpc', te: 'trailers' },
        authorization,
      });
      slow.on('error', () => undefined);
      slow.end(frame);
      await once(slow, 'response');
      expect((await query()).status).to.equal(503);
      session.destroy();
      await until(async () => (await query()).status === 200);
    });

    it('are refused when too many large bodies arrive at once', async () => {
      await start(NO_HITS, { heldBytesMax: MIB });
      const first = await open(head(4 * MIB) + ' '.repeat(700_000));
      // The first body is held as soon as a second one is refused.
      await until(async () => {
        const second = await open(head(4 * MIB) + ' '.repeat(700_000));
        const [answer] = (await Promise.race([once(second, 'data'), once(first, 'data')])) as [Buffer];
        return answer.toString().includes('OVERLOADED');
      });
      expect((await query()).status).to.equal(200);
    });

    it('let small requests through between large answers, of which few are made at once', async () => {
      const answer = largeAnswer(1000, MIB);
      let [now, most] = [0, 0];
      server = await startEdgeServer(
        stubHandlers({
          query: async () => {
            most = Math.max(most, ++now);
            await new Promise(setImmediate);
            now--;
            return answer;
          },
        }),
      );
      authorization = `Bearer ${await server.token()}`;
      const headers = { authorization, 'content-type': 'application/json' };
      const body = '{"vector":[1,2],"topK":1000}';
      let left = 20;
      const large = Array.from({ length: left }, async () => {
        expect((await send(server.url, PATH, { method: 'POST', headers, body })).status).to.equal(200);
        left--;
      });
      expect((await send(server.url, '/health', { method: 'GET' })).status).to.equal(200);
      expect(left).to.be.above(0);
      await Promise.all(large);
      expect(most).to.be.within(1, 4);
    });
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate);
}
