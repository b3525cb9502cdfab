// Large messages on their way in over gRPC, byte by byte.
import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { expect } from 'chai';
import { METHODS } from '#sdk/gen/methods.js';
import { errorOfStatusBytes } from '#sdk/wire/status.js';
import type { EdgeServer, EdgeServerOptions } from '../../support/edge-server.js';
import { startEdgeServer } from '../../support/edge-server.js';
import { NO_HITS, stubHandlers } from '../../support/stub-handlers.js';
import { wireClient } from '../../support/wire-client.js';
import * as pb from '#sdk/gen/messages.js';

const MIB = 1024 * 1024;

describe('A large message on its way in over gRPC', () => {
  let server: EdgeServer;
  let token: string;
  const sessions: ClientHttp2Session[] = [];

  async function start(options: EdgeServerOptions = {}): Promise<void> {
    server = await startEdgeServer(stubHandlers({ query: async () => NO_HITS }), options);
    token = await server.token();
  }

  afterEach(() => {
    for (const session of sessions.splice(0)) session.destroy();
    return server.stop();
  });

  /** Begins a message of `bytes` bytes and sends `sent` of them. */
  function upload(bytes: number, sent: number, credential = token): ClientHttp2Stream {
    const session = connect(`http://${server.grpcAddress}`);
    sessions.push(session);
    const stream = session.request({
      ...{ ':method': 'POST', ':path': METHODS.upsertRecords.grpcPath, te: 'trailers' },
      ...{ 'content-type': 'application/grpc', authorization: `Bearer ${credential}` },
    });
    stream.on('error', () => undefined);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(bytes, 1);
    stream.write(Buffer.concat([head, Buffer.alloc(sent)]));
    return stream;
  }

  async function reasonOf(stream: ClientHttp2Stream): Promise<string> {
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    const details = String(headers['grpc-status-details-bin'] ?? '');
    return errorOfStatusBytes(Buffer.from(details, 'base64'), {}).reason;
  }

  async function smallQuery(): Promise<boolean> {
    const client = wireClient('gRPC', server);
    const vector = { data: { $case: 'f32' as const, value: new Uint8Array(8) } };
    const request = pb.QueryRequest.fromPartial({ collection: 'words', vector });
    const { ok } = await client.call('query', request, { token });
    client.close();
    return ok;
  }

  it('is refused while others leave no room for it, and is sent no further', async () => {
    await start({ heldBytesMax: MIB });
    const first = upload(4 * MIB, 700_000);
    const refused: string[] = [];
    // Which of two is the later one is not known before one is refused.
    while (refused.length === 0) {
      const second = upload(4 * MIB, 700_000);
      refused.push(await Promise.race([reasonOf(second), reasonOf(first)]));
      if (!second.closed) await Promise.race([once(second, 'close'), once(first, 'close')]);
    }
    expect(refused).to.deep.equal(['OVERLOADED']);
    expect(await smallQuery()).to.equal(true);
  });

  it('makes room again when its client is gone', async () => {
    await start({ heldBytesMax: MIB });
    const both = [upload(4 * MIB, 700_000), upload(4 * MIB, 700_000)];
    let reason = await Promise.race(both.map(reasonOf));
    expect(reason).to.equal('OVERLOADED');
    for (const session of sessions.splice(0)) session.destroy();
    while (reason === 'OVERLOADED') {
      // Malformed when it arrives as a whole.
      const whole = upload(700_000, 700_000);
      whole.end();
      reason = await reasonOf(whole);
      whole.session?.destroy();
    }
    expect(reason).to.equal('MALFORMED_BODY');
  });

  it('is refused at its beginning when its credential is wrong', async () => {
    await start();
    expect(await reasonOf(upload(32 * MIB, 100_000, 'wrong'))).to.equal('INVALID_TOKEN');
    expect(await reasonOf(upload(32 * MIB, 100_000, 'omen_live_abcdefgh_0123456789'))).to.match(
      /INVALID|TOKEN/,
    );
  });

  it('ends when its client sends nothing more for as long as a request may last', async () => {
    await start({ requestTimeoutMs: 200 });
    await once(upload(4 * MIB, 100_000), 'close');
  });
});
