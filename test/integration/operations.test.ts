// Runs what docs/operations shows for a server on one machine, as it is printed there; only ports, folders
// and names that stand for something are replaced.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ExamplesToRun } from '../support/operations-pages.js';
import type { Substitutions } from '../support/operations-pages.js';
import type { ServerProcess } from '../support/server-process.js';
import { startServer } from '../support/server-process.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const run = promisify(execFile);
const RECORDS = [
  { id: 'apple', vector: [1, 0, 0] },
  { id: 'pear', vector: [0.9, 0.1, 0] },
  { id: 'melon', vector: [0, 1, 0] },
];

describe('The pages of operations, beside a local server', function () {
  this.timeout(60_000);
  const pages = new ExamplesToRun('local');
  let folder: string;
  let server: ServerProcess;
  let token = '';
  let good = '';
  let api = '';

  const data = (): string => join(folder, 'data');
  const start = async (): Promise<void> => {
    server = await startServer({ dataDir: data() });
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-operations-'));
    await start();
    token = (await shell('omendb token --tenant demo')).trim();
    await ask('', { name: 'fruit', dimensions: 3, metric: 'cosine' });
    await ask('/fruit/records:upsert', { records: RECORDS });
  });

  after(async () => {
    await server?.kill();
    rmSync(folder, { recursive: true, force: true });
    expect(pages.left(), 'blocks that nobody ran').to.deep.equal([]);
  });

  it('show in an answer where the time of a query went', async () => {
    const text = pages.take('troubleshoot', 'slow-query', { COLLECTION: 'fruit' });
    const shown = JSON.parse(await shell(text)) as Record<string, unknown>;
    expect(shown).to.include.keys('serverMs', 'queueMs', 'engineMs', 'tier', 'objectStoreGets', 'candidates');
  });

  it('show what a query can be asked for', async () => {
    const lines = await shell(pages.take('tune', 'query-tuning', { COLLECTION: 'fruit' }));
    const [byDefault, lower, exact] = lines.trim().split('\n');
    for (const line of [byDefault, lower]) expect(line).to.match(/^3 compared, exact \w+, [\d.]+ ms$/);
    expect(exact).to.match(/^3 compared, exact true, /);
  });

  it('show why a write is refused', async () => {
    const text = pages.take('troubleshoot', 'refused', { COLLECTION: 'fruit' });
    const reader = (await shell('omendb token --tenant demo --scope records.read')).trim();
    const refused = await shell(text, { TOKEN: reader });
    expect(refused).to.match(/^SCOPE_MISSING: this needs the scope "records.write"/);
    expect(refused).to.match(/^omendb_errors_total\{.*type="permission_denied".*\} 1$/m);
    expect(await shell(text.replace('"id":"a"', '"id":"apple"'))).to.match(/^accepted\n/);
  });

  it('go back in time after wrong writes', async () => {
    good = await moment();
    await ask('/fruit/records:delete', { ids: ['apple', 'pear'] });
    const past = pages.take('recover', 'past');
    api = past.split('\n')[0] ?? '';
    expect(counts(await shell(past))).to.deep.equal([1, 3]);
    expect(counts(await shell(`${api}\n${pages.take('recover', 'keep')}`))).to.deep.equal([undefined, 3]);
  });

  it('rehearse a backup, whole and checked', async () => {
    const shown = await shell(pages.take('back-up', 'rehearsal', vault()));
    expect(shown).to.match(/2 collections, \d+ objects/);
    const newest = await shell(pages.take('multi-region', 'newest', vault()));
    expect(newest).to.match(/2 collections/);
  });

  it('restore the moment before beside the present, and a collection that was deleted', async () => {
    await ask('/fruit-before', undefined, 'DELETE');
    await server.stop();
    await shell(pages.take('recover', 'beside', vault()));
    await shell(pages.take('recover', 'restore-one', { ...vault(), 'demo/fruit': 'demo/fruit-before' }));
    await start();
    expect(await ask('/fruit-restored/records:count', {})).to.include({ count: 3 });
    expect(await ask('/fruit-before/records:count', {})).to.include({ count: 3 });
  });

  it('put the past in the place of the present', async () => {
    const shown = await shell(`${api}\n${pages.take('recover', 'put-back')}`);
    expect(counts(shown)).to.deep.equal([undefined, undefined, 3]);
  });

  it('make credentials that can do little, and end them', async () => {
    const [short, key, , row = ''] = (await shell(pages.take('security', 'keys'))).trim().split('\n');
    expect(short).to.match(/^eyJ/);
    expect(key).to.match(/^omen_live_/);
    expect(row).to.match(/\tactive\t.*\trecords\.read\t\*\tsearch page$/);
    const [id = ''] = row.split('\t');
    await shell(pages.take('security', 'disable', { ID: id }));
    expect(await shell('omendb key list --tenant acme')).to.match(/disabled/);
  });

  it('put load on it, and judge what came of it', async () => {
    const text = pages.take('load-test', 'load', { '--p99-ms 250': '--p99-ms 5000' });
    const shown = await load(text);
    expect(shown).to.match(/^2000 records after \d+ ms$/m);
    expect(shown).to.match(/^asked 500 at [\d.]+\/s, failed 0$/m);
    expect(shown).to.match(/^p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms, p100 [\d.]+ ms$/m);
    expect(shown).to.match(/^PASSED$/m);
    const strict = text.replace('--p99-ms 5000', '--p99-ms 0').replace('--seconds 5', '--seconds 1');
    expect(await load(strict)).to.match(/^FAILED: P99 is above 0 ms$/m);
    const { collections } = (await ask('', undefined, 'GET')) as { collections: { name: string }[] };
    expect(collections.map(({ name }) => name)).to.not.include('load-test');
  });

  /** What a load test says; asked again when it says that this machine was too busy to send as fast. */
  async function load(text: string): Promise<string> {
    for (let attempts = 1; ; attempts++) {
      const shown = await shell(text).catch((error: { readonly stdout: string }) => error.stdout);
      if (!/only [\d.]+ a second were sent/.test(shown) || attempts === 5) return shown;
    }
  }

  const vault = (): Substitutions => ({ 'file:///tmp/vault': `file://${join(folder, 'vault')}` });

  /** Runs lines as a reader would, in the folder of the project. */
  async function shell(text: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { http, ops } = server.ports;
    const here = text
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${http}`)
      .replaceAll('127.0.0.1:8081', `127.0.0.1:${ops}`);
    const omendb = `omendb() { node server/dist/main.js "$@"; }`;
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', `${omendb}\n${here}`], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, TOKEN: token, GOOD: good, OMENDB_DATA_DIR: data(), ...env },
    });
    return stdout;
  }

  async function ask(path: string, body: object | undefined, method = 'POST'): Promise<object> {
    const response = await fetch(`${server.url}/v1/collections${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as object;
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer;
  }
});

/** A time that lies between what was before and what comes. */
async function moment(): Promise<string> {
  const tick = async (): Promise<string> => {
    const before = new Date().toISOString();
    while (new Date().toISOString() === before) await new Promise((resolve) => setImmediate(resolve));
    return new Date().toISOString();
  };
  const time = await tick();
  await tick();
  return time;
}

/** The count in each line, undefined where there is none. */
function counts(text: string): (number | undefined)[] {
  return text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { readonly count?: number }).count);
}
