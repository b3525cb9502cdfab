import { OmenError } from '../../core/errors.js';
import { codeOf } from './file-system.js';

/** What a system error means for the person who runs the server. */
const ADVICE: Readonly<Record<string, string>> = {
  EROFS: 'the file system is read-only: mount it writable',
  EACCES: 'permission denied: give the user of this process the right to read and write the folder',
  EPERM: 'not permitted: give the user of this process the right to read and write the folder',
  EIO: 'the disk reports an input/output error: check the disk',
  EMFILE: 'this process has too many open files: raise its limit (ulimit -n)',
  ENFILE: 'the system has too many open files: raise its limit',
  ENOENT: 'a folder of the data folder is gone: nothing but this server may change it',
  ESTALE: 'the network file system lost the file: check the mount',
};

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file is larger than the file system or the limit of this process allows',
};

export interface FailedCall {
  /** What was tried, such as `write object`. */
  readonly action: string;
  readonly path: string;
  /** True when nothing can have become visible: then a full disk is a definite answer. */
  readonly nothingWritten: boolean;
}

/** A system error as the port's contract has it. Errors that are none are passed through. */
export function storageError(error: unknown, { action, path, nothingWritten }: FailedCall): unknown {
  const code = codeOf(error);
  if (code === null || error instanceof OmenError) return error;
  const full = FULL[code];
  if (full !== undefined && nothingWritten) {
    return new OmenError('STORAGE_FULL', `cannot ${action} in ${path}: ${full}`, {
      metadata: { code },
      retryAfterMs: 5000,
      cause: error,
    });
  }
  const advice = full ?? ADVICE[code] ?? (error as Error).message;
  return new OmenError('STORAGE_UNAVAILABLE', `cannot ${action} in ${path}: ${advice} (${code})`, {
    metadata: { code },
    retryAfterMs: 1000,
    cause: error,
  });
}
