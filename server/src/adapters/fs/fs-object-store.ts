import { join, dirname } from 'node:path';
import type {
  GetOptions,
  GetOutcome,
  ListedObject,
  ObjectStore,
  PutOutcome,
  SwapOutcome,
} from '../../ports/object-store.js';
import { DurableFolders } from './durable-folder.js';
import type { FileSystem } from './file-system.js';
import { codeOf, nodeFileSystem } from './file-system.js';
import { storageError } from './fs-error.js';
import { pathOfKey, SWAPPED } from './key-path.js';
import { listKeys } from './list-keys.js';
import { readObject, readTrailerOf } from './read-object.js';
import { encodeTrailer, TRAILER_BYTES } from './stored-file.js';

/** The newest generation of an object that is swapped. */
interface Generation {
  readonly number: number;
  readonly etag: string;
}

/**
 * Generations that stay: a reader may still have the last but one open, and a name that exists cannot be
 * claimed again.
 */
const GENERATIONS_KEPT = 2;
const GENERATIONS_CACHED = 20_000;
/** Empty file that says that the last process ended in order. */
const CLEAN = 'clean';

/**
 * An object store in a folder of a local file system. The caller holds the folder's lock (`openDataFolder`),
 * so this process alone writes it.
 *
 * An object is written to a temporary file, made durable, given its name by `link`, which fails if the name
 * is taken, and the name is made durable by fsync of the folder: nobody sees half an object, and an answer
 * means that a power cut does no harm. An object that is swapped is a folder with one file per generation; a
 * swap claims the next number by `link`. A file ends with the nonce of its writer, which is also its etag.
 */
export class FsObjectStore implements ObjectStore {
  readonly #objects: string;
  readonly #temporary: string;
  readonly #folders: DurableFolders;
  readonly #generations = new Map<string, Generation>();
  /** Writers of one key take turns. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Swapped objects whose newest name may not be durable: a swap failed half-way. */
  readonly #suspects = new Set<string>();
  readonly #background = new Set<Promise<unknown>>();
  #temporaryFiles = 0;
  /** The process before this one died: any name it left may not be durable. */
  #unclean = true;
  /** Opened by the process that holds the folder's lock. */
  #owner = false;

  private constructor(
    private readonly root: string,
    private readonly files: FileSystem,
  ) {
    this.#objects = join(root, 'objects');
    this.#temporary = join(root, 'tmp');
    this.#folders = new DurableFolders(files, root);
  }

  /** Opens the store in a folder that exists, and removes what unfinished writes left behind. */
  static async open(root: string, files: FileSystem = nodeFileSystem): Promise<FsObjectStore> {
    const store = new FsObjectStore(root, files);
    try {
      await store.#folders.create(store.#objects);
      await store.#folders.create(store.#temporary);
      for (const name of await files.readdir(store.#temporary))
        await store.#unlink(join(store.#temporary, name));
      store.#owner = true;
      store.#unclean = !(await store.#unlink(join(root, CLEAN)));
      await store.#folders.sync(root);
    } catch (error) {
      throw storageError(error, { action: 'prepare the data folder', path: root, nothingWritten: true });
    }
    return store;
  }

  /**
   * Opens the store of a folder that another process may have locked, or returns null when there is none.
   * Only for `get` and `list`, and for `putIfAbsent` and `delete` of keys that are never swapped: these are
   * safe between processes.
   */
  static async beside(root: string, files: FileSystem = nodeFileSystem): Promise<FsObjectStore | null> {
    const store = new FsObjectStore(root, files);
    try {
      // What unfinished writes left behind stays: the other process may be at it.
      await files.readdir(store.#objects);
      return store;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw storageError(error, { action: 'open the data folder', path: root, nothingWritten: true });
    }
  }

  putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
    const path = this.#path(key);
    return this.#inTurn(key, async () => {
      if ((await this.#newest(key)) !== null) return { kind: 'exists' };
      const claimed = await this.#publish(path, body, nonce);
      if (claimed || (await this.#isOurs(path, nonce))) return { kind: 'created', etag: nonce };
      return { kind: 'exists' };
    });
  }

  compareAndSwap(key: string, body: Uint8Array, etag: string | null, nonce: string): Promise<SwapOutcome> {
    const path = this.#path(key);
    return this.#inTurn(key, async () => {
      const newest = (await this.#newest(key)) ?? (await this.#plain(path));
      if (newest?.etag === nonce) return { kind: 'swapped', etag: nonce };
      if ((newest?.etag ?? null) !== etag) return { kind: 'conflict' };
      const next = { number: (newest?.number ?? 0) + 1, etag: nonce };
      // Whatever happens from here on, the cache must not say that the old generation is the newest.
      this.#generations.delete(key);
      this.#suspects.add(key);
      if (!(await this.#publish(generationPath(path, next.number), body, nonce))) {
        const winner = await this.#newest(key);
        return winner?.etag === nonce ? { kind: 'swapped', etag: nonce } : { kind: 'conflict' };
      }
      this.#remember(key, next);
      this.#later(this.#removeOld(path, next.number));
      return { kind: 'swapped', etag: nonce };
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<GetOutcome> {
    const path = this.#path(key);
    const cached = this.#generations.get(key);
    if (cached !== undefined && cached.etag === options.ifNoneMatch) return { kind: 'unchanged' };
    // What a writer has named and not yet made durable must not be seen: a reader may act on it for good.
    await this.#turns.get(key)?.catch(() => undefined);
    for (;;) {
      const newest = await this.#newest(key);
      const file = newest === null ? path : generationPath(path, newest.number);
      const outcome = await readObject(this.files, file, options);
      // A generation that is gone was replaced meanwhile, at least twice, or removed.
      if (outcome.kind !== 'absent' || newest === null) return outcome;
      if (this.#generations.get(key) === newest) this.#generations.delete(key);
    }
  }

  async list(prefix: string, startAfter = ''): Promise<readonly ListedObject[]> {
    const call = { action: 'list objects', path: this.#objects, nothingWritten: false };
    return this.#guard(call, () => listKeys(this.files, this.#objects, { prefix, startAfter }));
  }

  delete(key: string): Promise<void> {
    const path = this.#path(key);
    return this.#inTurn(key, () =>
      this.#guard({ action: 'remove an object', path, nothingWritten: false }, async () => {
        this.#generations.delete(key);
        await this.#unlink(path);
        const numbers = await this.#numbers(path);
        // Oldest first, so that an older generation is never the newest.
        for (const number of numbers) await this.#unlink(generationPath(path, number));
        // Folders stay for the next object, but what hung on an object that was swapped is gone with it.
        if (numbers.length > 0) await this.#removeEmptyAround(path);
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#turns.values()].map((turn) => turn.catch(() => undefined)));
    await Promise.all(this.#background);
    if (!this.#owner || this.#suspects.size > 0) return;
    try {
      await this.files.writeFile(join(this.root, CLEAN), '');
    } catch {
      // The next start is slower, that is all.
    }
  }

  /** Gives the body a name, durably. False when the name is taken. */
  async #publish(path: string, body: Uint8Array, nonce: string): Promise<boolean> {
    const temporary = join(this.#temporary, `${nonce}-${this.#temporaryFiles++}`);
    const folder = dirname(path);
    try {
      await this.#guard({ action: 'write an object', path, nothingWritten: true }, async () => {
        await this.#write(temporary, body, nonce);
        await this.#folders.create(folder);
      });
      const taken = await this.#guard({ action: 'name an object', path, nothingWritten: true }, () =>
        this.#link(temporary, path),
      );
      if (taken) return false;
      await this.#guard({ action: 'make an object durable', path, nothingWritten: false }, () =>
        this.#folders.sync(folder),
      );
      return true;
    } finally {
      this.#later(this.#unlink(temporary));
    }
  }

  async #write(path: string, body: Uint8Array, nonce: string): Promise<void> {
    const handle = await this.files.open(path, 'wx');
    try {
      const buffers = [body, encodeTrailer({ nonce, size: body.length })];
      const { bytesWritten } = await handle.writev(buffers);
      // A disk that fills up may take a part and fail the next call only.
      let done = bytesWritten;
      while (done < body.length + TRAILER_BYTES) {
        const rest =
          done < body.length ? body.subarray(done) : (buffers[1] ?? body).subarray(done - body.length);
        done += (await handle.write(rest)).bytesWritten;
      }
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }

  /** True when the name is taken. */
  async #link(temporary: string, path: string): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        await this.files.link(temporary, path);
        return false;
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return true;
        if (codeOf(error) !== 'ENOENT' || tries > 2) throw error;
        // A delete has removed the empty folder.
        this.#folders.forget(dirname(path));
        await this.#folders.create(dirname(path));
      }
    }
  }

  /**
   * The name is taken: by an earlier try of the same writer? Then its name is made durable, because that try
   * may have failed there.
   */
  async #isOurs(path: string, nonce: string): Promise<boolean> {
    const present = await this.#plain(path);
    if (present?.etag !== nonce) return false;
    await this.#guard({ action: 'make an object durable', path, nothingWritten: false }, () =>
      this.#folders.sync(dirname(path)),
    );
    return true;
  }

  /** An object that was put and never swapped, as generation 0. */
  async #plain(path: string): Promise<Generation | null> {
    const trailer = await readTrailerOf(this.files, path);
    return trailer === null ? null : { number: 0, etag: trailer.nonce };
  }

  /**
   * The newest generation of a swapped object. One that may not be durable is made so before it is believed.
   */
  async #newest(key: string): Promise<Generation | null> {
    const cached = this.#generations.get(key);
    if (cached !== undefined) return cached;
    const path = this.#path(key);
    const folder = `${path}${SWAPPED}`;
    return this.#guard({ action: 'read an object', path, nothingWritten: false }, async () => {
      for (;;) {
        const number = (await this.#numbers(path)).at(-1);
        if (number === undefined) return null;
        if (this.#unclean || this.#suspects.has(key)) await this.#folders.sync(folder);
        const trailer = await readTrailerOf(this.files, generationPath(path, number));
        if (trailer === null) continue;
        const newest = { number, etag: trailer.nonce };
        // A swap that ran meanwhile knows better.
        return this.#generations.get(key) ?? (this.#remember(key, newest), newest);
      }
    });
  }

  #remember(key: string, generation: Generation): void {
    this.#suspects.delete(key);
    this.#generations.delete(key);
    // Beside another process nothing is known for longer than a moment.
    if (!this.#owner) return;
    this.#generations.set(key, generation);
    if (this.#generations.size <= GENERATIONS_CACHED) return;
    const [oldest] = this.#generations.keys();
    if (oldest !== undefined) this.#generations.delete(oldest);
  }

  /** Numbers of the generations on disk, ascending. */
  async #numbers(path: string): Promise<number[]> {
    try {
      const names = await this.files.readdir(`${path}${SWAPPED}`);
      return names
        .filter((name) => /^\d{12}$/.test(name))
        .map(Number)
        .sort((a, b) => a - b);
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
      throw error;
    }
  }

  async #removeOld(path: string, newest: number): Promise<void> {
    await this.#unlink(path);
    for (const number of await this.#numbers(path)) {
      if (number <= newest - GENERATIONS_KEPT) await this.#unlink(generationPath(path, number));
    }
  }

  /** False when there was nothing to remove. */
  async #unlink(path: string): Promise<boolean> {
    try {
      await this.files.unlink(path);
      return true;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      return false;
    }
  }

  /** Removes the empty folders beside an object that was swapped, its own, and the one they are in. */
  async #removeEmptyAround(path: string): Promise<void> {
    const folder = dirname(path);
    const beside = await this.files.readdir(folder, { withFileTypes: true });
    for (const entry of beside) if (entry.isDirectory()) await this.#removeEmpty(join(folder, entry.name));
    if (folder !== this.#objects) await this.#removeEmpty(folder);
  }

  async #removeEmpty(folder: string): Promise<void> {
    try {
      await this.files.rmdir(folder);
      this.#folders.forget(folder);
    } catch (error) {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY'].includes(codeOf(error) ?? '')) throw error;
    }
  }

  #path(key: string): string {
    return join(this.#objects, pathOfKey(key));
  }

  async #guard<T>(call: Parameters<typeof storageError>[1], run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw storageError(error, call);
    }
  }

  /**
   * Housekeeping that nobody waits for and whose failure does no harm: what it leaves is removed at the next
   * start or swap.
   */
  #later(task: Promise<unknown>): void {
    const quiet = task.catch(() => undefined).finally(() => this.#background.delete(quiet));
    this.#background.add(quiet);
  }

  async #inTurn<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key);
    const run = before === undefined ? task() : before.then(task, task);
    this.#turns.set(key, run);
    try {
      return await run;
    } finally {
      if (this.#turns.get(key) === run) this.#turns.delete(key);
    }
  }
}

function generationPath(path: string, number: number): string {
  return join(`${path}${SWAPPED}`, String(number).padStart(12, '0'));
}
