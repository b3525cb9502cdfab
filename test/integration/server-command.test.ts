import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { OPTIONS } from '#server/config/options.js';
import { freePorts, startServer } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';

const MAIN = fileURLToPath(new URL('../../../server/dist/main.js', import.meta.url));
const SECRET = 'a secret of tests that is long enough';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command to its end. */
function omendb(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'], ...env } });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      resolve({ code, out, err });
    });
  });
}

describe('The command omendb', function () {
  this.timeout(60_000);
  let folder: string;
  let server: ServerProcess | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-command-'));
  });

  afterEach(async () => {
    await server?.kill();
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const dataDir = (): string => join(folder, 'data');

  async function get(path: string, token: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`${server?.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, body: await response.text() };
  }

  it('prints its version and its help, with every setting', async () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../../server/package.json', import.meta.url), 'utf8'),
    ) as {
      version: string;
    };
    expect(await omendb(['--version'])).to.deep.equal({ code: 0, out: `${version}\n`, err: '' });
    const help = await omendb(['--help']);
    expect(help.code).to.equal(0);
    for (const { env } of Object.values(OPTIONS)) expect(help.out).to.include(env);
    for (const command of ['serve', 'token', 'key create', 'key list', 'key disable'])
      expect(help.out).to.include(command);
  });

  it('refuses what it does not understand with code 2, without a stack', async () => {
    const wrong: readonly (readonly [string, string])[] = [
      ['--colour', '--colour'],
      ['serve --port 1', '--port'],
      ['serve now', '"now"'],
      ['start', '"start"'],
      ['token', '--tenant'],
      ['token --tenant ../x', 'tenant'],
      ['token --tenant a --ttl 25h', '--ttl'],
      ['token --tenant a --scope everything', '"everything"'],
      ['key', 'key create'],
      ['key create', '--tenant'],
      ['key disable', 'key disable ID'],
      ['--version now', 'now'],
    ];
    for (const [line, named] of wrong) {
      const { code, out, err } = await omendb(line.split(' '));
      expect([code, out], line).to.deep.equal([2, '']);
      expect(err, line).to.include(named).and.include('omendb --help').and.not.include('    at ');
    }
  });

  it('names every setting that is wrong, with code 1 and without a stack', async () => {
    const { code, err } = await omendb([], {
      OMENDB_HTTP_PORT: 'x',
      OMENDB_DIMENSIONS: '3',
      OMENDB_HOST: '0.0.0.0',
    });
    expect(code).to.equal(1);
    expect(err).to.include('3 settings are wrong').and.include('OMENDB_HTTP_PORT is "x"');
    expect(err).to.include('did you mean OMENDB_DIMENSION?').and.not.include('    at ');
  });

  it('says which port is in use and how to choose another', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    for (const option of ['OMENDB_HTTP_PORT', 'OMENDB_GRPC_PORT', 'OMENDB_OPS_PORT']) {
      const ports = {
        OMENDB_HTTP_PORT: '0',
        OMENDB_GRPC_PORT: '0',
        OMENDB_OPS_PORT: '0',
        [option]: String(port),
      };
      const { code, err } = await omendb(['serve'], { ...ports, OMENDB_DATA_DIR: join(folder, option) });
      expect(code, option).to.equal(1);
      expect(err).to.include(`${option}: port ${port} on 127.0.0.1 is in use`).and.not.include('    at ');
    }
    await new Promise((resolve) => taken.close(resolve));
  });

  it('says why a data folder cannot be used', async () => {
    writeFileSync(join(folder, 'file'), '');
    const ports = { OMENDB_HTTP_PORT: '0', OMENDB_GRPC_PORT: '0', OMENDB_OPS_PORT: '0' };
    for (const path of [join(folder, 'file'), join(folder, 'file', 'below')]) {
      const { code, err } = await omendb(['serve'], { ...ports, OMENDB_DATA_DIR: path });
      expect(code, path).to.equal(1);
      expect(err, path).to.include(path).and.not.include('    at ');
    }
  });

  it('does not start twice on one folder', async () => {
    server = await startServer({ dataDir: dataDir() });
    const ports = { OMENDB_HTTP_PORT: '0', OMENDB_GRPC_PORT: '0', OMENDB_OPS_PORT: '0' };
    const { code, err } = await omendb(['serve'], { ...ports, OMENDB_DATA_DIR: dataDir() });
    expect(code).to.equal(1);
    expect(err).to.include(`in use by process ${server.pid}`).and.not.include('    at ');
  });

  it('prints commands in development mode that work as printed', async () => {
    server = await startServer({ dataDir: dataDir() });
    const printed = server.output();
    const commands = [...printed.matchAll(/curl -s (\S+) [^]*?-d '([^']+)'/g)];
    expect(commands).to.have.lengthOf(3);
    const answers: string[] = [];
    for (const [, url = '', body = ''] of commands) {
      const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
      answers.push(await (await fetch(url, { method: 'POST', headers, body })).text());
    }
    expect(answers[1]).to.include('"inserted":2');
    expect(
      (JSON.parse(answers[2] ?? '') as { hits: { id: string }[] }).hits.map(({ id }) => id),
    ).to.deep.equal(['a', 'b']);
  });

  it('keeps the development secret to its user, and data and tokens over a restart', async () => {
    server = await startServer({ dataDir: dataDir() });
    expect(statSync(join(dataDir(), 'development-secret')).mode & 0o777).to.equal(0o600);
    const { token, ports } = server;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    await fetch(`${server.url}/v1/collections`, {
      method: 'POST',
      headers,
      body: '{"name":"kept","dimensions":2}',
    });
    expect(await server.stop()).to.equal(0);
    server = await startServer({ dataDir: dataDir(), ports });
    expect((await get('/v1/collections/kept', token)).status).to.equal(200);
  });

  it('prints a token alone that the server takes', async () => {
    server = await startServer({ dataDir: dataDir() });
    const env = { OMENDB_DATA_DIR: dataDir() };
    const { code, out, err } = await omendb(
      ['token', '--tenant', 'acme', '--scope', 'collections.read', '--ttl', '5m'],
      env,
    );
    expect([code, err]).to.deep.equal([0, '']);
    expect(out).to.match(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(await get('/v1/collections', out.trim())).to.include({ status: 200 });
    expect(await get('/v1/collections/a/records/b', out.trim())).to.include({ status: 403 });
  });

  it('says where a secret could come from when there is none', async () => {
    const { code, err } = await omendb(['token', '--tenant', 'acme'], { OMENDB_DATA_DIR: dataDir() });
    expect(code).to.equal(1);
    expect(err).to.include('OMENDB_JWT_SECRET is not set').and.not.include('    at ');
  });

  it('signs with the secret that it is given, and prints no token of its own then', async () => {
    server = await startServer({
      dataDir: dataDir(),
      env: { OMENDB_JWT_SECRET: SECRET, OMENDB_HOST: '127.0.0.1' },
    });
    expect(server.token).to.equal('');
    expect(server.output()).not.to.include(SECRET);
    const { out } = await omendb(['token', '--tenant', 'acme'], { OMENDB_JWT_SECRET: SECRET });
    expect(await get('/v1/collections', out.trim())).to.include({ status: 200 });
  });

  it('makes, lists and disables keys beside a running server', async () => {
    server = await startServer({ dataDir: dataDir() });
    const env = { OMENDB_DATA_DIR: dataDir() };
    const made = await omendb(
      ['key', 'create', '--tenant', 'acme', '--name', 'loader', '--scope', 'collections.read'],
      env,
    );
    expect(made.code, made.err).to.equal(0);
    const key = made.out.trim();
    expect(key).to.match(/^omen_live_\w+$/);
    expect(await get('/v1/collections', key)).to.include({ status: 200 });
    const id = key.split('_')[2] ?? '';
    expect((await omendb(['key', 'list'], env)).out).to.match(
      new RegExp(`^${id}\tacme\tactive\t.*\tloader$`, 'm'),
    );
    expect((await omendb(['key', 'list', '--tenant', 'other'], env)).out).not.to.include(id);
    expect((await omendb(['key', 'disable', id], env)).out).to.equal(`${id} is disabled\n`);
    const deadline = Date.now() + 10_000;
    let answer = await get('/v1/collections', key);
    while (answer.status === 200 && Date.now() < deadline) answer = await get('/v1/collections', key);
    expect(answer).to.include({ status: 401 });
    expect(answer.body).to.include('KEY_REVOKED');
    expect((await omendb(['key', 'list'], env)).out).to.include(`${id}\tacme\tdisabled`);
    expect(await server.stop()).to.equal(0);
    expect((await omendb(['key', 'disable', 'nonsense'], env)).code).to.equal(1);
  });

  it('makes keys for a folder that no server has used yet', async () => {
    const env = { OMENDB_DATA_DIR: dataDir(), OMENDB_JWT_SECRET: SECRET };
    const { code, out, err } = await omendb(['key', 'create', '--tenant', 'acme'], env);
    expect(code, err).to.equal(0);
    server = await startServer({ dataDir: dataDir() });
    expect(await get('/v1/collections', out.trim())).to.include({ status: 200 });
  });

  it('scenario 44: stops on SIGTERM with code 0 when requests are in work, and answers them', async () => {
    server = await startServer({ dataDir: dataDir() });
    const { url, token } = server;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    await fetch(`${url}/v1/collections`, { method: 'POST', headers, body: '{"name":"c","dimensions":2}' });
    let refused = 0;
    const statuses: number[] = [];
    const load = async (): Promise<void> => {
      for (let i = 0; refused === 0 && i < 10_000; i++) {
        const body = `{"records":[{"id":"${i}","vector":[1,2]}]}`;
        try {
          const response = await fetch(`${url}/v1/collections/c/records:upsert`, {
            method: 'POST',
            headers,
            body,
          });
          await response.arrayBuffer();
          statuses.push(response.status);
        } catch {
          refused++;
        }
      }
    };
    const clients = [load(), load(), load()];
    while (statuses.length < 20) await new Promise((resolve) => setImmediate(resolve));
    expect(await server.stop()).to.equal(0);
    await Promise.all(clients);
    expect(new Set(statuses)).to.deep.equal(new Set([200]));
    expect(server.output()).to.include('the server has stopped').and.not.include('"level":"error"');
  });

  it('ends at once on a second signal', async () => {
    const { http, grpc, ops } = await freePorts();
    const env = { OMENDB_HTTP_PORT: `${http}`, OMENDB_GRPC_PORT: `${grpc}`, OMENDB_OPS_PORT: `${ops}` };
    server = await startServer({ dataDir: dataDir(), ports: { http, grpc, ops }, env });
    // A request whose body never ends keeps the first stop waiting.
    const response = fetch(`${server.url}/v1/collections`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: new ReadableStream({ pull: () => new Promise(() => undefined) }),
      duplex: 'half',
    } as RequestInit).catch(() => undefined);
    while (!(await (await fetch(`${server.url}/health`)).text()).includes('ok'));
    const first = server.stop();
    while (!server.output().includes('asked to stop')) await new Promise((resolve) => setImmediate(resolve));
    process.kill(server.pid, 'SIGTERM');
    expect(await first).to.equal(1);
    await response;
  });
});
