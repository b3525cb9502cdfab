// Runs what README.md shows, as it is printed there; only the ports and the token are replaced.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { startServer } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const run = promisify(execFile);

describe('README', function () {
  this.timeout(60_000);
  let folder: string;
  let server: ServerProcess;

  before(async () => {
    // Inside the repository, so that a program there finds the packages like one that a reader saves.
    mkdirSync(join(ROOT, '.cache'), { recursive: true });
    folder = mkdtempSync(join(ROOT, '.cache', 'readme-'));
    server = await startServer({ dataDir: join(folder, 'data') });
  });

  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows how to get a token', async () => {
    const text = `${example('token', 'sh')}\necho $TOKEN`;
    const env = { ...process.env, OMENDB_DATA_DIR: join(folder, 'data') };
    const { stdout } = await run('bash', ['-c', text], { cwd: ROOT, env });
    const headers = { authorization: `Bearer ${stdout.trim()}` };
    expect((await fetch(`${server.url}/v1/collections`, { headers })).status).to.equal(200);
  });

  it('shows curl lines that create, fill and search a collection', async () => {
    const lines = example('curl', 'sh').split(/\n\n+/);
    const answers: Record<string, unknown>[] = [];
    for (const line of lines) {
      const { stdout } = await run('bash', ['-c', line], { env: { ...process.env, TOKEN: server.token } });
      answers.push(JSON.parse(stdout) as Record<string, unknown>);
    }
    const [created, upserted, queried, health] = answers;
    expect(created).to.have.nested.property('collection.name', 'fruit');
    expect(upserted).to.include({ inserted: 3, updated: 0 });
    const hits = queried?.['hits'] as { readonly id: string; readonly attributes: unknown }[];
    expect(hits.map((hit) => hit.id)).to.deep.equal(['apple', 'pear']);
    expect(hits[0]?.attributes).to.deep.equal({ grams: 180 });
    expect(queried).to.have.property('performance');
    expect(health).to.include({ status: 'ok' });
  });

  it('shows how to read what is fresh, what was, and what was kept', async () => {
    const env = { ...process.env, TOKEN: server.token };
    const { stdout } = await run('bash', ['-c', example('past', 'sh')], { env });
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(answers.map(({ count }) => count)).to.deep.equal([3, undefined, undefined, 1, 3, 3, undefined, 3]);
    expect(answers[1]).to.have.nested.property('snapshot.name', 'harvest');
    expect(answers[2]).to.include({ deleted: 2 });
    expect(answers[6]).to.have.nested.property('collection.name', 'orchard');
  });

  it('shows a client program of about 20 lines that works', async () => {
    const text = example('client', 'js');
    expect(text.trim().split('\n').length).to.be.at.most(22);
    const program = join(folder, 'hello.mjs');
    writeFileSync(program, text);
    const { stdout } = await run(process.execPath, [program], {
      env: { ...process.env, TOKEN: server.token },
    });
    const lines = stdout.trim().split('\n');
    expect(lines[0]).to.match(/^orange \d/);
    expect(lines[1]).to.match(/^red \d/);
    expect(lines[2]).to.equal('3 colours');
  });

  it('says what npm start prints: the addresses and a token', () => {
    expect(server.token).to.not.equal('');
    expect(server.output()).to.include(String(server.ports.http)).and.to.include(String(server.ports.grpc));
  });

  function example(name: string, language: string): string {
    const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const block = new RegExp(`<!-- tested: ${name} -->\\s*\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(
      text,
    )?.[1];
    if (block === undefined) throw new Error(`README.md has no example "${name}"`);
    return block.replaceAll('127.0.0.1:8080', `127.0.0.1:${server.ports.http}`);
  }
});
