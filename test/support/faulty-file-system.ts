import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileSystem } from '#server/adapters/fs/file-system.js';
import { nodeFileSystem } from '#server/adapters/fs/file-system.js';

export type FileCall =
  'open' | 'writev' | 'datasync' | 'link' | 'sync' | 'mkdir' | 'unlink' | 'readdir' | 'read';

type Handle = Awaited<ReturnType<FileSystem['open']>>;

interface Fault {
  /** Matching calls to let pass. */
  remaining: number;
  readonly call: FileCall | null;
  /** A system error code, or `hang`: the process dies here. */
  readonly code: string;
}

/**
 * The real file system, with faults: errors by code, death at any call, and a power cut that loses names that
 * were not synced.
 */
export class FaultyFileSystem {
  #faults: Fault[] = [];
  #dead = false;
  /** Calls under way, those that hang for ever left out. */
  #active = 0;
  /** Names made since their folder was last synced. */
  readonly #unsynced = new Map<string, Set<string>>();
  readonly #open = new Set<Handle>();
  readonly calls: FileCall[] = [];
  fired = false;

  /** The `n`-th matching call from now fails; `call` null matches all. */
  failAt(n: number, code: string, call: FileCall | null = null): void {
    this.#faults.push({ remaining: n, code, call });
  }

  /** Loses every name that no fsync has made durable, as the worst of disks would. */
  async cutPower(): Promise<void> {
    for (const [folder, names] of this.#unsynced) {
      for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
    }
    this.#unsynced.clear();
  }

  /**
   * Resolves when the process has died at a planned call and what was under way has ended, or when `ended` is
   * aborted.
   */
  async stopped(ended: AbortSignal): Promise<void> {
    for (let still = 0, seen = -1; still < 50 && !ended.aborted;) {
      await new Promise<void>((resolve) => void setImmediate(resolve));
      still = this.#dead && this.#active === 0 && seen === this.calls.length ? still + 1 : 0;
      seen = this.calls.length;
    }
  }

  /** What the kernel does for a dead process: closes its files. */
  async closeFiles(): Promise<void> {
    const open = [...this.#open];
    this.#open.clear();
    await Promise.all(open.map((handle) => handle.close()));
  }

  get fileSystem(): FileSystem {
    const run = <T>(call: FileCall, apply: () => Promise<T>): Promise<T> => this.#run(call, apply);
    const named = (path: unknown): void => this.#named(String(path));
    return {
      ...nodeFileSystem,
      open: ((path: string, flags: string) =>
        run('open', async () =>
          this.#watch(path, await nodeFileSystem.open(path, flags)),
        )) as FileSystem['open'],
      link: ((from: string, to: string) =>
        run('link', () => nodeFileSystem.link(from, to).then(() => named(to)))) as FileSystem['link'],
      mkdir: ((path: string) =>
        run('mkdir', () => nodeFileSystem.mkdir(path).then(() => named(path)))) as FileSystem['mkdir'],
      unlink: (path) => run('unlink', () => nodeFileSystem.unlink(path)),
      readdir: ((...args: Parameters<FileSystem['readdir']>) =>
        run('readdir', () => nodeFileSystem.readdir(...args))) as FileSystem['readdir'],
    };
  }

  #watch(path: string, handle: Handle): Handle {
    this.#open.add(handle);
    const run = <T>(call: FileCall, apply: () => Promise<T>): Promise<T> => this.#run(call, apply);
    return new Proxy(handle, {
      get: (target, property) => {
        switch (property) {
          case 'sync':
            return () =>
              run('sync', async () => {
                // The power is cut by `cutPower` alone, so the disk need not be waited for.
                this.#unsynced.delete(path);
              });
          case 'datasync':
            return () => run('datasync', async () => undefined);
          case 'writev':
            return (buffers: Uint8Array[]) => run('writev', () => target.writev(buffers));
          case 'close':
            return () => {
              this.#open.delete(target);
              return this.#count(() => target.close());
            };
          case 'stat':
            return () => this.#count(() => target.stat());
          case 'read':
            return (...args: [Uint8Array, number, number, number]) => run('read', () => target.read(...args));
          default: {
            const value: unknown = Reflect.get(target, property, target);
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          }
        }
      },
    });
  }

  async #run<T>(call: FileCall, apply: () => Promise<T>): Promise<T> {
    if (this.#dead) await never();
    this.calls.push(call);
    for (const fault of this.#faults) {
      if (fault.call !== null && fault.call !== call) continue;
      if (fault.remaining-- > 0) continue;
      this.#faults = this.#faults.filter((other) => other !== fault);
      this.fired = true;
      if (fault.code === 'hang') {
        this.#dead = true;
        await never();
      }
      throw Object.assign(new Error(`${fault.code}: planned`), { code: fault.code });
    }
    return this.#count(apply);
  }

  async #count<T>(apply: () => Promise<T>): Promise<T> {
    this.#active++;
    try {
      return await apply();
    } finally {
      this.#active--;
    }
  }

  #named(path: string): void {
    const names = this.#unsynced.get(dirname(path)) ?? new Set<string>();
    names.add(path.slice(dirname(path).length + 1));
    this.#unsynced.set(dirname(path), names);
  }
}

function never(): Promise<never> {
  return new Promise<never>(() => undefined);
}
