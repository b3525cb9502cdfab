import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { OmenError } from '#server/core/errors.js';
import { FailingObjectStore } from '../support/failing-object-store.js';
import { SampleCollection } from '../support/sample-collection.js';
import type { TestApp } from '../support/test-app.js';
import { columnsOf, contextOf, openTestApp } from '../support/test-app.js';

const MIB = 1024 * 1024;
const context = contextOf();
const DIMENSIONS = 512;
const BATCH = 100;
const SECOND = 1000;
const NAME = 'burst';

describe('A log that is not folded', () => {
  it('scenario 13: holds writers back, shows all it took, and takes more once it is folded', async () => {
    const disk = new MemoryObjectStore();
    const store = new FailingObjectStore(disk);
    const app = await openTestApp(store, { arenaBytes: 64 * MIB });
    const schema = { name: NAME, dimensions: DIMENSIONS, metric: 'l2', requestId: '' } as const;
    await app.handlers.createCollection(context, schema);
    const { upkeep } = await app.collections.open(context.tenant, NAME);
    const words = new SampleCollection(app, NAME);
    store.failAlways('before', ({ key }) => key.includes('/s/'));

    let batches = 0;
    let refusal: unknown = null;
    while (refusal === null) {
      try {
        await write(app, batches);
        batches++;
      } catch (error) {
        refusal = error;
      }
      expect(await words.count(), 'visible').to.equal(batches * BATCH);
    }
    expect(refusal).to.be.instanceOf(OmenError);
    const { reason, retryAfterMs } = refusal as OmenError;
    expect([reason, retryAfterMs]).to.deep.equal(['WRITE_BACKPRESSURE', 500]);
    expect(upkeep.unfoldedBytes).to.be.within(upkeep.unfoldedBounds.hard, upkeep.unfoldedBounds.hard + MIB);

    store.heal();
    while (upkeep.unfoldedBytes > upkeep.unfoldedBounds.soft) {
      await app.scheduler.sleep(SECOND);
      expect(await words.count(), 'visible while it is folded').to.equal(batches * BATCH);
    }
    await write(app, batches++);
    expect(await words.count()).to.equal(batches * BATCH);
    await app.close();
    const again = await openTestApp(disk, { arenaBytes: 64 * MIB });
    expect(await new SampleCollection(again, NAME).count()).to.equal(batches * BATCH);
    await again.close();
  });
});

async function write(app: TestApp, batch: number): Promise<void> {
  const records = Array.from({ length: BATCH }, (_, index) => ({
    id: `${batch}-${index}`,
    vector: Array.from({ length: DIMENSIONS }, (_value, d) => (d === 0 ? batch : d === 1 ? 1 + index : 0)),
  }));
  await app.handlers.upsertRecords(context, { collection: NAME, records: columnsOf(records), requestId: '' });
}
