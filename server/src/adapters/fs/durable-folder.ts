/*
 * Names that survive a power cut. A file's bytes are durable after fsync of the file, its name only after
 * fsync of the folder, and the folder's own name only after fsync of its parent.
 */
import { dirname } from 'node:path';
import type { FileSystem } from './file-system.js';
import { codeOf } from './file-system.js';

interface Flush {
  readonly running: Promise<void>;
  /** Begins when `running` has ended; shared by all who asked meanwhile. */
  next: Promise<void> | null;
}

export class DurableFolders {
  readonly #flushes = new Map<string, Flush>();
  /** Folders whose own name is durable. */
  readonly #known = new Set<string>();

  /** @param top Folder that exists; nothing above it is touched. */
  constructor(
    private readonly files: FileSystem,
    private readonly top: string,
  ) {}

  /**
   * Makes all names in a folder durable that were there when it was called. Calls that come together share
   * one fsync.
   */
  sync(path: string): Promise<void> {
    const flush = this.#flushes.get(path);
    if (flush === undefined) return this.#start(path);
    // The one under way may have begun before the caller's name was there.
    flush.next ??= flush.running.then(
      () => this.#start(path),
      () => this.#start(path),
    );
    return flush.next;
  }

  /** Creates a folder and those above it, durably. */
  async create(path: string): Promise<void> {
    if (path === this.top || this.#known.has(path)) return;
    const parent = dirname(path);
    await this.create(parent);
    try {
      await this.files.mkdir(path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    // Also when it was there: whoever made it may have died before it was durable.
    await this.sync(parent);
    this.#known.add(path);
  }

  /** A folder may be gone. */
  forget(path: string): void {
    for (let at = path; at.length > this.top.length; at = dirname(at)) this.#known.delete(at);
  }

  #start(path: string): Promise<void> {
    const running = this.#fsync(path);
    const flush: Flush = { running, next: null };
    this.#flushes.set(path, flush);
    const end = (): void => {
      if (this.#flushes.get(path) === flush && flush.next === null) this.#flushes.delete(path);
    };
    running.then(end, end);
    return running;
  }

  async #fsync(path: string): Promise<void> {
    const handle = await this.files.open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
