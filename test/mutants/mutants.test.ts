import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { MUTANTS } from './mutants.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const STEPS = 120;

describe('Planted bugs', function () {
  this.timeout(300_000);
  let copy: string;

  before(() => {
    copy = mkdtempSync(join(tmpdir(), 'omendb-mutants-'));
    for (const path of ['package.json', 'server/package.json', 'server/dist', 'test/dist']) {
      cpSync(join(ROOT, path), join(copy, path), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  });

  after(() => rmSync(copy, { recursive: true, force: true }));

  it('are told from a server without them', async () => {
    expect(await simulate(copy, [1, 2])).to.deep.equal({ code: 0, printed: '' });
  });

  for (const { name, file, find, replace, seeds } of MUTANTS) {
    it(`are caught by at least two seeds: ${name}`, async () => {
      const path = join(copy, 'server/dist', file);
      const original = readFileSync(path, 'utf8');
      expect(original.split(find).length, `places of the bug in ${file}`).to.equal(2);
      writeFileSync(path, original.replace(find, replace));
      try {
        for (const seed of seeds)
          expect(await simulate(copy, [seed]), `seed ${seed}`).to.include({ code: 1 });
      } finally {
        writeFileSync(path, original);
      }
    });
  }
});

function simulate(root: string, seeds: readonly number[]): Promise<{ code: number | null; printed: string }> {
  const script = join(root, 'test/dist/simulation/run.js');
  const child = spawn(process.execPath, [script, String(STEPS), ...seeds.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // A bug may also show as a history that never ends.
  const timer = setTimeout(() => child.kill(), 60_000);
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, printed });
    });
  });
}
