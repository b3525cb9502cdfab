// Moments of the past, snapshots, branches and copies on their way to the use cases.
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { expect } from 'chai';
import type { CollectionInfo, DeriveCollectionRequest, Handlers, ReadOptions } from '#server/app/api.js';
import { parseCollectionName } from '#server/core/ids.js';
import * as pb from '#sdk/gen/messages.js';
import type { EdgeServer } from '../../support/edge-server.js';
import { startEdgeServer } from '../../support/edge-server.js';
import { stubHandlers } from '../../support/stub-handlers.js';
import { send, WAYS, wireClient } from '../../support/wire-client.js';

const COLLECTION = '/v1/collections/words';
const STATE = { sequenceNumber: 42, sessionToken: 'words.16' };

describe('The API of the past', () => {
  let server: EdgeServer;
  let authorization: string;

  async function start(handlers: Partial<Handlers>): Promise<void> {
    server = await startEdgeServer(stubHandlers(handlers));
    authorization = `Bearer ${await server.token()}`;
  }

  afterEach(() => server.stop());

  async function call(
    method: string,
    path: string,
    body?: unknown,
    type = 'application/json',
  ): Promise<Readonly<Record<string, unknown>>> {
    const { bytes } = await send(server.url, path, {
      ...{ method, headers: { authorization, 'content-type': type, accept: 'application/json' } },
      ...(body === undefined ? {} : { body: body instanceof Uint8Array ? body : JSON.stringify(body) }),
    });
    return JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
  }

  /** Reason and fields of an error, in one line. */
  const problem = (answer: Readonly<Record<string, unknown>>): string => {
    const { details } = answer['error'] as {
      details: { reason?: string; fieldViolations?: { field: string }[] }[];
    };
    const fields = details.flatMap(({ fieldViolations = [] }) => fieldViolations.map(({ field }) => field));
    return [details[0]?.reason, ...fields].join(' ');
  };

  describe('reads', () => {
    let seen: ReadOptions[];

    beforeEach(() => {
      seen = [];
      return start({
        countRecords: async (_context, { consistency, sessionToken, asOf }) => {
          seen.push({ consistency, sessionToken, ...(asOf === undefined ? {} : { asOf }) });
          return { count: 7, ...STATE };
        },
        getRecord: async (_context, { consistency, sessionToken, asOf }) => {
          seen.push({ consistency, sessionToken, ...(asOf === undefined ? {} : { asOf }) });
          return { id: 'a', attributes: new Map() };
        },
      });
    });

    const count = (body: unknown): Promise<Readonly<Record<string, unknown>>> =>
      call('POST', `${COLLECTION}/records:count`, body);
    const get = (query: string): Promise<Readonly<Record<string, unknown>>> =>
      call('GET', `${COLLECTION}/records/a?${query}`);

    it('name a moment in a body and in a query string alike', async () => {
      const ms = Date.UTC(2026, 10, 24, 10, 0, 0, 250);
      await count({ asOf: '2026-11-24T10:00:00.25Z' });
      await count({ asOf: '2026-11-24T12:00:00.250999+02:00' });
      await get('asOf=2026-11-24T10:00:00.250Z');
      await get('asOf=2026-11-24T12%3A00%3A00.250%2B02%3A00');
      const session = { consistency: 'session', sessionToken: '' };
      expect(seen).to.deep.equal(Array(4).fill({ ...session, asOf: { kind: 'time', ms } }));
      seen.length = 0;
      await count({ snapshot: 'nightly' });
      await get('snapshot=nightly');
      await count({ asOfSequenceNumber: '12' });
      await get('asOfSequenceNumber=12');
      await count({ asOfSequenceNumber: 0 });
      await count({ asOf: null, snapshot: null, asOfSequenceNumber: null });
      const moments = seen.map(({ asOf }) => asOf);
      const [snapshot, twelfth] = [
        { kind: 'snapshot', name: 'nightly' },
        { kind: 'sequence', sequence: 12 },
      ];
      const beginning = { kind: 'sequence', sequence: 0 };
      expect(moments).to.deep.equal([snapshot, snapshot, twelfth, twelfth, beginning, undefined]);
    });

    it('refuse what is no moment, with its place', async () => {
      for (const [field, value] of [
        ['asOf', 'yesterday'],
        ['asOf', '2026-11-24'],
        ['asOf', '2026-11-24T10:00:00'],
        ['asOf', 1_700_000_000],
        ['snapshot', ''],
        ['snapshot', '../x'],
        ['asOfSequenceNumber', -1],
        ['asOfSequenceNumber', 1.5],
      ] as const) {
        const expected = `INVALID_ARGUMENT ${field}`;
        expect(problem(await count({ [field]: value })), `${field} ${value}`).to.equal(expected);
        expect(problem(await get(`${field}=${value}`)), `${field}=${value}`).to.equal(expected);
      }
      expect(problem(await get('asOfSequenceNumber='))).to.equal('INVALID_ARGUMENT asOfSequenceNumber');
      expect(problem(await get('snapshot=a&snapshot=b'))).to.equal('INVALID_ARGUMENT snapshot');
      expect(problem(await get('as_of=2026-11-24T10:00:00Z'))).to.equal('UNKNOWN_FIELD as_of');
      expect(seen).to.deep.equal([]);
    });

    it('refuse a time that no date can tell', async () => {
      const time = new BinaryWriter().uint32(8).int64('9000000000000000').finish();
      const message = new BinaryWriter().uint32(42).bytes(time).finish();
      const answer = await call('POST', `${COLLECTION}/records:count`, message, 'application/x-protobuf');
      expect(problem(answer)).to.equal('INVALID_ARGUMENT asOf');
    });

    it('say why two fields exclude each other', async () => {
      const answer = await count({ snapshot: 'nightly', consistency: 'strong' });
      expect(answer).to.have.nested.property(
        'error.message',
        'snapshot and consistency are given together: give one of them, "strong" says how fresh the present must be',
      );
    });

    it('tell the state that they were answered from', async () => {
      expect(await count({})).to.deep.equal({ count: 7, ...STATE });
    });
  });

  describe('branches and copies', () => {
    let asked: DeriveCollectionRequest[];

    beforeEach(() => {
      asked = [];
      const derive = async (_context: unknown, request: DeriveCollectionRequest): Promise<CollectionInfo> => {
        asked.push(request);
        return {
          ...{ name: parseCollectionName(request.name), dimensions: 2, metric: 'l2', createdAtMs: 0 },
        };
      };
      return start({ branchCollection: derive, copyCollection: derive });
    });

    it('are made at addresses that end in their verb', async () => {
      for (const verb of ['branch', 'copy']) {
        expect(await call('POST', `${COLLECTION}:${verb}`, { name: 'new' })).to.have.nested.property(
          'collection.name',
          'new',
        );
      }
      await call('POST', '/v1/collections/a.b-c_d:branch', { name: 'x', snapshot: 's', requestId: 'r' });
      expect(asked.at(-1)).to.deep.equal({
        ...{ collection: 'a.b-c_d', name: 'x', requestId: 'r', asOf: { kind: 'snapshot', name: 's' } },
      });
      for (const path of [
        ':branch',
        'words:',
        'words:nope',
        'words:branch:copy',
        'words:branch/x',
        'words::copy',
      ]) {
        const answer = await call('POST', `/v1/collections/${path}`, { name: 'new' });
        expect(problem(answer), path).to.equal('METHOD_NOT_FOUND');
      }
      expect(problem(await call('GET', `${COLLECTION}:branch`))).to.equal(
        'INVALID_COLLECTION_NAME collection',
      );
      const long = await call('POST', `/v1/collections/${'x'.repeat(129)}:copy`, { name: 'new' });
      expect(problem(long)).to.equal('INVALID_COLLECTION_NAME collection');
    });

    for (const way of WAYS) {
      it(`need a credential for both collections over ${way}`, async () => {
        const token = await server.token({ collections: ['mine*'] });
        const client = wireClient(way, server);
        try {
          for (const method of ['branchCollection', 'copyCollection'] as const) {
            const type =
              method === 'branchCollection' ? pb.BranchCollectionRequest : pb.CopyCollectionRequest;
            const outcome = async (collection: string, name: string): Promise<string> => {
              const answer = await client.call(method, type.fromPartial({ collection, name }), { token });
              return answer.ok ? 'made' : `${answer.failure.reason} ${answer.failure.message}`;
            };
            expect(await outcome('mine', 'mine-2')).to.equal('made');
            expect(await outcome('mine', 'yours')).to.match(/^SCOPE_MISSING .*"yours"/);
            expect(await outcome('yours', 'mine-3')).to.match(/^SCOPE_MISSING .*"yours"/);
          }
        } finally {
          client.close();
        }
        expect(asked.map(({ name }) => name)).to.deep.equal(['mine-2', 'mine-2']);
      });
    }
  });

  it('carries snapshots and work in the background', async () => {
    const deleted: unknown[] = [];
    const snapshot = { name: 'nightly', createdAtMs: 1_000, sequenceNumber: 42 };
    const job = { jobId: 'j', claimedBy: 'server-1', startedAtMs: 2_000, inputs: 3, inputBytes: 4 };
    await start({
      createSnapshot: async () => snapshot,
      listSnapshots: async () => ({ snapshots: [snapshot] }),
      deleteSnapshot: async (_context, request) => void deleted.push(request),
      getCollectionStats: async () => ({
        ...{ records: 1, unindexedRecords: 0, segments: 0, bytes: 0, tiers: { hot: 0, warm: 0, cold: 0 } },
        ...{ sequenceNumber: 42, unfoldedBytes: 5, snapshots: 1, readableFromMs: 3_000 },
        jobs: [
          { ...job, kind: 'flush' },
          { ...job, kind: 'merge' },
        ],
      }),
    });
    const shown = { name: 'nightly', createTime: '1970-01-01T00:00:01.000Z', sequenceNumber: 42 };
    const path = `${COLLECTION}/snapshots`;
    expect(await call('POST', path, { name: 'nightly' })).to.deep.equal({ snapshot: shown });
    expect(await call('GET', path)).to.deep.equal({ snapshots: [shown] });
    expect(await call('DELETE', `${path}/nightly?requestId=r`)).to.deep.equal({});
    expect(deleted).to.deep.equal([{ collection: 'words', name: 'nightly', requestId: 'r' }]);
    const stats = await call('GET', `${COLLECTION}/stats`);
    const { jobId, claimedBy, inputs, inputBytes } = job;
    const work = { jobId, claimedBy, startTime: '1970-01-01T00:00:02.000Z', inputs, inputBytes };
    expect(stats).to.deep.include({
      ...{ unfoldedBytes: 5, snapshots: 1, sequenceNumber: 42, readableFrom: '1970-01-01T00:00:03.000Z' },
      jobs: [
        { ...work, kind: 'flush' },
        { ...work, kind: 'merge' },
      ],
    });
  });
});
