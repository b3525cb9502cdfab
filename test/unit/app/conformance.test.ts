import { expect } from 'chai';
import { FsObjectStore } from '#server/adapters/fs/fs-object-store.js';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { checkObjectStore } from '#server/app/conformance.js';
import { OmenError } from '#server/core/errors.js';
import type {
  GetOptions,
  GetOutcome,
  ObjectStore,
  PutOutcome,
  SwapOutcome,
} from '#server/ports/object-store.js';
import { FailingObjectStore } from '../../support/failing-object-store.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeScheduler } from '../../support/fake-scheduler.js';
import { SeededRng } from '../../support/seeded-rng.js';
import { withTemporaryFolder } from '../../support/temporary-folder.js';

const scheduler = new FakeScheduler(new FakeClock(), { automatic: true });
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function overwrite(
  store: MemoryObjectStore,
  key: string,
  body: Uint8Array,
  nonce: string,
): Promise<string> {
  const got = await store.get(key);
  const swap = await store.compareAndSwap(key, body, got.kind === 'found' ? got.etag : null, nonce);
  return swap.kind === 'swapped' ? swap.etag : '';
}

/** Takes every put, as a store that does not know If-None-Match. */
class IgnoresPutCondition extends MemoryObjectStore {
  override async putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
    return { kind: 'created', etag: await overwrite(this, key, body, nonce) };
  }
}

/** Takes every swap, as a store that does not know If-Match. */
class IgnoresSwapCondition extends MemoryObjectStore {
  override async compareAndSwap(
    key: string,
    body: Uint8Array,
    etag: string | null,
    nonce: string,
  ): Promise<SwapOutcome> {
    const got = await this.get(key);
    return super.compareAndSwap(key, body, etag === null || got.kind !== 'found' ? etag : got.etag, nonce);
  }
}

/** Looks first and puts later: right for one request at a time. */
class RacyCreate extends MemoryObjectStore {
  override async putIfAbsent(key: string, body: Uint8Array, nonce: string): Promise<PutOutcome> {
    if ((await this.get(key)).kind === 'found') return super.putIfAbsent(key, body, nonce);
    await new Promise<void>((resolve) => void setImmediate(resolve));
    return { kind: 'created', etag: await overwrite(this, key, body, nonce) };
  }
}

class RacySwap extends MemoryObjectStore {
  override async compareAndSwap(
    key: string,
    body: Uint8Array,
    etag: string | null,
    nonce: string,
  ): Promise<SwapOutcome> {
    const got = await this.get(key);
    if ((got.kind === 'found' ? got.etag : null) !== etag) return { kind: 'conflict' };
    await new Promise<void>((resolve) => void setImmediate(resolve));
    const now = await this.get(key);
    return super.compareAndSwap(key, body, now.kind === 'found' ? now.etag : null, nonce);
  }
}

/** Does not know its own put again, as a client that drops the nonce. */
class ForgetsNonce extends MemoryObjectStore {
  override async putIfAbsent(key: string, body: Uint8Array): Promise<PutOutcome> {
    return super.putIfAbsent(
      key,
      body,
      Math.floor(Math.random() * 1e15)
        .toString(16)
        .padStart(32, '0'),
    );
  }
}

class IgnoresRange extends MemoryObjectStore {
  override get(key: string, { range: _, ...options }: GetOptions = {}): Promise<GetOutcome> {
    return super.get(key, options);
  }
}

class IgnoresIfNoneMatch extends MemoryObjectStore {
  override get(key: string, { ifNoneMatch: _, ...options }: GetOptions = {}): Promise<GetOutcome> {
    return super.get(key, options);
  }
}

class ListsBackwards extends MemoryObjectStore {
  override async list(prefix: string, startAfter?: string): ReturnType<MemoryObjectStore['list']> {
    return [...(await super.list(prefix, startAfter))].reverse();
  }
}

class IgnoresStartAfter extends MemoryObjectStore {
  override list(prefix: string): ReturnType<MemoryObjectStore['list']> {
    return super.list(prefix);
  }
}

class AnswersAbsentWithEmpty extends MemoryObjectStore {
  override async get(key: string, options?: GetOptions): Promise<GetOutcome> {
    const got = await super.get(key, options);
    return got.kind === 'absent' ? { kind: 'found', body: text(''), etag: '', size: 0 } : got;
  }
}

async function complaintOf(store: ObjectStore): Promise<string> {
  try {
    await checkObjectStore({ store, rng: new SeededRng(1), scheduler });
    return 'accepted';
  } catch (error) {
    return error instanceof OmenError && error.reason === 'STORAGE_UNAVAILABLE'
      ? error.message
      : String(error);
  }
}

describe('Conformance probe', () => {
  it('accepts stores that keep the contract, and leaves nothing behind', async () => {
    const memory = new MemoryObjectStore();
    expect(await complaintOf(memory)).to.equal('accepted');
    expect(await memory.list('')).to.deep.equal([]);
    await withTemporaryFolder(async (folder) => {
      const store = await FsObjectStore.open(folder);
      await checkObjectStore({ store, rng: new SeededRng(2), scheduler });
      expect(await store.list('')).to.deep.equal([]);
      await store.close();
    });
  });

  it('accepts a store that has bad moments', async () => {
    const memory = new MemoryObjectStore();
    const rates = { before: 0.1, after: 0.1 };
    for (let seed = 1; seed <= 20; seed++) {
      const store = new FailingObjectStore(memory, { rng: new SeededRng(seed), rates });
      expect(await complaintOf(store), `seed ${seed}`).to.equal('accepted');
    }
  });

  it('says why it cannot tell when a store does not answer at all', async () => {
    const store = new FailingObjectStore(new MemoryObjectStore());
    store.failAlways('before');
    expect(await complaintOf(store)).to.not.match(/accepted|cannot be used/);
  });

  const refused: readonly (readonly [string, () => MemoryObjectStore, RegExp])[] = [
    [
      'ignores the condition of a put',
      () => new IgnoresPutCondition(),
      /putIfAbsent on a key that exists gave "created"/,
    ],
    [
      'ignores the condition of a swap',
      () => new IgnoresSwapCondition(),
      /compareAndSwap with an old etag gave "swapped"/,
    ],
    [
      'creates twice under a race',
      () => new RacyCreate(),
      /winners of 8 concurrent putIfAbsent of one key gave \d instead of 1/,
    ],
    [
      'swaps twice under a race',
      () => new RacySwap(),
      /winners of 8 concurrent compareAndSwap on one etag gave \d/,
    ],
    ['forgets nonces', () => new ForgetsNonce(), /putIfAbsent repeated with the same nonce gave "exists"/],
    ['ignores ranges', () => new IgnoresRange(), /get of 4 bytes at 0 of 10 gave "0123456789"/],
    [
      'ignores ifNoneMatch',
      () => new IgnoresIfNoneMatch(),
      /get with ifNoneMatch of the current etag gave "found"/,
    ],
    ['lists out of order', () => new ListsBackwards(), /list of a prefix gave/],
    ['ignores startAfter', () => new IgnoresStartAfter(), /list behind a key gave/],
    ['answers for absent keys', () => new AnswersAbsentWithEmpty(), /get of an absent key gave "found"/],
  ];
  for (const [what, open, complaint] of refused) {
    it(`scenario 8: refuses a store that ${what}, naming the operation`, async () => {
      expect(await complaintOf(open())).to.match(complaint);
    });
  }
});
