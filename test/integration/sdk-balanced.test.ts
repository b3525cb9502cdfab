// One client whose calls reach two servers on one bucket in turns, as behind a load balancer.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { OmenClient } from '#sdk/index.js';
import type { Collection } from '#sdk/index.js';
import { httpTransport } from '#sdk/transport/http.js';
import type { TransportFactory } from '#sdk/transport/transport.js';
import { omendb } from '../support/command.js';
import { S3_ENVIRONMENT } from '../support/s3-store.js';
import { S3Stub } from '../support/s3-stub.js';
import { startServer } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';

const SECRET = { OMENDB_JWT_SECRET: 'the secret of two servers on one bucket' };

describe('The client in front of two servers on one bucket', function () {
  this.timeout(60_000);
  let folder: string;
  let stub: S3Stub;
  let servers: ServerProcess[] = [];
  let db: OmenClient;
  let words: Collection;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-balanced-'));
    stub = await S3Stub.start();
    const env = {
      ...SECRET,
      ...S3_ENVIRONMENT,
      OMENDB_HOST: '127.0.0.1',
      OMENDB_OBJECT_STORE: 's3://bucket',
      OMENDB_S3_ENDPOINT: stub.endpoint,
      OMENDB_S3_FORCE_PATH_STYLE: 'true',
    };
    const start = (name: string): Promise<ServerProcess> => startServer({ dataDir: join(folder, name), env });
    servers = await Promise.all([start('one'), start('two')]);
    db = await client();
    words = await db.collections.create({ name: 'words', dimensions: 2, metric: 'l2' });
  });

  after(async () => {
    await db?.close({ graceMs: 0 });
    await Promise.all(servers.map((server) => server.stop()));
    await stub?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function client(): Promise<OmenClient> {
    const { out } = await omendb(['token', '--tenant', 'acme'], SECRET);
    return new OmenClient({ token: out.trim(), transport: inTurns(servers.map(({ url }) => url)) });
  }

  const put = async (to: Collection, ...ids: string[]): Promise<number> =>
    (await to.upsert(ids.map((id, i) => ({ id, vector: [i, 1] })))).sequenceNumber;

  it('sees its own writes, whichever server takes the write and whichever the read', async () => {
    for (let round = 0; round < 12; round++) {
      const id = `own-${round}`;
      await put(words, id);
      // An odd number of calls a round, so that both servers come to take writes.
      expect(await words.get(id), id).to.have.property('id', id);
      expect(await words.count({ filter: { $id: id } }), id).to.equal(1);
    }
  });

  it('never sees less than it saw before while others write', async () => {
    const others = await client();
    try {
      let writing = true;
      const writes = (async () => {
        for (let i = 0; i < 30; i++) await put(others.collection('words'), `other-${i}`);
        writing = false;
      })();
      const seen: number[] = [];
      while (writing) seen.push((await words.query({ vector: [0, 1], topK: 1 })).sequenceNumber);
      await writes;
      expect(seen).to.deep.equal([...seen].sort((a, b) => a - b));
    } finally {
      await others.close();
    }
  });

  it('sees what everybody wrote with strong consistency', async () => {
    const others = await client();
    try {
      for (let round = 0; round < 6; round++) {
        const written = await put(others.collection('words'), 'shared');
        await others.collection('words').count();
        const { sequenceNumber } = await words.query({ vector: [0, 1], consistency: 'strong' });
        expect(sequenceNumber).to.be.at.least(written);
      }
    } finally {
      await others.close();
    }
  });

  it('finds a snapshot on every server, and none that has gone or has become another one', async () => {
    const few = await db.collections.create({ name: 'few', dimensions: 2, metric: 'l2' });
    const countTwice = async (): Promise<number[]> => [
      await few.count({ snapshot: 'kept' }),
      await few.count({ snapshot: 'kept' }),
    ];
    await put(few, 'a');
    await few.snapshots.create('kept');
    await put(few, 'b', 'c');
    expect(await countTwice()).to.deep.equal([1, 1]);
    await few.snapshots.delete('kept');
    for (let i = 0; i < 2; i++) {
      const error = await few.count({ snapshot: 'kept' }).catch((caught: unknown) => caught);
      expect(error).to.include({ reason: 'SNAPSHOT_NOT_FOUND' });
    }
    await few.snapshots.create('kept');
    expect(await countTwice()).to.deep.equal([3, 3]);
    const branch = await db.collections.branch('few', 'few-branch', { snapshot: 'kept' });
    expect([await branch.count(), await branch.count()]).to.deep.equal([3, 3]);
  });
});

/** Sends each call to the next of several servers. */
function inTurns(urls: readonly string[]): TransportFactory {
  return (context) => {
    const transports = urls.map((url) => httpTransport({ ...context, endpoint: new URL(url) }));
    let calls = 0;
    return {
      send: (request) => {
        const transport = transports[calls++ % transports.length];
        if (transport === undefined) throw new Error('there is no server');
        return transport.send(request);
      },
      close: async (graceMs) => {
        await Promise.all(transports.map((transport) => transport.close(graceMs)));
      },
    };
  };
}
