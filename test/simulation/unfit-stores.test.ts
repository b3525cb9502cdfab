import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { checkObjectStore } from '#server/app/conformance.js';
import { OmenError } from '#server/core/errors.js';
import type { ListedObject, PutOutcome } from '#server/ports/object-store.js';
import { FakeClock } from '../support/fake-clock.js';
import { FakeScheduler } from '../support/fake-scheduler.js';
import { SeededRng } from '../support/seeded-rng.js';

/** A listing shows what there was at the one before. */
class ListsLate extends MemoryObjectStore {
  readonly #shown = new Map<string, readonly ListedObject[]>();

  override async list(prefix: string, startAfter = ''): Promise<readonly ListedObject[]> {
    const shown = this.#shown.get(prefix) ?? [];
    this.#shown.set(prefix, await super.list(prefix));
    return shown.filter(({ key }) => key > startAfter);
  }
}

/** Takes a create of a key that exists every now and then. */
class ForgetsConditions extends MemoryObjectStore {
  #creates = 0;

  override async putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
    if (++this.#creates % 7 === 0) await this.delete(key);
    return super.putIfAbsent(key, body, nonce);
  }
}

describe('A store in which the simulation would find losses', () => {
  for (const [what, create] of [
    ['whose listings are late', () => new ListsLate()],
    ['that forgets a precondition now and then', () => new ForgetsConditions()],
  ] as const) {
    it(`scenario 8: is refused at the start: one ${what}`, async () => {
      for (let seed = 1; seed <= 20; seed++) {
        const scheduler = new FakeScheduler(new FakeClock(), { automatic: true });
        const probe = checkObjectStore({ store: create(), rng: new SeededRng(seed), scheduler });
        const error: unknown = await probe.catch((reason: unknown) => reason);
        expect(error, `seed ${seed}`).to.be.instanceOf(OmenError);
        expect((error as OmenError).message).to.match(/the object store cannot be used/);
      }
    });
  }
});
