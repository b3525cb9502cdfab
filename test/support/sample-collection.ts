// One collection of a test app, with short words for what tests do to it.
import type { AsOf, ReadOptions } from '#server/app/api.js';
import type { Collection } from '#server/app/collections/collection.js';
import type { TestApp } from './test-app.js';
import { columnsOf, contextOf } from './test-app.js';

const context = contextOf();

export class SampleCollection {
  constructor(
    readonly app: TestApp,
    readonly name: string,
  ) {}

  static async create(app: TestApp, name: string): Promise<SampleCollection> {
    await app.handlers.createCollection(context, { name, dimensions: 2, metric: 'l2', requestId: '' });
    return new SampleCollection(app, name);
  }

  /** Writes one record; its value is its vector's first number. Returns the sequence number. */
  async put(id: string, value: number): Promise<number> {
    const records = columnsOf([{ id, vector: [value, 1] }]);
    const write = { collection: this.name, records, requestId: '' };
    return (await this.app.handlers.upsertRecords(context, write)).sequenceNumber;
  }

  async remove(...ids: string[]): Promise<number> {
    const write = { collection: this.name, ids, requestId: '' };
    return (await this.app.handlers.deleteRecords(context, write)).sequenceNumber;
  }

  /** Everything, as `id=value` in order. */
  async all(asOf?: AsOf): Promise<string> {
    const found: string[] = [];
    let pageToken = '';
    do {
      const page = await this.app.handlers.scanRecords(context, {
        ...{ collection: this.name, select: [], includeVectors: true, pageSize: 50, pageToken },
        ...readOptions(asOf),
      });
      for (const { id, vector } of page.records) found.push(`${id}=${vector?.[0]}`);
      ({ nextPageToken: pageToken } = page);
    } while (pageToken !== '');
    return found.sort().join(' ');
  }

  async count(read: Partial<ReadOptions> = {}): Promise<number> {
    const request = { collection: this.name, ...readOptions(), ...read };
    return (await this.app.handlers.countRecords(context, request)).count;
  }

  /** Ids of the records nearest to a value. */
  async nearest(value: number, asOf?: AsOf): Promise<string[]> {
    const { hits } = await this.app.handlers.query(context, {
      ...{ collection: this.name, vector: Float32Array.of(value, 1), topK: 3, select: [] },
      ...{ includeVectors: false, params: { exact: true }, ...readOptions(asOf) },
    });
    return hits.map(({ id }) => id);
  }

  open(): Promise<Collection> {
    return this.app.collections.open(context.tenant, this.name);
  }

  async flush(): Promise<void> {
    await (await this.open()).upkeep.flush();
  }

  async settle(): Promise<void> {
    await (await this.open()).upkeep.settle();
  }

  async snapshot(name: string): Promise<void> {
    await this.app.handlers.createSnapshot(context, { collection: this.name, name, requestId: '' });
  }

  async deleteSnapshot(name: string): Promise<void> {
    await this.app.handlers.deleteSnapshot(context, { collection: this.name, name, requestId: '' });
  }

  async branch(name: string, asOf?: AsOf): Promise<SampleCollection> {
    await this.app.handlers.branchCollection(context, derivation(this.name, name, asOf));
    return new SampleCollection(this.app, name);
  }

  async copy(name: string, asOf?: AsOf): Promise<SampleCollection> {
    await this.app.handlers.copyCollection(context, derivation(this.name, name, asOf));
    return new SampleCollection(this.app, name);
  }

  async delete(): Promise<void> {
    await this.app.handlers.deleteCollection(context, { collection: this.name, requestId: '' });
  }
}

function readOptions(asOf?: AsOf): ReadOptions {
  return { consistency: 'session', sessionToken: '', ...(asOf === undefined ? {} : { asOf }) };
}

function derivation(collection: string, name: string, asOf?: AsOf) {
  return { collection, name, requestId: '', ...(asOf === undefined ? {} : { asOf }) };
}

/** The reason of the error that a call ends with, or `none`. */
export async function reasonOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => 'none',
    (error: unknown) => (error as { reason?: string }).reason ?? String(error),
  );
}
