import { expect } from 'chai';
import { METHODS } from '#server/gen/methods.js';
import { OPENAPI } from '#server/gen/openapi.js';
import { requestFromJson } from '#server/gen/runtime/http-request.js';

type Json = Readonly<Record<string, unknown>>;

interface Operation {
  readonly operationId: keyof typeof METHODS;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly example?: unknown }[];
  readonly requestBody?: { readonly content: Json };
  readonly responses: Readonly<Record<string, { readonly content?: Json }>>;
  readonly 'x-omendb-scope'?: string;
}

const PATHS = OPENAPI['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
const OPERATIONS = Object.entries(PATHS).flatMap(([path, verbs]) =>
  Object.entries(verbs).map(([verb, operation]) => ({ path, verb, operation })),
);

function example(content: Json | undefined): unknown {
  return (content?.['application/json'] as { example: unknown } | undefined)?.example;
}

describe('OpenAPI document', () => {
  it('has every method under its route, with its scope', () => {
    const seen = OPERATIONS.map(({ path, verb, operation }) => [
      operation.operationId,
      `${verb.toUpperCase()} ${path}`,
    ]);
    expect(Object.fromEntries(seen)).to.deep.equal(
      Object.fromEntries(Object.entries(METHODS).map(([name, { verb, path }]) => [name, `${verb} ${path}`])),
    );
    for (const { operation } of OPERATIONS) {
      expect(operation['x-omendb-scope'] ?? '').to.equal(METHODS[operation.operationId].scope);
    }
  });

  it('refers only to what it has', () => {
    const refs = [...JSON.stringify(OPENAPI).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(refs.length).to.be.greaterThan(20);
    for (const ref of new Set(refs)) {
      let found: unknown = OPENAPI;
      for (const part of ref.slice(2).split('/')) found = (found as Json)[part];
      expect(found, ref).to.be.an('object');
    }
  });

  it('describes everything', () => {
    const schemas = (OPENAPI['components'] as Json)['schemas'] as Readonly<Record<string, Json>>;
    for (const [name, schema] of Object.entries(schemas)) {
      if (name.startsWith('Error')) continue;
      expect(schema['description'], name).to.be.a('string').that.is.not.empty;
      for (const [field, value] of Object.entries(
        (schema['properties'] ?? {}) as Readonly<Record<string, Json>>,
      )) {
        if (!field.startsWith('$'))
          expect(value['description'], `${name}.${field}`).to.be.a('string').that.is.not.empty;
      }
    }
  });

  for (const { operation } of OPERATIONS) {
    it(`has an example of ${operation.operationId} that the server understands`, () => {
      const method = METHODS[operation.operationId] as (typeof METHODS)['query'];
      const parameters = (place: string): Record<string, string | string[]> =>
        Object.fromEntries(
          (operation.parameters ?? [])
            .filter((parameter) => parameter.in === place && parameter.example !== undefined)
            .map(({ name, example: value }) => [
              name,
              Array.isArray(value) ? value.map(String) : String(value),
            ]),
        );
      const body = method.hasBody ? example(operation.requestBody?.content) : undefined;
      const request = requestFromJson(
        method,
        parameters('path') as Record<string, string>,
        parameters('query'),
        body,
      );
      method.validate(request);
      const answer = example(operation.responses['200']?.content);
      const again = method.response.toJson(method.response.fromJson(answer));
      expect(again).to.deep.include(answer);
    });
  }
});
