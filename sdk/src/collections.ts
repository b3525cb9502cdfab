/* Making, finding and removing collections. */
import type { ClientCore } from './core.js';
import { getCollection, getStats } from './describe.js';
import { Collection } from './collection.js';
import type { CallOptions } from './options.js';
import { Paged } from './pages.js';
import type { CreateCollection, Moment } from './requests.js';
import type { CollectionInfo, CollectionPage, CollectionStats, Identified } from './results.js';
import type { AnyAttributes, AttributesOf } from './values/attributes.js';
import { wholeNumber } from './values/whole-number.js';
import { METRIC_CODES, readCollection } from './wire/read-answers.js';
import { momentToWire } from './wire/state-asked-for.js';

const PAGE_SIZE_DEFAULT = 100;

/** The collections that the credentials may see. Found as `db.collections`. */
export class Collections {
  readonly #core: ClientCore;

  /** Made by `OmenClient`. */
  constructor(core: ClientCore) {
    this.#core = core;
  }

  /** Makes an empty collection. Rejects with `COLLECTION_EXISTS` when there is one of that name. */
  async create<A extends AttributesOf<A> = AnyAttributes>(
    collection: CreateCollection,
    options?: CallOptions,
  ): Promise<Collection<A>> {
    const { name, dimensions, metric } = collection;
    const code = metric === undefined ? 0 : METRIC_CODES[metric];
    if (code === undefined)
      throw new TypeError(`metric is "${metric}", must be one of ${Object.keys(METRIC_CODES)}`);
    const requestId = this.#core.requestIdOf(options);
    await this.#core.invoke(
      'createCollection',
      { name, dimensions: wholeNumber(dimensions, 'dimensions'), metric: code, requestId },
      requestId,
      options,
    );
    this.#core.sessions.forget(name);
    return new Collection<A>(this.#core, name);
  }

  /**
   * Makes a collection that begins as `source` is, or was at a moment of its past, in constant time. The two
   * share what neither of them changes. Rejects with `COLLECTION_EXISTS`, `COLLECTION_NOT_FOUND`,
   * `MOMENT_NOT_KEPT` or `SNAPSHOT_NOT_FOUND`.
   */
  branch<A extends AttributesOf<A> = AnyAttributes>(
    source: string,
    name: string,
    moment: Moment = {},
    options?: CallOptions,
  ): Promise<Collection<A>> {
    return this.#derive('branchCollection', { source, name, moment }, options);
  }

  /**
   * Like `branch`; the new collection is rewritten in the background until it shares nothing with `source`.
   */
  copy<A extends AttributesOf<A> = AnyAttributes>(
    source: string,
    name: string,
    moment: Moment = {},
    options?: CallOptions,
  ): Promise<Collection<A>> {
    return this.#derive('copyCollection', { source, name, moment }, options);
  }

  /** Describes a collection. Rejects with `COLLECTION_NOT_FOUND` when there is none. */
  get(name: string, options?: CallOptions): Promise<CollectionInfo> {
    return getCollection(this.#core, name, options);
  }

  /**
   * All collections by name: `for await (const info of db.collections.list())`, or page by page with
   * `.pages()`.
   */
  list(
    request: { readonly pageSize?: number | undefined } = {},
    options?: CallOptions,
  ): Paged<CollectionInfo, CollectionPage> {
    const pageSize = wholeNumber(request.pageSize, 'pageSize') ?? PAGE_SIZE_DEFAULT;
    return new Paged<CollectionInfo, CollectionPage>(
      async (pageToken) => {
        const requestId = this.#core.requestIdOf(options);
        const answer = await this.#core.invoke(
          'listCollections',
          { pageSize, pageToken },
          requestId,
          options,
        );
        const { nextPageToken } = answer;
        return { collections: answer.collections.map(readCollection), nextPageToken, requestId };
      },
      (page) => page.collections,
    );
  }

  /** Removes a collection and everything in it. Rejects with `COLLECTION_NOT_FOUND` when there is none. */
  async delete(name: string, options?: CallOptions): Promise<Identified> {
    const requestId = this.#core.requestIdOf(options);
    await this.#core.invoke('deleteCollection', { collection: name, requestId }, requestId, options);
    this.#core.sessions.forget(name);
    return { requestId };
  }

  /** How large a collection is and where its data lies. */
  stats(name: string, options?: CallOptions): Promise<CollectionStats> {
    return getStats(this.#core, name, options);
  }

  async #derive<A extends AttributesOf<A>>(
    method: 'branchCollection' | 'copyCollection',
    { source, name, moment }: { readonly source: string; readonly name: string; readonly moment: Moment },
    options: CallOptions | undefined,
  ): Promise<Collection<A>> {
    const requestId = this.#core.requestIdOf(options);
    const request = { collection: source, name, requestId, ...momentToWire(moment) };
    await this.#core.invoke(method, request, requestId, options);
    this.#core.sessions.forget(name);
    return new Collection<A>(this.#core, name);
  }
}
