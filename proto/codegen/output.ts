/* Generated files: header, formatting, writing. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as prettier from 'prettier';

/** A file to write, its path relative to the folder it belongs to. */
export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
}

const HEADER =
  '// Generated from proto/ by `npm run generate`. Do not edit: a test compares it with a fresh run.\n';

/** The bytes as they are committed: header and formatting for TypeScript, unchanged for anything else. */
export async function finish(file: GeneratedFile): Promise<GeneratedFile> {
  if (!file.path.endsWith('.ts')) return file;
  const content = await prettier.format(HEADER + file.content, {
    parser: 'typescript',
    printWidth: 110,
    singleQuote: true,
  });
  return { path: file.path, content };
}

/** Replaces everything in `folder` by `files`. */
export function replaceFolder(folder: string, files: readonly GeneratedFile[]): void {
  rmSync(folder, { recursive: true, force: true });
  for (const file of files) writeFile(folder, file);
}

export function writeFile(folder: string, file: GeneratedFile): void {
  const path = join(folder, file.path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, file.content);
}
