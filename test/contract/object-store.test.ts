import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FsObjectStore } from '#server/adapters/fs/fs-object-store.js';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { describeObjectStore } from './object-store.js';

describeObjectStore('memory', async () => ({ store: new MemoryObjectStore() }));

describeObjectStore('local folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'omendb-store-'));
  const store = await FsObjectStore.open(folder);
  return { store, dispose: () => rm(folder, { recursive: true }) };
});

describeObjectStore('failing store without faults', async () => ({
  store: new FailingObjectStore(new MemoryObjectStore()),
}));
