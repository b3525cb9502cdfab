import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect } from 'chai';
import { parse } from 'yaml';
import type { Rendered } from './helm.js';
import { CHART, OFFLINE, helm, program, read, render, renderText, run, scenarios } from './helm.js';

type Schema = Readonly<Record<string, unknown>>;

const kubernetes = JSON.parse(read('helm/third_party/kubernetes.json')) as Readonly<Record<string, Schema>>;
const crds = JSON.parse(read('helm/third_party/crds.json')) as Readonly<Record<string, Schema>>;

describe('Rendered objects', function () {
  this.timeout(60_000);
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-schemas-'));
    for (const [file, schema] of schemaFiles()) {
      writeFileSync(join(folder, file), JSON.stringify(schema));
    }
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  for (const values of scenarios()) {
    it(`are what the API of Kubernetes and the operators take: ${values.name}`, () => {
      const problems = render(values).flatMap((object) => {
        const valid = ajv.validate(schemaOf(object), object);
        const name = `${object.kind} ${object.metadata.name}`;
        return valid ? [] : [`${name}: ${ajv.errorsText()}`];
      });
      expect(problems).to.deep.equal([]);
    });

    it(`are accepted by kubeconform: ${values.name}`, () => {
      const place = `${folder}/{{ .ResourceKind }}{{ .KindSuffix }}.json`;
      const args = ['-strict', '-summary', '-schema-location', place, '-'];
      const { status, stdout, stderr } = run(program('TEST_KUBECONFORM'), args, renderText(values));
      expect(status, stdout + stderr).to.equal(0);
      expect(stdout).to.match(/Invalid: 0, Errors: 0, Skipped: 0/);
    });
  }

  it('are refused when a field is unknown or wrong, so the schemas do look', () => {
    const [found] = render({ files: ['values-staging.yaml'], set: OFFLINE }).filter(
      ({ kind }) => kind === 'Deployment',
    );
    const object = structuredClone(found) as unknown as {
      spec: { replicaCount?: number; minReadySeconds?: unknown };
    };
    object.spec.replicaCount = 3;
    expect(ajv.validate(schemaOf(object as unknown as Rendered), object)).to.equal(false);
    delete object.spec.replicaCount;
    object.spec.minReadySeconds = 'ten';
    expect(ajv.validate(schemaOf(object as unknown as Rendered), object)).to.equal(false);
  });

  it('have values whose schema is itself one of draft 7', () => {
    const schema = JSON.parse(read('helm/omendb/values.schema.json')) as Schema;
    expect(ajv.validateSchema(schema), ajv.errorsText()).to.equal(true);
    const defaults: unknown = parse(read('helm/omendb/values.yaml'));
    expect(ajv.validate(schema, defaults), ajv.errorsText()).to.equal(true);
    expect(helm('4', ['show', 'values', CHART]).stdout).to.include('objectStore');
  });
});

function schemaOf({ apiVersion, kind }: Rendered): Schema {
  const crd = crds[`${apiVersion}/${kind}`];
  if (crd !== undefined) return crd;
  const name = Object.keys(kubernetes).find((candidate) => {
    const { properties } = kubernetes[candidate] as {
      readonly properties?: Readonly<Record<string, Schema>>;
    };
    const allowed = (property: string): unknown =>
      (properties?.[property]?.['enum'] as unknown[] | undefined)?.[0];
    return allowed('kind') === kind && allowed('apiVersion') === apiVersion;
  });
  if (name === undefined) throw new Error(`there is no schema for ${apiVersion} ${kind}`);
  return { $ref: `#/definitions/${name}`, definitions: kubernetes };
}

/** A file for each kind, by the names that kubeconform looks for. */
function schemaFiles(): [string, Schema][] {
  const own = Object.entries(crds).map(([id, schema]): [string, Schema] => {
    const [group = '', version = '', kind = ''] = id.split('/');
    return [fileName(kind, group, version), schema];
  });
  const core = Object.entries(kubernetes).flatMap(([name, { properties }]): [string, Schema][] => {
    const fields = properties as Readonly<Record<string, { readonly enum?: readonly string[] }>> | undefined;
    const [apiVersion] = fields?.['apiVersion']?.enum ?? [];
    const [kind] = fields?.['kind']?.enum ?? [];
    if (apiVersion === undefined || kind === undefined) return [];
    const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    const schema = { $ref: `#/definitions/${name}`, definitions: kubernetes };
    return [[fileName(kind, group, version), schema]];
  });
  return [...own, ...core];
}

function fileName(kind: string, group: string, version: string): string {
  const suffix = group === '' ? version : `${group.replace(/\..*/, '')}-${version}`;
  return `${kind.toLowerCase()}-${suffix}.json`;
}
