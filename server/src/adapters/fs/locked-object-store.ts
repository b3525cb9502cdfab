import type {
  GetOptions,
  GetOutcome,
  ListedObject,
  ObjectStore,
  PutOutcome,
  SwapOutcome,
} from '../../ports/object-store.js';
import type { FolderLock } from './folder-lock.js';

/** A store that writes only while its lock is held, and gives it back on close. */
export class LockedObjectStore implements ObjectStore {
  constructor(
    private readonly store: ObjectStore,
    private readonly lock: Pick<FolderLock, 'check' | 'release'>,
  ) {}

  async putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
    await this.lock.check();
    return this.store.putIfAbsent(key, body, nonce);
  }

  async compareAndSwap(
    key: string,
    body: Uint8Array,
    etag: string | null,
    nonce: string,
  ): Promise<SwapOutcome> {
    await this.lock.check();
    return this.store.compareAndSwap(key, body, etag, nonce);
  }

  get(key: string, options?: GetOptions): Promise<GetOutcome> {
    return this.store.get(key, options);
  }

  list(prefix: string, startAfter?: string): Promise<readonly ListedObject[]> {
    return this.store.list(prefix, startAfter);
  }

  async delete(key: string): Promise<void> {
    await this.lock.check();
    return this.store.delete(key);
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.lock.release();
  }
}
