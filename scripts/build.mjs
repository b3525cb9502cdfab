// Builds everything a clone needs: the WASM kernels (AssemblyScript) and the TypeScript projects.
// `node scripts/build.mjs [kernels|types]` builds one part only.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const only = process.argv[2];

if (only !== 'types') buildKernels();
if (only !== 'kernels') run('typescript-native/bin/tsc', ['-b', 'tsconfig.json']);

/** One source, two binaries: `relaxed` uses the relaxed-SIMD dot product, `plain` computes the same integers without it. */
function buildKernels() {
  const source = join(root, 'server/kernels');
  const out = join(root, 'server/dist/kernels');
  if (!existsSync(join(source, 'index.ts'))) return;
  mkdirSync(out, { recursive: true });
  for (const variant of ['relaxed', 'plain']) {
    const binary = join(out, `${variant}.wasm`);
    if (existsSync(binary) && statSync(binary).mtimeMs > newest(source)) continue;
    run('assemblyscript/bin/asc.js', [
      join(source, 'index.ts'),
      ...['-o', binary, '-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--sharedMemory'],
      ...['--initialMemory', '1', '--maximumMemory', '65536'],
      ...['--enable', variant === 'relaxed' ? 'simd,relaxed-simd,threads' : 'simd,threads'],
      ...['--use', `RELAXED=${variant === 'relaxed' ? 1 : 0}`],
    ]);
  }
}

function newest(folder) {
  return Math.max(...readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs));
}

function run(script, args) {
  const result = spawnSync(process.execPath, [join(root, 'node_modules', script), ...args], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) process.exit(result.status ?? 1);
}
