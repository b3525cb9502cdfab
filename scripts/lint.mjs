// `npm run lint [-- NAME…]`: every check that reads the tree and runs nothing of it. Prints one line per tool
// with its time, and the output of those that fail. Two tools run at a time: most of them use one core.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, capture, ensureInstalled, seconds } from './steps.mjs';

const node = (script, ...args) => [process.execPath, [join(ROOT, script), ...args]];
const modules = (script, ...args) => node(`node_modules/${script}`, ...args);

/** `after`: tools whose result this one reads. */
const TOOLS = [
  { name: 'types', run: node('scripts/build.mjs') },
  { name: 'eslint', run: modules('eslint/bin/eslint.js', '--max-warnings', '0', '.'), after: 'types' },
  {
    name: 'layers',
    run: modules(
      'dependency-cruiser/bin/dependency-cruise.mjs',
      ...['--output-type', 'err-long', '--config', '.dependency-cruiser.cjs'],
      ...['server/src', 'sdk/src', 'bench', 'proto/codegen', 'dashboards/src'].filter((folder) =>
        existsSync(join(ROOT, folder)),
      ),
    ),
  },
  { name: 'format', run: modules('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.') },
  { name: 'protos', run: modules('@bufbuild/buf/bin/buf', 'lint') },
  { name: 'generated', run: node('scripts/check-generated.mjs'), after: 'types' },
  {
    name: 'tidy',
    run: modules(
      'mocha/bin/mocha.js',
      '--timeout',
      '60000',
      ...[
        '--no-config',
        '--forbid-only',
        '--reporter',
        'dot',
        '--ignore',
        'test/dist/tidy/lint-catches.test.js',
      ],
      'test/dist/tidy/**/*.test.js',
    ),
    after: 'types',
  },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !TOOLS.some((tool) => tool.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `no such check: ${unknown.join(', ')}; there are ${TOOLS.map((tool) => tool.name).join(', ')}\n`,
  );
  process.exit(2);
}

await ensureInstalled();
const waiting = wanted.length === 0 ? [...TOOLS] : TOOLS.filter((tool) => wanted.includes(tool.name));
const unfinished = new Set(waiting.map((tool) => tool.name));
const count = { passed: 0, failed: 0 };
let wake = () => {};
await Promise.all([worker(), worker()]);
process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
process.exitCode = count.failed === 0 ? 0 : 1;

async function worker() {
  while (waiting.length > 0) {
    const next = waiting.findIndex((tool) => !unfinished.has(tool.after));
    if (next < 0) {
      await new Promise((resolve) => {
        wake = resolve;
      });
      continue;
    }
    const [tool] = waiting.splice(next, 1);
    await check(tool);
    unfinished.delete(tool.name);
    wake();
  }
}

async function check({ name, run: [command, args] }) {
  const started = performance.now();
  const { code, output } = await capture(command, args);
  count[code === 0 ? 'passed' : 'failed'] += 1;
  process.stdout.write(
    `lint ${name.padEnd(10)} ${seconds(started).padStart(7)}  ${code === 0 ? 'passed' : 'FAILED'}\n`,
  );
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n`);
}
