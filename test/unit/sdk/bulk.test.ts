import { Readable } from 'node:stream';
import { expect } from 'chai';
import { BulkError, OmenClient } from '#sdk/index.js';
import type { BulkOptions, BulkProgress, BulkSource, RecordInput } from '#sdk/index.js';
import { fakeRuntime } from '../../support/fake-runtime.js';
import type { FakeRuntime } from '../../support/fake-runtime.js';
import { refuse, RESET, startScriptedServer } from '../../support/scripted-server.js';
import type { Reaction, ReceivedCall, ScriptedServer } from '../../support/scripted-server.js';
import { idsOf, ScriptedStore } from '../../support/scripted-store.js';
import type { StoreLimits } from '../../support/scripted-store.js';

interface N {
  n: number;
}
type Source = BulkSource<N>;

const record = (id: string, n: number): RecordInput<N> => ({ id, vector: [1, n], attributes: { n } });

function* numbered(count: number): Generator<RecordInput<N>> {
  for (let n = 0; n < count; n += 1) yield record(`r${n}`, n);
}

describe('A bulk load', () => {
  let server: ScriptedServer;
  let store: ScriptedStore;
  let db: OmenClient;
  let runtime: FakeRuntime;

  const start = async (
    upsert: (call: ReceivedCall, index: number) => Reaction | Promise<Reaction> = (call) => store.write(call),
    limits?: StoreLimits,
  ): Promise<void> => {
    store = new ScriptedStore(2, limits);
    server = await startScriptedServer(store.script(upsert));
    runtime = fakeRuntime();
    db = new OmenClient({ endpoint: server.url, runtime });
  };
  const load = (source: Source, options?: BulkOptions) => db.collection<N>('c').bulk(source, options);
  const upserts = () => server.calls.filter(({ method }) => method === 'upsertRecords');
  const expectAll = (count: number): void => {
    expect(store.records.size).to.equal(count);
    for (let n = 0; n < count; n += 1) expect(store.records.get(`r${n}`)).to.equal(BigInt(n));
  };

  afterEach(async () => {
    await db.close({ graceMs: 0 });
    await server.close();
  });

  it('writes every record once and reports it', async () => {
    await start();
    const seen: BulkProgress[] = [];
    const report = await load(numbered(1050), {
      batchRecords: 100,
      onProgress: (progress) => seen.push(progress),
    });
    expectAll(1050);
    expect(report).to.include({
      read: 1050,
      written: 1050,
      inserted: 1050,
      updated: 0,
      failedCount: 0,
      retries: 0,
    });
    expect(report).to.include({ batches: 11, lastSequenceNumber: 11, resumeFrom: 1050 });
    expect(seen.map(({ written }) => written))
      .to.have.length(11)
      .and.include(1050);
    expect(upserts().every((call) => idsOf(call).length <= 100)).to.equal(true);
  });

  it('reads arrays, generators, async generators and streams', async () => {
    await start();
    const slow = async function* (): AsyncGenerator<RecordInput<N>> {
      for (const one of numbered(50)) {
        await Promise.resolve();
        yield one;
      }
    };
    for (const source of [[...numbered(50)], numbered(50), slow(), Readable.from(numbered(50))] as Source[]) {
      const report = await load(source, { batchRecords: 7 });
      expect(report.written).to.equal(50);
    }
    expectAll(50);
  });

  it('writes nothing for an empty source', async () => {
    await start();
    expect(await load([])).to.include({ read: 0, written: 0, batches: 0, resumeFrom: 0 });
    expect(upserts()).to.have.length(0);
  });

  it('keeps batches below the bytes and records that the server allows', async () => {
    await start(undefined, { batchRecordsMax: 30, protobufBodyBytesMax: 2000 });
    const big = [...numbered(200)].map((one) => ({
      ...one,
      id: `${one.id}${'x'.repeat((one.attributes?.n ?? 0) % 90)}`,
    }));
    await load(big);
    expect(store.records.size).to.equal(200);
    expect(Math.max(...upserts().map(({ bodyBytes }) => bodyBytes))).to.be.at.most(2000);
    expect(Math.max(...upserts().map((call) => idsOf(call).length))).to.be.at.most(30);
  });

  it('loses and doubles nothing when answers are lost, connections break and the server is busy', async () => {
    let seed = 7;
    const draw = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
    await start((call) => {
      const luck = draw();
      if (luck < 0.2) return RESET;
      if (luck < 0.3) return refuse(429, 'RESOURCE_EXHAUSTED', 'WRITE_BACKPRESSURE', { retryDelay: '0.2s' });
      if (luck < 0.4) return refuse(503, 'UNAVAILABLE', 'OVERLOADED');
      const written = store.write(call);
      return luck < 0.6 ? RESET : written;
    });
    const report = await load(numbered(2000), { batchRecords: 40 });
    expectAll(2000);
    expect(store.writes).to.equal(2000);
    expect(report).to.include({ written: 2000, inserted: 2000, batches: 50 });
    expect(report.retries).to.be.greaterThan(10);
  });

  it('goes on when a server that went away comes back', async () => {
    let away = false;
    await start(async (call, i) => {
      if (i === 3) {
        away = true;
        void server.goAway();
        return RESET;
      }
      return store.write(call);
    });
    const { delay } = runtime;
    let waits = 0;
    Object.assign(runtime, {
      delay: async (ms: number, signal?: AbortSignal) => {
        await delay(ms, signal);
        waits += 1;
        if (away && waits > 10) {
          away = false;
          await server.comeBack();
        }
      },
    });
    const report = await load(numbered(500), { batchRecords: 50 });
    expectAll(500);
    expect(report.retries).to.be.greaterThan(9);
  });

  it('gives up when the server stays away, and says where to go on', async () => {
    await start((call, i) => (i < 2 ? store.write(call) : RESET));
    const error = await rejection(
      load(numbered(100), { batchRecords: 10, concurrency: 1, retryForMs: 10_000 }),
    );
    expect(error).to.include({ code: 'UNAVAILABLE', reason: 'CONNECTION_FAILED' });
    expect(error.message).to.match(/tried \d+ times in 10000 ms/);
    expect(error.report).to.include({ written: 20, resumeFrom: 20 });
    await server.close();
    const rest = [...numbered(100)];
    await start();
    expect(await load(rest, { resumeFrom: error.report.resumeFrom })).to.include({ read: 100, written: 80 });
    expect(store.records.has('r19')).to.equal(false);
    expect(store.records.has('r20')).to.equal(true);
  });

  it('sends smaller requests when one is refused as too large', async () => {
    await start((call) =>
      call.bodyBytes > 700 ? refuse(413, 'RESOURCE_EXHAUSTED', 'MESSAGE_TOO_LARGE') : store.write(call),
    );
    const report = await load(numbered(300), { batchRecords: 150, concurrency: 1 });
    expectAll(300);
    expect(store.writes).to.equal(300);
    expect(report.written).to.equal(300);
  });

  it('leaves out the records that the server refuses and writes the others', async () => {
    await start((call) => {
      const fields = idsOf(call).flatMap((id, i) =>
        Number(id.slice(1)) % 10 === 3
          ? [{ field: `block[${i}].attributes.n`, description: 'no threes' }]
          : [],
      );
      return fields.length > 0
        ? refuse(400, 'INVALID_ARGUMENT', 'INVALID_ATTRIBUTE', { fields })
        : store.write(call);
    });
    const told: number[] = [];
    const report = await load(numbered(50), {
      batchRecords: 20,
      onError: 'collect',
      onFailure: ({ index }) => told.push(index),
    });
    expect(report).to.include({ read: 50, written: 45, failedCount: 5 });
    const { failed } = report;
    expect(failed.map(({ index }) => index).sort((a, b) => a - b)).to.deep.equal([3, 13, 23, 33, 43]);
    expect(failed.find(({ index }) => index === 13)).to.deep.include({
      id: 'r13',
      reason: 'INVALID_ATTRIBUTE',
    });
    expect(told).to.have.length(5);
    expect(store.records.has('r3')).to.equal(false);
  });

  it('finds a bad record by halves when the server does not name it', async () => {
    await start((call) =>
      idsOf(call).includes('r37') ? refuse(400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT') : store.write(call),
    );
    const report = await load(numbered(64), { onError: 'collect' });
    expect(report).to.include({ written: 63, failedCount: 1 });
    expect(report.failed[0]).to.include({ index: 37, id: 'r37' });
  });

  it('refuses records by itself that the server would refuse', async () => {
    await start();
    const source = [
      record('a', 1),
      { id: 'b', vector: [1] },
      { id: 'c', vector: [NaN, 1] },
      { id: 'd', vector: [0, 0] },
      { id: '', vector: [1, 1] },
      { id: 'e', vector: [1, 1], attributes: { n: {} } },
      null,
      record('z', 2),
    ] as unknown as Source;
    const report = await load(source, { onError: 'collect' });
    expect(report).to.include({ read: 8, written: 2, failedCount: 6 });
    expect(report.failed.map(({ index, reason }) => [index, reason])).to.deep.equal([
      [1, 'DIMENSION_MISMATCH'],
      [2, 'INVALID_VECTOR'],
      [3, 'ZERO_VECTOR'],
      [4, 'INVALID_ID'],
      [5, 'INVALID_ATTRIBUTE'],
      [6, 'INVALID_ARGUMENT'],
    ]);
  });

  it('ends at the first bad record unless told to collect', async () => {
    await start();
    const source = [record('a', 1), { id: 'b', vector: [1] }, record('c', 3)];
    const error = await rejection(load(source));
    expect(error).to.include({ reason: 'DIMENSION_MISMATCH' });
    expect(error.message).to.match(/^record 1 \(id "b"\) was refused/);
    expect(error.report).to.include({ failedCount: 1 });
  });

  it('ends when the server refuses the load as a whole', async () => {
    await start(() => refuse(403, 'PERMISSION_DENIED', 'SCOPE_MISSING'));
    const error = await rejection(load(numbered(1000), { batchRecords: 10 }));
    expect(error).to.include({ reason: 'SCOPE_MISSING', name: 'BulkError' });
    expect(error.report).to.include({ written: 0, resumeFrom: 0 });
  });

  it('writes the later of two records with one id last, whatever happens to the first', async () => {
    let refused = 0;
    await start((call) => {
      if (refused < 20 && idsOf(call).includes('same')) {
        refused += 1;
        return refuse(503, 'UNAVAILABLE', 'OVERLOADED');
      }
      return store.write(call);
    });
    const source = [...numbered(40)].map((one, i) => (i % 5 === 0 ? record('same', i) : one));
    const report = await load(source, { batchRecords: 3 });
    expect(report.written).to.equal(40);
    expect(store.records.get('same')).to.equal(35n);
    expect(upserts().every((call) => new Set(idsOf(call)).size === idsOf(call).length)).to.equal(true);
  });

  it('reads no further than a few batches ahead of the server', async () => {
    let read = 0;
    let ahead = 0;
    await start((call) => {
      ahead = Math.max(ahead, read - store.writes);
      return store.write(call);
    });
    const source = function* (): Generator<RecordInput<N>> {
      for (const one of numbered(5000)) {
        read += 1;
        yield one;
      }
    };
    await load(source(), { batchRecords: 20, concurrency: 4 });
    expect(store.records.size).to.equal(5000);
    // Four batches in flight, one that waits for room, and the record that filled it.
    expect(ahead).to.be.at.most(20 * 5 + 1);
  });

  it('ends when its signal fires, closes the source and says how far it came', async () => {
    const controller = new AbortController();
    await start((call, i) => {
      if (i === 4) controller.abort(new Error('enough'));
      return store.write(call);
    });
    let closed = false;
    const source = function* (): Generator<RecordInput<N>> {
      try {
        yield* numbered(100_000);
      } finally {
        closed = true;
      }
    };
    const error = await rejection(load(source(), { batchRecords: 10, signal: controller.signal }));
    expect(error).to.include({ code: 'CANCELLED', reason: 'ABORTED' });
    expect(error.cause).to.have.property('message', 'enough');
    expect(error.report.resumeFrom).to.be.at.most(store.records.size);
    expect(closed).to.equal(true);
  });

  it('destroys a stream that it stops reading', async () => {
    await start();
    const controller = new AbortController();
    const stream = Readable.from(numbered(100_000));
    const onProgress = (): void => controller.abort();
    await rejection(load(stream as Source, { batchRecords: 10, signal: controller.signal, onProgress }));
    expect(stream.destroyed).to.equal(true);
  });

  it('does not wait for a source that is stuck when its signal fires', async () => {
    await start();
    const controller = new AbortController();
    const source = (async function* (): AsyncGenerator<RecordInput<N>> {
      yield record('a', 1);
      controller.abort();
      await new Promise<never>(() => undefined);
    })();
    const error = await rejection(load(source, { signal: controller.signal }));
    expect(error.reason).to.equal('ABORTED');
  });

  it('writes what came before a source that fails, and passes its error on', async () => {
    await start();
    const boom = new Error('disk unplugged');
    const source = function* (): Generator<RecordInput<N>> {
      yield* numbered(25);
      throw boom;
    };
    for (const failing of [source(), Readable.from(source())]) {
      const error = await rejection(load(failing as Source, { batchRecords: 10 }));
      expect(error).to.include({ reason: 'SOURCE_FAILED' });
      expect(error.cause).to.equal(boom);
      expect(error.report).to.include({ written: 25, resumeFrom: 25 });
    }
  });

  it('ends when a callback throws', async () => {
    await start();
    const onProgress = (): void => {
      throw new Error('no terminal');
    };
    const error = await rejection(load(numbered(100), { batchRecords: 10, onProgress }));
    expect(error.message).to.equal('onProgress failed: no terminal');
  });

  it('shows how far it is while it runs', async () => {
    await start();
    const run = load(numbered(10));
    expect(run.stats).to.include({ read: 0, written: 0 });
    await run;
    expect(run.stats).to.include({ read: 10, written: 10, failed: 0 });
  });

  it('refuses settings that make no sense', async () => {
    await start();
    expect(() => load([], { batchRecords: 0 })).to.throw(RangeError, 'batchRecords is 0');
    expect(() => load([], { concurrency: 1.5 })).to.throw(RangeError, 'concurrency is 1.5');
  });
});

async function rejection(run: PromiseLike<unknown>): Promise<BulkError> {
  try {
    await run;
  } catch (error) {
    expect(error).to.be.instanceOf(BulkError);
    return error as BulkError;
  }
  throw new Error('the load did not fail');
}
