// The key of tokens is changed in a mounted Secret while clients are at work.
import { join } from 'node:path';
import { expect } from 'chai';
import { MountedFile } from '../support/mounted-file.js';
import { startServer } from '../support/server-process.js';
import { SteadyLoad } from '../support/steady-load.js';
import { withTemporaryFolder } from '../support/temporary-folder.js';
import { tokenFor } from '../support/token.js';

const OLD = 'the key that was in use until today';
const NEW = 'the key that is in use from today on';

describe('A mounted Secret that changes', function () {
  this.timeout(90_000);

  it('takes effect without a restart, a failed request, or a token that is refused before its key goes', async () => {
    await withTemporaryFolder(async (folder) => {
      const secret = new MountedFile(join(folder, 'secret'), 'jwt-secret');
      secret.write(`${OLD}\n`);
      const env = {
        OMENDB_JWT_SECRET_FILE: secret.path,
        OMENDB_HOST: '127.0.0.1',
        OMENDB_WORKER_THREADS: '1',
      };
      const server = await startServer({ dataDir: join(folder, 'data'), env });
      const [ofOld, ofNew] = [await tokenFor('acme', OLD), await tokenFor('acme', NEW)];
      const statusWith = async (token: string, more: RequestInit = {}): Promise<number> => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const response = await fetch(`${server.url}/v1/collections`, { ...more, headers });
        await response.text();
        return response.status;
      };
      const until = async (token: string, status: number): Promise<void> => {
        while ((await statusWith(token)) !== status);
      };
      expect(await statusWith(ofOld, { method: 'POST', body: '{"name":"words","dimensions":2}' })).to.equal(
        200,
      );
      expect(await statusWith(ofNew)).to.equal(401);
      let token = ofOld;
      const load = new SteadyLoad({
        ...{ url: server.url, grpcAddress: server.grpcAddress, collection: 'words' },
        ...{ token: () => token, requestsPerSecond: 100, connections: 4 },
      });
      secret.write(`${OLD}\n${NEW}\n`);
      await until(ofNew, 200);
      secret.write(`${NEW}\n${OLD}\n`);
      await load.more(50);
      token = ofNew;
      await load.more(50);
      secret.write(`${NEW}\n`);
      await until(ofOld, 401);
      await load.more(50);
      await load.stop();
      expect(load.failures).to.deep.equal([]);
      expect(server.output()).to.include('the secret file changed').and.not.include(NEW).and.not.include(OLD);
      expect(await server.stop()).to.equal(0);
    });
  });
});
