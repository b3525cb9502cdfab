/* Backups beside running servers, and restores of them: what was held comes back, whole. */
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { NO_BLOCK_CACHE } from '#server/adapters/memory/no-block-cache.js';
import { NO_METRICS } from '#server/adapters/memory/no-metrics.js';
import { openApp } from '#server/app/app.js';
import { backUp } from '#server/app/backup/run-backup.js';
import { restoreBackup } from '#server/app/backup/restore-backup.js';
import { CollectionSelection } from '#server/app/backup/selection.js';
import type { Handlers, RequestContext, ScanResponse } from '#server/app/api.js';
import { OmenError } from '#server/core/errors.js';
import type { TenantId } from '#server/core/ids.js';
import { silentLogger } from '../support/log-node.js';
import { SeededRng } from '../support/seeded-rng.js';
import { contextOf } from '../support/test-app.js';
import { borrowPool } from './arenas.js';
import type { Checker } from './linearizability.js';
import { Violation } from './linearizability.js';
import type { State } from './model.js';
import { textOf } from './model.js';
import { SimProcess } from './server.js';
import { recordFrom } from './wire-records.js';
import type { World } from './world.js';

/** A collection in a backup. */
interface Held {
  readonly tenant: string;
  readonly name: string;
  readonly checker: Checker;
  /** The last write that the backup holds. */
  readonly sequence: number;
}

/** Backups that were finished, by id. */
export class Backups {
  readonly target = new MemoryObjectStore();
  readonly #finished = new Map<string, readonly Held[]>();

  constructor(private readonly world: World) {}

  /** Makes backups until the world is healed. */
  async start(): Promise<void> {
    const { world } = this;
    const rng = new SeededRng(world.nextSeed());
    while (!world.healed) {
      await world.think(rng);
      await world.timeline.sleep(rng.unit() * 60 * world.settings.thinkMs);
      if (!world.healed) await this.#backUp(rng);
    }
  }

  /** Restores the newest backups into empty stores and compares. */
  async expectRestores(): Promise<void> {
    for (const [backupId, held] of [...this.#finished].slice(-2)) await this.#expectRestore(backupId, held);
  }

  async #backUp(rng: SeededRng): Promise<void> {
    const { world } = this;
    const process = new SimProcess(world.nextOperation('backup'), world, world.nextSeed());
    const floors = new Map(
      world.subjects.map(({ id, checker }) => [id, checker.ticket(world.timeline.now).floor]),
    );
    const subjects = [...world.subjects];
    world.note(process.name, 'begins');
    try {
      const { backupId, collections, failed } = await backUp(
        { ...workOf(process), source: process.store, target: this.target },
        { selection: new CollectionSelection([]), history: rng.chance(0.5) ? 'all' : 'none' },
      );
      world.note(process.name, `has ${collections.length} collections`);
      if (failed.length > 0 && !world.settings.damaged) throw new Violation(JSON.stringify(failed));
      const held = collections.flatMap(({ id, tenant, schema, through }): Held[] => {
        const subject = subjects.find((one) => one.id === id);
        if (subject === undefined) return [];
        const { checker } = subject;
        if (through.sequence < checker.sequenceOf(floors.get(id) ?? 0)) {
          throw new Violation(`${process.name} ends at ${through.sequence}, before what was acknowledged`);
        }
        return [{ tenant, name: schema.name, checker, sequence: through.sequence }];
      });
      this.#finished.set(backupId, held);
    } catch (error) {
      if (!(error instanceof OmenError)) throw error;
      world.note(process.name, `failed: ${error.reason}`);
      const gone = error.reason === 'COLLECTION_NOT_FOUND' || error.reason === 'MOMENT_NOT_KEPT';
      if (!gone) world.expectAllowed(error);
    }
  }

  async #expectRestore(backupId: string, held: readonly Held[]): Promise<void> {
    const { world, target } = this;
    const process = new SimProcess('restorer', world, world.nextSeed());
    const destination = new MemoryObjectStore();
    const outcome = await restoreBackup(
      { ...workOf(process), target, destination },
      {
        ...{ backupId, selection: new CollectionSelection([]), pastMs: 0, keys: false, skipExisting: false },
      },
    );
    if (outcome.kind === 'refused') {
      throw new Violation(`backup ${backupId} is not whole: ${JSON.stringify(outcome.faults)}`);
    }
    const { pool, giveBack } = borrowPool();
    const app = await openApp({
      ...{ store: destination, pool, clock: process.time, scheduler: process.time, rng: process.rng },
      ...{
        logger: silentLogger,
        metrics: NO_METRICS,
        blockCache: NO_BLOCK_CACHE,
        version: '0.0.0-test',
        objectStore: 'memory',
      },
      ...{ defaultDimensions: 4 },
      ...{ ownsStore: true, foldSlots: 1000, retentionMs: 0 },
    });
    for (const { tenant, name, checker, sequence } of held) {
      const { records } = await scanAll(app.handlers, contextOf(tenant as TenantId), name);
      const wrong = difference(checker.stateAtSequence(sequence), records);
      if (wrong !== null) throw new Violation(`${name} restored from ${backupId}: ${wrong}`);
    }
    world.note('restorer', `has restored ${held.length} collections`);
    await app.close();
    giveBack();
  }
}

function workOf({ time, rng }: SimProcess) {
  return { clock: time, rng, scheduler: time, logger: silentLogger };
}

function scanAll(handlers: Handlers, context: RequestContext, collection: string): Promise<ScanResponse> {
  return handlers.scanRecords(context, {
    ...{ collection, consistency: 'strong', sessionToken: '', select: 'all', includeVectors: true },
    ...{ pageSize: 1000, pageToken: '' },
  });
}

function difference(state: State, records: ScanResponse['records']): string | null {
  if (records.length !== state.size) return `${records.length} records instead of ${state.size}`;
  for (const { id, vector, attributes } of records) {
    const [seen, wanted] = [textOf(recordFrom(vector ?? [], attributes)), textOf(state.get(id) ?? null)];
    if (seen !== wanted) return `${id} is {${seen}} instead of {${wanted}}`;
  }
  return null;
}
