import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT, at, one, read, render, run } from './helm.js';
import { podMakers, serverContainer } from './pods.js';

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** The lines of the Dockerfile, with those that go on put together. */
function instructions(): readonly Instruction[] {
  return read('Dockerfile')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ name: line.split(' ')[0] ?? '', text: line.replace(/^\w+ /, '') }));
}

/** Those of the last stage: what is in the image that users run. */
function finalStage(): readonly Instruction[] {
  const all = instructions();
  return all.slice(all.findLastIndex(({ name }) => name === 'FROM'));
}

const texts = (name: string, all = finalStage()): readonly string[] =>
  all.filter((instruction) => instruction.name === name).map(({ text }) => text);

describe('The Dockerfile', () => {
  it('builds on the machine’s own platform, and copies into an image for the wanted one', () => {
    const from = texts('FROM', instructions());
    expect(from[0]).to.match(/^--platform=\$BUILDPLATFORM .* AS build$/);
    expect(from).to.have.length(2);
    expect(texts('COPY')).to.deep.equal(['--from=build /tree/app /app']);
  });

  it('uses a long-term release of Node that the packages allow, and never a latest', () => {
    const [image = ''] = texts('ARG', instructions());
    expect(image).to.match(/^NODE_IMAGE=node:(20|22|24)-bookworm-slim$/);
  });

  it('makes the tree with the script that tests use', () => {
    expect(texts('RUN', instructions()).join('\n')).to.include('node scripts/image-tree.mjs /tree');
  });

  it('runs the server as process 1, as the user and in the folders that the chart expects', () => {
    const container = serverContainer(render({}));
    expect(JSON.parse(texts('ENTRYPOINT')[0] ?? '')).to.deep.equal(['node', '/app/dist/main.js']);
    expect(JSON.parse(texts('CMD').at(-1) ?? '')).to.deep.equal(container.args);
    expect(texts('USER')).to.deep.equal(['1000:1000']);
    expect(at(container, 'securityContext.runAsUser')).to.equal(1000);
    expect(texts('ENV')[0]).to.include('OMENDB_DATA_DIR=/app/data');
    expect(container.volumeMounts?.[0]?.mountPath).to.equal('/app/data');
    expect(texts('WORKDIR').at(-1)).to.equal('/app');
    expect(texts('STOPSIGNAL')).to.deep.equal(['SIGTERM']);
  });

  it('names the ports of the server', () => {
    const ports = serverContainer(render({})).ports?.map(({ containerPort }) => containerPort);
    expect(texts('EXPOSE')[0]?.split(' ').map(Number)).to.have.members(ports ?? []);
  });

  it('says what is in it', () => {
    const labels = texts('LABEL').join(' ');
    for (const name of ['title', 'description', 'licenses', 'version', 'revision']) {
      expect(labels).to.include(`org.opencontainers.image.${name}=`);
    }
  });

  it('sees all that the build reads, and nothing else', () => {
    const ignore = read('.dockerignore').split('\n');
    expect(ignore).to.include('*').and.to.include('**/node_modules').and.to.include('**/dist');
    const allowed = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    for (const path of allowed) expect(existsSync(join(ROOT, path)), path).to.equal(true);
  });

  it('has Node for every command of the chart, and needs no shell', () => {
    for (const { spec } of podMakers(render({ files: ['ci/statefulset-values.yaml'] }))) {
      for (const { command = ['node'] } of spec.containers) expect(command[0]).to.equal('node');
    }
    expect(texts('HEALTHCHECK')[0]).to.match(/CMD \["node", /);
  });
});

describe('The tree of the image', function () {
  this.timeout(300_000);
  let folder: string;
  let app: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-tree-'));
    app = join(folder, 'app');
    const { status, stderr } = run(process.execPath, [join(ROOT, 'scripts/image-tree.mjs'), folder]);
    expect(status, stderr).to.equal(0);
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('runs by itself', () => {
    const { status, stdout } = run(process.execPath, [join(app, 'dist/main.js'), '--version']);
    expect(stdout.trim()).to.equal(
      (JSON.parse(read('server/package.json')) as { readonly version: string }).version,
    );
    expect(status).to.equal(0);
  });

  it('holds packages that run, for any platform, and none that only build or test', () => {
    const files = readdirSync(app, { recursive: true }) as string[];
    expect(files.filter((file) => /\.(node|map)$|\.d\.[cm]?ts$/.test(file))).to.deep.equal([]);
    const packages = readdirSync(join(app, 'node_modules'));
    expect(packages).to.include.members(['fastify', 'pino', 'prom-client']);
    for (const name of ['mocha', 'typescript', 'eslint', 'hnswlib-node', '.bin', '@omendb']) {
      expect(packages).to.not.include(name);
    }
  });

  it('serves, answers the test of the chart over HTTP and gRPC, and ends with 0 when it is asked to', async () => {
    const server = spawn(process.execPath, ['dist/main.js', 'serve'], {
      cwd: app,
      env: {
        ...{
          PATH: process.env['PATH'],
          OMENDB_JWT_SECRET: 'k'.repeat(32),
          OMENDB_DATA_DIR: join(folder, 'data'),
        },
        ...{
          OMENDB_HTTP_PORT: '0',
          OMENDB_GRPC_PORT: '0',
          OMENDB_OPS_PORT: '0',
          OMENDB_MEMORY_BYTES: '256Mi',
        },
        ...{ OMENDB_WORKER_THREADS: '1', OMENDB_HOST: '127.0.0.1' },
      },
    });
    try {
      const { http, grpc } = await ready(server);
      const pod = one(render({}), 'Pod');
      const script = at(pod, 'spec.containers.0.args.0') as string;
      const asked = await ended(
        spawn(process.execPath, ['--input-type=module', '--eval', script], {
          cwd: app,
          env: {
            PATH: process.env['PATH'],
            HTTP_URL: `http://127.0.0.1:${http}`,
            GRPC_ADDRESS: `127.0.0.1:${grpc}`,
          },
        }),
      );
      expect(asked.output).to.match(/^HTTP 200 .*\ngRPC SERVING\n$/);
      expect(asked.code).to.equal(0);
    } finally {
      server.kill('SIGTERM');
    }
    expect((await ended(server)).code).to.equal(0);
  });
});

/** The ports that the server names in its log when it is ready. */
function ready(server: ChildProcess): Promise<{ readonly http: number; readonly grpc: number }> {
  return new Promise((resolve, reject) => {
    let text = '';
    const look = (chunk: Buffer): void => {
      text += chunk.toString();
      const line = text.split('\n').find((candidate) => candidate.includes('the server is ready'));
      if (line === undefined || !line.endsWith('}')) return;
      resolve(
        (JSON.parse(line) as { readonly ports: { readonly http: number; readonly grpc: number } }).ports,
      );
    };
    server.stdout?.on('data', look);
    server.stderr?.on('data', look);
    server.once('close', () => {
      reject(new Error(`the server ended: ${text}`));
    });
  });
}

function ended(child: ChildProcess): Promise<{ readonly code: number | null; readonly output: string }> {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => {
    if (child.exitCode !== null) resolve({ code: child.exitCode, output });
    child.once('close', (code) => {
      resolve({ code, output });
    });
  });
}
