// The repository as a list of texts, for the tests that check its own rules.
import { readFileSync, readdirSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.cache', 'results']);
const TEXT = new Set([
  ...['.ts', '.js', '.mjs', '.cjs', '.json', '.md', '.proto', '.yaml', '.yml', '.sh', '.css', '.html'],
  ...['.tpl', '.txt', ''],
]);

export interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

let cache: readonly SourceFile[] | undefined;

/** Every text file of the repository that a person writes or a generator commits. */
function allFiles(): readonly SourceFile[] {
  cache ??= [...walk(ROOT)].sort().map((full) => {
    const text = readFileSync(full, 'utf8');
    return { path: relative(ROOT, full).split(sep).join('/'), text, lines: text.split('\n') };
  });
  return cache;
}

/** What people write: without generated, vendored and lock files and without the licence. */
export function writtenFiles(): readonly SourceFile[] {
  return allFiles().filter(({ path, lines }) => {
    if (/(^|\/)(gen|third_party)\/|^(LICENSE|package-lock\.json)$/.test(path)) return false;
    return !/@generated|Code generated|DO NOT EDIT/.test(lines.slice(0, 3).join('\n'));
  });
}

export function fileAt(path: string): SourceFile {
  const found = allFiles().find((file) => file.path === path);
  if (found === undefined) throw new Error(`${path} is missing`);
  return found;
}

/** Every line of the files that matches, as `path:line: text`. */
export function linesMatching(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const full = join(folder, entry.name);
    if (NOT_OURS.has(entry.name) || entry.name.endsWith('.log') || full === join(ROOT, 'data')) continue;
    if (entry.isDirectory()) yield* walk(full);
    else if (entry.isFile() && TEXT.has(extname(entry.name))) yield full;
  }
}

/** Fails with one problem a line; chai would cut the list. */
export function expectNone(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(`${problems.length} found:\n  ${problems.join('\n  ')}`);
}
