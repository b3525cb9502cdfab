// Generates everything that follows from the protos, the metric catalogue and the alerts' values. `node
// scripts/generate.mjs [folder]` writes below `folder` instead of the repository. A change that breaks
// clients of the committed image is refused; `--allow-breaking` makes it the new truth.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const allowBreaking = process.argv.includes('--allow-breaking');
const target = resolve(process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? root);
const committed = join(root, 'proto/image.binpb');
const scratch = mkdtempSync(join(tmpdir(), 'omendb-generate-'));
try {
  const withComments = join(scratch, 'comments.binpb');
  const bare = join(scratch, 'bare.binpb');
  run('typescript-native/bin/tsc', ['-b', 'proto/codegen']);
  run('@bufbuild/buf/bin/buf', ['build', '-o', withComments]);
  run('@bufbuild/buf/bin/buf', ['build', '--exclude-source-info', '-o', bare]);
  if (!allowBreaking && existsSync(committed)) node(join(root, 'scripts/check-breaking.mjs'), [bare]);
  node(join(root, 'proto/codegen/dist/main.js'), [withComments, join(root, 'proto/codegen'), target]);
  mkdirSync(join(target, 'proto'), { recursive: true });
  copyFileSync(bare, join(target, 'proto/image.binpb'));
  run('typescript-native/bin/tsc', ['-b', 'dashboards']);
  for (const script of [
    'dashboards/dist/main.js',
    'scripts/alerts.mjs',
    'scripts/metrics-reference.mjs',
    'scripts/chart.mjs',
  ]) {
    node(join(root, script), [target]);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function run(script, args) {
  node(join(root, 'node_modules', script), args);
}

function node(script, args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  if (status === 0) return;
  rmSync(scratch, { recursive: true, force: true });
  process.exit(status ?? 1);
}
