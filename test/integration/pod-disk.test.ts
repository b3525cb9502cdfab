// A server where nothing can be written but its data folder, as a user whom the system does not know.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { withTemporaryFolder } from '../support/temporary-folder.js';

const MAIN = fileURLToPath(new URL('../../../server/dist/main.js', import.meta.url));
const USER = '1000';
const GROUP = '2000';
/** The whole tree read-only, a volume for the data, and no rights: what the chart's security context says. */
const CONTAINER = `
  mount --make-rprivate / && mount --bind / / && mount -o remount,bind,ro / || exit 99
  [ -z "$1" ] || mount -t tmpfs -o uid=0,gid=${GROUP},mode=2770 tmpfs "$1" || exit 99
  shift; cd /
  exec setpriv --reuid ${USER} --regid ${GROUP} --clear-groups --no-new-privs --bounding-set=-all -- "$@"`;

interface Ended {
  readonly code: number | null;
  readonly printed: string;
}

describe('A pod with a read-only file system and a user without a name', function () {
  this.timeout(60_000);

  before(function () {
    const probe = ['--mount', 'sh', '-c', CONTAINER, 'sh', '', 'test', '-r', MAIN];
    if (process.getuid?.() !== 0 || spawnSync('unshare', probe).status !== 0) this.skip();
  });

  /** Runs a server until it is ready, calls `use`, and stops it; or until it ends by itself. */
  function run(volume: string, dataDir: string, use?: () => void): Promise<Ended> {
    const free = { OMENDB_HTTP_PORT: '0', OMENDB_GRPC_PORT: '0', OMENDB_OPS_PORT: '0' };
    const env = { PATH: process.env['PATH'], HOME: '/nowhere', ...free, OMENDB_DATA_DIR: dataDir };
    const args = ['--mount', 'sh', '-c', CONTAINER, 'sh', volume, process.execPath, MAIN, 'serve'];
    const child = spawn('unshare', args, { env });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        const before = printed;
        printed += chunk.toString();
        if (before.includes('eyJ') || !printed.includes('eyJ')) return;
        use?.();
        child.kill('SIGTERM');
      });
    }
    return new Promise((resolve) => {
      child.once('close', (code) => {
        resolve({ code, printed });
      });
    });
  }

  it('starts, serves and stops with nothing to write to but the volume of its data', async () => {
    await withTemporaryFolder(async (folder) => {
      const data = join(folder, 'data');
      mkdirSync(data);
      chmodSync(folder, 0o755);
      let used = false;
      const { code, printed } = await run(data, data, () => (used = true));
      expect([code, used], printed).to.deep.equal([0, true]);
      expect(printed)
        .to.include('the server has stopped')
        .and.not.match(/"level":"(warn|error)"/);
    });
  });

  it('says whose the folder is when it may not use it, and what to set', async () => {
    await withTemporaryFolder(async (folder) => {
      const data = join(folder, 'data');
      mkdirSync(data);
      chmodSync(folder, 0o755);
      chmodSync(data, 0o750);
      chownSync(data, 1234, 1234);
      const { code, printed } = await run('', data);
      expect(code).to.equal(1);
      expect(printed).to.include(`cannot open the data folder in ${data}: permission denied`);
      expect(printed).to.include(
        'it belongs to user 1234 and group 1234, this process is user 1000 and group 2000',
      );
      expect(printed)
        .to.include('set fsGroup')
        .and.not.match(/\n\s+at /);
    });
  });

  it('says that the file system is read-only when its folder is on no volume', async () => {
    await withTemporaryFolder(async (folder) => {
      chmodSync(folder, 0o777);
      const { code, printed } = await run('', join(folder, 'one', 'two'));
      expect(code).to.equal(1);
      expect(printed)
        .to.include('the file system is read-only: mount it writable')
        .and.not.match(/\n\s+at /);
    });
  });
});
