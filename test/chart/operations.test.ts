// Runs what docs/operations shows for Helm and kustomize, renders its values, and checks its example files
// with the tools of those that read them.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect } from 'chai';
import { parse } from 'yaml';
import { ExamplesToRun, operationsPages } from '../support/operations-pages.js';
import type { Ended, Rendered } from './helm.js';
import { CHART, ROOT, at, one, ofKind, parseObjects, program, read, run } from './helm.js';

const EXAMPLES = 'docs/operations/examples';
/** What shellcheck cannot know of a block: words of other blocks, and programs of Node between quotes. */
const OF_BLOCKS = '--exclude=SC2154,SC2119,SC2120,SC2034,SC2016';

describe('The pages of operations, with the tools of the chart', function () {
  this.timeout(60_000);
  const pages = new ExamplesToRun('chart');
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'omendb-operations-'));
  });

  after(() => {
    rmSync(folder, { recursive: true });
    expect(pages.left(), 'blocks that nobody ran').to.deep.equal([]);
  });

  const inProduction = (values: string): readonly Rendered[] => {
    const file = join(folder, 'mine.yaml');
    writeFileSync(file, values);
    const set = ['capabilities.check=false', 'image.tag=v0.1.0', ...bucketOf(values)];
    const args = ['template', 'omendb', CHART, '--namespace', 'omendb-system', '--kube-version', '1.34.0'];
    const files = ['--values', join(CHART, 'values-production.yaml'), '--values', file];
    const { status, stdout, stderr } = run(program('TEST_HELM3'), [
      ...args,
      ...files,
      ...set.flatMap((text) => ['--set', text]),
    ]);
    expect(status, stderr).to.equal(0);
    return parseObjects(stdout);
  };
  const shell = (text: string): Ended => {
    const tools = `helm=${program('TEST_HELM3')} kustomize=${program('TEST_KUSTOMIZE')}`;
    return run('bash', ['--norc', '-euo', 'pipefail', '-c', `cd ${folder}; ${tools}\n${text}`]);
  };

  it('install: values for a bucket with roles, backups and checks of them', () => {
    const objects = inProduction(pages.take('install', 'mine'));
    expect(ofKind(objects, 'CronJob').map(({ metadata }) => metadata.name)).to.have.members([
      'omendb-backup',
      'omendb-verify',
    ]);
    const [server] = ofKind(objects, 'ServiceAccount').filter(({ metadata }) => /server/.test(metadata.name));
    expect(JSON.stringify(server?.metadata.annotations)).to.include('role/omendb');
  });

  it('install: an Ingress with TLS and limits', () => {
    const ingresses = ofKind(inProduction(pages.take('install', 'ingress')), 'Ingress');
    expect(ingresses).to.have.length(2);
    for (const ingress of ingresses) {
      expect(at(ingress, 'spec.tls.0.secretName'), ingress.metadata.name).to.be.a('string');
    }
  });

  it('scale: numbers of the autoscaler', () => {
    const hpa = one(inProduction(pages.take('scale', 'busier')), 'HorizontalPodAutoscaler');
    expect(at(hpa, 'spec.minReplicas')).to.equal(8);
    expect(JSON.stringify(hpa)).to.include('"averageValue":"600"');
  });

  it('back up, recover, multi-region: CronJobs and Jobs', () => {
    for (const [page, name] of [
      ['back-up', 'nightly'],
      ['multi-region', 'hourly'],
    ] as const) {
      expect(ofKind(inProduction(pages.take(page, name)), 'CronJob'), name).to.have.length(2);
    }
    for (const [page, name] of [
      ['recover', 'restore'],
      ['recover', 'restore-one'],
    ] as const) {
      const [job] = ofKind(inProduction(pages.take(page, name)), 'Job');
      expect(job?.metadata.name).to.match(/^omendb-restore-/);
      expect(JSON.stringify(job)).to.include('s3://my-vault/omendb');
    }
  });

  it('cost: pods for spot nodes with the disk of the node', () => {
    const pod = at(one(inProduction(pages.take('cost', 'spot')), 'Deployment'), 'spec.template.spec');
    expect(JSON.stringify(at(pod, 'tolerations'))).to.include('spot');
    expect(JSON.stringify(at(pod, 'volumes'))).to.include('"sizeLimit":"20Gi"');
  });

  it('install: the way without Helm', () => {
    cpSync(join(ROOT, 'k8s'), join(folder, 'k8s'), { recursive: true });
    const text = pages.take('install', 'kustomize', { 'kubectl apply -k': '"$kustomize" build' });
    expect(ofKind(parseObjects(shell(text).stdout), 'Deployment')).to.have.length(1);
  });

  it('CI: values that fit, and values that do not', () => {
    mkdirSync(join(folder, 'helm'));
    cpSync(CHART, join(folder, 'helm/omendb'), { recursive: true });
    writeFileSync(join(folder, 'mine.yaml'), 'config: { objectStore: "s3://my-vectors/omendb" }\n');
    const text = pages.take('ci-cd', 'fits', {
      'helm lint': '"$helm" lint --kube-version 1.34.0',
      'helm template': '"$helm" template --kube-version 1.34.0',
    });
    expect(shell(text).stdout).to.include('0 chart(s) failed');
    writeFileSync(join(folder, 'mine.yaml'), 'config: { objectStore: "s3://x" }\nreplicaCont: 3\n');
    const refused = shell(text);
    expect(refused.stdout + refused.stderr).to.include("'replicaCont' not allowed");
    expect(refused.status).to.equal(1);
  });

  it('have blocks of commands that shellcheck has nothing against', () => {
    const problems = operationsPages()
      .flatMap(({ examples }) => examples)
      .filter(({ language }) => language === 'sh')
      .flatMap(({ page, text }) => {
        const { status, stdout } = run('shellcheck', ['--shell=bash', OF_BLOCKS, '-'], text);
        return status === 0 ? [] : [`${page}: ${text}${stdout}`];
      });
    expect(problems).to.deep.equal([]);
  });

  describe('examples', () => {
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    const schemas = JSON.parse(read('helm/third_party/crds.json')) as Readonly<Record<string, object>>;
    const kubernetes = JSON.parse(read('helm/third_party/kubernetes.json')) as object;
    const objects = (file: string): readonly Rendered[] => parseObjects(read(`${EXAMPLES}/${file}`));
    const problemsOf = (object: Rendered): string => {
      const schema = schemas[`${object.apiVersion}/${object.kind}`];
      if (schema === undefined) throw new Error(`no schema for ${object.apiVersion} ${object.kind}`);
      return ajv.validate(schema, object) ? '' : ajv.errorsText();
    };

    it('of GitHub Actions are clean for actionlint, and call deploy.sh as it is', () => {
      const file = `${EXAMPLES}/github-actions.yml`;
      const { status, stdout, stderr } = run(program('TEST_ACTIONLINT'), ['-no-color', file]);
      expect(status, stdout + stderr).to.equal(0);
      const help = run(join(ROOT, 'scripts/deploy.sh'), ['--help']).stdout;
      const calls = [...read(file).matchAll(/scripts\/deploy\.sh ([^|\n]*)/g)].map(
        ([, options = '']) => options,
      );
      expect(calls).to.have.length(3);
      for (const [option] of calls.join(' ').matchAll(/(?<=\s|^)--?[a-z][a-z-]*/g)) {
        expect(help).to.match(new RegExp(`(^|[\\s,])${option}\\b`, 'm'));
      }
    });

    it('of Argo CD are what it takes, and their values fit the chart', () => {
      const [application, ...rest] = objects('argocd-application.yaml');
      if (application === undefined) throw new Error('there is no Application');
      expect(rest).to.deep.equal([]);
      expect(problemsOf(application)).to.equal('');
      const helm = at(application, 'spec.source.helm');
      expect(at(helm, 'valueFiles')).to.deep.equal(['values-production.yaml']);
      expect(at(application, 'spec.source.path')).to.equal('helm/omendb');
      inProduction(JSON.stringify(at(helm, 'valuesObject')));
    });

    it('of Flux are what it takes, and their values fit the chart', () => {
      const [repository, release] = objects('flux-helmrelease.yaml');
      if (repository === undefined || release === undefined) throw new Error('an object is missing');
      expect(problemsOf(repository)).to.equal('');
      expect(problemsOf(release)).to.equal('');
      inProduction(JSON.stringify(at(release, 'spec.values')));
      for (const file of at(release, 'spec.chart.spec.valuesFiles') as string[]) read(file);
    });

    it('of a load test are a Job that a restricted namespace takes', () => {
      const [job] = objects('load-test-job.yaml');
      const definitions = { $ref: '#/definitions/batch.v1.Job', definitions: kubernetes };
      expect(ajv.validate(definitions, job), ajv.errorsText()).to.equal(true);
      const pod = at(job, 'spec.template.spec');
      const names = ['allowPrivilegeEscalation', 'readOnlyRootFilesystem', 'capabilities'];
      expect(at(pod, 'containers.0.securityContext')).to.have.all.keys(names);
      expect(at(pod, 'securityContext.runAsNonRoot')).to.equal(true);
    });

    it('of replication copy backups, and no deletion', () => {
      const { Rules: rules } = JSON.parse(read(`${EXAMPLES}/replication.json`)) as {
        readonly Rules: readonly unknown[];
      };
      expect(rules).to.have.length(1);
      expect(at(rules[0], 'DeleteMarkerReplication.Status')).to.equal('Disabled');
      expect(at(rules[0], 'Filter.Prefix')).to.equal('omendb/');
    });
  });
});

/** A bucket, for values that name none. */
function bucketOf(values: string): readonly string[] {
  const named = at(parse(values), 'config.objectStore') !== undefined;
  return named ? [] : ['config.objectStore=s3://my-vectors/omendb'];
}
