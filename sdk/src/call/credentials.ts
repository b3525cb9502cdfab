/*
 * Where the `authorization` header comes from. A token that is asked for is kept until 80 % of its life is
 * over, and however many calls need one at the same moment, the provider is asked once.
 */
import { errorFor } from '../errors.js';
import type { ClientOptions, Runtime, TokenProvider } from '../options.js';

const SHARE_OF_LIFE_USED = 0.8;

/** Supplies the `authorization` header. */
export interface Credentials {
  /**
   * The header's value; a promise only when somebody has to be asked. Rejects with `NO_TOKEN` when the
   * provider fails.
   */
  authorization(): string | undefined | Promise<string>;
  /** Asking again may give another token. */
  readonly renewable: boolean;
  /**
   * The server says that the token of this header has expired. A newer one, which another call got meanwhile,
   * is kept.
   */
  expired(header: string | undefined): void;
}

/** Credentials from the one option that is given. Throws `TypeError` when there are several. */
export function credentialsFrom(options: ClientOptions, runtime: Runtime): Credentials {
  const { apiKey, token, tokenProvider } = options;
  const given = [apiKey, token, tokenProvider].filter((credential) => credential !== undefined);
  if (given.length > 1) throw new TypeError('give at most one of apiKey, token and tokenProvider');
  if (tokenProvider !== undefined) return new ProvidedToken(tokenProvider, runtime);
  const secret = apiKey ?? token;
  if (secret !== undefined && !/^[\x21-\x7e]+$/.test(secret)) {
    throw new TypeError(
      'apiKey or token is empty or has characters that a header cannot hold, such as a line break',
    );
  }
  const header = secret === undefined ? undefined : `Bearer ${secret}`;
  return { authorization: () => header, renewable: false, expired: () => undefined };
}

class ProvidedToken implements Credentials {
  readonly renewable = true;
  readonly #provider: TokenProvider;
  readonly #runtime: Runtime;
  #header: string | undefined;
  #renewAtMs = Infinity;
  #pending: Promise<string> | undefined;

  constructor(provider: TokenProvider, runtime: Runtime) {
    this.#provider = provider;
    this.#runtime = runtime;
  }

  authorization(): string | Promise<string> {
    if (this.#header !== undefined && this.#runtime.wallClockMs() < this.#renewAtMs) return this.#header;
    this.#pending ??= this.#renew().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  expired(header: string | undefined): void {
    if (this.#header === header) this.#header = undefined;
  }

  async #renew(): Promise<string> {
    let token: string;
    try {
      token = await this.#provider();
    } catch (cause) {
      const text = `the token provider failed: ${cause instanceof Error ? cause.message : String(cause)}`;
      throw errorFor('UNAUTHENTICATED', 'NO_TOKEN', text, { cause });
    }
    this.#header = `Bearer ${token}`;
    this.#renewAtMs = renewalTimeMs(token, this.#runtime.wallClockMs());
    return this.#header;
  }
}

/** When a JWT should be renewed; never for anything else. The signature is the server's business. */
function renewalTimeMs(token: string, nowMs: number): number {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as unknown;
    const { exp, iat } = payload as { exp?: unknown; iat?: unknown };
    if (typeof exp !== 'number') return Infinity;
    const issuedMs = typeof iat === 'number' ? iat * 1000 : nowMs;
    return issuedMs + (exp * 1000 - issuedMs) * SHARE_OF_LIFE_USED;
  } catch {
    return Infinity;
  }
}
