// Builds what changed: the WASM kernels (AssemblyScript) and the TypeScript projects.
// `node scripts/build.mjs [kernels | types | PROJECT…]` builds one part; a project (`server`, `test`, …)
// builds what it refers to as well.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, withLock } from './steps.mjs';

const parts = process.argv.slice(2);
const projects = parts.filter((part) => part !== 'kernels' && part !== 'types');

process.exitCode = process.env.BUILD_LOCK_HELD === undefined ? await withLock(build) : build();

function build() {
  const kernels = parts.includes('types') ? 0 : buildKernels();
  if (kernels !== 0 || parts.includes('kernels')) return kernels;
  return run('typescript-native/bin/tsc', ['-b', ...(projects.length > 0 ? projects : ['tsconfig.json'])]);
}

/**
 * One source, two binaries: `relaxed` uses the relaxed-SIMD dot product, `plain` computes the same integers
 * without it.
 */
function buildKernels() {
  const source = join(ROOT, 'server/kernels');
  const out = join(ROOT, 'server/dist/kernels');
  if (!existsSync(join(source, 'index.ts'))) return 0;
  mkdirSync(out, { recursive: true });
  for (const variant of ['relaxed', 'plain']) {
    const binary = join(out, `${variant}.wasm`);
    if (existsSync(binary) && statSync(binary).mtimeMs > newest(source)) continue;
    // Written beside and renamed, so that an interrupted build leaves no half of a file that looks new.
    const code = run('assemblyscript/bin/asc.js', [
      join(source, 'index.ts'),
      ...[
        '-o',
        `${binary}.part`,
        '-O3',
        '--noAssert',
        '--runtime',
        'stub',
        '--importMemory',
        '--sharedMemory',
      ],
      ...['--initialMemory', '1', '--maximumMemory', '65536'],
      ...['--enable', variant === 'relaxed' ? 'simd,relaxed-simd,threads' : 'simd,threads'],
      ...['--use', `RELAXED=${variant === 'relaxed' ? 1 : 0}`],
    ]);
    if (code !== 0) return code;
    renameSync(`${binary}.part`, binary);
  }
  return 0;
}

function newest(folder) {
  return Math.max(...readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs));
}

function run(script, args) {
  const result = spawnSync(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  return result.status ?? 1;
}
