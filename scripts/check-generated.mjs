// Says which committed generated files differ from what their sources give today. Changes nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT } from './steps.mjs';

const fresh = mkdtempSync(join(tmpdir(), 'omendb-check-'));
try {
  const made = spawnSync(process.execPath, [join(ROOT, 'scripts/generate.mjs'), fresh], { stdio: 'inherit' });
  process.exitCode = made.status === 0 ? compare() : 1;
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

function compare() {
  const expected = new Map(files(fresh).map((file) => [relative(fresh, file), file]));
  const problems = [];
  for (const [path, file] of expected) {
    if (!existsSync(join(ROOT, path))) problems.push(`${path} is missing`);
    else if (!readFileSync(file).equals(readFileSync(join(ROOT, path))))
      problems.push(`${path} differs from its source`);
  }
  const generated = [...expected.keys()].filter((path) => /(^|\/)gen\//.test(path));
  for (const folder of new Set(generated.map((path) => path.replace(/(^|\/)gen\/.*/, '$1gen')))) {
    const present = files(join(ROOT, folder)).map((file) => relative(ROOT, file));
    problems.push(
      ...present.filter((path) => !expected.has(path)).map((path) => `${path} comes from no source`),
    );
  }
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  if (problems.length === 0) return 0;
  process.stdout.write(
    'Generated files are not edited by hand: change what they come from, then run "npm run generate".\n',
  );
  return 1;
}

function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
