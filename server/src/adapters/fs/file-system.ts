import * as files from 'node:fs/promises';

/**
 * The calls of `node:fs/promises` that the store makes: a test can stand in for the disk and let any of them
 * fail.
 */
export type FileSystem = Pick<
  typeof files,
  'open' | 'link' | 'unlink' | 'mkdir' | 'readdir' | 'stat' | 'rmdir' | 'writeFile' | 'readFile'
>;

export const nodeFileSystem: FileSystem = files;

/** The code of a system error, such as `ENOENT`, or null for any other error. */
export function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
