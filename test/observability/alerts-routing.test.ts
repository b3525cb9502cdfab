// What can be said without their tools of Alertmanager's configuration and of what an autoscaler reads.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { metricProblems } from '#support/known-metrics.js';
import { aggregationsOf } from '#support/promql.js';
import { ALERTS, RECORDED } from '#support/rules.js';

const ROOT = new URL('../../..', import.meta.url).pathname;
const read = (name: string) => readFileSync(join(ROOT, 'alerts', name), 'utf8');

interface Receiver {
  readonly name: string;
  readonly [kind: `${string}_configs`]: readonly Readonly<Record<string, unknown>>[];
}
interface Route {
  readonly receiver: string;
  readonly matchers?: readonly string[];
  readonly routes?: readonly Route[];
  readonly [setting: string]: unknown;
}
interface Inhibition {
  readonly source_matchers: readonly string[];
  readonly target_matchers: readonly string[];
  readonly equal: readonly string[];
}
interface AlertmanagerConfig {
  readonly route: Route;
  readonly inhibit_rules: readonly Inhibition[];
  readonly receivers: readonly Receiver[];
}
interface AdapterRule {
  readonly seriesQuery: string;
  readonly resources: { readonly overrides: Readonly<Record<string, unknown>> };
  readonly name: { readonly matches: string; readonly as: string };
  readonly metricsQuery: string;
}

const config = () => parse(read('alertmanager.yml')) as AlertmanagerConfig;

/** The labels of an alert: those of all its aggregations, and what Prometheus adds to `up`. */
function labelsOf(alert: (typeof ALERTS)[number]): Record<string, string> {
  const kept = aggregationsOf(alert.expr).flatMap(({ keeps }) => keeps ?? []);
  const fromTarget = ['namespace', 'job', ...(kept.length === 0 ? ['instance'] : kept)];
  return {
    ...Object.fromEntries(fromTarget.map((label) => [label, label])),
    ...alert.labels,
    alertname: alert.alert,
  };
}

function matches(labels: Readonly<Record<string, string>>, matchers: readonly string[]): boolean {
  return matchers.every((matcher) => {
    const [, label = '', op, value = ''] = /^(\w+)(=~|=)"?([^"]*)"?$/.exec(matcher) ?? [];
    expect(op, matcher).not.to.equal(undefined);
    const seen = labels[label] ?? '';
    return op === '=' ? seen === value : new RegExp(`^(?:${value})$`).test(seen);
  });
}

describe('Routing of alerts', () => {
  it('pages for critical alerts soon and often, makes tickets of warnings, and is quiet about the rest', () => {
    const { route } = config();
    const bySeverity = Object.fromEntries(
      (route.routes ?? []).map((child) => [
        /severity="(\w+)"/.exec(child.matchers?.join() ?? '')?.[1],
        child,
      ]),
    );
    expect(route['group_by']).to.deep.equal(['alertname', 'namespace']);
    expect(bySeverity['critical']).to.include({
      receiver: 'page',
      group_wait: '10s',
      repeat_interval: '1h',
    });
    expect(bySeverity['warning']).to.include({ receiver: 'ticket' });
    expect(bySeverity['info']).to.include({ receiver: 'null' });
    expect(route).to.include({ receiver: 'ticket', group_wait: '30s', repeat_interval: '12h' });
  });

  it('has each receiver that it names, and says when an alert is over', () => {
    const { route, receivers } = config();
    const named = [route, ...(route.routes ?? [])].map(({ receiver }) => receiver);
    expect(receivers.map(({ name }) => name)).to.have.members([...new Set(named)]);
    for (const { name, ...kinds } of receivers) {
      for (const one of Object.values(kinds).flat()) expect(one, name).to.include({ send_resolved: true });
    }
  });

  it('reads secrets from files and holds none', () => {
    const text = read('alertmanager.yml');
    expect(text).to.not.match(
      /^\s*-?\s*(api_url|routing_key|service_key|api_key|password|credentials|bearer_token|token):/m,
    );
    expect([...text.matchAll(/_file: (\S+)/g)].map(([, path]) => path)).to.have.length.greaterThan(1);
  });

  it('silences alerts that exist, by labels that both sides have', () => {
    for (const rule of config().inhibit_rules) {
      const sources = ALERTS.filter((alert) => matches(labelsOf(alert), rule.source_matchers));
      const targets = ALERTS.filter((alert) => matches(labelsOf(alert), rule.target_matchers));
      expect(sources, JSON.stringify(rule)).not.to.be.empty;
      expect(targets, JSON.stringify(rule)).not.to.be.empty;
      const words = [...rule.source_matchers, ...rule.target_matchers].join('|');
      const names: string[] = [...(words.match(/OmenDB\w+/g) ?? [])];
      expect(ALERTS.map(({ alert }) => alert)).to.include.members(names);
      for (const alert of [...sources, ...targets].filter(({ alert: name }) => names.includes(name))) {
        expect(Object.keys(labelsOf(alert)), alert.alert).to.include.members([...rule.equal]);
      }
    }
  });

  it('silences no critical alert but a burning budget that was paged for already', () => {
    const silenced = config().inhibit_rules.flatMap((rule) =>
      ALERTS.filter((alert) => matches(labelsOf(alert), rule.target_matchers)),
    );
    const critical = silenced.filter(({ labels }) => labels['severity'] === 'critical');
    expect(critical.map(({ alert }) => alert)).to.deep.equal(['OmenDBErrorBudgetBurnFast']);
  });
});

describe('What an autoscaler reads', () => {
  const file = () =>
    parse(read('adapter.rules.yml')) as { rules: AdapterRule[]; externalRules: AdapterRule[] };
  const filled = (rule: AdapterRule, groupBy: string, labels: string): string =>
    rule.metricsQuery
      .replace('<<.Series>>', /^\w+/.exec(rule.seriesQuery)?.[0] ?? '')
      .replaceAll('<<.LabelMatchers>>', labels)
      .replaceAll('<<.GroupBy>>', groupBy);

  it('asks for series that exist, and keeps the labels that the adapter goes by', () => {
    const { rules, externalRules } = file();
    for (const rule of [...rules, ...externalRules]) {
      const query = filled(rule, Object.keys(rule.resources.overrides).join(','), 'namespace="prod"');
      expect(metricProblems(query, RECORDED), query).to.deep.equal([]);
      expect(rule.name.matches).to.equal(`^${/^\w+/.exec(rule.seriesQuery)?.[0] ?? ''}$`);
      for (const label of Object.keys(rule.resources.overrides)) {
        expect(rule.seriesQuery).to.include(`${label}!=""`);
      }
    }
  });

  it('has names that the metrics API takes, and a quantile only in a recording rule', () => {
    const { rules, externalRules } = file();
    for (const { name, metricsQuery } of [...rules, ...externalRules]) {
      expect(name.as).to.match(/^[a-z_0-9]+$/);
      expect(metricsQuery).to.not.include('quantile');
    }
    expect(rules.map(({ name }) => name.as)).to.include('omendb_requests_per_second');
    expect(externalRules.map(({ name }) => name.as)).to.deep.equal(['omendb_p99_weighted_requests']);
  });

  it('is what the unit tests ask', () => {
    const { rules, externalRules } = file();
    const tests = read('autoscaling.test.yml');
    for (const rule of rules) {
      expect(tests).to.include(filled(rule, 'pod', 'namespace="prod",pod=~"omendb-0|omendb-1"'));
    }
    for (const rule of externalRules) {
      expect(tests).to.include(filled(rule, 'namespace', 'namespace="prod",job="omendb"'));
    }
  });
});
