import { expect } from 'chai';
import { FsObjectStore } from '#server/adapters/fs/fs-object-store.js';
import { OmenError } from '#server/core/errors.js';
import { FaultyFileSystem } from '../../../support/faulty-file-system.js';
import { LogNode } from '../../../support/log-node.js';
import { withTemporaryFolder } from '../../../support/temporary-folder.js';

/** Errors of a disk, and the death of the process. */
const FAULTS = ['ENOSPC', 'EIO', 'EMFILE', 'hang'] as const;

interface Run {
  readonly acknowledged: number[];
  /** Writes whose writers were told that nothing was written. */
  readonly refused: number[];
}

/** Creates a collection and writes to it, as far as the disk lets it. */
async function write(folder: string, disk: FaultyFileSystem, run: Run): Promise<void> {
  try {
    const store = await FsObjectStore.open(folder, disk.fileSystem);
    const node = await LogNode.create(store);
    for (let i = 1; i <= 3; i++) {
      try {
        await node.put({ [`a${i}`]: i, [`b${i}`]: i });
        run.acknowledged.push(i);
      } catch (error) {
        if (!(error instanceof OmenError)) throw error;
        if (error.reason === 'STORAGE_FULL') run.refused.push(i);
      }
    }
    await store.close();
  } catch (error) {
    if (!(error instanceof OmenError)) throw error;
  }
}

describe('A log on a disk that fails', () => {
  for (const fault of FAULTS) {
    it(`keeps every acknowledged write and tears none, at whatever call: ${fault}`, async function () {
      this.timeout(60_000);
      for (let n = 0; ; n++) {
        const fired = await withTemporaryFolder(async (folder) => {
          const disk = new FaultyFileSystem();
          disk.failAt(n, fault);
          const run: Run = { acknowledged: [], refused: [] };
          const ended = new AbortController();
          void write(folder, disk, run).finally(() => ended.abort());
          await disk.stopped(ended.signal);
          await disk.closeFiles();
          await disk.cutPower();
          await check(folder, run, `call ${n}`);
          return disk.fired;
        });
        if (!fired) break;
      }
    });
  }
});

async function check(folder: string, run: Run, when: string): Promise<void> {
  const store = await FsObjectStore.open(folder);
  try {
    const { values } = await LogNode.open(store, { seed: 2 });
    for (const i of run.acknowledged) expect(values.get(`b${i}`), `${when}, write ${i}`).to.equal(i);
    for (const i of run.refused) expect(values.has(`a${i}`), `${when}, refused write ${i}`).to.equal(false);
    for (const i of [1, 2, 3]) expect(values.get(`a${i}`), when).to.equal(values.get(`b${i}`));
  } catch (error) {
    // The collection itself was not made: then nothing can have been acknowledged.
    if (!(error instanceof OmenError) || error.reason !== 'COLLECTION_NOT_FOUND') throw error;
    expect(run.acknowledged, when).to.deep.equal([]);
  } finally {
    await store.close();
  }
}
