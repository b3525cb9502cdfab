import { readFileSync } from 'node:fs';
import type { Scheduler } from '../ports/scheduler.js';

const REREAD_MS = 10_000;

export interface FollowedFile {
  readonly path: string;
  readonly scheduler: Scheduler;
  /** Called once for each way in which the file cannot be read; what was in it stays in use. */
  readonly unreadable: (error: unknown) => void;
}

/**
 * Calls `onChange` with the text of a file within ten seconds after it has become another one. The file is
 * read and not watched: in Kubernetes its path leads over a link that is put in the place of another one.
 * Throws when the file cannot be read now. Returns how to stop.
 */
export function followFile(
  { path, scheduler, unreadable }: FollowedFile,
  onChange: (text: string) => void,
): () => void {
  let last = readFileSync(path, 'utf8');
  let complaint = '';
  let cancel = (): void => undefined;
  const look = (): void => {
    cancel = scheduler.after(REREAD_MS, look);
    try {
      const text = readFileSync(path, 'utf8');
      complaint = '';
      if (text === last) return;
      last = text;
      onChange(text);
    } catch (error) {
      const { message } = error as Error;
      if (message !== complaint) unreadable(error);
      complaint = message;
    }
  };
  cancel = scheduler.after(REREAD_MS, look);
  return () => {
    cancel();
  };
}
