// Says what in the protos would break clients of the committed image. `node scripts/check-breaking.mjs
// [image]` looks at an image made elsewhere in place of the protos as they are.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), 'omendb-breaking-'));
try {
  const image = process.argv[2] ?? join(scratch, 'image.binpb');
  if (process.argv[2] === undefined) buf('build', '--exclude-source-info', '-o', image);
  // An image knows no buf.yaml, so the category is given here.
  const config = '{"version":"v2","breaking":{"use":["FILE"]}}';
  buf('breaking', image, '--against', join(root, 'proto/image.binpb'), '--config', config);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function buf(...args) {
  if (process.exitCode) return;
  const script = join(root, 'node_modules/@bufbuild/buf/bin/buf');
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
