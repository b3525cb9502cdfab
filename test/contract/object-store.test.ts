import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FsObjectStore } from '#server/adapters/fs/fs-object-store.js';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { openS3Store } from '../support/s3-store.js';
import { S3Stub } from '../support/s3-stub.js';
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

describeObjectStore('S3 over HTTP', async () => {
  const stub = await S3Stub.start();
  return { store: await openS3Store(stub.endpoint), dispose: () => stub.stop() };
});

describeObjectStore('S3 over HTTP, behind a prefix', async () => {
  const stub = await S3Stub.start({ emptyPages: true });
  const other = await openS3Store(stub.endpoint);
  await other.putIfAbsent('t', new Uint8Array(1), '0'.repeat(31) + 'a');
  await other.putIfAbsent('tenant2/k', new Uint8Array(1), '0'.repeat(31) + 'b');
  await other.close();
  const store = await openS3Store(stub.endpoint, { prefix: 'tenant/one/' });
  return { store, dispose: () => stub.stop() };
});
