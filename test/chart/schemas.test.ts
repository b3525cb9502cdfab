import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect } from 'chai';
import { parse } from 'yaml';
import type { Rendered } from './helm.js';
import { CHART, OFFLINE, helm, program, read, render, renderText, run, scenario, scenarios } from './helm.js';

/** What kube-score does not like and the chart does on purpose, and why. */
const EXCEPTIONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/low user ID|low group ID/, 'the user is 1000: it is that of the image of Node, and what was asked for'],
  [
    /ImagePullPolicy is not set to Always/,
    'a tag is a version; pulling it at each start would need the registry then',
  ],
  [
    /does not have a host podAntiAffinity set/,
    'pods are spread over nodes by constraints, which scale better',
  ],
];

/** Sets of values that leave out on purpose what kube-score wants. */
const SCORED = ['staging', 'production', 'statefulset', 'one-volume'];

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

  for (const name of SCORED) {
    it(`are what kube-score wants, or differ for a reason: ${name}`, () => {
      const { stdout } = run(
        program('TEST_KUBE_SCORE'),
        ['score', '--output-format', 'ci', '-'],
        renderText(scenario(name)),
      );
      const found = stdout.split('\n').filter((line) => /^\[(CRITICAL|WARNING)\]/.test(line));
      expect(stdout).to.include('[OK]');
      expect(found.filter((line) => !EXCEPTIONS.some(([pattern]) => pattern.test(line)))).to.deep.equal([]);
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
