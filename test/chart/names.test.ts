import { expect } from 'chai';
import type { Rendered, Values } from './helm.js';
import { OFFLINE, at, ofKind, one, render, scenario } from './helm.js';

const production = { files: ['values-production.yaml'], set: OFFLINE };
const ids = (values: Values): string[] =>
  render(values).map(({ kind, metadata }) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`);

describe('Names', function () {
  this.timeout(30_000);

  it('are those that users know, for a release called omendb', () => {
    const all = render({ ...production, release: 'omendb' });
    expect(one(all, 'Deployment').metadata.name).to.equal('omendb-server');
    expect(one(all, 'Deployment').metadata.namespace).to.equal('omendb-system');
    for (const kind of [
      'HorizontalPodAutoscaler',
      'PodDisruptionBudget',
      'VerticalPodAutoscaler',
      'ServiceMonitor',
    ]) {
      expect(one(all, kind).metadata.name, kind).to.equal('omendb-server');
    }
    expect(ofKind(all, 'Service').map(({ metadata }) => metadata.name)).to.deep.equal([
      'omendb-server',
      'omendb-server-headless',
      'omendb-server-metrics',
    ]);
  });

  it('of two releases in one namespace are disjoint, with everything on', () => {
    const everything = scenario('everything');
    // What belongs to the cluster, and what the user writes, is one release's.
    const mine = [...(everything.set ?? []), 'storageClasses.create=false', 'extraObjects=null'];
    const first = ids({ ...everything, set: mine, release: 'omendb' });
    const second = ids({ ...everything, set: [...mine, 'restore.confirm=search'], release: 'search' });
    expect(first.length).to.equal(second.length);
    expect(first.filter((id) => second.includes(id))).to.deep.equal([]);
  });

  it('of two releases choose no pod of each other', () => {
    const pick = (release: string): unknown =>
      at(one(render({ ...production, release }), 'Deployment'), 'spec.selector');
    expect(pick('omendb')).to.not.deep.equal(pick('search'));
  });

  it('of one release in two namespaces are the same', () => {
    const names = (namespace: string): string[] =>
      ids({ ...production, namespace }).map((id) => id.replace(`/${namespace}/`, '//'));
    expect(names('one')).to.deep.equal(names('two'));
  });

  it('fit into what Kubernetes takes, for the longest name of a release too', () => {
    const release = 'a'.repeat(53);
    const everything = scenario('everything');
    const all = render({
      ...everything,
      set: [`restore.confirm=${release}`, 'restore.run=seven-7'],
      release,
    });
    for (const { kind, metadata } of all) {
      expect(metadata.name.length, `${kind} ${metadata.name}`).to.be.at.most(kind === 'CronJob' ? 52 : 63);
      for (const value of Object.values(metadata.labels ?? {})) {
        expect(value).to.match(/^([a-zA-Z0-9]([-a-zA-Z0-9_.]{0,61}[a-zA-Z0-9])?)?$/);
      }
    }
  });

  it('of long releases that begin alike differ', () => {
    const begin = 'a'.repeat(48);
    const first = ids({ ...production, release: `${begin}-one` });
    const second = ids({ ...production, release: `${begin}-two` });
    expect(first.filter((id) => second.includes(id))).to.deep.equal([]);
  });

  it('are the user’s where the user says so', () => {
    const all = render({
      ...production,
      set: [...OFFLINE, 'fullnameOverride=vectors', 'namespaceOverride=other'],
    });
    const deployment = one(all, 'Deployment');
    expect(deployment.metadata).to.include({ name: 'vectors-server', namespace: 'other' });
    expect(namespaces(all)).to.deep.equal(['other']);
  });

  it('in what selects pods never follow versions or the user’s labels', () => {
    const selector = (set: readonly string[]): unknown =>
      at(one(render({ ...production, set: [...OFFLINE, ...set] }), 'Deployment'), 'spec.selector');
    expect(selector(['image.tag=v9.9.9', 'commonLabels.team=search', 'podLabels.a=b'])).to.deep.equal(
      selector([]),
    );
    expect(selector([])).to.deep.equal({
      matchLabels: {
        'app.kubernetes.io/name': 'omendb',
        'app.kubernetes.io/instance': 'omendb',
        'app.kubernetes.io/component': 'server',
      },
    });
  });

  it('and fields that cannot change stay the same whatever else is set', () => {
    const fields = (set: readonly string[]): unknown => {
      const values = scenario('statefulset');
      const object = one(render({ ...values, set }), 'StatefulSet');
      const { selector, serviceName, podManagementPolicy, volumeClaimTemplates } = object['spec'] as Record<
        string,
        unknown
      >;
      return { selector, serviceName, podManagementPolicy, volumeClaimTemplates };
    };
    const other = [
      'image.tag=v9',
      'replicaCount=5',
      'commonLabels.a=b',
      'commonAnnotations.a=b',
      'podLabels.a=b',
    ];
    expect(fields(other)).to.deep.equal(fields([]));
  });

  it('of Jobs differ when the Jobs do, since a Job cannot change', () => {
    const name = (set: readonly string[]): string | undefined =>
      ofKind(render({ ...scenario('everything'), set }), 'Job')[0]?.metadata.name;
    expect(name([])).to.match(/^omendb-restore-1-[0-9a-f]{6}$/);
    expect(name(['image.digest=', 'image.tag=v9'])).to.not.equal(name([]));
    expect(name(['autoscaling.maxReplicas=9'])).to.equal(name([]));
  });

  it('of labels that the user gives do not replace those that select', () => {
    const all = render({
      ...production,
      set: [...OFFLINE, String.raw`commonLabels.app\.kubernetes\.io/component=x`],
    });
    expect(one(all, 'Deployment').metadata.labels?.['app.kubernetes.io/component']).to.equal('server');
  });
});

function namespaces(all: readonly Rendered[]): (string | undefined)[] {
  return [...new Set(all.map(({ metadata }) => metadata.namespace))];
}
