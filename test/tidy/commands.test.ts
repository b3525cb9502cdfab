// The scripts behind `npm start`, `npm test` and CI, run in a small tree of their own.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from './tree.js';

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

describe('Commands', function () {
  this.timeout(30_000);
  let tree: string;

  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), 'omendb-commands-'));
    cpSync(join(ROOT, 'scripts'), join(tree, 'scripts'), { recursive: true });
    cpSync(join(ROOT, '.ci'), join(tree, '.ci'), { recursive: true });
    lock({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0', optional: true } });
    // Stands for npm: says what it was asked, and does what `do-COMMAND` in the tree says.
    put(
      'bin/npm',
      [
        '#!/bin/sh',
        'echo "npm $*" >> npm.log',
        'while [ "${1#-}" != "$1" ]; do shift; done',
        '[ "$1" = run ] && shift',
        'while [ "${1#-}" != "$1" ]; do shift; done',
        '[ ! -f "do-$1" ] || . "./do-$1"',
        '',
      ].join('\n'),
    );
    chmodSync(join(tree, 'bin/npm'), 0o755);
    put('scripts/build.mjs', 'process.exitCode = 0;\n');
    put(
      'server/dist/main.js',
      'console.log(process.argv.slice(2).join(" "), process.env.OMENDB_DIMENSION);\n',
    );
  });

  afterEach(() => {
    rmSync(tree, { recursive: true, force: true });
  });

  describe('npm start', () => {
    it('installs in a fresh clone, builds, and hands arguments and environment to the server', () => {
      put('do-ci', 'mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json');
      const { status, output } = node(['scripts/start.mjs', '--flag'], { OMENDB_DIMENSION: '7' });
      expect(output).to.match(/installing packages \(first run\).*\n.*building.*\nserve --flag 7\n/);
      expect(status).to.equal(0);
      expect(npmLog()).to.deep.equal(['npm ci --no-audit --no-fund']);
    });

    it('builds the client too, which the first program of README.md imports', () => {
      installed({});
      lock({});
      put(
        'scripts/build.mjs',
        "import { writeFileSync } from 'node:fs';\nwriteFileSync('built', process.argv.slice(2).join(' '));\n",
      );
      expect(node(['scripts/start.mjs']).status).to.equal(0);
      expect(readFileSync(join(tree, 'built'), 'utf8').split(' ')).to.include.members(['server', 'sdk']);
    });

    it('installs nothing when node_modules is what the lock file says, without optional packages too', () => {
      installed({ 'node_modules/a': { version: '1.0.0' } });
      expect(node(['scripts/start.mjs']).output).to.not.include('installing');
      expect(npmLog()).to.deep.equal([]);
    });

    it('installs again when the lock file has changed', () => {
      installed({ 'node_modules/a': { version: '0.9.0' } });
      expect(node(['scripts/start.mjs']).output).to.include('installing packages (a is 0.9.0, wanted 1.0.0)');
    });

    it('says why it cannot install', () => {
      put('do-ci', 'echo "npm error code ENOTFOUND"; exit 1');
      const { status, output } = node(['scripts/start.mjs']);
      expect(output).to.include('the package registry is not reachable');
      expect(status).to.equal(1);
    });

    it('ends with the exit code of the server', () => {
      installed({ 'node_modules/a': { version: '1.0.0' } });
      put('server/dist/main.js', 'process.exitCode = 3;\n');
      expect(node(['scripts/start.mjs']).status).to.equal(3);
    });

    it('passes on the signal that ends it', async () => {
      installed({ 'node_modules/a': { version: '1.0.0' } });
      put(
        'server/dist/main.js',
        'process.on("SIGTERM", () => process.exit(42));\nsetInterval(() => {}, 1000);\nconsole.log("up");\n',
      );
      const child = spawn(process.execPath, ['scripts/start.mjs'], { cwd: tree });
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      child.stdout.on('data', (chunk: Buffer) => void (chunk.includes('up') && child.kill('SIGTERM')));
      expect(await ended).to.equal(42);
    });
  });

  it('end what they started when the shell that npm put between is killed', async () => {
    installed({ 'node_modules/a': { version: '1.0.0' } });
    put(
      'server/dist/main.js',
      'process.on("SIGTERM", () => process.exit(42));\nsetInterval(() => {}, 1000);\nconsole.log(process.pid);\n',
    );
    // The second command keeps the shell from becoming the first.
    const shell = spawn('sh', ['-c', `'${process.execPath}' scripts/start.mjs; true`], {
      cwd: tree,
      env: { ...process.env, npm_lifecycle_event: 'start' },
    });
    // The pipe closes when the last process that could write to it has ended.
    const ended = new Promise<void>((resolve) => shell.stdout.once('close', resolve));
    shell.stdout.on('data', () => void shell.kill('SIGTERM'));
    await ended;
  });

  it('build one after the other when two start at once', async () => {
    installed({ 'node_modules/a': { version: '1.0.0' } });
    put(
      'scripts/build.mjs',
      [
        'import { appendFileSync } from "node:fs";',
        'appendFileSync("build.log", "begin ");',
        'setTimeout(() => appendFileSync("build.log", "end "), 200);',
        '',
      ].join('\n'),
    );
    const start = (): Promise<void> =>
      new Promise((resolve) => {
        spawn(process.execPath, ['scripts/start.mjs'], { cwd: tree }).once('close', () => resolve());
      });
    await Promise.all([start(), start()]);
    expect(readFileSync(join(tree, 'build.log'), 'utf8')).to.equal('begin end begin end ');
  });

  it('take over the lock of a process that is gone', () => {
    installed({ 'node_modules/a': { version: '1.0.0' } });
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    put('.cache/build.lock', String(pid));
    expect(node(['scripts/start.mjs']).status).to.equal(0);
  });

  describe('.ci/run', () => {
    const passing = 'echo "  3 passing (1s)"; echo "  1 pending"';

    beforeEach(() => {
      put('do-test:recall', 'echo "  4 passing (1s)"');
      put('do-test:s3', 'echo "  5 passing (1s)"');
      put('do-test:alerts', 'echo "  1 passing (1s)"');
      put('do-test:live', 'echo "  1 passing (1s)"');
      put('do-test:chart', 'echo "  1 passing (1s)"');
      put('do-test:cluster', 'echo "  1 passing (1s)"');
    });

    it('adds up the tests of all suites and ends with one line', () => {
      put('do-lint', 'echo "6 passed, 0 failed"');
      put('do-test', passing);
      const { status, output } = ci();
      expect(output.trim().split('\n').at(-1)).to.equal('24 passed, 0 failed, 1 skipped');
      expect(output).to.match(/^suite test +\d+ s +3 passed +0 failed +1 skipped {2}passed$/m);
      expect(status).to.equal(0);
    });

    it('fails when a test fails, and shows what it printed', () => {
      put('do-lint', 'echo "6 passed, 0 failed"');
      put('do-test', 'echo "  2 passing (1s)"; echo "  1 failing"; echo "the reason"; exit 1');
      const { status, output } = ci();
      expect(output).to.include('the reason');
      expect(output.trim().split('\n').at(-1)).to.equal('23 passed, 1 failed');
      expect(status).to.equal(1);
    });

    it('fails when a suite ends without a result', () => {
      put('do-lint', 'echo "6 passed, 0 failed"');
      put('do-test', 'echo "cannot run"; exit 1');
      const { status, output } = ci();
      expect(output.trim().split('\n').at(-1)).to.equal('21 passed, 1 failed');
      expect(status).to.equal(1);
    });

    it('fails when a suite ends badly after tests that passed', () => {
      put('do-lint', 'echo "6 passed, 0 failed"');
      put('do-test', 'echo "  3 passing (1s)"; exit 7');
      const { status, output } = ci();
      expect(output.trim().split('\n').at(-1)).to.equal('24 passed, 1 failed');
      expect(status).to.equal(1);
    });

    it('takes neither settings nor a cluster from whoever calls it', () => {
      put('do-lint', 'echo "6 passed, 0 failed"');
      put('do-test', '[ -z "${OMENDB_DIMENSION-}${KUBECONFIG-}" ] && echo "  3 passing (1s)"');
      expect(ci({ OMENDB_DIMENSION: '7', KUBECONFIG: '/dev/null' }).output).to.include('24 passed, 0 failed');
    });

    it('fails when a suite runs no test at all', () => {
      put('do-lint', 'echo "6 passed, 0 failed"');
      expect(ci().status).to.equal(1);
    });

    function ci(env: Readonly<Record<string, string>> = {}): Ended {
      return run('bash', ['.ci/run'], env);
    }
  });

  function put(path: string, text: string): void {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }

  function lock(packages: object): void {
    put('package-lock.json', JSON.stringify({ packages }));
  }

  function installed(packages: object): void {
    put('node_modules/.package-lock.json', JSON.stringify({ packages }));
  }

  function npmLog(): string[] {
    try {
      return readFileSync(join(tree, 'npm.log'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  }

  function node(args: readonly string[], env: Readonly<Record<string, string>> = {}): Ended {
    return run(process.execPath, args, env);
  }

  function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Ended {
    const path = `${join(tree, 'bin')}:${process.env['PATH'] ?? ''}`;
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: tree,
      encoding: 'utf8',
      env: { ...process.env, PATH: path, ...env },
    });
    return { status, output: stderr + stdout };
  }
});
