// A copy of the built server and simulation in which bugs can be planted.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutants.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Run {
  readonly code: number;
  readonly printed: string;
}

export class Copy {
  readonly #root: string;

  constructor() {
    this.#root = mkdtempSync(join(tmpdir(), 'omendb-mutants-'));
    for (const path of ['package.json', 'server/package.json', 'server/dist', 'test/dist']) {
      cpSync(join(ROOT, path), join(this.#root, path), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(this.#root, 'node_modules'));
  }

  /** Runs `task` while the bug is there. Throws unless there is exactly one place for it. */
  async with<T>({ file, find, replace }: Mutant, task: () => Promise<T>): Promise<T> {
    const path = join(this.#root, 'server/dist', file);
    const original = readFileSync(path, 'utf8');
    const places = original.split(find).length - 1;
    if (places !== 1) throw new Error(`${file} has ${places} places for the bug instead of 1`);
    writeFileSync(
      path,
      original.replace(find, () => replace),
    );
    try {
      return await task();
    } finally {
      writeFileSync(path, original);
    }
  }

  /** Runs the simulation with these arguments. A world that never ends counts as broken. */
  simulate(args: readonly string[], limitMs: number): Promise<Run> {
    const script = join(this.#root, 'test/dist/simulation/run.js');
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    return new Promise((resolve) => {
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve({ code: code ?? 1, printed: code === null ? `${printed}seed: never ends` : printed });
      });
    });
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}
