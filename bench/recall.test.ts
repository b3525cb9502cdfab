// Recall against exact search on real vectors, through the whole engine, for each metric and share of
// matching records. Apart from `npm test`, because it fetches the vectors (118 MB) once.
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { Filter } from '#server/core/filter/ast.js';
import { METRICS } from '#server/core/vector/metric.js';
import type { Metric } from '#server/core/vector/metric.js';
import type { TestApp } from '#support/test-app.js';
import { contextOf, openTestApp } from '#support/test-app.js';
import { expect } from 'chai';
import type { Glove } from './glove.js';
import { GLOVE_DIMENSIONS, loadGlove } from './glove.js';

const ROWS = 40_000;
const QUERIES = 100;
const BATCH = 10_000;
const K = 10;
const TARGET = 0.95;
/** 100 queries of 10 hits: three standard errors of a mean recall of 0.95 are about 0.03. */
const FLOOR = TARGET - 0.03;
/** One of so many records matches: 100 %, 50 %, 10 %, 1 %, 0.1 %. */
const ONE_OF = [1, 2, 10, 100, 1000] as const;
const READ = { consistency: 'session', sessionToken: '' } as const;
const context = contextOf();

describe('Recall on GloVe', function () {
  this.timeout(600_000);
  let glove: Glove;

  before(() => {
    glove = loadGlove();
  });

  for (const metric of METRICS) {
    describe(`by ${metric}`, () => {
      let app: TestApp;

      before(async () => {
        app = await openTestApp(new MemoryObjectStore(), { arenaBytes: 512 * 1024 * 1024, automatic: false });
        await load(app, glove, metric);
      });

      after(() => app.close());

      for (const oneOf of ONE_OF) {
        it(`reaches its target and is never short when ${100 / oneOf} % of the records match`, async () => {
          let found = 0;
          for (let query = 0; query < QUERIES; query++) {
            const vector = vectorOf(glove, ROWS + query);
            const [fast, exact] = await Promise.all([
              search(app, vector, oneOf, false),
              search(app, vector, oneOf, true),
            ]);
            expect(fast.length).to.equal(K);
            found += fast.filter((id) => exact.includes(id)).length;
          }
          expect(found / (QUERIES * K)).to.be.at.least(FLOOR);
        });
      }
    });
  }
});

async function load(app: TestApp, glove: Glove, metric: Metric): Promise<void> {
  const schema = { name: 'words', dimensions: GLOVE_DIMENSIONS, metric, requestId: '' };
  await app.handlers.createCollection(context, schema);
  for (let from = 0; from < ROWS; from += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, index) => from + index);
    const records = {
      ids: rows.map(String),
      vectors: glove.vectors.slice(from * GLOVE_DIMENSIONS, (from + BATCH) * GLOVE_DIMENSIONS),
      dimensions: GLOVE_DIMENSIONS,
      attributes: rows.map(
        (row) => new Map(ONE_OF.map((oneOf) => [`in${oneOf}`, scatter(row) % oneOf === 0])),
      ),
      path: (index: number) => `records[${index}]`,
    };
    await app.handlers.upsertRecords(context, { collection: 'words', records, requestId: '' });
  }
  await (await app.collections.open(context.tenant, 'words')).upkeep.settle();
}

async function search(app: TestApp, vector: Float32Array, oneOf: number, exact: boolean): Promise<string[]> {
  const filter: Filter = { kind: 'eq', field: `in${oneOf}`, value: true };
  const { hits } = await app.handlers.query(context, {
    ...{ collection: 'words', vector, topK: K, select: [], includeVectors: false },
    ...{ params: { exact, recallTarget: TARGET }, filter, ...READ },
  });
  return hits.map(({ id }) => id);
}

function vectorOf(glove: Glove, row: number): Float32Array {
  return glove.vectors.slice(row * GLOVE_DIMENSIONS, (row + 1) * GLOVE_DIMENSIONS);
}

/**
 * Rows stand in the order of how frequent the words are, so the matching ones are drawn by a hash (Knuth,
 * 6.4).
 */
function scatter(row: number): number {
  return Math.imul(row + 1, 2_654_435_761) >>> 8;
}
