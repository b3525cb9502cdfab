// Settings in a mounted ConfigMap, and what a running server makes of its changes.
import { join } from 'node:path';
import { expect } from 'chai';
import { omendb } from '../support/command.js';
import { MountedFile } from '../support/mounted-file.js';
import type { ServerProcess } from '../support/server-process.js';
import { startServer } from '../support/server-process.js';
import { withTemporaryFolder } from '../support/temporary-folder.js';

describe('Settings in a mounted file', function () {
  this.timeout(90_000);

  const linesOf = (server: ServerProcess, message: string): readonly Record<string, unknown>[] =>
    server
      .output()
      .split('\n')
      .filter((line) => line.includes(`"message":"${message}"`))
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('change while the server runs, which says what has changed and what waits for a restart', async () => {
    await withTemporaryFolder(async (folder) => {
      const file = new MountedFile(join(folder, 'config'), 'omendb.yaml');
      file.write('OMENDB_LOG_LEVEL: warn\nOMENDB_MAX_IN_FLIGHT: 100\nOMENDB_DRAIN_TIME: 20s\n');
      const env = { OMENDB_CONFIG_FILE: file.path, OMENDB_WORKER_THREADS: '1', OMENDB_DRAIN_TIME: '10s' };
      const server = await startServer({ dataDir: join(folder, 'data'), env });
      const ops = `http://127.0.0.1:${server.ports.ops}/metrics`;
      const limit = async (): Promise<string> =>
        /^omendb_requests_in_flight_limit (\d+)$/m.exec(await (await fetch(ops)).text())?.[1] ?? '';
      expect(await limit()).to.equal('100');
      expect(linesOf(server, 'the server is ready')).to.deep.equal([]);

      file.write(
        'OMENDB_LOG_LEVEL: debug\nOMENDB_MAX_IN_FLIGHT: 7\nOMENDB_KEEP_ALIVE: 90s\nOMENDB_DRAIN_TIME: 15s\n',
      );
      while ((await limit()) !== '7');
      expect(linesOf(server, 'the settings file changed')).to.have.lengthOf(1);
      expect(linesOf(server, 'the settings file changed')[0]).to.deep.include({
        changed: ['OMENDB_LOG_LEVEL', 'OMENDB_MAX_IN_FLIGHT'],
        needRestart: ['OMENDB_KEEP_ALIVE'],
      });

      file.write('OMENDB_LOG_LEVEL: debug\nOMENDB_MAX_IN_FLIGHT: many\n');
      const refused = 'the settings file is not usable: the settings before stay in use';
      while (linesOf(server, refused).length === 0) await limit();
      const problem = `${file.path}:2: OMENDB_MAX_IN_FLIGHT is "many": must be a whole number from 1 to 100000`;
      expect(linesOf(server, refused)[0]).to.deep.include({ problems: [problem] });
      expect(await limit()).to.equal('7');
      expect(await server.stop()).to.equal(0);
      expect(linesOf(server, 'the server is asked to stop')[0]).to.include({ drainMs: 10_000 });
    });
  });

  it('are named on the command line too', async () => {
    await withTemporaryFolder(async (folder) => {
      const file = new MountedFile(join(folder, 'config'), 'omendb.yaml');
      file.write('OMENDB_HTTP_PORT: 0\nOMENDB_GRPC_PORT: none\n');
      const { code, err } = await omendb(['serve', '--config', file.path]);
      expect(code).to.equal(1);
      expect(err).to.include('a setting is wrong').and.include(`${file.path}:2: OMENDB_GRPC_PORT is "none"`);
    });
  });
});
