// Generates everything that follows from the protos. `node scripts/generate.mjs [folder]` writes below
// `folder` instead of the repository.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = resolve(process.argv[2] ?? root);
const scratch = mkdtempSync(join(tmpdir(), 'omendb-generate-'));
try {
  const image = join(scratch, 'image.binpb');
  run('typescript-native/bin/tsc', ['-b', 'proto/codegen']);
  run('@bufbuild/buf/bin/buf', ['build', '-o', image]);
  node(join(root, 'proto/codegen/dist/main.js'), [image, join(root, 'proto/codegen'), target]);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function run(script, args) {
  node(join(root, 'node_modules', script), args);
}

function node(script, args) {
  const result = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) process.exit(result.status ?? 1);
}
