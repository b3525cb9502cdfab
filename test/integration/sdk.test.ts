// The client against the real server, the same cases over both transports.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { f, OmenClient, OmenError } from '#sdk/index.js';
import type { AnyAttributes, BulkProgress, Collection, RecordInput } from '#sdk/index.js';
import { grpcTransport } from '#sdk/grpc.js';
import { startServer } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';
import { withTemporaryFolder } from '../support/temporary-folder.js';

interface Word {
  rank: number;
  tag: string;
  langs: string[];
}

const EXAMPLES = fileURLToPath(new URL('../../../sdk/examples/dist/', import.meta.url));
const run = promisify(execFile);

/** Thirty words on a quarter circle: word 0 is nearest to [1, 0], word 29 to [0, 1]. */
const words: RecordInput<Word>[] = Array.from({ length: 30 }, (_, i) => ({
  id: `w${i}`,
  vector: [Math.cos((i / 29) * (Math.PI / 2)), Math.sin((i / 29) * (Math.PI / 2))],
  attributes: { rank: i, tag: i % 2 === 0 ? 'even' : 'odd', langs: i % 3 === 0 ? ['en', 'de'] : ['en'] },
}));

describe('The client and the real server', function () {
  this.timeout(60_000);
  let folder: string;
  let server: ServerProcess;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-sdk-'));
    server = await startServer({ dataDir: folder });
  });

  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const transport of ['http', 'grpc'] as const) {
    describe(`over ${transport}`, () => {
      let db: OmenClient;
      let c: Collection<Word>;

      before(async () => {
        db = connect(server, transport);
        c = await db.collections.create<Word>({
          name: `words-${transport}`,
          dimensions: 2,
          metric: 'cosine',
        });
        await c.upsert(words);
      });

      after(() => db.close());

      it('makes, describes, lists and removes collections', async () => {
        const name = `brief-${transport}`;
        await db.collections.create({ name, dimensions: 7, metric: 'l2' });
        expect(await db.collections.get(name)).to.include({ name, dimensions: 7, metric: 'l2' });
        const names = (await db.collections.list({ pageSize: 1 }).toArray()).map((info) => info.name);
        expect(names).to.include.members([name, c.name]);
        expect(await reason(db.collections.create({ name, dimensions: 7 }))).to.equal('COLLECTION_EXISTS');
        await db.collections.delete(name);
        expect(await reason(db.collections.get(name))).to.equal('COLLECTION_NOT_FOUND');
        expect(await reason(db.collection(name).count())).to.equal('COLLECTION_NOT_FOUND');
      });

      it('counts and describes what was written', async () => {
        expect(await c.count()).to.equal(30);
        expect(await c.count({ filter: { rank: { $lt: 10 }, tag: 'odd' } })).to.equal(5);
        expect(await c.stats()).to.include({ records: 30 });
        expect(await c.info()).to.include({ dimensions: 2, metric: 'cosine' });
      });

      it('finds the nearest records with what was selected', async () => {
        const { hits, performance } = await c.query({
          vector: [1, 0],
          topK: 3,
          select: ['rank'],
          includeVector: true,
        });
        expect(hits.map(({ id }) => id)).to.deep.equal(['w0', 'w1', 'w2']);
        expect(hits[1]?.attributes).to.deep.equal({ rank: 1 });
        expect(hits[0]?.vector).to.deep.equal(Float32Array.of(1, 0));
        expect(hits[0]?.score).to.be.closeTo(1, 1e-5);
        expect(performance?.serverMs).to.be.a('number');
      });

      it('returns no attributes with hits unless asked, and all with *', async () => {
        const plain = await c.query({ vector: Float32Array.of(0, 1), topK: 1 });
        expect(plain.hits[0]).to.deep.include({ id: 'w29', attributes: {} }).and.not.have.property('vector');
        const all = await c.query({
          vector: Buffer.from(Float32Array.of(0, 1).buffer),
          topK: 1,
          select: '*',
        });
        expect(all.hits[0]?.attributes).to.deep.equal({ rank: 29, tag: 'odd', langs: ['en'] });
      });

      it('filters with every operator as the builder and the object form say', async () => {
        const ids = async (filter: Parameters<typeof c.count>[0]) => c.count(filter);
        expect(await ids({ filter: f.and(f.gte('rank', 10), f.lte('rank', 12)) })).to.equal(3);
        expect(await ids({ filter: { langs: { $containsAll: ['en', 'de'] } } })).to.equal(10);
        expect(await ids({ filter: { langs: 'de', rank: { $gt: 20 } } })).to.equal(3);
        expect(await ids({ filter: { $not: { tag: { $in: ['even'] } } } })).to.equal(15);
        expect(await ids({ filter: { $id: { $in: ['w1', 'w2', 'nobody'] } } })).to.equal(2);
        expect(await ids({ filter: { $id: { $prefix: 'w2' } } })).to.equal(11);
        expect(await ids({ filter: { tag: { $prefix: 'ev' }, rank: { $ne: 0 } } })).to.equal(14);
        expect(await ids({ filter: { $or: [{ rank: 3 }, { rank: { $exists: false } }] } })).to.equal(1);
      });

      it('returns records by id and says which do not exist', async () => {
        const { records, missingIds } = await c.getMany(['w3', 'nobody', 'w1'], {
          select: ['tag'],
          includeVector: true,
        });
        expect(records.map(({ id }) => id)).to.deep.equal(['w3', 'w1']);
        expect(records[0]?.attributes).to.deep.equal({ tag: 'odd' });
        expect(records[0]?.vector).to.have.length(2);
        expect(missingIds).to.deep.equal(['nobody']);
        expect(await c.get('nobody')).to.equal(undefined);
        expect(await c.get('w1', { select: [] })).to.deep.equal({ id: 'w1', attributes: {} });
        expect((await c.get('w4'))?.attributes).to.deep.equal({ rank: 4, tag: 'even', langs: ['en'] });
      });

      it('walks through all records, each once', async () => {
        const seen: string[] = [];
        for await (const { id } of c.scan({ pageSize: 7, select: ['rank'] })) seen.push(id);
        expect(seen).to.have.length(30);
        expect(new Set(seen)).to.deep.equal(new Set(words.map(({ id }) => id)));
        const pages: number[] = [];
        for await (const { records } of c.scan({ pageSize: 10, filter: { tag: 'odd' } }).pages())
          pages.push(records.length);
        expect(pages.reduce((a, b) => a + b)).to.equal(15);
      });

      it('keeps any id, any attribute and every digit', async () => {
        const open = await db.collections.create({ name: `odd-${transport}`, dimensions: 1, metric: 'dot' });
        const attributes: AnyAttributes = {
          big: 2n ** 62n,
          small: -7,
          part: 0.1,
          yes: true,
          text: 'naïve \u{1F600}',
          none: [],
          bigs: [1n, 2n ** 60n],
          parts: [0.5, 2],
        };
        const ids = [
          '..',
          'a/b',
          '%2F',
          'ключ',
          ' ',
          'x'.repeat(512),
          '\u{1F600}',
          'records:query',
          '__proto__',
        ];
        await open.upsert(ids.map((id, i) => ({ id, vector: [i], attributes })));
        const { records } = await open.getMany(ids);
        expect(records.map(({ id }) => id)).to.deep.equal(ids);
        for (const record of records) expect(record.attributes).to.deep.equal(attributes);
        expect(await open.delete({ ids: ['..', 'nobody'] })).to.include({ deleted: 1 });
        await db.collections.delete(open.name);
      });

      it('patches and deletes, and sees its own writes', async () => {
        const p = await db.collections.create<Word>({ name: `patch-${transport}`, dimensions: 2 });
        await p.upsert(words);
        const patched = await p.patch([
          { id: 'w1', vector: [0, 1], attributes: { tag: null, rank: 100 } },
          { id: 'nobody', attributes: { rank: 1 } },
        ]);
        expect(patched).to.deep.include({ patched: 1, missingIds: ['nobody'] });
        expect(await p.get('w1', { includeVector: true })).to.deep.equal({
          id: 'w1',
          attributes: { rank: 100, langs: ['en'] },
          vector: Float32Array.of(0, 1),
        });
        expect(await p.delete({ filter: { rank: { $gte: 20 } } })).to.include({ deleted: 11 });
        expect(await p.count()).to.equal(19);
        const others = connect(server, transport === 'http' ? 'grpc' : 'http');
        const { sessionToken } = await p.delete({ ids: ['w0'] });
        expect(await others.collection(p.name).count({ sessionToken })).to.equal(18);
        await others.close();
        await db.collections.delete(p.name);
      });

      it('writes columns, and answers a repeated request id with the first answer', async () => {
        const b = await db.collections.create<{ n: number }>({ name: `block-${transport}`, dimensions: 2 });
        const block = {
          ids: ['a', 'b'],
          vectors: Float32Array.of(1, 0, 0, 1),
          attributes: [{ n: 1 }, undefined],
        };
        const first = await b.upsert(block, { requestId: `once-${transport}` });
        expect(first).to.include({ inserted: 2, updated: 0 });
        expect(await b.upsert(block, { requestId: `once-${transport}` })).to.deep.equal(first);
        expect(await b.upsert(block)).to.include({ inserted: 0, updated: 2 });
        expect((await b.get('a'))?.attributes).to.deep.equal({ n: 1 });
        expect((await b.get('b'))?.attributes).to.deep.equal({});
        await db.collections.delete(b.name);
      });

      it('gives errors that name the reason and the place', async () => {
        const wrong = await failure(c.upsert([words[0] as RecordInput<Word>, { id: 'x', vector: [0, 0] }]));
        expect(wrong).to.include({
          code: 'INVALID_ARGUMENT',
          reason: 'ZERO_VECTOR',
          status: 400,
          attempts: 1,
        });
        expect(wrong.fieldViolations[0]?.field).to.equal('records[1].vector');
        expect(wrong.requestId).to.be.a('string').and.not.equal('');
        const twice = await failure(
          c.upsert([
            { id: 'x', vector: [1, 0] },
            { id: 'x', vector: [1, 1] },
          ]),
        );
        expect(twice.reason).to.equal('DUPLICATE_ID');
        expect(twice.fieldViolations[0]?.field).to.equal('records[1].id');
        expect(await reason(c.upsert([{ id: 'x', vector: [1, 2, 3] }]))).to.equal('DIMENSION_MISMATCH');
        expect(await reason(c.query({ vector: [1, 2, 3] }))).to.equal('DIMENSION_MISMATCH');
        expect(await reason(c.query({ vector: [1, NaN] }))).to.equal('INVALID_VECTOR');
        expect(await reason(c.query({ vector: [1, 0], topK: 0 }))).to.equal('INVALID_ARGUMENT');
        expect(await reason(c.upsert([]))).to.equal('EMPTY_BATCH');
        const stranger = connect(server, transport, '');
        expect(await reason(stranger.collection(c.name).count())).to.equal('MISSING_CREDENTIALS');
        await stranger.close();
        expect(await c.count()).to.equal(30);
      });

      it('says of a request that is too large that it is, and takes the next one', async () => {
        const wide = await db.collections.create({
          name: `wide-${transport}`,
          dimensions: 4096,
          metric: 'l2',
        });
        const ids = Array.from({ length: 4200 }, (_, i) => `r${i}`);
        const block = { ids, vectors: new Float32Array(4200 * 4096) };
        expect(await failure(wide.upsert(block))).to.include({ reason: 'MESSAGE_TOO_LARGE', attempts: 1 });
        const many = Array.from({ length: 10_001 }, (_, i) => ({ id: `r${i}`, vector: [1, 0] }));
        expect(await reason(c.upsert(many))).to.equal('BATCH_TOO_LARGE');
        expect(await wide.count()).to.equal(0);
        await db.collections.delete(wide.name);
      });

      it('goes on reading a collection that somebody else made anew', async () => {
        const name = `anew-${transport}`;
        const mine = await db.collections.create({ name, dimensions: 1 });
        await mine.upsert([{ id: 'a', vector: [1] }]);
        const other = connect(server, transport);
        await other.collections.delete(name);
        await other.collections.create({ name, dimensions: 1 });
        expect(await mine.count()).to.equal(0);
        await other.close();
        await db.collections.delete(name);
      });

      it('loads in bulk and names what it refused', async () => {
        const b = await db.collections.create<{ n: number }>({ name: `bulk-${transport}`, dimensions: 8 });
        const source = [...numbered(20_000, 8)];
        // A name with $ is refused by the server only.
        source[777] = { id: 'r777', vector: source[777]?.vector ?? [], attributes: { $bad: 1 } as never };
        const report = await b.bulk(source, { batchRecords: 1000, onError: 'collect' });
        expect(report).to.include({ read: 20_000, written: 19_999, inserted: 19_999, failedCount: 1 });
        expect(report.failed[0]).to.include({ index: 777, id: 'r777', reason: 'INVALID_ATTRIBUTE' });
        expect(await b.count()).to.equal(19_999);
        expect((await b.get('r19999'))?.attributes.n).to.equal(19_999);
        await db.collections.delete(b.name);
      });

      it('tells limits and version', async () => {
        expect((await db.limits()).batchRecordsMax).to.equal(10_000);
        expect((await db.info()).apiVersions).to.include('v1');
      });
    });
  }

  for (const example of ['typed-search', 'bulk-load', 'grpc-and-errors']) {
    it(`runs the example ${example}`, async () => {
      const { stdout } = await run(process.execPath, [`${EXAMPLES}${example}.js`], {
        env: {
          ...process.env,
          OMENDB_URL: server.url,
          OMENDB_GRPC_URL: `http://${server.grpcAddress}`,
          OMENDB_TOKEN: server.token,
        },
      });
      expect(stdout.trim().split('\n')).to.deep.equal(EXAMPLE_OUTPUT[example]);
    });
  }
});

const EXAMPLE_OUTPUT: Readonly<Record<string, readonly string[]>> = {
  'typed-search': [
    'alien 0.988 1979 horror',
    'solaris 0.922 1972 drama',
    'searched exactly: true',
    'dramas and comedies without a crew: 1',
    'alien: space crew cat 3 dimensions',
  ],
  'bulk-load': ['written 20000, refused 0', '2000 points on the third ring'],
  'grpc-and-errors': [
    'not found: COLLECTION_NOT_FOUND',
    'refused: ZERO_VECTOR at records[1].vector',
    'written once: true',
    'cancelled: true',
  ],
};

describe('A bulk load through a server that is killed', function () {
  this.timeout(120_000);

  it('ends with every record written once when the server comes back', () =>
    withTemporaryFolder(async (dataDir) => {
      let server = await startServer({ dataDir });
      const { ports } = server;
      const db = connect(server, 'http');
      try {
        const c = await db.collections.create<{ n: number }>({ name: 'survivor', dimensions: 16 });
        let kills = 0;
        let restarted: Promise<void> | undefined;
        const restart = async (): Promise<void> => {
          await server.kill();
          server = await startServer({ dataDir, ports });
        };
        const onProgress = ({ written }: BulkProgress): void => {
          if (kills >= 3 || written < (kills + 1) * 8_000) return;
          kills += 1;
          restarted = (restarted ?? Promise.resolve()).then(restart);
        };
        const report = await c.bulk(numbered(40_000, 16), { batchRecords: 500, onProgress });
        await restarted;
        expect(kills).to.equal(3);
        expect(report).to.include({ written: 40_000, inserted: 40_000, updated: 0, failedCount: 0 });
        expect(await c.count()).to.equal(40_000);
        const seen = new Set<string>();
        for await (const { id, attributes } of c.scan({ select: ['n'] })) {
          expect(id).to.equal(`r${attributes.n}`);
          seen.add(id);
        }
        expect(seen.size).to.equal(40_000);
      } finally {
        await db.close({ graceMs: 0 });
        await server.stop();
      }
    }));
});

function* numbered(count: number, dimensions: number): Generator<RecordInput<{ n: number }>> {
  for (let n = 0; n < count; n += 1) {
    const vector = Array.from({ length: dimensions }, (_, j) => Math.cos(n * (j + 1)));
    yield { id: `r${n}`, vector, attributes: { n } };
  }
}

function connect(server: ServerProcess, transport: 'http' | 'grpc', token = server.token): OmenClient {
  const credentials = token === '' ? {} : { token };
  if (transport === 'http') return new OmenClient({ endpoint: server.url, ...credentials });
  return new OmenClient({
    endpoint: `http://${server.grpcAddress}`,
    transport: grpcTransport(),
    ...credentials,
  });
}

async function failure(promise: PromiseLike<unknown>): Promise<OmenError> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(OmenError);
    return error as OmenError;
  }
  throw new Error('the call did not fail');
}

async function reason(promise: PromiseLike<unknown>): Promise<string> {
  return (await failure(promise)).reason;
}
