// Starting the server on a bucket: what it needs, and what it refuses.
import { expect } from 'chai';
import { omendb } from '../support/command.js';
import type { Ended } from '../support/command.js';
import { S3Stub } from '../support/s3-stub.js';
import type { StubFlaws } from '../support/s3-stub-bucket.js';
import { S3_ENVIRONMENT } from '../support/s3-store.js';
import { startServer } from '../support/server-process.js';
import { withTemporaryFolder } from '../support/temporary-folder.js';
import { tokenFor } from '../support/token.js';

const SECRET = 'a bucket and no folder: a secret for tests';

function settings(endpoint: string, dataDir: string, bucket = 'bucket'): Record<string, string> {
  return {
    ...S3_ENVIRONMENT,
    OMENDB_OBJECT_STORE: `s3://${bucket}/some/prefix`,
    OMENDB_S3_ENDPOINT: endpoint,
    OMENDB_S3_FORCE_PATH_STYLE: 'true',
    OMENDB_HOST: '127.0.0.1',
    OMENDB_JWT_SECRET: SECRET,
    OMENDB_DATA_DIR: dataDir,
    OMENDB_WORKER_THREADS: '1',
    OMENDB_MEMORY_BYTES: String(256 * 1024 * 1024),
  };
}

describe('The server on a bucket', function () {
  this.timeout(60_000);

  async function start(flaws: StubFlaws, bucket?: string): Promise<Ended> {
    return withTemporaryFolder(async (folder) => {
      const stub = await S3Stub.start(flaws);
      const free = { OMENDB_HTTP_PORT: '0', OMENDB_GRPC_PORT: '0', OMENDB_OPS_PORT: '0' };
      const ended = await omendb(['serve'], { ...settings(stub.endpoint, folder, bucket), ...free });
      await stub.stop();
      return ended;
    });
  }

  it('scenario 8: does not start on a store that ignores a precondition, and names the operation', async () => {
    for (const flaws of [{ ignoresIfNoneMatch: true }, { ignoresIfMatch: true }]) {
      const { code, err } = await start(flaws);
      expect(code).to.equal(1);
      expect(err).to.match(/^omendb: the object store cannot be used: (putIfAbsent|compareAndSwap) .*\n$/m);
      expect(err).to.not.match(/\n\s+at /);
    }
  });

  it('says what to do when there is no such bucket, without a stack', async () => {
    const { code, err } = await start({}, 'nowhere');
    expect(code).to.equal(1);
    expect(err).to.match(
      /in bucket nowhere: there is no such bucket: create it, or correct OMENDB_OBJECT_STORE/,
    );
    expect(err).to.not.match(/\n\s+at /);
  });

  it('keeps data and keys in the bucket alone, behind the prefix', async () => {
    const stub = await S3Stub.start();
    try {
      const token = await tokenFor('acme', SECRET);
      let key = '';
      for (const life of [1, 2]) {
        await withTemporaryFolder(async (dataDir) => {
          const env = settings(stub.endpoint, dataDir);
          const server = await startServer({ dataDir, env });
          const call = async (path: string, bearer: string, body: object): Promise<string> => {
            const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` };
            const request = { method: 'POST', headers, body: JSON.stringify(body) };
            return (await fetch(`${server.url}/v1/collections${path}`, request)).text();
          };
          if (life === 1) {
            await call('', token, { name: 'c', dimensions: 2, metric: 'l2' });
            await call('/c/records:upsert', token, { records: [{ id: 'a', vector: [1, 2] }] });
            key = (await omendb(['key', 'create', '--tenant', 'acme'], env)).out.trim();
          }
          expect(await call('/c/records:batchGet', key, { ids: ['a'] })).to.include('"id":"a"');
          expect(await server.stop()).to.equal(0);
        });
      }
      for (const name of stub.bucket.objects.keys()) expect(name).to.match(/^some\/prefix\//);
    } finally {
      await stub.stop();
    }
  });
});
