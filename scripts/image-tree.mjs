// Lays out what is in the image, below a folder: `node scripts/image-tree.mjs FOLDER` makes FOLDER/app with
// the built server and the packages that it needs to run. The Dockerfile does the same with it, so that what
// tests run without Docker is what users run with it.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  rmdirSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ROOT, prepare, step } from './steps.mjs';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node scripts/image-tree.mjs FOLDER\n');
  process.exit(2);
}
const app = join(resolve(folder), 'app');

await prepare({ build: ['server'] });
rmSync(app, { recursive: true, force: true });
mkdirSync(app, { recursive: true });
cpSync(join(ROOT, 'server/dist'), join(app, 'dist'), { recursive: true });
copyFileSync(join(ROOT, 'server/package.json'), join(app, 'package.json'));
for (const file of ['LICENSE', 'NOTICE']) copyFileSync(join(ROOT, file), join(app, file));
// It is the program `omendb`.
chmodSync(join(app, 'dist/main.js'), 0o755);
await installModules();
prune(app);

/**
 * What the server needs to run, in the versions of the lock file. No package of it is compiled for a
 * platform.
 */
async function installModules() {
  const scratch = mkdtempSync(join(tmpdir(), 'omendb-image-'));
  try {
    for (const path of ['package.json', 'package-lock.json', 'server/package.json', 'sdk/package.json']) {
      mkdirSync(join(scratch, path, '..'), { recursive: true });
      copyFileSync(join(ROOT, path), join(scratch, path));
    }
    const omit = ['--omit', 'dev', '--workspace', 'server', '--ignore-scripts', '--no-audit', '--no-fund'];
    await step('installing what the server needs', 'npm', ['--prefix', scratch, 'ci', ...omit]);
    if (existsSync(join(scratch, 'server/node_modules'))) {
      throw new Error('packages of the server are not where the image looks for them: server/node_modules');
    }
    cpSync(join(scratch, 'node_modules'), join(app, 'node_modules'), { recursive: true, dereference: false });
    // Links to the workspaces themselves.
    rmSync(join(app, 'node_modules/@omendb'), { recursive: true, force: true });
    rmSync(join(app, 'node_modules/.bin'), { recursive: true, force: true });
    rmSync(join(app, 'node_modules/.package-lock.json'), { force: true });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Takes away what no program reads: types, maps, pages. Licences stay. */
function prune(top) {
  for (const entry of readdirSync(top, { withFileTypes: true })) {
    const path = join(top, entry.name);
    if (entry.isDirectory()) prune(path);
    else if (/\.(map|tsbuildinfo|md|markdown)$|\.[cm]?ts$/.test(entry.name)) rmSync(path);
  }
  if (readdirSync(top).length === 0) rmdirSync(top);
}
