import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { ApiKeys } from '#server/app/keys.js';
import type { NewApiKey } from '#server/app/keys.js';
import { OmenError } from '#server/core/errors.js';
import { parseTenantId } from '#server/core/ids.js';
import { sha256 } from '#server/transport/auth/authenticator.js';
import { FakeClock } from '../../support/fake-clock.js';
import { SeededRng } from '../../support/seeded-rng.js';

const WANTED: NewApiKey = {
  tenant: parseTenantId('acme'),
  environment: 'live',
  name: 'loader',
  scopes: ['records.read'],
  collections: ['docs-*'],
  expiresAtMs: null,
};

describe('API keys', () => {
  let clock: FakeClock;
  let store: MemoryObjectStore;
  let keys: ApiKeys;

  beforeEach(() => {
    clock = new FakeClock();
    store = new MemoryObjectStore();
    keys = new ApiKeys({ store, clock, rng: new SeededRng(7), digest: sha256 });
  });

  async function reasonOf(text: string): Promise<string> {
    try {
      await keys.verify(text);
    } catch (error) {
      if (error instanceof OmenError) return error.reason;
      throw error;
    }
    return 'accepted';
  }

  it('are recognised and say what they were made for', async () => {
    const { text, key } = await keys.create(WANTED);
    expect(text).to.match(/^omen_live_[0-9a-z]{16}_[0-9A-Za-z]{49}$/);
    expect(await keys.verify(text)).to.deep.equal(key);
    expect(key).to.include({ tenant: 'acme', name: 'loader', disabledAtMs: null });
  });

  it('are not stored as text', async () => {
    const { text, key } = await keys.create(WANTED);
    const stored = await store.get(`_auth/keys/${key.id}`);
    const body = new TextDecoder().decode(stored.kind === 'found' ? stored.body : undefined);
    expect(body).to.include(key.id).and.not.include(text.slice(-49, -6));
  });

  it('are refused after they were disabled, and stay so', async () => {
    const { text, key } = await keys.create(WANTED);
    clock.advance(1000);
    const disabled = await keys.disable(key.id);
    expect(disabled.disabledAtMs).to.equal(clock.now());
    clock.advance(1000);
    expect(await keys.disable(key.id)).to.deep.equal(disabled);
    expect(await reasonOf(text)).to.equal('KEY_REVOKED');
  });

  it('are refused after they expired', async () => {
    const { text } = await keys.create({ ...WANTED, expiresAtMs: clock.now() + 1000 });
    expect(await reasonOf(text)).to.equal('accepted');
    clock.advance(1000);
    expect(await reasonOf(text)).to.equal('KEY_REVOKED');
  });

  it('are refused when one character differs', async () => {
    const { text } = await keys.create(WANTED);
    for (const at of [10, 20, 30, 50, text.length - 1]) {
      const other = text[at] === 'a' ? 'b' : 'a';
      expect(await reasonOf(text.slice(0, at) + other + text.slice(at + 1)), `at ${at}`).to.equal(
        'INVALID_TOKEN',
      );
    }
  });

  it('are refused when another secret is put behind a known id', async () => {
    const first = await keys.create(WANTED);
    const stranger = new ApiKeys({
      store: new MemoryObjectStore(),
      clock,
      rng: new SeededRng(7),
      digest: sha256,
    });
    const forged = await stranger.create({ ...WANTED, environment: 'test' });
    expect(forged.key.id).to.equal(first.key.id);
    expect(await reasonOf(forged.text)).to.equal('INVALID_TOKEN');
  });

  it('are listed with their state', async () => {
    const made = [];
    for (let i = 0; i < 3; i++) made.push((await keys.create({ ...WANTED, name: `key ${i}` })).key);
    await keys.disable(made[1]?.id ?? '');
    const listed = await keys.list();
    expect(listed.map(({ id }) => id)).to.deep.equal(made.map(({ id }) => id).sort());
    expect(listed.filter(({ disabledAtMs }) => disabledAtMs !== null).map(({ name }) => name)).to.deep.equal([
      'key 1',
    ]);
  });

  it('that do not exist cannot be disabled', async () => {
    for (const id of ['0123456789abcdef', '../../root', '']) {
      const error = await keys.disable(id).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(OmenError).and.include({ reason: 'INVALID_ARGUMENT' });
    }
  });

  it('are named when the object is damaged', async () => {
    const { text, key } = await keys.create(WANTED);
    await store.delete(`_auth/keys/${key.id}`);
    await store.putIfAbsent(
      `_auth/keys/${key.id}`,
      new TextEncoder().encode('{"version":2}'),
      '0'.repeat(32),
    );
    expect(await reasonOf(text)).to.equal('DATA_CORRUPTED');
  });
});
