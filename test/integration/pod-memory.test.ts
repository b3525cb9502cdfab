// A server in a container of 768 MiB that is given more than fits: it must say so, and not be killed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as pb from '#sdk/gen/messages.js';
import { METHODS } from '#sdk/gen/methods.js';
import { memoryCgroup } from '../support/memory-cgroup.js';
import type { MemoryCgroup } from '../support/memory-cgroup.js';
import { startServer } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';
import { send, wireClient } from '../support/wire-client.js';

const LIMIT_BYTES = 768 * 2 ** 20;
const DIMENSIONS = 1024;
const ROWS = 400;
const VECTORS = Array.from({ length: ROWS * DIMENSIONS }, (_, i) => Math.sin(i * 0.7));
const UPSERT = '/v1/collections/much/records:upsert';

describe('A pod with too little memory for what it is given', function () {
  this.timeout(180_000);
  let folder: string;
  let cgroup: MemoryCgroup | null = null;
  let server: ServerProcess;

  before(async function () {
    cgroup = memoryCgroup(LIMIT_BYTES);
    if (cgroup === null) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'omendb-memory-'));
    server = await startServer({ dataDir: folder, cgroup: cgroup.folder });
  });

  after(async () => {
    if (cgroup === null) return;
    await server.kill();
    cgroup.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The reason why not; empty for success. */
  async function post(path: string, body: string | Uint8Array, type = 'application/json'): Promise<string> {
    const headers = {
      authorization: `Bearer ${server.token}`,
      'content-type': type,
      accept: 'application/json',
    };
    const { status, bytes } = await send(server.url, path, { method: 'POST', headers, body });
    const text = new TextDecoder().decode(bytes);
    return status === 200 ? '' : (/"reason":"(\w+)"/.exec(text)?.[1] ?? text);
  }

  /** A write of 16 MiB over a connection of its own. */
  async function callGrpc(): Promise<string> {
    const client = wireClient('gRPC', server);
    const { token } = server;
    const ids = Array.from({ length: 10 * ROWS }, (_, i) => `g${i}`);
    const vectorsF32 = new Uint8Array(
      Float32Array.from({ length: ids.length * DIMENSIONS }, () => 0.5).buffer,
    );
    const block = { ids, dimensions: DIMENSIONS, vectorsF32 };
    const message = pb.UpsertRecordsRequest.fromPartial({ collection: 'much', block });
    const outcome = await client.call('upsertRecords', message, { token });
    client.close();
    return outcome.ok ? '' : outcome.failure.reason;
  }

  it('refuses writes, says why, lives, and answers what it has', async () => {
    const collection = { name: 'much', dimensions: DIMENSIONS };
    expect(await post('/v1/collections', JSON.stringify(collection))).to.equal('');
    const seen = new Set<string>();
    // Which is refused first for want of memory, a write or the flush that writes wait for, is chance.
    const isFull = (): boolean =>
      seen.has('MEMORY_EXHAUSTED') ||
      (seen.has('WRITE_BACKPRESSURE') && / needs \d+ bytes of engine memory/.test(server.output()));
    const repeat = async (times: number, write: (batch: number) => Promise<string>): Promise<void> => {
      for (let batch = 0; batch < times && !isFull(); batch++) seen.add(await write(batch));
    };
    const rows = (client: number) => (batch: number) =>
      post(UPSERT, rowsInColumns(`${client}-${batch}`), 'application/x-protobuf');
    // Large bodies of JSON beside the load take what buffers and heap may have.
    const json = rowsInJson();
    const beside = Array.from({ length: 12 }, () => repeat(3, () => post(UPSERT, json)));
    const overGrpc = Array.from({ length: 12 }, () => repeat(3, callGrpc));
    await Promise.all([repeat(Infinity, rows(0)), repeat(Infinity, rows(1)), ...beside, ...overGrpc]);
    expect(['', 'MEMORY_EXHAUSTED', 'OVERLOADED', 'WRITE_BACKPRESSURE']).to.include.members([...seen]);
    const query = JSON.stringify({ vector: VECTORS.slice(0, DIMENSIONS), topK: 1 });
    expect(await post('/v1/collections/much/records:query', query)).to.equal('');
    expect(await server.stop()).to.equal(0);
  });
});

function rowsInColumns(prefix: string): Uint8Array {
  const { request } = METHODS.upsertRecords;
  const ids = Array.from({ length: ROWS }, (_, i) => `${prefix}-${i}`);
  const vectorsF32 = Buffer.from(Float32Array.from(VECTORS).buffer).toString('base64');
  return request.encode(
    request.fromJson({ collection: 'much', block: { ids, dimensions: DIMENSIONS, vectorsF32 } }),
  );
}

function rowsInJson(): string {
  const records = Array.from({ length: ROWS }, (_, i) => ({
    id: `j${i}`,
    vector: VECTORS.slice(i * DIMENSIONS, (i + 1) * DIMENSIONS),
  }));
  return JSON.stringify({ records });
}
