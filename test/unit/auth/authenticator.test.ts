import { expect } from 'chai';
import { SignJWT, UnsecuredJWT } from 'jose';
import type { JWTPayload } from 'jose';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { ApiKeys } from '#server/app/keys.js';
import { OmenError } from '#server/core/errors.js';
import { parseTenantId } from '#server/core/ids.js';
import { Authenticator, sha256 } from '#server/transport/auth/authenticator.js';
import { requireCollection, requireScope } from '#server/transport/auth/authorize.js';
import type { Identity } from '#server/transport/auth/identity.js';
import { signToken } from '#server/transport/auth/jwt.js';
import { FakeClock } from '../../support/fake-clock.js';
import { SeededRng } from '../../support/seeded-rng.js';

const SECRET = new TextEncoder().encode('the secret of this server, long enough');
const HOUR_MS = 3_600_000;

describe('Credentials', () => {
  let clock: FakeClock;
  let rng: SeededRng;
  let secret: Uint8Array;
  let store: MemoryObjectStore;
  let keys: ApiKeys;
  let authenticator: Authenticator;

  beforeEach(() => {
    clock = new FakeClock();
    rng = new SeededRng(11);
    secret = SECRET;
    store = new MemoryObjectStore();
    keys = new ApiKeys({ store, clock, rng, digest: sha256 });
    authenticator = new Authenticator(() => [secret], keys, clock);
  });

  const now = (): number => Math.floor(clock.now() / 1000);
  const claims = (): JWTPayload => {
    const base = { sub: 'user', tid: 'acme', scp: ['records.read'], aud: 'omendb' };
    return { ...base, iat: now(), exp: now() + 3600 };
  };
  const sign = (payload: JWTPayload, key = SECRET, alg = 'HS256'): Promise<string> =>
    new SignJWT(payload).setProtectedHeader({ alg }).sign(key);
  const identify = async (token: string): Promise<Identity> => authenticator.authenticate(`Bearer ${token}`);

  async function reasonOf(header: string | undefined): Promise<string> {
    try {
      await authenticator.authenticate(header);
    } catch (error) {
      if (error instanceof OmenError) return error.reason;
      throw error;
    }
    return 'accepted';
  }
  const reasonFor = async (change: JWTPayload): Promise<string> => {
    const payload = Object.fromEntries(
      Object.entries({ ...claims(), ...change }).filter(([, value]) => value !== undefined),
    );
    return reasonOf(`Bearer ${await sign(payload)}`);
  };

  it('say who asks and what is allowed', async () => {
    const identity = await identify(await sign({ ...claims(), col: ['docs-*'] }));
    expect(identity).to.include({ tenant: 'acme', subject: 'user' });
    expect([...identity.scopes]).to.deep.equal(['records.read']);
    expect(identity.collections?.('docs-1')).to.equal(true);
    expect(identity.collections?.('other')).to.equal(false);
  });

  it('made by this server are accepted for as long as they were made for', async () => {
    const request = { tenant: 'acme', subject: 'cli', scopes: ['*'], lifeMs: 24 * HOUR_MS };
    const header = `Bearer ${await signToken(SECRET, request, { clock, rng })}`;
    expect(await reasonOf(header)).to.equal('accepted');
    clock.advance(24 * HOUR_MS - 1000);
    expect(await reasonOf(header)).to.equal('accepted');
    clock.advance(1000);
    expect(await reasonOf(header)).to.equal('TOKEN_EXPIRED');
  });

  it('are needed', async () => {
    expect(await reasonOf(undefined)).to.equal('MISSING_CREDENTIALS');
    expect(await reasonOf('')).to.equal('MISSING_CREDENTIALS');
  });

  it('must be a bearer token', async () => {
    for (const header of [
      'Basic dXNlcjpwYXNz',
      'Bearer',
      'Bearer a b',
      'nonsense',
      'Bearer not.a.token',
      'Bearer x',
    ]) {
      expect(await reasonOf(header), header).to.equal('INVALID_TOKEN');
    }
    expect(await reasonOf(`bearer  ${await sign(claims())}`)).to.equal('accepted');
  });

  it('must be signed with the key of this server', async () => {
    const other = new TextEncoder().encode('the secret of another server, also long');
    expect(await reasonOf(`Bearer ${await sign(claims(), other)}`)).to.equal('INVALID_TOKEN');
    const [head, payload, signature = ''] = (await sign(claims())).split('.');
    const changed = Buffer.from(JSON.stringify({ ...claims(), tid: 'rival' })).toString('base64url');
    expect(await reasonOf(`Bearer ${head}.${changed}.${signature}`)).to.equal('INVALID_TOKEN');
    expect(await reasonOf(`Bearer ${head}.${payload}.`)).to.equal('INVALID_TOKEN');
  });

  it('must be signed with HMAC-SHA-256', async () => {
    expect(await reasonOf(`Bearer ${new UnsecuredJWT(claims()).encode()}`)).to.equal('INVALID_TOKEN');
    const long = new Uint8Array(64).fill(1);
    secret = long;
    for (const alg of ['HS384', 'HS512']) {
      expect(await reasonOf(`Bearer ${await sign(claims(), long, alg)}`), alg).to.equal('INVALID_TOKEN');
    }
    expect(await reasonOf(`Bearer ${await sign(claims(), long)}`)).to.equal('accepted');
  });

  it('must have every claim', async () => {
    for (const name of ['sub', 'tid', 'scp', 'aud', 'iat', 'exp']) {
      expect(await reasonFor({ [name]: undefined }), name).to.equal('INVALID_TOKEN');
    }
  });

  it('must have claims of the right kind', async () => {
    const wrong: JWTPayload[] = [
      { sub: '' },
      { tid: 7 },
      { tid: '../rival' },
      { tid: '' },
      { scp: 'records.read' },
      { scp: [1] },
      { exp: '9999999999' as unknown as number },
      { iat: -1 },
      { col: 'docs' },
      { col: ['a/../b'] },
    ];
    for (const change of wrong)
      expect(await reasonFor(change), JSON.stringify(change)).to.equal('INVALID_TOKEN');
  });

  it('must be meant for this database', async () => {
    expect(await reasonFor({ aud: 'other' })).to.equal('INVALID_TOKEN');
    expect(await reasonFor({ aud: ['other', 'omendb'] })).to.equal('accepted');
  });

  it('must not live longer than 24 hours', async () => {
    expect(await reasonFor({ exp: now() + 24 * 3600 })).to.equal('accepted');
    expect(await reasonFor({ exp: now() + 24 * 3600 + 1 })).to.equal('TOKEN_LIFETIME');
    expect(await reasonFor({ iat: now() - 23 * 3600, exp: now() + 3601 })).to.equal('TOKEN_LIFETIME');
  });

  it('must not come from the future, but for a minute of difference between clocks', async () => {
    expect(await reasonFor({ iat: now() + 59 })).to.equal('accepted');
    expect(await reasonFor({ iat: now() + 62 })).to.equal('INVALID_TOKEN');
    expect(await reasonFor({ nbf: now() + 59 })).to.equal('accepted');
    expect(await reasonFor({ nbf: now() + 62 })).to.equal('INVALID_TOKEN');
  });

  it('must not have expired', async () => {
    expect(await reasonFor({ exp: now() })).to.equal('TOKEN_EXPIRED');
    expect(await reasonFor({ iat: now() - 100, exp: now() - 1 })).to.equal('TOKEN_EXPIRED');
  });

  it('are verified once and then remembered until they expire', async () => {
    const header = `Bearer ${await sign(claims())}`;
    const first = authenticator.authenticate(header);
    expect(first).to.be.instanceOf(Promise);
    expect(authenticator.authenticate(header)).to.equal(first);
    const identity = await first;
    expect(authenticator.authenticate(header)).to.equal(identity);
    clock.advance(HOUR_MS);
    expect(await reasonOf(header)).to.equal('TOKEN_EXPIRED');
  });

  it('are forgotten when the secret changes', async () => {
    const header = `Bearer ${await sign(claims())}`;
    expect(await reasonOf(header)).to.equal('accepted');
    secret = new TextEncoder().encode('the next secret of this server, long too');
    authenticator.reset();
    expect(await reasonOf(header)).to.equal('INVALID_TOKEN');
  });

  describe('that are API keys', () => {
    const wanted = {
      tenant: parseTenantId('acme'),
      environment: 'live',
      name: '',
      scopes: ['records.read'],
      collections: ['docs-*'],
      expiresAtMs: null,
    };

    it('say who asks and what is allowed', async () => {
      const { text, key } = await keys.create(wanted);
      const identity = await identify(text);
      expect(identity).to.include({ tenant: 'acme', subject: key.id });
      expect(identity.collections?.('docs-9')).to.equal(true);
    });

    it('stop working within ten seconds after they were disabled', async () => {
      const { text, key } = await keys.create(wanted);
      expect(await reasonOf(`Bearer ${text}`)).to.equal('accepted');
      await keys.disable(key.id);
      clock.advance(10_000);
      expect(await reasonOf(`Bearer ${text}`)).to.equal('KEY_REVOKED');
    });

    it('are looked up once in some seconds, right or wrong', async () => {
      const { text, key } = await keys.create(wanted);
      await identify(text);
      expect(authenticator.authenticate(`Bearer ${text}`)).not.to.be.instanceOf(Promise);
      await keys.disable(key.id);
      clock.advance(6000);
      expect(await reasonOf(`Bearer ${text}`)).to.equal('KEY_REVOKED');
      expect(() => authenticator.authenticate(`Bearer ${text}`)).to.throw(OmenError);
    });

    it('are not confused with tokens', async () => {
      expect(await reasonOf('Bearer omen_live_x_y')).to.equal('INVALID_TOKEN');
    });
  });
});

describe('Authorization', () => {
  const identity = (scopes: string[], collections: Identity['collections'] = null): Identity => ({
    ...{ tenant: parseTenantId('acme'), subject: 'user', scopes: new Set(scopes), collections },
  });

  it('needs the scope of the method, or all scopes', () => {
    requireScope(identity(['records.read']), 'records.read');
    requireScope(identity(['*']), 'records.read');
    for (const scopes of [[], ['records'], ['records.*'], ['records.write']]) {
      expect(() => requireScope(identity(scopes), 'records.read')).to.throw(
        OmenError,
        'needs the scope "records.read"',
      );
    }
  });

  it('needs the collection to be covered when the credential is limited', () => {
    requireCollection(identity(['*']), 'anything');
    requireCollection(
      identity(['*'], (name) => name === 'a'),
      'a',
    );
    expect(() =>
      requireCollection(
        identity(['*'], () => false),
        'a',
      ),
    ).to.throw(OmenError, 'does not cover');
  });
});
