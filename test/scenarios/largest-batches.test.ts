import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { LIMITS } from '#server/core/limits.js';
import { METHODS } from '#sdk/gen/methods.js';
import type { EdgeServer } from '../support/edge-server.js';
import { startEdgeServer } from '../support/edge-server.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { SampleCollection } from '../support/sample-collection.js';
import type { TestApp } from '../support/test-app.js';
import { contextOf, openTestApp } from '../support/test-app.js';
import { send, wireClient } from '../support/wire-client.js';

const MIB = 1024 * 1024;
const NAME = 'wide';
const { dimensionsMax: DIMENSIONS, protobufBodyBytesMax, jsonBodyBytesMax, batchRecordsMax } = LIMITS;
/** So many rows of the largest size leave room for their ids in the largest body. */
const ROWS = protobufBodyBytesMax / (DIMENSIONS * 4) - 8;

const messageOf = (ids: readonly string[], dimensions: number, vectors: Float32Array) => ({
  ...{ collection: NAME, requestId: '', records: [] },
  block: { ids: [...ids], dimensions, vectorsF32: new Uint8Array(vectors.buffer), attributes: [] },
});
const bytesOf = (message: ReturnType<typeof messageOf>): number =>
  METHODS.upsertRecords.request.encode(message).length;

describe('The largest batches', function () {
  this.timeout(30_000);
  const store = new FailingObjectStore(new MemoryObjectStore());
  const vectors = new Float32Array(ROWS * DIMENSIONS).fill(1);
  let app: TestApp;
  let server: EdgeServer;
  let token: string;

  before(async () => {
    app = await openTestApp(store, { arenaBytes: 768 * MIB });
    const schema = { name: NAME, dimensions: DIMENSIONS, metric: 'l2', requestId: '' } as const;
    await app.handlers.createCollection(contextOf(), schema);
    server = await startEdgeServer(app.handlers);
    token = await server.token();
  });

  after(async () => {
    await server.stop();
    await app.close();
  });

  const count = (): Promise<number> => new SampleCollection(app, NAME).count();

  /** A message of exactly this many bytes: what is missing goes into the ids. */
  function ofSize(bytes: number): ReturnType<typeof messageOf> {
    const ids = Array.from({ length: ROWS }, (_, row) => String(row).padStart(20, '0'));
    let missing = bytes - bytesOf(messageOf(ids, DIMENSIONS, vectors));
    ids.forEach((id, row) => {
      const more = Math.min(missing, 100);
      ids[row] = id + 'x'.repeat(more);
      missing -= more;
    });
    const message = messageOf(ids, DIMENSIONS, vectors);
    expect(bytesOf(message)).to.equal(bytes);
    return message;
  }

  for (const way of ['HTTP with protobuf', 'gRPC'] as const) {
    it(`scenario 10: a body of 64 MiB is written over ${way}, and one byte more is not`, async () => {
      const client = wireClient(way, server);
      const tooLarge = await client
        .call('upsertRecords', ofSize(protobufBodyBytesMax + 1), { token })
        .then((outcome) => (outcome.ok ? 'written' : outcome.failure.reason))
        .catch((error: unknown) => (error as Error).message);
      expect(tooLarge).to.match(/MESSAGE_TOO_LARGE|RESOURCE_EXHAUSTED/);
      const written = await client.call('upsertRecords', ofSize(protobufBodyBytesMax), { token });
      expect(written.ok && written.answer.inserted + written.answer.updated).to.equal(ROWS);
      expect(await count()).to.equal(ROWS);
      client.close();
    });
  }

  it('scenario 10: a JSON body of 32 MiB is read, and one byte more is not', async () => {
    const message = messageOf(['json'], DIMENSIONS, new Float32Array(DIMENSIONS).fill(2));
    const json = JSON.stringify(METHODS.upsertRecords.request.toJson(message));
    for (const [length, status] of [
      [jsonBodyBytesMax, 200],
      [jsonBodyBytesMax + 1, 413],
    ] as const) {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const body = json.padEnd(length, ' ');
      const path = `/v1/collections/${NAME}/records:upsert`;
      expect((await send(server.url, path, { method: 'POST', headers, body })).status).to.equal(status);
    }
  });

  it('scenario 10: one record more than a batch may have, none, or an id twice, and nothing is written', async () => {
    const client = wireClient('HTTP with protobuf', server);
    const before = await count();
    store.calls.length = 0;
    for (const [ids, reason] of [
      [Array.from({ length: batchRecordsMax + 1 }, (_, row) => `r${row}`), 'BATCH_TOO_LARGE'],
      [[], 'EMPTY_BATCH'],
      [['twice', 'once', 'twice'], 'DUPLICATE_ID'],
    ] as const) {
      const message = messageOf(ids, 1, new Float32Array(ids.length).fill(1));
      const outcome = await client.call('upsertRecords', message, { token });
      expect(outcome.ok ? 'written' : outcome.failure.reason).to.equal(reason);
    }
    expect(await count()).to.equal(before);
    expect(store.calls.filter(({ operation }) => operation === 'putIfAbsent')).to.deep.equal([]);
  });
});
