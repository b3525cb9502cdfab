/* The client: how to reach a server, and everything that is reached through it. */
import { Caller } from './call/caller.js';
import { credentialsFrom } from './call/credentials.js';
import { DEFAULT_RETRY, mergeRetry, RetryBudget } from './call/retry.js';
import { Sessions } from './call/sessions.js';
import { Collection } from './collection.js';
import { Collections } from './collections.js';
import { ClientCore } from './core.js';
import type { Limits } from './core.js';
import type { CallOptions, ClientOptions } from './options.js';
import { PACKAGE_NAME, PACKAGE_VERSION } from './package-name.js';
import type { ServerInfo } from './results.js';
import { SYSTEM_RUNTIME } from './runtime.js';
import { httpTransport } from './transport/http.js';
import type { Transport } from './transport/transport.js';
import type { AnyAttributes, AttributesOf } from './values/attributes.js';

const ENDPOINT_DEFAULT = 'http://127.0.0.1:8080';
const CONNECTIONS_DEFAULT = 32;
const CONNECTIONS_MAX = 1024;
const TIMEOUT_MS_DEFAULT = 30_000;
const CLOSE_GRACE_MS_DEFAULT = 5_000;

/**
 * A client of one OmenDB server. Make one per process and share it: it keeps connections open. Making it does
 * not call the server.
 *
 * ```ts
 * const db = new OmenClient({ endpoint: 'http://127.0.0.1:8080', token });
 * const words = db.collection<{ rank: number }>('words');
 * const { hits } = await words.query({ vector, topK: 10, filter: { rank: { $lt: 1000 } }, select: ['rank']
 * }); await db.close();
 * ```
 */
export class OmenClient implements AsyncDisposable {
  /** The collections that the credentials may see. */
  readonly collections: Collections;
  readonly #core: ClientCore;
  readonly #transport: Transport;

  /** Throws `TypeError` or `RangeError` when an option makes no sense. */
  constructor(options: ClientOptions = {}) {
    const runtime = options.runtime ?? SYSTEM_RUNTIME;
    const makeTransport =
      options.transport === undefined || options.transport === 'http' ? httpTransport : options.transport;
    const credentials = credentialsFrom(options, runtime);
    const retry = mergeRetry(DEFAULT_RETRY, options.retry);
    this.#transport = makeTransport({
      endpoint: parseEndpoint(options.endpoint ?? ENDPOINT_DEFAULT),
      connections: parseConnections(options.connections ?? CONNECTIONS_DEFAULT),
      clientName: `${PACKAGE_NAME}/${PACKAGE_VERSION}`,
      defaultHeaders: options.defaultHeaders ?? {},
    });
    const caller = new Caller({
      transport: this.#transport,
      credentials,
      retry,
      budget: new RetryBudget(runtime.now()),
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS_DEFAULT,
      runtime,
      logger: options.logger,
    });
    this.#core = new ClientCore(caller, new Sessions());
    this.collections = new Collections(this.#core);
  }

  /**
   * A handle for the records of a collection; does not call the server. `A` describes the attributes: with
   * it, filters, selections and results are checked by the compiler.
   */
  collection<A extends AttributesOf<A> = AnyAttributes>(name: string): Collection<A> {
    return new Collection<A>(this.#core, name);
  }

  /** Every limit a request can run into. Asked for once and kept. */
  limits(options?: CallOptions): Promise<Limits> {
    return this.#core.limits(options);
  }

  /** Version, uptime and features of the server. */
  async info(options?: CallOptions): Promise<ServerInfo> {
    const requestId = this.#core.requestIdOf(options);
    const answer = await this.#core.invoke('getServerInfo', {}, requestId, options);
    return {
      version: answer.version,
      apiVersions: answer.apiVersions,
      uptimeMs: Number(answer.uptimeMs),
      startedAt: answer.startTime,
      features: answer.features,
      dimensionsDefault: answer.dimensionsDefault,
      requestId,
    };
  }

  /**
   * Lets calls in flight finish for `graceMs` (default 5 000), then closes all connections. May be called
   * twice.
   */
  async close(options: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    await this.#transport.close(options.graceMs ?? CLOSE_GRACE_MS_DEFAULT);
  }

  /** `await using db = new OmenClient(…)` closes the client at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function parseEndpoint(endpoint: string): URL {
  const text = endpoint.includes('://') ? endpoint : `http://${endpoint}`;
  if (!URL.canParse(text))
    throw new TypeError(`endpoint is "${endpoint}", must be an address such as ${ENDPOINT_DEFAULT}`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError(`endpoint is "${endpoint}", must begin with http:// or https://`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(
      'endpoint holds a user name or password: give credentials as apiKey, token or tokenProvider',
    );
  }
  return url;
}

function parseConnections(connections: number): number {
  if (Number.isInteger(connections) && connections >= 1 && connections <= CONNECTIONS_MAX) return connections;
  throw new RangeError(`connections is ${connections}, must be a whole number from 1 to ${CONNECTIONS_MAX}`);
}
