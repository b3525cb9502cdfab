import { expect } from 'chai';
import { MemoryObjectStore } from '#server/adapters/memory/memory-object-store.js';
import type { QueryRequest, QueryResponse } from '#server/app/api.js';
import type { Filter } from '#server/core/filter/ast.js';
import type { Attributes } from '#server/core/record/record.js';
import { SeededRng } from '../support/seeded-rng.js';
import type { TestApp } from '../support/test-app.js';
import { contextOf, openTestApp } from '../support/test-app.js';
import type { Rows } from '../support/vector-space.js';
import { clusteredRows, exactScores, rowOf, scoreRecall, splitRows } from '../support/vector-space.js';

const context = contextOf();
const ROWS = 12_000;
const QUERIES = 40;
const DIMENSIONS = 24;
const NAME = 'shop';

describe('Search with a filter in a clustered collection', function () {
  this.timeout(30_000);
  const [base, queries] = splitRows(clusteredRows(33, ROWS + QUERIES, DIMENSIONS, 80), QUERIES);
  const rng = new SeededRng(34);
  /** A coin for each row and attribute. */
  const attributes: readonly Attributes[] = Array.from(
    { length: ROWS },
    (_, row) =>
      new Map<string, boolean | bigint>([
        ['row', BigInt(row)],
        ['half', rng.chance(0.5)],
        ['fifth', rng.chance(0.2)],
        ['tenth', rng.chance(0.1)],
      ]),
  );
  const has = (row: number, ...names: readonly string[]): boolean =>
    names.every((name) => attributes[row]?.get(name) === true);
  let app: TestApp;

  before(async () => {
    app = await openTestApp(new MemoryObjectStore());
    const schema = { name: NAME, dimensions: DIMENSIONS, metric: 'l2', requestId: '' } as const;
    await app.handlers.createCollection(context, schema);
    for (let from = 0; from < ROWS; from += 6000) {
      const ids = Array.from({ length: 6000 }, (_, index) => String(from + index));
      await app.handlers.upsertRecords(context, {
        ...{ collection: NAME, requestId: '' },
        records: {
          ids,
          vectors: base.values.slice(from * DIMENSIONS, (from + 6000) * DIMENSIONS),
          dimensions: DIMENSIONS,
          attributes: attributes.slice(from, from + 6000),
          path: (index) => `records[${index}]`,
        },
      });
    }
    await (await app.collections.open(context.tenant, NAME)).upkeep.settle();
  });

  after(() => app.close());

  const search = (query: number, filter: Filter, more: Partial<QueryRequest> = {}): Promise<QueryResponse> =>
    app.handlers.query(context, {
      ...{ collection: NAME, vector: rowOf(queries, query), topK: 10, select: [], includeVectors: false },
      ...{ params: { exact: false }, consistency: 'session', sessionToken: '', filter, ...more },
    });
  const scoresOf = ({ hits }: QueryResponse): number[] => hits.map(({ score }) => score);
  const truthOf = (rows: Rows, query: number, k: number, allowed: (row: number) => boolean): number[] =>
    exactScores('l2', rows, rowOf(queries, query), k, allowed);

  for (const matching of [0, 1, 10, ROWS]) {
    it(`scenario 33: finds the nearest of ${matching} matching records, and all of them if more are asked for`, async () => {
      const filter: Filter = { kind: 'range', field: 'row', operator: 'lt', value: BigInt(matching) };
      for (const topK of [3, 20, 1000]) {
        const answer = await search(0, filter, { topK });
        const truth = truthOf(base, 0, topK, (row) => row < matching);
        expect(answer.hits.length, `of ${topK}`).to.equal(Math.min(topK, matching));
        expect(answer.hits.every(({ id }) => Number(id) < matching)).to.equal(true);
        expect(scoreRecall(scoresOf(answer), truth)).to.be.at.least(0.95);
      }
    });
  }

  it('scenario 33: is not short of hits when fewer rows are compared exactly than are asked for', async () => {
    const filter: Filter = { kind: 'eq', field: 'half', value: true };
    const answer = await search(1, filter, { topK: 500, params: { exact: false, rerank: 1 } });
    expect(answer.hits.length).to.equal(500);
    expect(answer.hits.every(({ id }) => has(Number(id), 'half'))).to.equal(true);
  });

  it('scenario 33: finds nothing by an attribute that no record has, and everything without it', async () => {
    const filter: Filter = { kind: 'eq', field: 'colour', value: 'red' };
    expect((await search(2, filter)).hits).to.deep.equal([]);
    expect((await search(2, { kind: 'not', filter })).hits.length).to.equal(10);
  });

  for (const names of [['half'], ['half', 'fifth'], ['half', 'fifth', 'tenth']] as const) {
    it(`scenario 34: reaches the recall asked for when ${names.length} conditions hold at once`, async () => {
      const filters = names.map((field): Filter => ({ kind: 'eq', field, value: true }));
      let recall = 0;
      for (let query = 0; query < QUERIES; query++) {
        const { hits, ...answer } = await search(query, { kind: 'and', filters });
        expect(hits.every(({ id }) => has(Number(id), ...names))).to.equal(true);
        const truth = truthOf(base, query, 10, (row) => has(row, ...names));
        recall += scoreRecall(scoresOf({ hits, ...answer }), truth) / QUERIES;
      }
      expect(recall).to.be.at.least(0.95);
    });
  }
});
