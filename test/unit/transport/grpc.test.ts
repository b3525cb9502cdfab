import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { expect } from 'chai';
import type { Handlers } from '#server/app/api.js';
import { METHODS } from '#sdk/gen/methods.js';
import { errorOfStatusBytes } from '#sdk/wire/status.js';
import type { EdgeServer, EdgeServerOptions } from '../../support/edge-server.js';
import { startEdgeServer } from '../../support/edge-server.js';
import { NO_HITS, stubHandlers } from '../../support/stub-handlers.js';

describe('The gRPC API', () => {
  let server: EdgeServer;
  let client: Client;
  let token: string;

  async function start(handlers: Partial<Handlers> = {}, options: EdgeServerOptions = {}): Promise<void> {
    server = await startEdgeServer(stubHandlers({ query: async () => NO_HITS, ...handlers }), options);
    client = new Client(server.grpcAddress, credentials.createInsecure(), { 'grpc.enable_retries': 0 });
    token = await server.token();
  }

  afterEach(async () => {
    client.close();
    await server.stop();
  });

  /** Sends bytes to a path. Resolves with the answer's bytes or the error. */
  function call(
    path: string,
    message: Uint8Array,
    metadata = new Metadata(),
  ): Promise<Buffer | ServiceError> {
    metadata.set('authorization', `Bearer ${token}`);
    return new Promise((resolve) => {
      const pass = (bytes: Buffer): Buffer => bytes;
      client.makeUnaryRequest(path, pass, pass, Buffer.from(message), metadata, (error, answer) => {
        resolve(error ?? answer ?? Buffer.alloc(0));
      });
    });
  }

  function reasonOf(outcome: Buffer | ServiceError): string {
    if (!(outcome instanceof Error)) return 'accepted';
    const details = outcome.metadata.get('grpc-status-details-bin')[0];
    return details === undefined
      ? `no reason, code ${outcome.code}`
      : errorOfStatusBytes(Buffer.from(details), {}).reason;
  }

  it('answers the health check of each service without credentials', async () => {
    await start();
    for (const service of ['', 'omendb.v1.QueryService', 'omendb.v1.RecordService']) {
      const request = Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)]);
      const answer = await call('/grpc.health.v1.Health/Check', request);
      expect(answer, service).to.deep.equal(Buffer.from([0x08, 1]));
    }
    expect(await call('/grpc.health.v1.Health/Check', Buffer.from([0x0a, 1, 0x78]))).to.include({
      code: status.NOT_FOUND,
    });
  });

  it('says that a method does not exist', async () => {
    await start();
    expect(await call('/omendb.v1.QueryService/Nope', Buffer.alloc(0))).to.include({
      code: status.UNIMPLEMENTED,
    });
    expect(await call('/omendb.v1.Nope/Query', Buffer.alloc(0))).to.include({ code: status.UNIMPLEMENTED });
  });

  it('tells its descriptors only when asked to', async () => {
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    await start();
    expect(await listServices(path)).to.equal('refused');
    client.close();
    await server.stop();
    await start({}, { grpcReflection: true });
    expect(await listServices(path))
      .to.include('omendb.v1.QueryService')
      .and.include('omendb.v1.SystemService');
  });

  function listServices(path: string): Promise<string> {
    return new Promise((resolve) => {
      const pass = (bytes: Buffer): Buffer => bytes;
      const stream = client.makeBidiStreamRequest(path, pass, pass);
      stream.on('data', (bytes: Buffer) => {
        resolve(bytes.toString('latin1'));
        stream.end();
      });
      stream.on('error', () => {
        resolve('refused');
      });
      stream.write(Buffer.from([0x3a, 1, 0x2a]));
    });
  }

  it('refuses messages that are none, and goes on', async () => {
    await start();
    const hostile = [
      Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
      Buffer.from([0x0b, 0x08]),
      Buffer.alloc(20, 0xff),
      Buffer.from('{"vector":[1]}'),
    ];
    for (const message of hostile) {
      expect(reasonOf(await call(METHODS.query.grpcPath, message))).to.equal('MALFORMED_BODY');
    }
    const good = METHODS.query.request.encode(
      METHODS.query.request.fromJson({ collection: 'a', vector: [1] }),
    );
    expect(reasonOf(await call(METHODS.query.grpcPath, good))).to.equal('accepted');
  });

  it('survives many mutations of a good message', async () => {
    await start({ query: async () => NO_HITS });
    const json = {
      collection: 'words',
      vector: [1, 2],
      topK: 3,
      filter: { a: { $in: ['x', 'y'] }, b: { $gt: 3 } },
    };
    const good = METHODS.query.request.encode(METHODS.query.request.fromJson(json));
    const known = [
      'MALFORMED_BODY',
      'INVALID_ARGUMENT',
      'INVALID_FILTER',
      'INVALID_VECTOR',
      'INVALID_COLLECTION_NAME',
      'accepted',
    ];
    for (let at = 0; at < good.length; at++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const message = Uint8Array.from(good);
        message[at] = (message[at] ?? 0) ^ change;
        expect(reasonOf(await call(METHODS.query.grpcPath, message)), `byte ${at} ^ ${change}`).to.be.oneOf(
          known,
        );
      }
    }
    expect(server.log.filter(({ level }) => level === 'error')).to.deep.equal([]);
  });

  it('keeps the details of an error below what clients accept in trailers', async () => {
    await start();
    const ids = Array.from({ length: 100 }, () => '');
    const request = METHODS.upsertRecords.request.encode({
      ...METHODS.upsertRecords.request.fromJson({ collection: 'words' }),
      block: { ids, dimensions: 0, vectorsF32: new Uint8Array(0), attributes: [] },
    });
    const outcome = await call(METHODS.upsertRecords.grpcPath, request);
    expect(reasonOf(outcome)).to.equal('INVALID_ID');
    const trailers = outcome instanceof Error ? outcome.metadata.getMap() : {};
    expect(JSON.stringify(trailers).length).to.be.below(8192);
  });

  it('lets a client send megabytes at once', async () => {
    await start();
    const session = connectHttp2(`http://${server.grpcAddress}`);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    expect(session.remoteSettings.initialWindowSize, 'of a stream').to.equal(8 * 1024 * 1024);
    expect(await connectionWindow(session), 'of the connection').to.be.greaterThan(8 * 1024 * 1024);
    session.destroy();
  });

  /** The window opens a moment after the settings. */
  async function connectionWindow(session: ClientHttp2Session): Promise<number> {
    const deadline = Date.now() + 5000;
    for (;;) {
      const size = session.state.remoteWindowSize ?? 0;
      if (size > 65_535 || Date.now() > deadline) return size;
      await new Promise((resolve) => session.ping(resolve));
    }
  }
});
