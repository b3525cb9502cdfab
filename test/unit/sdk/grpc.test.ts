import { expect } from 'chai';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { OmenClient, OmenError } from '#sdk/index.js';
import type { ClientOptions } from '#sdk/index.js';
import { grpcTransport } from '#sdk/grpc.js';
import { METHODS } from '#sdk/gen/methods.js';
import { fakeRuntime } from '../../support/fake-runtime.js';

type Call = ServerUnaryCall<Buffer, Buffer>;
type Reply = sendUnaryData<Buffer>;

const COUNT = Buffer.from(
  METHODS.countRecords.response.encode({ count: 7n, sequenceNumber: 3n, sessionToken: 'token-3' }),
);

/** Answers every count as `handle` says. */
async function serve(
  handle: (call: Call, reply: Reply, index: number) => void,
  port = 0,
): Promise<{ server: Server; port: number }> {
  const server = new Server();
  let calls = 0;
  const same = (bytes: Buffer): Buffer => bytes;
  const definition = {
    path: METHODS.countRecords.grpcPath,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  } as const;
  server.addService(
    { countRecords: definition },
    { countRecords: (call: Call, reply: Reply) => handle(call, reply, calls++) },
  );
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    );
  });
  return { server, port: bound };
}

function withDetails(code: number, text: string, reason: string): Metadata {
  const info = new BinaryWriter().uint32(10).string(reason).finish();
  const any = new BinaryWriter()
    .uint32(10)
    .string('type.googleapis.com/google.rpc.ErrorInfo')
    .uint32(18)
    .bytes(info)
    .finish();
  const bytes = new BinaryWriter()
    .uint32(8)
    .int32(code)
    .uint32(18)
    .string(text)
    .uint32(26)
    .bytes(any)
    .finish();
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(bytes));
  return metadata;
}

describe('The gRPC transport', () => {
  let server: Server;
  let db: OmenClient;

  const start = async (
    handle: (call: Call, reply: Reply, index: number) => void,
    options: ClientOptions = {},
  ): Promise<number> => {
    const running = await serve(handle);
    server = running.server;
    const endpoint = `http://127.0.0.1:${running.port}`;
    db = new OmenClient({
      endpoint,
      token: 'secret',
      transport: grpcTransport(),
      runtime: fakeRuntime(),
      ...options,
    });
    return running.port;
  };

  afterEach(async () => {
    await db.close({ graceMs: 0 });
    server.forceShutdown();
  });

  it('sends the request, the credentials, the id and the deadline', async () => {
    let seen: Call | undefined;
    await start(
      (call, reply) => {
        seen = call;
        reply(null, COUNT);
      },
      { defaultHeaders: { 'x-team': 'search' } },
    );
    const count = await db
      .collection('c')
      .count({ filter: { a: 1 } }, { requestId: 'r1', headers: { 'x-one': '1' } });
    expect(count).to.equal(7);
    if (seen === undefined) throw new Error('no call');
    expect(METHODS.countRecords.request.decode(seen.request)).to.have.property('collection', 'c');
    expect(seen.metadata.getMap()).to.include({
      authorization: 'Bearer secret',
      'x-request-id': 'r1',
      'x-team': 'search',
      'x-one': '1',
    });
    expect(Number(seen.getDeadline()) - Date.now()).to.be.within(1, 30_000);
  });

  it("gives the server's error with its reason", async () => {
    await start((_call, reply) => {
      reply({
        code: status.NOT_FOUND,
        details: 'no collection "c"',
        metadata: withDetails(5, 'no collection "c"', 'COLLECTION_NOT_FOUND'),
      });
    });
    const error = await rejection(db.collection('c').count());
    expect(error).to.include({
      name: 'NotFoundError',
      reason: 'COLLECTION_NOT_FOUND',
      status: 404,
      attempts: 1,
    });
    expect(error.message).to.equal('no collection "c"');
  });

  it('gives an error without details by its code', async () => {
    await start((_call, reply) => {
      reply({ code: status.FAILED_PRECONDITION, details: 'not now' });
    });
    expect(await rejection(db.collection('c').count())).to.include({
      code: 'FAILED_PRECONDITION',
      reason: 'UNKNOWN',
      message: 'not now',
    });
  });

  it('repeats a call that the server cannot take', async () => {
    let calls = 0;
    await start((_call, reply, i) => {
      calls += 1;
      if (i < 2)
        reply({ code: status.UNAVAILABLE, details: 'busy', metadata: withDetails(14, 'busy', 'OVERLOADED') });
      else reply(null, COUNT);
    });
    expect(await db.collection('c').count()).to.equal(7);
    expect(calls).to.equal(3);
  });

  it('says that no connection could be made', async () => {
    const port = await start((_call, reply) => reply(null, COUNT));
    server.forceShutdown();
    await db.close();
    db = new OmenClient({ endpoint: `http://127.0.0.1:${port}`, transport: grpcTransport(), retry: false });
    const error = await rejection(db.collection('c').count());
    expect(error).to.include({ code: 'UNAVAILABLE', reason: 'CONNECTION_FAILED', retryable: true });
  });

  it('gives up after the time allowed', async () => {
    await start(() => undefined);
    const error = await rejection(db.collection('c').count({}, { timeoutMs: 30, retry: false }));
    expect(error).to.include({ code: 'DEADLINE_EXCEEDED', reason: 'TIMEOUT' });
  });

  it('ends at once when its signal fires', async () => {
    const controller = new AbortController();
    await start(() => controller.abort(new Error('the user left')));
    const error = await rejection(db.collection('c').count({}, { signal: controller.signal }));
    expect(error).to.include({ code: 'CANCELLED', reason: 'ABORTED' });
    expect(error.cause).to.have.property('message', 'the user left');
  });

  it('lets calls in flight finish when the client is closed, and refuses new ones', async () => {
    let finish = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      void start((_call, reply) => {
        finish = () => reply(null, COUNT);
        resolve();
      }).then(() => {
        running = db.collection('c').count();
      });
    });
    let running: Promise<number> | undefined;
    await arrived;
    const closed = db.close();
    expect(await rejection(db.collection('c').count())).to.include({ reason: 'CLIENT_CLOSED' });
    finish();
    await closed;
    expect(await running).to.equal(7);
  });

  it('cuts calls that do not finish in time when the client is closed', async () => {
    let cut: Promise<OmenError> | undefined;
    const arrived = new Promise<void>((resolve) => {
      void start(() => resolve()).then(() => {
        cut = rejection(db.collection('c').count());
      });
    });
    await arrived;
    await db.close({ graceMs: 1 });
    expect(await cut).to.include({ code: 'CANCELLED', reason: 'CLIENT_CLOSED' });
  });
});

async function rejection(promise: PromiseLike<unknown>): Promise<OmenError> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(OmenError);
    return error as OmenError;
  }
  throw new Error('the call did not fail');
}
