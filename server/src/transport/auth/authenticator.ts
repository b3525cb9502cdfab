/*
 * From the `authorization` header to an identity. A client sends the same header again and again, so what was
 * verified is remembered: a repeated header costs a look-up in a map.
 */
import { createHash } from 'node:crypto';
import type { ApiKey, ApiKeys } from '../../app/keys.js';
import { looksLikeApiKey } from '../../app/keys.js';
import { OmenError } from '../../core/errors.js';
import type { Clock } from '../../ports/clock.js';
import type { Counter } from '../../ports/metrics.js';
import { compilePatterns } from './collection-pattern.js';
import type { Identity } from './identity.js';
import { verifyToken } from './jwt.js';

/** A disabled key works no longer than this. */
const KEY_REMEMBERED_MS = 5000;
/** A wrong key is not looked up again for this long, so that guessing does not load the object store. */
const REFUSAL_REMEMBERED_MS = 2000;
const ENTRIES_MAX = 10_000;
const REFUSALS_MAX = 1000;

interface Entry {
  readonly identity: Identity;
  /** Expiry of the credential, by the wall clock. */
  readonly expiresAtMs: number;
  /** By the monotonic clock. */
  readonly forgetAtMs: number;
}

interface Refusal {
  readonly error: OmenError;
  /** By the monotonic clock. */
  readonly forgetAtMs: number;
}

/** The digest of API keys. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Counts headers that were remembered and those that were not. */
export interface CredentialCounters {
  readonly hit: Counter;
  readonly miss: Counter;
}

/** Recognises credentials. */
export class Authenticator {
  readonly #entries = new Map<string, Entry>();
  /** Apart, so that who guesses keys does not push out those that are right. */
  readonly #refusals = new Map<string, Refusal>();
  readonly #pending = new Map<string, Promise<Identity>>();
  /** Counts secrets: what was verified with the one before is not remembered. */
  #generation = 0;

  constructor(
    /** What tokens may be signed with. */
    private readonly signingKeys: () => readonly Uint8Array[],
    private readonly keys: Pick<ApiKeys, 'verify'>,
    private readonly clock: Clock,
    private readonly counters?: CredentialCounters,
  ) {}

  /** Throws, or rejects with, an `OmenError` that says why not. A promise only the first time. */
  authenticate(header: string | undefined): Identity | Promise<Identity> {
    if (header === undefined || header === '') throw missing();
    const entry = this.#entries.get(header);
    if (entry !== undefined && this.clock.now() < entry.expiresAtMs) {
      if (entry.forgetAtMs === Infinity || this.clock.monotonic() < entry.forgetAtMs) {
        this.counters?.hit.inc();
        return entry.identity;
      }
    }
    const refusal = this.#refusals.get(header);
    if (refusal !== undefined && this.clock.monotonic() < refusal.forgetAtMs) throw refusal.error;
    const pending = this.#pending.get(header);
    if (pending !== undefined) return pending;
    const verified = this.#verify(header).finally(() => this.#pending.delete(header));
    this.#pending.set(header, verified);
    return verified;
  }

  /** Forgets everything: the keys have changed. */
  reset(): void {
    this.#generation++;
    this.#entries.clear();
    this.#pending.clear();
  }

  async #verify(header: string): Promise<Identity> {
    this.counters?.miss.inc();
    const token = bearerToken(header);
    if (!looksLikeApiKey(token)) {
      const generation = this.#generation;
      const { identity, expiresAtMs } = await verifyToken(this.signingKeys(), token, this.clock);
      const entry = { identity, expiresAtMs, forgetAtMs: Infinity };
      if (generation === this.#generation) remember(this.#entries, ENTRIES_MAX, header, entry);
      return identity;
    }
    const now = this.clock.monotonic();
    try {
      const key = await this.keys.verify(token);
      const identity = identityOf(key);
      const expiresAtMs = key.expiresAtMs ?? Infinity;
      const entry = { identity, expiresAtMs, forgetAtMs: now + KEY_REMEMBERED_MS };
      remember(this.#entries, ENTRIES_MAX, header, entry);
      return identity;
    } catch (error) {
      if (error instanceof OmenError && error.row.grpc === 'UNAUTHENTICATED') {
        this.#entries.delete(header);
        remember(this.#refusals, REFUSALS_MAX, header, { error, forgetAtMs: now + REFUSAL_REMEMBERED_MS });
      }
      throw error;
    }
  }
}

/** Sets an entry; the one that was set longest ago makes room. */
function remember<T>(map: Map<string, T>, sizeMax: number, header: string, entry: T): void {
  map.delete(header);
  map.set(header, entry);
  if (map.size <= sizeMax) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

function bearerToken(header: string): string {
  const match = /^bearer +([!-~]+)$/i.exec(header.trim());
  if (match?.[1] === undefined) {
    throw new OmenError('INVALID_TOKEN', 'the authorization header must be "Bearer" and a token or API key');
  }
  return match[1];
}

function identityOf(key: ApiKey): Identity {
  const collections = key.collections === null ? null : compilePatterns(key.collections);
  if (collections === undefined)
    throw new OmenError('DATA_CORRUPTED', `API key ${key.id} has patterns that are not allowed`);
  return { tenant: key.tenant, subject: key.id, scopes: new Set(key.scopes), collections };
}

function missing(): OmenError {
  return new OmenError(
    'MISSING_CREDENTIALS',
    'credentials are needed: send the header "authorization: Bearer" with a token or an API key',
  );
}
