import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { PutOutcome } from '#server/ports/object-store.js';
import { LogNode } from '../support/log-node.js';
import { reasonOf } from '../support/sample-collection.js';

/** Forgets one day that a put must not replace what is there. */
class ForgetfulStore extends MemoryObjectStore {
  forgets = false;

  override async putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
    if (this.forgets) await this.delete(key);
    return super.putIfAbsent(key, body, nonce);
  }
}

describe('A store that begins to ignore preconditions while servers use it', () => {
  let store: ForgetfulStore;
  let one: LogNode;
  let other: LogNode;

  beforeEach(async () => {
    store = new ForgetfulStore();
    one = await LogNode.create(store);
    await one.put({ a: 1 });
    other = await LogNode.open(store, { seed: 2 });
    // Both have the first slot and go on behind it.
    store.forgets = true;
    await one.put({ a: 2 });
    await other.put({ b: 3 });
  });

  it('scenario 8: is found out by the server whose slot was replaced, by the hash that the next one names', async () => {
    await other.put({ b: 4 });
    expect(await reasonOf(one.loop.catchUp())).to.equal('DATA_CORRUPTED');
  });

  it('scenario 8: is found out by everybody when the server whose slot was replaced writes on', async () => {
    await one.put({ a: 5 });
    expect(await reasonOf(other.loop.catchUp())).to.equal('DATA_CORRUPTED');
    expect(await reasonOf(LogNode.open(store, { seed: 3 }))).to.equal('DATA_CORRUPTED');
  });
});
