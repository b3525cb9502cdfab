// Builds programs that tests run, with Go, outside the tree. Pinned; Go checks the sums of every module.
// Building takes a few minutes, once.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { capture, step } from './steps.mjs';

/**
 * Builds what is missing of `{ name: { module, version, what } }` and returns by name where each is. A
 * program is called as the last part of its module, without a major version.
 */
export async function installGoPrograms(programs) {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'omendb-tests', 'bin');
  mkdirSync(folder, { recursive: true });
  const found = {};
  for (const [name, { module, version, what }] of Object.entries(programs)) {
    found[name] = join(folder, `${name}-${version}`);
    if (!existsSync(found[name])) await build(`${name}, ${what}`, `${module}@${version}`, found[name]);
  }
  return found;
}

async function build(what, module, program) {
  const { code } = await capture('go', ['version']);
  if (code !== 0) {
    process.stderr.write(`Go is needed to build ${what}: install it (go.dev).\n`);
    process.exit(1);
  }
  // Under a name of its own until it is whole.
  const folder = `${program}.${process.pid}`;
  mkdirSync(folder);
  await step(`building ${what}`, 'go', ['install', '-trimpath', module], {
    GOBIN: folder,
    CGO_ENABLED: '0',
  });
  renameSync(join(folder, basename(module.replace(/@.*$/, '').replace(/\/v\d+$/, ''))), program);
  rmSync(folder, { recursive: true });
}
