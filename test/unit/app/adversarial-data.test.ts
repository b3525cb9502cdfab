import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import { SeededRng } from '../../support/seeded-rng.js';
import type { TestApp } from '../../support/test-app.js';
import { contextOf, openTestApp } from '../../support/test-app.js';
import type { Rows } from '../../support/vector-space.js';
import { clusteredRows, randomRows, rowOf, scoreRecall } from '../../support/vector-space.js';

const K = 10;
const DIMENSIONS = 16;
const BATCHES = 8;
/** Rows of a segment, and from how many on it is clustered: small, so that there are many merges. */
const FLUSH_ROWS = 1000;
const CLUSTER_FROM_ROWS = 500;
/** 40 queries of 10 hits know a recall of 0.95 to 0.03. */
const RECALL_WANTED = 0.95 - 0.03;
const READ = { consistency: 'session', sessionToken: '' } as const;
const context = contextOf();

/** What a collection at rest takes. */
interface Shape {
  readonly records: number;
  readonly segments: number;
  readonly bytesPerRecord: number;
}

/** A collection that is merged after every write. */
class Growing {
  private constructor(
    private readonly app: TestApp,
    private readonly name: string,
  ) {}

  static async open(): Promise<Growing> {
    const name = 'growing';
    const app = await openTestApp(new MemoryObjectStore(), {
      automatic: false,
      flushRows: FLUSH_ROWS,
      clusterFromRows: CLUSTER_FROM_ROWS,
    });
    await app.handlers.createCollection(context, {
      name,
      dimensions: DIMENSIONS,
      metric: 'l2',
      requestId: '',
    });
    return new Growing(app, name);
  }

  /** Writes rows under the ids from `firstId` on, and waits until everything is merged. */
  async write(rows: Rows, firstId: number): Promise<void> {
    const count = rows.values.length / DIMENSIONS;
    for (let from = 0; from < count; from += FLUSH_ROWS) {
      const some = Math.min(FLUSH_ROWS, count - from);
      const records = {
        ids: Array.from({ length: some }, (_, at) => String(firstId + from + at)),
        vectors: rows.values.slice(from * DIMENSIONS, (from + some) * DIMENSIONS),
        dimensions: DIMENSIONS,
        attributes: Array.from({ length: some }, () => new Map()),
        path: (index: number) => `records[${index}]`,
      };
      await this.app.handlers.upsertRecords(context, { collection: this.name, records, requestId: '' });
    }
    await (await this.app.collections.open(context.tenant, this.name)).upkeep.settle();
  }

  async shape(): Promise<Shape> {
    const { state } = await this.app.collections.open(context.tenant, this.name);
    const { records } = await this.app.handlers.getCollectionStats(context, { collection: this.name });
    const bytes = state.segments.reduce((sum, segment) => sum + segment.bytes, 0);
    return { records, segments: state.segments.length, bytesPerRecord: bytes / records };
  }

  close(): Promise<void> {
    return this.app.close();
  }

  /** Mean recall over the queries; every answer is as long as it can be, without a record twice. */
  async recall(queries: readonly Float32Array[]): Promise<number> {
    let sum = 0;
    for (const vector of queries) {
      const [fast, exact] = await Promise.all([this.#search(vector, false), this.#search(vector, true)]);
      expect(fast.ids).to.have.length(K);
      expect(new Set(fast.ids).size).to.equal(K);
      sum += scoreRecall(fast.scores, exact.scores);
    }
    return sum / queries.length;
  }

  async #search(vector: Float32Array, exact: boolean): Promise<{ ids: string[]; scores: number[] }> {
    const { hits } = await this.app.handlers.query(context, {
      ...{ collection: this.name, vector, topK: K, select: [], includeVectors: false },
      ...{ params: { exact }, ...READ },
    });
    return { ids: hits.map(({ id }) => id), scores: hits.map(({ score }) => score) };
  }
}

describe('A collection of adversarial data, through many merges', function () {
  this.timeout(60_000);
  let growing: Growing;
  /** What ordinary records of this size take. */
  let ordinary: Shape;

  before(async () => {
    const usual = await Growing.open();
    await usual.write(clusteredRows(1, BATCHES * FLUSH_ROWS, DIMENSIONS, 40), 0);
    ordinary = await usual.shape();
    await usual.close();
  });

  beforeEach(async () => {
    growing = await Growing.open();
  });

  afterEach(() => growing.close());

  /** Nothing is lost, and what there is takes hardly more than ordinary records. */
  const expectBounded = async (records: number): Promise<void> => {
    const shape = await growing.shape();
    expect(shape.records).to.equal(records);
    expect(shape.segments).to.be.at.most(ordinary.segments + 2);
    expect(shape.bytesPerRecord).to.be.at.most(ordinary.bytesPerRecord * 1.5);
  };

  it('of 20 000 equal vectors is merged within bounds and answers in full', async () => {
    const rows = repeated(
      Float32Array.from({ length: DIMENSIONS }, (_, d) => d - 3),
      20_000,
    );
    await growing.write(part(rows, 0, 10_000), 0);
    await growing.write(part(rows, 10_000, 20_000), 10_000);
    await expectBounded(20_000);
    expect(await growing.recall([rowOf(rows, 0), new Float32Array(DIMENSIONS)])).to.equal(1);
  });

  it('of one giant cluster and a few records elsewhere finds both', async () => {
    const rows = giantCluster(3, BATCHES * FLUSH_ROWS);
    await inBatches(growing, rows);
    await expectBounded(BATCHES * FLUSH_ROWS);
    for (const which of [0, 1]) {
      // Every twentieth row is elsewhere.
      const queries = nearTo(rows, 40, (at) => at * 140 + which);
      expect(await growing.recall(queries), which === 0 ? 'elsewhere' : 'giant').to.be.at.least(
        RECALL_WANTED,
      );
    }
  });

  it('that drifts keeps its recall on old, present and all records between', async () => {
    const rows = drifting(4, BATCHES * FLUSH_ROWS);
    await inBatches(growing, rows);
    await expectBounded(BATCHES * FLUSH_ROWS);
    const third = Math.floor((BATCHES * FLUSH_ROWS) / 3);
    for (const part of [0, 1, 2]) {
      const queries = nearTo(rows, 40, (at) => part * third + at * 60);
      expect(await growing.recall(queries), `third ${part}`).to.be.at.least(RECALL_WANTED);
    }
  });

  it('that goes to a place where it was never before reaches its recall over all records', async () => {
    const before = clusteredRows(5, (BATCHES - 1) * FLUSH_ROWS, DIMENSIONS, 30);
    const elsewhere = clusteredRows(6, FLUSH_ROWS, DIMENSIONS, 30).values.map((value) => value + 5);
    const values = Float32Array.from([...before.values, ...elsewhere]);
    const rows: Rows = { dimensions: DIMENSIONS, values };
    await inBatches(growing, rows);
    await expectBounded(BATCHES * FLUSH_ROWS);
    // The recall asked for is a mean: a region of its own may have less.
    const queries = nearTo(rows, 100, (at) => at * 80);
    expect(await growing.recall(queries)).to.be.at.least(RECALL_WANTED);
  });

  it('of which every record is there fifty times gives each of them once', async () => {
    const few = clusteredRows(7, 160, DIMENSIONS, 12);
    const rows = repeatedRows(few, 50);
    await inBatches(growing, rows);
    await expectBounded(8000);
    expect(await growing.recall(nearTo(few, 60, (at) => at))).to.be.at.least(RECALL_WANTED);
  });

  it('of which the same records are written again and again does not grow', async () => {
    const rows = clusteredRows(8, 3000, DIMENSIONS, 20);
    for (let round = 0; round < 4; round++) await growing.write(rows, 0);
    await expectBounded(3000);
    expect(await growing.recall(nearTo(rows, 60, (at) => at * 40))).to.be.at.least(RECALL_WANTED);
  });
});

async function inBatches(growing: Growing, rows: Rows): Promise<void> {
  const count = rows.values.length / DIMENSIONS;
  for (let from = 0; from < count; from += FLUSH_ROWS) {
    await growing.write(part(rows, from, Math.min(count, from + FLUSH_ROWS)), from);
  }
}

function part({ dimensions, values }: Rows, from: number, to: number): Rows {
  return { dimensions, values: values.subarray(from * dimensions, to * dimensions) };
}

/** Queries a little beside some of the rows. */
function nearTo(rows: Rows, count: number, rowAt: (query: number) => number): Float32Array[] {
  const rng = new SeededRng(9);
  return Array.from({ length: count }, (_, query) =>
    rowOf(rows, rowAt(query)).map((value) => value + 0.02 * (rng.unit() - 0.5)),
  );
}

function repeated(row: Float32Array, count: number): Rows {
  return repeatedRows({ dimensions: row.length, values: row }, count);
}

/** All rows, one after the other, and that `times` times. */
function repeatedRows({ dimensions, values }: Rows, times: number): Rows {
  const all = new Float32Array(values.length * times);
  for (let time = 0; time < times; time++) all.set(values, time * values.length);
  return { dimensions, values: all };
}

/** All but every twentieth row in a ball a hundredth as wide as the others are apart. */
function giantCluster(seed: number, count: number): Rows {
  const ball = randomRows(seed, count, DIMENSIONS);
  const others = clusteredRows(seed + 1, count, DIMENSIONS, 20);
  const values = ball.values.map((value, at) =>
    Math.floor(at / DIMENSIONS) % 20 === 0 ? (others.values[at] ?? 0) : 0.01 * value,
  );
  return { dimensions: DIMENSIONS, values };
}

/** Each row lies a little further on than the one before. */
function drifting(seed: number, count: number): Rows {
  const rows = clusteredRows(seed, count, DIMENSIONS, 30);
  const values = rows.values.map((value, at) => value + (15 * Math.floor(at / DIMENSIONS)) / count);
  return { dimensions: DIMENSIONS, values };
}
