// A store with an application on it, a target for backups, and short words for backing up and restoring.
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { listBackups } from '#server/app/backup/backup-record.js';
import type { BackupHistory } from '#server/app/backup/hold-moment.js';
import type { RestoreOptions, RestoreOutcome } from '#server/app/backup/restore-backup.js';
import { restoreBackup } from '#server/app/backup/restore-backup.js';
import type { BackupReport } from '#server/app/backup/run-backup.js';
import { backUp } from '#server/app/backup/run-backup.js';
import { CollectionSelection } from '#server/app/backup/selection.js';
import type { VerifyReport } from '#server/app/backup/verify-backup.js';
import { verifyBackup } from '#server/app/backup/verify-backup.js';
import { STORAGE_RETRY } from '#server/app/log/storage-retry.js';
import { listAll } from '#server/app/maintenance/list-objects.js';
import type { ObjectStore } from '#server/ports/object-store.js';
import { silentLogger } from './log-node.js';
import { SampleCollection } from './sample-collection.js';
import { SeededRng } from './seeded-rng.js';
import type { TestApp, TestAppOptions } from './test-app.js';
import { openTestApp } from './test-app.js';

interface BackupWish {
  readonly history?: BackupHistory;
  readonly collections?: readonly string[];
  readonly source?: ObjectStore;
  readonly target?: ObjectStore;
  readonly onProgress?: () => void;
}

interface RestoreWish extends Partial<Omit<RestoreOptions, 'selection'>> {
  readonly collections?: readonly string[];
  readonly destination?: ObjectStore;
  readonly target?: ObjectStore;
}

export class BackupWorld {
  readonly target = new MemoryObjectStore();
  readonly #rng = new SeededRng(77);

  private constructor(
    readonly store: MemoryObjectStore,
    readonly app: TestApp,
    private readonly options: TestAppOptions,
  ) {}

  static async open(options: TestAppOptions = {}): Promise<BackupWorld> {
    const store = new MemoryObjectStore();
    return new BackupWorld(store, await openTestApp(store, options), options);
  }

  create(name: string): Promise<SampleCollection> {
    return SampleCollection.create(this.app, name);
  }

  backUp({ history = 'all', collections = [], ...deps }: BackupWish = {}): Promise<BackupReport> {
    const selection = CollectionSelection.parse(collections);
    return backUp(
      { ...this.#work(), source: this.store, target: this.target, ...deps },
      { selection, history },
    );
  }

  async verify(backupId?: string, quick = false, target: ObjectStore = this.target): Promise<VerifyReport> {
    const deps = { ...this.#work(), target };
    return verifyBackup(deps, { backupId: backupId ?? (await this.newest()), quick });
  }

  async restore({
    collections = [],
    destination,
    target,
    ...options
  }: RestoreWish = {}): Promise<RestoreOutcome> {
    const stores = { target: target ?? this.target, destination: destination ?? this.store };
    const deps = { ...this.#work(), ...stores };
    const selection = CollectionSelection.parse(collections);
    const backupId = options.backupId ?? (await this.newest());
    const pastMs = this.options.retentionMs ?? 0;
    const wish = { pastMs, keys: false, skipExisting: false, ...options };
    return restoreBackup(deps, { ...wish, backupId, selection });
  }

  async newest(): Promise<string> {
    const { scheduler } = this.app;
    const ids = await listBackups(this.target, { scheduler, rng: this.#rng, policy: STORAGE_RETRY });
    return ids.at(-1) ?? '';
  }

  /** The application on a store that had none yet, or had another one. */
  openOn(store: ObjectStore): Promise<TestApp> {
    return openTestApp(store, { ...this.options, seed: 99, clock: this.app.clock });
  }

  /** Restores into an empty store and opens the application there. */
  async elsewhere(wish: RestoreWish = {}): Promise<TestApp> {
    const destination = new MemoryObjectStore();
    const outcome = await this.restore({ ...wish, destination });
    if (outcome.kind === 'refused') throw new Error(JSON.stringify(outcome.faults));
    return this.openOn(destination);
  }

  /** Keys of objects, of all collections when no folder is given. */
  async keys(store: ObjectStore = this.store, within = ''): Promise<string[]> {
    return (await listAll(store, within)).map(({ key }) => key);
  }

  async pins(): Promise<string[]> {
    return (await this.keys(this.store, 'n/')).filter((key) => key.includes('/p/'));
  }

  #work() {
    const { clock, scheduler } = this.app;
    return { clock, scheduler, rng: this.#rng, logger: silentLogger };
  }
}
