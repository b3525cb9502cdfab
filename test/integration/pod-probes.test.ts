// What the probes of a pod say when something else than the pod is broken, and when the pod is.
import { get } from 'node:http';
import { expect } from 'chai';
import { POD_SECRET, bucketSettings } from '../support/pod-settings.js';
import { S3Stub } from '../support/s3-stub.js';
import { startServer } from '../support/server-process.js';
import { withTemporaryFolder } from '../support/temporary-folder.js';
import { tokenFor } from '../support/token.js';

describe('The probes of a pod', function () {
  this.timeout(60_000);

  it('stay good while the bucket is away, so that pods go on answering from memory', async () => {
    await withTemporaryFolder(async (dataDir) => {
      const stub = await S3Stub.start();
      const env = { ...bucketSettings(), OMENDB_S3_ENDPOINT: stub.endpoint, OMENDB_MAX_STALENESS: '10m' };
      const server = await startServer({ dataDir, env });
      const token = await tokenFor('acme', POD_SECRET);
      const post = async (path: string, body: object): Promise<{ status: number; text: string }> => {
        const headers = {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'omendb-timeout-ms': '3000',
        };
        const request = { method: 'POST', headers, body: JSON.stringify(body) };
        const response = await fetch(`${server.url}/v1/collections${path}`, request);
        return { status: response.status, text: await response.text() };
      };
      const write = { records: [{ id: 'a', vector: [1, 2] }] };
      expect((await post('', { name: 'words', dimensions: 2 })).status).to.equal(200);
      expect((await post('/words/records:upsert', write)).status).to.equal(200);
      await stub.stop();
      const refused = await post('/words/records:upsert', write);
      expect(refused.status).to.be.oneOf([503, 504]);
      expect(refused.text).to.match(/STORAGE_UNAVAILABLE|DEADLINE_EXCEEDED/);
      const found = await post('/words/records:query', { vector: [1, 2], topK: 1 });
      expect([found.status, found.text], found.text).to.deep.equal([200, found.text]);
      expect(found.text).to.include('"id":"a"');
      for (const path of ['/readyz', '/livez', '/startupz']) {
        expect((await fetch(`http://127.0.0.1:${server.ports.ops}${path}`)).status, path).to.equal(200);
      }
      await server.kill();
    });
  });

  it('do not answer while the process does nothing', async () => {
    await withTemporaryFolder(async (dataDir) => {
      const server = await startServer({ dataDir });
      process.kill(server.pid, 'SIGSTOP');
      expect(await livez(server.ports.ops)).to.equal('no answer');
      process.kill(server.pid, 'SIGCONT');
      expect(await livez(server.ports.ops)).to.equal(200);
      expect(await server.stop()).to.equal(0);
    });
  });
});

/** As kubelet asks, which waits for a second. */
function livez(port: number): Promise<number | undefined | 'no answer'> {
  return new Promise((resolve) => {
    const request = get({ port, path: '/livez', timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.once('timeout', () => {
      request.destroy();
      resolve('no answer');
    });
    request.once('error', () => {
      resolve('no answer');
    });
  });
}
