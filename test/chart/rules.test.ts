import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import type { RuleFile, Values as AlertValues } from '#alerts/render.mjs';
import { readValues, renderRules } from '#alerts/render.mjs';
import { OFFLINE, ROOT, at, ofKind, one, read, render, run, scenario } from './helm.js';

const staging = { files: ['values-staging.yaml'], set: OFFLINE };

/** What alerts/render.mjs makes of the values that the chart would use. */
function expectedRules(change: (values: AlertValues) => void): RuleFile {
  const values = readValues();
  values.selector = 'job="omendb",namespace="omendb-system"';
  values.deploymentSelector = 'namespace="omendb-system",deployment="omendb-server"';
  change(values);
  return renderRules(values);
}

describe('Rules, boards and routes of the chart', function () {
  this.timeout(60_000);

  it('are copies of those of the repository, byte by byte', () => {
    const copies = {
      'alerts/src/omendb.rules.yml': 'files/rules/omendb.rules.yml',
      'alerts/values.yaml': 'files/rules/values.yaml',
      'alerts/adapter.rules.yml': 'files/rules/adapter.rules.yml',
    };
    for (const [from, to] of Object.entries(copies))
      expect(read(`helm/omendb/${to}`), to).to.equal(read(from));
    const boards = readdirSync(join(ROOT, 'dashboards')).filter((name) => /^omendb-.*\.json$/.test(name));
    expect(readdirSync(join(ROOT, 'helm/omendb/files/dashboards'))).to.have.members(boards);
    for (const name of boards) {
      expect(read(`helm/omendb/files/dashboards/${name}`), name).to.equal(read(`dashboards/${name}`));
    }
  });

  it('render as those of the repository do, with the same values', () => {
    const spec = one(render(staging), 'PrometheusRule')['spec'];
    expect(spec).to.deep.equal(expectedRules(() => undefined));
  });

  it('follow what the user changes', () => {
    const rule = one(render(scenario('everything')), 'PrometheusRule');
    const expected = expectedRules((values) => {
      values.selector = 'job="omendb",namespace="vectors"';
      values.deploymentSelector = 'namespace="vectors",deployment="omendb-server"';
      values.runbookUrlPrefix = 'https://runbooks.example.com/omendb';
      values.dashboardUrlPrefix = 'https://grafana.example.com';
      values.additionalLabels = { team: 'search' };
      values.slo.availability = '0.9995';
      values.slo.latencyBound = '0.1';
      Object.assign(values.alerts['OmenDBHighLatency'] ?? {}, {
        threshold: '0.1',
        for: '5m',
        severity: 'critical',
      });
      Object.assign(values.alerts['OmenDBServerDown'] ?? {}, { keepFiringFor: '10m' });
      Object.assign(values.alerts['OmenDBVersionSkew'] ?? {}, { enabled: false });
    });
    expect(rule['spec']).to.deep.equal(expected);
  });

  it('leave out a group whose alerts are all off', () => {
    const groups = at(one(render(scenario('hpa-resources-only')), 'PrometheusRule'), 'spec.groups');
    expect((groups as readonly { readonly name: string }[]).map(({ name }) => name)).to.not.include(
      'omendb-operation',
    );
  });

  it('keep a release apart whose job has another name', () => {
    const set = [...OFFLINE, 'metrics.job=search'];
    const all = render({ ...staging, set });
    expect(JSON.stringify(one(all, 'PrometheusRule'))).to.not.include(String.raw`job=\"omendb\"`);
    const metrics = at(
      one(all, 'HorizontalPodAutoscaler'),
      'spec.metrics.3.external.metric.selector.matchLabels',
    );
    expect(metrics).to.deep.equal({ job: 'search' });
    expect(at(one(all, 'ServiceMonitor'), 'spec.endpoints.0.relabelings.0.replacement')).to.equal('search');
  });

  it('are accepted by Prometheus, as files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'omendb-rules-'));
    try {
      for (const name of ['everything', 'hpa-resources-only']) {
        const file = join(folder, `${name}.yml`);
        writeFileSync(file, stringify(one(render(scenario(name)), 'PrometheusRule')['spec']));
        const { status, stdout, stderr } = run('promtool', ['check', 'rules', file]);
        expect(status, stdout + stderr).to.equal(0);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('for the adapter are those of the repository', () => {
    const map = one(render(scenario('everything')), 'ConfigMap', 'omendb-adapter-rules');
    expect(parse((map['data'] as Readonly<Record<string, string>>)['config.yaml'] ?? '')).to.deep.equal(
      parse(read('alerts/adapter.rules.yml')),
    );
  });

  it('for the autoscaler name series that the rules and the adapter make', () => {
    const rules = read('alerts/src/omendb.rules.yml');
    const adapter = read('alerts/adapter.rules.yml');
    const metrics = JSON.stringify(at(one(render(staging), 'HorizontalPodAutoscaler'), 'spec.metrics'));
    for (const [, name = ''] of metrics.matchAll(/"metric":\{"name":"([^"]+)"/g))
      expect(adapter).to.include(`as: ${name}`);
    expect(rules).to.include('record: omendb_p99_latency_pressure');
    const keda = JSON.stringify(one(render(scenario('keda')), 'ScaledObject'));
    expect(keda).to.include('omendb_p99_latency_pressure').and.to.include('omendb_requests_total');
  });

  it('route alerts by severity, and say nothing more while no server is there', () => {
    const config = one(render(scenario('everything')), 'AlertmanagerConfig');
    const routes = at(config, 'spec.route.routes') as readonly { readonly receiver: string }[];
    expect(routes.map(({ receiver }) => receiver)).to.deep.equal(['page', 'ticket']);
    const names = (at(config, 'spec.receivers') as readonly { readonly name: string }[]).map(
      ({ name }) => name,
    );
    expect(names).to.have.members(['nobody', 'page', 'ticket']);
    expect(at(config, 'spec.inhibitRules.0.sourceMatch.0.value')).to.equal('OmenDBServerDown');
  });

  it('are shown in one folder of Grafana, unless it is to have none', () => {
    const folderOf = (values: Parameters<typeof render>[0]): unknown =>
      ofKind(render(values), 'ConfigMap').find(({ metadata }) => metadata.name.includes('board'))?.metadata
        .annotations?.['grafana_folder'];
    expect(folderOf(staging)).to.equal('OmenDB');
    expect(folderOf(scenario('keda'))).to.equal(undefined);
  });
});
