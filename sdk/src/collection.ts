/* The records of one collection. */
import { BulkRun } from './bulk/bulk-run.js';
import type { BulkOptions, BulkSource } from './bulk/options.js';
import { decodeAnswer } from './call/invoke.js';
import type { RequestOf, ResponseOf } from './call/invoke.js';
import type { ClientCore } from './core.js';
import { getCollection, getStats } from './describe.js';
import { invalidArgument, OmenError } from './errors.js';
import { filterToWire } from './filter/encode.js';
import type { Record as RecordMessage } from './gen/messages.js';
import { METHODS } from './gen/methods.js';
import type { CallOptions } from './options.js';
import { Paged } from './pages.js';
import type {
  CountRequest,
  DeleteRequest,
  GetOptions,
  QueryRequest,
  ReadOptions,
  RecordBlockInput,
  RecordInput,
  RecordPatch,
  ScanRequest,
  Selection,
} from './requests.js';
import type {
  CollectionInfo,
  CollectionStats,
  DeleteResult,
  FoundRecord,
  GetManyResult,
  PatchResult,
  QueryResult,
  ScanPage,
  UpsertResult,
  WriteResult,
} from './results.js';
import { attributesToWire } from './values/attributes.js';
import type { AnyAttributes, AttributesOf } from './values/attributes.js';
import { dimensionsOf, vectorToBytes } from './values/vector.js';
import { wholeNumber } from './values/whole-number.js';
import type { VectorInput } from './values/vector.js';
import { RecordBlockBuilder } from './values/record-block.js';
import { readHit, readPerformance, readRecord, readUsage, selectionToWire } from './wire/read-answers.js';
import { inRecordTerms } from './wire/block-paths.js';
import { Snapshots } from './snapshots.js';
import { isOfThePast, stateToWire } from './wire/state-asked-for.js';
import type { StateFields } from './wire/state-asked-for.js';

const SCAN_PAGE_SIZE_DEFAULT = 1000;

/**
 * The records of one collection. Made by `db.collection(name)`; holds no connection, so it need not be
 * closed.
 */
export class Collection<A extends AttributesOf<A> = AnyAttributes> {
  /** Name of the collection. */
  readonly name: string;
  /** Moments of the collection that are kept by name. */
  readonly snapshots: Snapshots;
  readonly #core: ClientCore;

  /** Made by `OmenClient`. */
  constructor(core: ClientCore, name: string) {
    if (typeof name !== 'string' || name === '')
      throw invalidArgument('INVALID_COLLECTION_NAME', 'collection', 'must be text');
    this.#core = core;
    this.name = name;
    this.snapshots = new Snapshots(core, name);
  }

  /** Describes the collection. Rejects with `COLLECTION_NOT_FOUND` when it does not exist. */
  info(options?: CallOptions): Promise<CollectionInfo> {
    return getCollection(this.#core, this.name, options);
  }

  /** How large the collection is and where its data lies. */
  stats(options?: CallOptions): Promise<CollectionStats> {
    return getStats(this.#core, this.name, options);
  }

  /**
   * Writes records: new ids are inserted, known ids are replaced. All of them or, when it rejects with a
   * reason of the server, none. At most 10 000 records and 64 MiB; `bulk` takes any number.
   */
  async upsert(
    records: readonly RecordInput<A>[] | RecordBlockInput<A>,
    options?: CallOptions,
  ): Promise<UpsertResult> {
    const asRecords = Array.isArray(records);
    if (!asRecords && !Array.isArray((records as Partial<RecordBlockInput<A>> | undefined)?.ids)) {
      throw invalidArgument('INVALID_ARGUMENT', 'records', 'must be an array of records, or ids and vectors');
    }
    const block = asRecords ? blockOfRecords(records) : blockOfColumns(records as RecordBlockInput<A>);
    const requestId = this.#core.requestIdOf(options);
    const body = block.encode(this.name, requestId);
    const method = METHODS.upsertRecords;
    const target = method.toPath({ collection: this.name, records: [], requestId });
    try {
      const bytes = await this.#core.caller.call({ method, target, body, requestId }, options);
      const answer = decodeAnswer('upsertRecords', bytes, requestId);
      const { inserted, updated } = answer;
      return { inserted, updated, ...this.#wrote(answer, requestId) };
    } catch (error) {
      throw asRecords && error instanceof OmenError ? inRecordTerms(error) : error;
    }
  }

  /** Changes parts of records that exist; what a patch does not name stays as it is. */
  async patch(patches: readonly RecordPatch<A>[], options?: CallOptions): Promise<PatchResult> {
    const requestId = this.#core.requestIdOf(options);
    const messages = patches.map((patch, i) => ({
      id: patch.id,
      ...(patch.vector === undefined ? {} : { vector: vectorToWire(patch.vector, `patches[${i}].vector`) }),
      attributes: attributesToWire(patch.attributes, `patches[${i}].attributes`),
    }));
    const request = { collection: this.name, patches: messages, requestId };
    const answer = await this.#core.invoke('patchRecords', request, requestId, options);
    const { patched, missingIds } = answer;
    return { patched, missingIds, ...this.#wrote(answer, requestId) };
  }

  /** Deletes records by id, or all that pass a filter. Ids that do not exist are ignored. */
  async delete(which: DeleteRequest<A>, options?: CallOptions): Promise<DeleteResult> {
    const requestId = this.#core.requestIdOf(options);
    const filter = which.filter === undefined ? undefined : filterToWire(which.filter);
    const request = { collection: this.name, ids: [...(which.ids ?? [])], filter, requestId };
    const answer = await this.#core.invoke('deleteRecords', request, requestId, options);
    return { deleted: Number(answer.deleted), ...this.#wrote(answer, requestId) };
  }

  /**
   * One record, or `undefined` when the id does not exist. By default with all attributes and without the
   * vector.
   */
  async get<const S extends Selection<A> = '*', const V extends boolean = false>(
    id: string,
    what?: GetOptions<S, V>,
    options?: CallOptions,
  ): Promise<FoundRecord<A, S, V> | undefined> {
    const { records } = await this.getMany([id], what, options);
    return records[0];
  }

  /** Records by id, at most 1000. By default with all attributes and without vectors. */
  async getMany<const S extends Selection<A> = '*', const V extends boolean = false>(
    ids: readonly string[],
    what: GetOptions<S, V> = {},
    options?: CallOptions,
  ): Promise<GetManyResult<A, S, V>> {
    const requestId = this.#core.requestIdOf(options);
    const request = { collection: this.name, ids: [...ids], ...projection(what) };
    const answer = await this.#read('batchGetRecords', request, what, { ...options, requestId });
    const records = readRecords<A, S, V>(answer.records, what.select);
    return { records, missingIds: answer.missingIds, ...stateOf(answer), requestId };
  }

  /** The records nearest to a vector, best first. By default ten hits without attributes and vectors. */
  async query<const S extends Selection<A> = readonly [], const V extends boolean = false>(
    query: QueryRequest<A, S, V>,
    options?: CallOptions,
  ): Promise<QueryResult<A, S, V>> {
    const requestId = this.#core.requestIdOf(options);
    const { exact, recallTarget } = query;
    const nprobe = wholeNumber(query.nprobe, 'params.nprobe');
    const rerank = wholeNumber(query.rerank, 'params.rerank');
    const plain =
      exact === undefined && recallTarget === undefined && nprobe === undefined && rerank === undefined;
    const request = {
      collection: this.name,
      vector: vectorToWire(query.vector, 'vector'),
      topK: wholeNumber(query.topK, 'topK'),
      filter: query.filter === undefined ? undefined : filterToWire(query.filter),
      select: selectionToWire(query.select),
      includeVectors: query.includeVector === true,
      params: plain ? undefined : { exact: exact === true, recallTarget, nprobe, rerank },
    };
    const answer = await this.#read('query', request, query, { ...options, requestId });
    return {
      hits: answer.hits.map((hit) => readHit<A, S, V>(hit)),
      usage: readUsage(answer.usage),
      performance: readPerformance(answer.performance),
      ...stateOf(answer),
      requestId,
    };
  }

  /** How many records there are, or how many pass a filter. Exact. */
  async count(what: CountRequest<A> = {}, options?: CallOptions): Promise<number> {
    const requestId = this.#core.requestIdOf(options);
    const filter = what.filter === undefined ? undefined : filterToWire(what.filter);
    const request = { collection: this.name, filter };
    const answer = await this.#read('countRecords', request, what, { ...options, requestId });
    return Number(answer.count);
  }

  /**
   * All records, or those that pass a filter: `for await (const record of c.scan())`, or page by page with
   * `.pages()`. A record that exists during the whole scan comes exactly once. `options` holds for each page.
   */
  scan<const S extends Selection<A> = '*', const V extends boolean = false>(
    what: ScanRequest<A, S, V> = {},
    options?: CallOptions,
  ): Paged<FoundRecord<A, S, V>, ScanPage<A, S, V>> {
    const filter = what.filter === undefined ? undefined : filterToWire(what.filter);
    const pageSize = wholeNumber(what.pageSize, 'pageSize') ?? SCAN_PAGE_SIZE_DEFAULT;
    const fixed = { collection: this.name, filter, pageSize, ...projection(what) };
    return new Paged<FoundRecord<A, S, V>, ScanPage<A, S, V>>(
      async (pageToken) => {
        const requestId = this.#core.runtime.uniqueId();
        const request = { ...fixed, pageToken };
        const answer = await this.#read('scanRecords', request, what, { ...options, requestId });
        const records = readRecords<A, S, V>(answer.records, what.select);
        return { records, nextPageToken: answer.nextPageToken, ...stateOf(answer), requestId };
      },
      (page) => page.records,
    );
  }

  /**
   * Writes any number of records in batches, several at once and as fast as the server takes them. Begins at
   * once; await the result. What an answer was lost for is sent again under the same request id, so nothing
   * is lost and nothing is written twice.
   */
  bulk(source: BulkSource<A>, options: BulkOptions = {}): BulkRun {
    return new BulkRun(this.#core, this.name, source, options);
  }

  /** Reads, and remembers what was seen, so that no later read of the session sees less. */
  async #read<N extends ReadMethod>(
    name: N,
    what: Omit<RequestOf<N>, keyof StateFields>,
    read: ReadOptions,
    options: CallOptions & { readonly requestId: string },
  ): Promise<ResponseOf<N>> {
    const { sessions } = this.#core;
    const send = (state: StateFields): Promise<ResponseOf<N>> =>
      this.#core.invoke(name, { ...what, ...state } as RequestOf<N>, options.requestId, options);
    const state = stateToWire(read, sessions.tokenOf(this.name));
    const own = read.sessionToken === undefined && state.sessionToken !== '';
    const answer = await send(state).catch((error: unknown) => {
      // Somebody made the collection anew: the writes that the token stands for are gone, and with them what
      // this client could wait for.
      if (!own || !isStaleToken(error)) throw error;
      sessions.forget(this.name, state.sessionToken);
      return send(stateToWire(read, sessions.tokenOf(this.name)));
    });
    if (!isOfThePast(read)) sessions.saw(this.name, answer.sequenceNumber, answer.sessionToken);
    return answer;
  }

  #wrote(answer: Receipt, requestId: string): WriteResult {
    this.#core.sessions.saw(this.name, answer.sequenceNumber, answer.sessionToken);
    return { ...stateOf(answer), requestId };
  }
}

type ReadMethod = 'batchGetRecords' | 'query' | 'countRecords' | 'scanRecords';
type Receipt = Pick<ResponseOf<'upsertRecords'>, 'sequenceNumber' | 'sessionToken'>;

function stateOf({ sequenceNumber, sessionToken }: Receipt): {
  readonly sequenceNumber: number;
  readonly sessionToken: string;
} {
  return { sequenceNumber: Number(sequenceNumber), sessionToken };
}

function isStaleToken(error: unknown): boolean {
  if (!(error instanceof OmenError) || error.reason !== 'CONDITION_FAILED') return false;
  return error.fieldViolations.some(({ field }) => field === 'sessionToken');
}

function vectorToWire(vector: VectorInput, field: string): { data: { $case: 'f32'; value: Uint8Array } } {
  return { data: { $case: 'f32', value: vectorToBytes(vector, field) } };
}

function projection(what: { readonly select?: unknown; readonly includeVector?: boolean | undefined }): {
  select: string[];
  includeVectors: boolean;
} {
  const select = what.select as Selection<AnyAttributes> | undefined;
  // Reads by id return all attributes when none is named.
  return {
    select: select === '*' ? [] : selectionToWire(select),
    includeVectors: what.includeVector === true,
  };
}

function readRecords<A, S, V extends boolean>(
  records: readonly RecordMessage[],
  select: unknown,
): FoundRecord<A, S, V>[] {
  const found = records.map((record) => readRecord<A, S, V>(record));
  // On the wire, naming no attribute asks for all of them; here an empty list means what it says.
  const none = Array.isArray(select) && select.length === 0;
  return none ? found.map((record) => ({ ...record, attributes: {} }) as FoundRecord<A, S, V>) : found;
}

function blockOfRecords<A>(records: readonly RecordInput<A>[]): RecordBlockBuilder {
  const first = records[0] as RecordInput<A> | null | undefined;
  // What is no record at all is refused below, with its place.
  const dimensions =
    typeof first === 'object' && first !== null ? dimensionsOf(first.vector, 'records[0].vector') : 0;
  const block = new RecordBlockBuilder(dimensions, records.length);
  records.forEach((record, i) => block.add(record, `records[${i}]`));
  return block;
}

function blockOfColumns<A>({ ids, vectors, attributes }: RecordBlockInput<A>): RecordBlockBuilder {
  const dimensions = ids.length === 0 ? 0 : vectors.length / ids.length;
  if (!Number.isInteger(dimensions)) {
    const text = `${vectors.length} numbers are not a whole number of dimensions for each of ${ids.length} ids`;
    throw invalidArgument('DIMENSION_MISMATCH', 'block.vectors', text);
  }
  if (attributes !== undefined && attributes.length !== ids.length) {
    const text = `has ${attributes.length} entries for ${ids.length} ids`;
    throw invalidArgument('INVALID_ATTRIBUTE', 'block.attributes', text);
  }
  const block = new RecordBlockBuilder(dimensions, ids.length);
  ids.forEach((id, i) => {
    const vector = vectors.subarray(i * dimensions, (i + 1) * dimensions);
    block.add({ id, vector, attributes: attributes?.[i] }, `block[${i}]`);
  });
  return block;
}
