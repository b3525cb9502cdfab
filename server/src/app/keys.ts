/*
 * API keys: made, listed and disabled by an operator, looked up by the transports.
 *
 * A key is `omen_<environment>_<id>_<secret>`. The secret is 43 random characters (256 bits) and 6 of
 * checksum, so that a mistyped key is refused without a look-up and a leaked one is found by scanners. Stored
 * is only a digest: with 256 random bits behind it, no slow hash is needed.
 *
 * A key is one object that never changes, and disabling it makes a second one beside it. So every write is a
 * put-if-absent, no store can serve a stale copy of what it has cached, and any number of servers and
 * commands may work on one store.
 */
import { crc32c } from '../core/bytes/crc32c.js';
import { OmenError } from '../core/errors.js';
import type { TenantId } from '../core/ids.js';
import { parseTenantId } from '../core/ids.js';
import type { Clock } from '../ports/clock.js';
import type { ObjectStore } from '../ports/object-store.js';
import type { Rng } from '../ports/rng.js';

/** Begins every object that has to do with keys. Each is written once. */
export const KEYS_PREFIX = '_auth/';
const KEYS = `${KEYS_PREFIX}keys/`;
const DISABLED = `${KEYS_PREFIX}disabled/`;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 16;
const SECRET_LENGTH = 43;
const CHECK_LENGTH = 6;
const KEY = /^omen_([a-z]{1,16})_([0-9a-z]{16})_([0-9A-Za-z]{49})$/;
const ID = /^[0-9a-z]{16}$/;

export interface ApiKey {
  readonly id: string;
  /** A word of the operator's, such as `live` or `test`; part of the key's text. */
  readonly environment: string;
  readonly tenant: TenantId;
  /** For people; may be empty. */
  readonly name: string;
  readonly scopes: readonly string[];
  /** Patterns of the collections it covers; null: all. */
  readonly collections: readonly string[] | null;
  readonly createdAtMs: number;
  /** Null: never. */
  readonly expiresAtMs: number | null;
  /** Null: it may be used. */
  readonly disabledAtMs: number | null;
}

interface StoredKey extends Omit<ApiKey, 'disabledAtMs'> {
  readonly version: 1;
  readonly digest: string;
}

export interface NewApiKey {
  readonly tenant: TenantId;
  readonly environment: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly collections: readonly string[] | null;
  readonly expiresAtMs: number | null;
}

export interface ApiKeysDependencies {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly rng: Rng;
  /** A collision-resistant hash (SHA-256) of text, as text of fixed length. */
  readonly digest: (text: string) => string;
}

/**
 * The keys in one object store. Keeps nothing in memory: who asks often keeps the answer for some seconds.
 */
export class ApiKeys {
  readonly #deps: ApiKeysDependencies;

  constructor(deps: ApiKeysDependencies) {
    this.#deps = deps;
  }

  /** Makes a key. The text is returned this once and cannot be found again. */
  async create(wanted: NewApiKey): Promise<{ readonly text: string; readonly key: ApiKey }> {
    if (!/^[a-z]{1,16}$/.test(wanted.environment)) {
      throw new OmenError('INVALID_ARGUMENT', 'the environment of a key is 1 to 16 lower-case letters');
    }
    const id = this.#random(ID_ALPHABET, ID_LENGTH);
    const secret = this.#random(ALPHABET, SECRET_LENGTH);
    const stem = `omen_${wanted.environment}_${id}_${secret}`;
    const text = stem + checksum(stem);
    const key: StoredKey = {
      version: 1,
      ...{ id, ...wanted, createdAtMs: this.#deps.clock.now() },
      digest: this.#deps.digest(text),
    };
    const outcome = await this.#deps.store.putIfAbsent(KEYS + id, encode(key), this.#nonce());
    if (outcome.kind === 'exists')
      throw new OmenError('INTERNAL', `a key with the random id ${id} exists already`);
    return { text, key: publicPart(key, null) };
  }

  /** All keys, by id. */
  async list(): Promise<readonly ApiKey[]> {
    const keys: ApiKey[] = [];
    for (let after: string | undefined; ;) {
      const page = await this.#deps.store.list(KEYS, after);
      if (page.length === 0) return keys;
      for (const { key } of page) {
        const found = await this.#read(key.slice(KEYS.length));
        if (found !== null) keys.push(publicPart(found, await this.#disabledAt(found.id)));
      }
      after = page.at(-1)?.key;
    }
  }

  /**
   * Makes a key useless for ever. Doing it again changes nothing. Throws `INVALID_ARGUMENT` for an id that
   * does not exist.
   */
  async disable(id: string): Promise<ApiKey> {
    const found = ID.test(id) ? await this.#read(id) : null;
    if (found === null) throw new OmenError('INVALID_ARGUMENT', `there is no key with the id "${id}"`);
    const mark = new TextEncoder().encode(
      JSON.stringify({ version: 1, disabledAtMs: this.#deps.clock.now() }),
    );
    await this.#deps.store.putIfAbsent(DISABLED + id, mark, this.#nonce());
    return publicPart(found, await this.#disabledAt(id));
  }

  /**
   * The key that `text` is. Throws `INVALID_TOKEN` when there is none, in the same words whatever is wrong
   * with it, and `KEY_REVOKED` when it was disabled or has expired.
   */
  async verify(text: string): Promise<ApiKey> {
    const parts = KEY.exec(text);
    if (parts === null || text.slice(-CHECK_LENGTH) !== checksum(text.slice(0, -CHECK_LENGTH))) {
      throw new OmenError('INVALID_TOKEN', 'the API key is mistyped or cut off');
    }
    const id = parts[2] ?? '';
    const [found, disabledAtMs] = await Promise.all([this.#read(id), this.#disabledAt(id)]);
    // The digest is computed and compared whether or not the key exists, so that the time says nothing.
    const matches = equalInConstantTime(this.#deps.digest(text), found?.digest ?? '');
    if (found === null || !matches) throw new OmenError('INVALID_TOKEN', 'the API key is not known');
    if (disabledAtMs !== null) throw new OmenError('KEY_REVOKED', 'the API key was disabled');
    if (found.expiresAtMs !== null && found.expiresAtMs <= this.#deps.clock.now()) {
      throw new OmenError('KEY_REVOKED', 'the API key has expired');
    }
    return publicPart(found, null);
  }

  async #read(id: string): Promise<StoredKey | null> {
    const outcome = await this.#deps.store.get(KEYS + id);
    return outcome.kind === 'found' ? decode(outcome.body, id) : null;
  }

  async #disabledAt(id: string): Promise<number | null> {
    const outcome = await this.#deps.store.get(DISABLED + id);
    if (outcome.kind !== 'found') return null;
    // Whatever the mark says, it is there: a damaged one disables as well.
    const at = /"disabledAtMs":(\d{1,15})/.exec(new TextDecoder().decode(outcome.body))?.[1];
    return Number(at ?? 0);
  }

  #random(alphabet: string, length: number): string {
    // Bytes beyond the last full round of the alphabet are dropped: all characters are equally likely.
    const end = 256 - (256 % alphabet.length);
    let text = '';
    while (text.length < length) {
      for (const byte of this.#deps.rng.bytes(length)) {
        if (byte < end && text.length < length) text += alphabet.charAt(byte % alphabet.length);
      }
    }
    return text;
  }

  #nonce(): string {
    return [...this.#deps.rng.bytes(16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}

/** Whether a bearer token looks like an API key rather than a JWT. */
export function looksLikeApiKey(text: string): boolean {
  return text.startsWith('omen_');
}

function checksum(text: string): string {
  let rest = crc32c(new TextEncoder().encode(text));
  let digits = '';
  while (digits.length < CHECK_LENGTH) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}

function equalInConstantTime(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(1, b.length));
  return difference === 0;
}

function publicPart(
  { version: _version, digest: _digest, ...key }: StoredKey,
  disabledAtMs: number | null,
): ApiKey {
  return { ...key, disabledAtMs };
}

function encode(key: StoredKey): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(key));
}

function decode(body: Uint8Array, id: string): StoredKey {
  try {
    const key = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as StoredKey;
    const whole =
      key.version === 1 && key.id === id && typeof key.digest === 'string' && Array.isArray(key.scopes);
    if (whole) return { ...key, tenant: parseTenantId(key.tenant) };
  } catch {
    // What is wrong with it helps nobody: the object is named below.
  }
  throw new OmenError(
    'DATA_CORRUPTED',
    `the object ${KEYS}${id} is not an API key of a version this server knows`,
  );
}
