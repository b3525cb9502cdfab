/* The moments of a collection that are kept by name. */
import type { ClientCore } from './core.js';
import type { CallOptions } from './options.js';
import type { Identified, Snapshot } from './results.js';
import { readSnapshot } from './wire/read-answers.js';

/** The snapshots of one collection. Found as `db.collection(name).snapshots`. */
export class Snapshots {
  readonly #core: ClientCore;
  readonly #collection: string;

  /** Made by `Collection`. */
  constructor(core: ClientCore, collection: string) {
    this.#core = core;
    this.#collection = collection;
  }

  /**
   * Keeps the present: every write that was acknowledged before the call. Costs nothing until records change.
   * Rejects with `SNAPSHOT_EXISTS` when there is one of that name.
   */
  async create(name: string, options?: CallOptions): Promise<Snapshot> {
    const requestId = this.#core.requestIdOf(options);
    const request = { collection: this.#collection, name, requestId };
    const answer = await this.#core.invoke('createSnapshot', request, requestId, options);
    return readSnapshot(answer.snapshot ?? { name, createTime: undefined, sequenceNumber: 0n });
  }

  /** All snapshots, oldest first. */
  async list(options?: CallOptions): Promise<readonly Snapshot[]> {
    const requestId = this.#core.requestIdOf(options);
    const request = { collection: this.#collection };
    const answer = await this.#core.invoke('listSnapshots', request, requestId, options);
    return answer.snapshots.map(readSnapshot);
  }

  /** Deletes a snapshot; what only it needed is removed from storage. One that is not there is no error. */
  async delete(name: string, options?: CallOptions): Promise<Identified> {
    const requestId = this.#core.requestIdOf(options);
    const request = { collection: this.#collection, snapshot: name, requestId };
    await this.#core.invoke('deleteSnapshot', request, requestId, options);
    return { requestId };
  }
}
