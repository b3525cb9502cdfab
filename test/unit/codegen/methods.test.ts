import { expect } from 'chai';
import { ERROR_TABLE } from '#server/core/errors.js';
import { LIMITS } from '#server/core/limits.js';
import { GetLimitsResponse } from '#server/gen/messages.js';
import { ERROR_REASONS } from '#server/gen/error-reasons.js';
import { METHODS } from '#server/gen/methods.js';
import { METHODS as CLIENT_METHODS } from '#sdk/gen/methods.js';
import { FILTER_DEPTH_MAX, FILTER_NODES_MAX, FILTER_VALUES_MAX } from '#server/gen/runtime/filter.js';

const ALL = Object.values(METHODS);

describe('table of methods', () => {
  it('gives every method a scope or declares it public', () => {
    for (const method of ALL) expect(method.scope !== '', method.name).to.equal(!method.public);
  });

  it('names a collection in every method that needs a scope, but for the list', () => {
    const without = ALL.filter((method) => !method.public && method.collectionsOf === undefined);
    expect(without.map(({ name }) => name)).to.deep.equal(['ListCollections']);
  });

  it('lets reads be repeated, and gives writes a request id', () => {
    for (const method of ALL) {
      expect(method.idempotent, method.name).to.equal(true);
      expect(method.hasRequestId, method.name).to.equal(!method.readOnly);
    }
  });

  it('asks for a read scope where nothing changes and for another where something does', () => {
    for (const method of ALL.filter(({ public: open }) => !open)) {
      expect(method.scope.endsWith('.read'), method.name).to.equal(method.readOnly);
    }
  });

  it('has one method per route', () => {
    const routes = ALL.map(({ verb, path }) => `${verb} ${path.replace(/\{\w+\}/g, '{}')}`);
    expect(new Set(routes).size).to.equal(routes.length);
  });

  it('writes literal colons twice and parameters with one for Fastify', () => {
    expect(METHODS.query.routePath).to.equal('/v1/collections/:collection/records::query');
    expect(METHODS.getRecord.routePath).to.equal('/v1/collections/:collection/records/:id');
  });

  it('is the same for server and client', () => {
    for (const [name, method] of Object.entries(METHODS)) {
      const client = CLIENT_METHODS[name as keyof typeof METHODS];
      expect([client.verb, client.path, client.grpcPath, client.idempotent]).to.deep.equal([
        method.verb,
        method.path,
        method.grpcPath,
        method.idempotent,
      ]);
    }
  });

  it('encodes hostile ids into one path part', () => {
    const request = CLIENT_METHODS.getRecord.request.fromJson({ collection: 'c', id: 'a/../b?c#d é' });
    expect(CLIENT_METHODS.getRecord.toPath(request)).to.equal(
      '/v1/collections/c/records/a%2F..%2Fb%3Fc%23d%20%C3%A9',
    );
  });
});

describe('what protos and core both say', () => {
  it('error reasons', () => {
    expect([...ERROR_REASONS]).to.deep.equal(Object.keys(ERROR_TABLE));
  });

  it('limits, each as a field of GetLimits', () => {
    expect(Object.keys(GetLimitsResponse.create()).sort()).to.deep.equal(Object.keys(LIMITS).sort());
  });

  it('size of filters', () => {
    expect([FILTER_DEPTH_MAX, FILTER_NODES_MAX, FILTER_VALUES_MAX]).to.deep.equal([
      LIMITS.filterDepthMax,
      LIMITS.filterNodesMax,
      LIMITS.filterValuesMax,
    ]);
  });

  it('numbers in validation rules', () => {
    const refused = (name: keyof typeof METHODS, json: unknown): boolean => {
      const method = METHODS[name] as (typeof METHODS)['query'];
      try {
        method.validate(method.request.fromJson(json));
        return false;
      } catch {
        return true;
      }
    };
    const cases: [keyof typeof METHODS, (n: number) => unknown, number][] = [
      ['createCollection', (n) => ({ name: 'c', dimensions: n }), LIMITS.dimensionsMax],
      ['createCollection', (n) => ({ name: 'c'.repeat(n) }), LIMITS.collectionNameBytesMax],
      ['createCollection', (n) => ({ name: 'c', requestId: 'r'.repeat(n) }), LIMITS.requestIdBytesMax],
      ['getRecord', (n) => ({ collection: 'c', id: 'i'.repeat(n) }), LIMITS.idBytesMax],
      ['query', (n) => ({ collection: 'c', vector: [1], topK: n }), LIMITS.topKMax],
      ['query', (n) => ({ collection: 'c', vector: Array(n).fill(1) }), LIMITS.dimensionsMax],
      [
        'query',
        (n) => ({ collection: 'c', vector: [1], filter: { a: { $in: Array(n).fill(1) } } }),
        LIMITS.filterValuesMax,
      ],
      ['batchGetRecords', (n) => ({ collection: 'c', ids: Array(n).fill('a') }), LIMITS.pageSizeMax],
      ['deleteRecords', (n) => ({ collection: 'c', ids: Array(n).fill('a') }), LIMITS.batchRecordsMax],
      ['upsertRecords', (n) => upsert({ ['n'.repeat(n)]: 1 }), LIMITS.attributeNameBytesMax],
      ['upsertRecords', (n) => upsert({ a: Array(n).fill(1) }), LIMITS.attributeArrayMax],
      [
        'upsertRecords',
        (n) => upsert(Object.fromEntries(Array.from({ length: n }, (_, i) => [`a${i}`, i]))),
        LIMITS.attributesMax,
      ],
    ];
    for (const [name, json, limit] of cases) {
      expect(refused(name, json(limit)), `${name}: ${json} takes ${limit}`).to.equal(false);
      expect(refused(name, json(limit + 1)), `${name}: ${json} refuses ${limit + 1}`).to.equal(true);
    }
  });
});

function upsert(attributes: Record<string, unknown>): unknown {
  return { collection: 'c', records: [{ id: 'a', vector: [1], attributes }] };
}
