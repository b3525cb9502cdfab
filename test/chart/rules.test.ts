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
      'alerts/alertmanager.yml': 'files/rules/alertmanager.yml',
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

  it('route alerts and silence those that follow from others, as the file for Alertmanager does', () => {
    const source = parse(read('alerts/alertmanager.yml')) as Routing;
    const spec = one(render(scenario('everything')), 'AlertmanagerConfig')['spec'] as OperatorRouting;
    const text = ({ name, matchType, value }: Matcher): string => `${name}${matchType}"${value}"`;
    expect(spec.route.matchers.map(text)).to.deep.equal(['service="omendb"']);
    const { routes, ...top } = source.route;
    expect({
      receiver: spec.route.receiver,
      group_by: spec.route.groupBy,
      ...times(spec.route),
    }).to.deep.equal(top);
    expect(
      spec.route.routes.map((route) => ({
        ...{ matchers: route.matchers.map(text), receiver: route.receiver },
        ...times(route),
      })),
    ).to.deep.equal(routes);
    expect(
      spec.inhibitRules.map(({ sourceMatch, targetMatch, equal }) => ({
        ...{ source_matchers: sourceMatch.map(text), target_matchers: targetMatch.map(text), equal },
      })),
    ).to.deep.equal(source.inhibit_rules);
    expect(spec.receivers.map(({ name }) => name)).to.deep.equal(source.receivers.map(({ name }) => name));
  });

  it('tell receivers by the way that the user chose, with addresses from a Secret', () => {
    const receivers = (name: string): unknown =>
      at(one(render(scenario(name)), 'AlertmanagerConfig'), 'spec.receivers');
    const [page, ticket, nobody] = receivers('everything') as readonly unknown[];
    expect(at(page, 'pagerdutyConfigs.0.routingKey')).to.deep.equal({
      name: 'receivers',
      key: 'routing-key',
    });
    expect(at(page, 'pagerdutyConfigs.0.description')).to.equal('{{ .CommonAnnotations.summary }}');
    expect(at(ticket, 'slackConfigs.0.apiURL')).to.deep.equal({ name: 'receivers', key: 'slack-url' });
    expect(at(ticket, 'slackConfigs.0.channel')).to.equal('#search');
    expect(nobody).to.deep.equal({ name: 'null' });
    const [loud, hook] = receivers('keda') as readonly unknown[];
    expect(at(loud, 'slackConfigs.0.channel')).to.equal('#omendb');
    expect(at(hook, 'webhookConfigs.0.urlSecret')).to.deep.equal({ name: 'receivers', key: 'ticket' });
  });

  it('are in ConfigMaps byte by byte', () => {
    for (const map of ofKind(render(staging), 'ConfigMap').filter(({ metadata }) =>
      metadata.name.includes('board'),
    )) {
      const [[name, text] = ['', '']] = Object.entries(map['data'] as Readonly<Record<string, string>>);
      expect(text, name).to.equal(read(`dashboards/${name}`));
    }
  });

  it('are shown in one folder of Grafana, unless it is to have none', () => {
    const folderOf = (values: Parameters<typeof render>[0]): unknown =>
      ofKind(render(values), 'ConfigMap').find(({ metadata }) => metadata.name.includes('board'))?.metadata
        .annotations?.['grafana_folder'];
    expect(folderOf(staging)).to.equal('OmenDB');
    expect(folderOf(scenario('keda'))).to.equal(undefined);
  });
});

interface Times {
  readonly groupWait?: string;
  readonly groupInterval?: string;
  readonly repeatInterval?: string;
}

interface Matcher {
  readonly name: string;
  readonly matchType: string;
  readonly value: string;
}

interface OperatorRoute extends Times {
  readonly receiver: string;
  readonly groupBy: readonly string[];
  readonly matchers: readonly Matcher[];
  readonly routes: readonly OperatorRoute[];
}

/** What is looked at of an AlertmanagerConfig. */
interface OperatorRouting {
  readonly route: OperatorRoute;
  readonly inhibitRules: readonly {
    readonly sourceMatch: readonly Matcher[];
    readonly targetMatch: readonly Matcher[];
    readonly equal: readonly string[];
  }[];
  readonly receivers: readonly { readonly name: string }[];
}

/** What is looked at of the file of Alertmanager. */
interface Routing {
  readonly route: { readonly routes: readonly unknown[] };
  readonly inhibit_rules: readonly unknown[];
  readonly receivers: readonly { readonly name: string }[];
}

function times({ groupWait, groupInterval, repeatInterval }: Times): Record<string, string> {
  return {
    ...(groupWait === undefined ? {} : { group_wait: groupWait }),
    ...(groupInterval === undefined ? {} : { group_interval: groupInterval }),
    ...(repeatInterval === undefined ? {} : { repeat_interval: repeatInterval }),
  };
}
