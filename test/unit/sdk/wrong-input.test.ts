import { expect } from 'chai';
import { OmenClient } from '#sdk/index.js';
import { InvalidArgumentError } from '#sdk/errors.js';

describe('What plain JavaScript gets wrong', () => {
  // Nothing listens there: what is refused is never sent.
  const db = new OmenClient({ endpoint: 'http://127.0.0.1:1', token: 'none', retries: 0 } as object);
  const words = db.collection('words');
  const vector = [1, 2];

  after(() => db.close());

  const anything = (value: unknown): never => value as never;

  const CASES: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['topK', () => words.query({ vector, topK: -1 })],
    ['topK', () => words.query({ vector, topK: 1.5 })],
    ['topK', () => words.query({ vector, topK: NaN })],
    ['topK', () => words.query({ vector, topK: 2 ** 32 })],
    ['topK', () => words.query({ vector, topK: anything('5') })],
    ['topK', () => words.query({ vector, topK: anything(null) })],
    ['params.nprobe', () => words.query({ vector, nprobe: -1 })],
    ['params.rerank', () => words.query({ vector, rerank: -1 })],
    ['pageSize', async () => words.scan({ pageSize: -1 }).pages()[Symbol.asyncIterator]().next()],
    ['pageSize', async () => db.collections.list({ pageSize: 0.5 }).pages()[Symbol.asyncIterator]().next()],
    ['dimensions', () => db.collections.create({ name: 'x', dimensions: -1 })],
    ['records[0]', () => words.upsert([anything(null)])],
    ['records[1]', () => words.upsert([{ id: 'a', vector }, anything('b')])],
    ['records', () => words.upsert(anything({}))],
    ['records', () => words.upsert(anything(undefined))],
  ];

  for (const [field, call] of CASES) {
    it(`is an InvalidArgumentError that names ${field}: ${String(call).replace(/^.*?=> /, '')}`, async () => {
      let thrown: unknown;
      try {
        await call();
      } catch (error) {
        thrown = error;
      }
      expect(thrown).to.be.instanceOf(InvalidArgumentError);
      expect((thrown as InvalidArgumentError).fieldViolations[0]?.field).to.equal(field);
    });
  }
});
