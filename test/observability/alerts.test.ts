// What can be said of the alert rules without Prometheus. `npm run test:alerts` asks its tools.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AlertRule, Values } from '#alerts/render.mjs';
import { readValues, renderRules, rulesText } from '#alerts/render.mjs';
import { PrometheusMetrics } from '#server/adapters/prometheus/prometheus-metrics.js';
import { CATALOG } from '#server/core/metrics/catalog.js';
import { FakeClock } from '#support/fake-clock.js';
import { silentLogger } from '#support/log-node.js';
import { parseOpenMetrics } from '#support/openmetrics.js';
import { ruleProblems } from '#support/rule-lint.js';
import { ALERTS, RECORDED, RECORDINGS } from '#support/rules.js';
import { callsOf, selectorsOf } from '#support/promql.js';

const ROOT = new URL('../../..', import.meta.url).pathname;
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const BOUNDS = CATALOG.omendb_query_latency_seconds.buckets;

/** The default values, changed. */
function valuesWith(change: (values: Values) => void): Values {
  const values = readValues();
  change(values);
  return values;
}

function alertIn(values: Values, name: string): AlertRule | undefined {
  return renderRules(values)
    .groups.flatMap(({ rules }) => rules)
    .find((rule): rule is AlertRule => rule.alert === name);
}

describe('Alert rules', () => {
  for (const rule of [...RECORDINGS, ...ALERTS]) {
    it(`are sound: ${rule.alert ?? rule.record}`, () => {
      expect(ruleProblems(rule, RECORDED)).to.deep.equal([]);
    });
  }

  it('are sound with a namespace, too, as the chart selects', () => {
    const values = valuesWith((all) => {
      all.selector = 'job="omendb",namespace="prod"';
      all.deploymentSelector = 'namespace="prod",deployment="omendb-server"';
    });
    const rules = renderRules(values).groups.flatMap((group) => group.rules);
    expect(rules.flatMap((rule) => ruleProblems(rule, RECORDED))).to.deep.equal([]);
    for (const { expr } of rules) {
      for (const { metric, matchers } of selectorsOf(expr)) {
        expect(matchers, metric).to.deep.include({ label: 'namespace', op: '=', value: 'prod' });
      }
    }
  });

  it('look only at our series', () => {
    for (const { expr } of [...RECORDINGS, ...ALERTS]) {
      for (const { metric, matchers } of selectorsOf(expr)) {
        const own = metric.startsWith('kube_')
          ? { label: 'deployment', op: '=', value: 'omendb-server' }
          : { label: 'job', op: '=', value: 'omendb' };
        expect(matchers, expr).to.deep.include(own);
      }
    }
  });

  it('have names of their own', () => {
    const names = [...ALERTS.map(({ alert }) => alert), ...RECORDINGS.map(({ record }) => record)];
    expect(new Set(names).size).to.equal(names.length);
    for (const { alert } of ALERTS) expect(alert).to.match(/^OmenDB[A-Z][A-Za-z]+$/);
  });

  it('ask no question twice', () => {
    const expressions = [...ALERTS, ...RECORDINGS].map(({ expr }) => expr.replace(/\s+/g, ' '));
    expect(new Set(expressions).size).to.equal(expressions.length);
  });

  it('compare quantiles with bounds of their buckets, so that the comparison is exact', () => {
    const values = readValues();
    for (const { alert, expr } of ALERTS) {
      if (!callsOf(expr).some(({ name }) => name === 'histogram_quantile')) continue;
      const family = selectorsOf(expr)[0]?.metric.replace(/_bucket$/, '') as keyof typeof CATALOG;
      const { buckets } = CATALOG[family] as { readonly buckets: readonly number[] };
      expect(buckets, alert).to.include(Number(values.alerts[alert]?.threshold));
    }
    expect(BOUNDS).to.include(Number(values.slo.latencyBound));
    // Prometheus 3 calls the bound 1 "1.0".
    expect(values.slo.latencyBound).to.match(/^0\.\d+$/);
  });

  it('look at counters that are there from the start, so that the first event is an increase', async () => {
    const metrics = new PrometheusMetrics({ clock: new FakeClock(), logger: silentLogger });
    const families = parseOpenMetrics(await metrics.render());
    const samples = [...families.values()].flatMap((family) => family.samples);
    for (const { alert, expr } of ALERTS) {
      for (const { metric, matchers } of selectorsOf(expr).filter(({ within }) => within[0] === 'increase')) {
        const closed = matchers.filter(({ label, op }) => label !== 'job' && op === '=');
        const found = samples.filter(
          ({ name, labels }) =>
            name === metric && closed.every(({ label, value }) => labels[label] === value),
        );
        expect(found.length, `${alert}: ${metric}`).to.be.greaterThan(0);
      }
    }
  });

  it('link to a runbook and to a board that exist', () => {
    for (const { alert, annotations } of ALERTS) {
      expect(annotations['runbook_url']).to.equal(`${readValues().runbookUrlPrefix}/${alert}.md`);
      const uid = /\/d\/([\w-]+)\?var-namespace=\{\{/.exec(annotations['dashboard_url'] ?? '')?.[1] ?? '';
      expect(existsSync(join(ROOT, 'dashboards', `${uid}.json`)), `${alert}: ${uid}`).to.equal(true);
      expect((JSON.parse(read(`dashboards/${uid}.json`)) as { uid: string }).uid).to.equal(uid);
    }
  });

  it('include the alerts that were asked for, with what was asked for', () => {
    const asked = [
      ['OmenDBServerDown', 'critical', '1m', 'up{job="omendb"} == 0'],
      ['OmenDBHighLatency', 'warning', '2m', '> 0.05'],
      ['OmenDBHighErrorRate', 'critical', '2m', '> 0.01'],
      ['OmenDBEnginePoolExhausted', 'critical', '1m', '== 0'],
    ] as const;
    for (const [name, severity, duration, words] of asked) {
      const rule = ALERTS.find(({ alert }) => alert === name);
      expect(rule?.labels['severity'], name).to.equal(severity);
      expect(rule?.for, name).to.equal(duration);
      expect(rule?.expr, name).to.include(words);
    }
  });
});

describe('Values of alerts', () => {
  it('are rendered into the file that is committed', () => {
    expect(read('alerts/omendb.rules.yml'), 'run "npm run generate"').to.equal(
      rulesText(renderRules(readValues())),
    );
  });

  it('say of each alert in words what its threshold means', () => {
    const lines = read('alerts/values.yaml').split('\n');
    for (const { alert } of ALERTS) {
      const at = lines.findIndex((line) => line.trim().startsWith(`${alert}:`));
      expect(lines[at - 1], alert).to.match(/^ {2}# [A-Z].*\.$/);
    }
  });

  it('remove an alert', () => {
    const values = valuesWith(({ alerts }) => {
      Object.assign(alerts['OmenDBRecallLow'] ?? {}, { enabled: false });
    });
    expect(alertIn(values, 'OmenDBRecallLow')).to.equal(undefined);
    expect(alertIn(values, 'OmenDBHighLatency')).not.to.equal(undefined);
  });

  it('set threshold, duration and severity, in the condition and in what people read', () => {
    const values = valuesWith(({ alerts, additionalLabels }) => {
      alerts['OmenDBHighLatency'] = { enabled: true, severity: 'critical', threshold: 0.1, for: '30s' };
      additionalLabels['team'] = 'search';
    });
    const rule = alertIn(values, 'OmenDBHighLatency');
    expect(rule?.expr).to.match(/> 0\.1$/m);
    expect(rule?.for).to.equal('30s');
    expect(rule?.labels).to.deep.equal({ severity: 'critical', service: 'omendb', team: 'search' });
    expect(rule?.annotations['description']).to.include('{{ "0.1" | humanizeDuration }}');
  });

  it('are refused for an alert that does not exist, and when one is missing', () => {
    const more = valuesWith(({ alerts }) => {
      alerts['OmenDBTypo'] = { enabled: true, severity: 'info' };
    });
    expect(() => renderRules(more)).to.throw('values for alerts that do not exist: OmenDBTypo');
    const less = valuesWith(({ alerts }) => {
      delete alerts['OmenDBHighLatency'];
    });
    expect(() => renderRules(less)).to.throw('no values for OmenDBHighLatency');
    const empty = valuesWith(({ alerts }) => {
      delete alerts['OmenDBHighLatency']?.threshold;
    });
    expect(() => renderRules(empty)).to.throw('OmenDBHighLatency uses $THRESHOLD, which has no value');
  });
});

describe('The lint of rules', () => {
  const sound: AlertRule = {
    alert: 'OmenDBTest',
    expr: 'sum by (namespace, job) (rate(omendb_requests_total{job="omendb"}[5m])) > 1',
    for: '1m',
    labels: { severity: 'warning', service: 'omendb' },
    annotations: { summary: 'It is so.', description: 'So.', runbook_url: 'r', dashboard_url: 'd' },
  };
  const wrong: readonly (readonly [what: string, change: Partial<AlertRule>, problem: string])[] = [
    ['no PromQL', { expr: 'sum by (' }, 'no PromQL'],
    ['no comparison', { expr: 'max by (namespace, job) (max_over_time(omendb_ready[5m]))' }, 'no comparison'],
    [
      'a comparison on one side of "or" only',
      { expr: 'up == 0 or max by (namespace, job) (max_over_time(omendb_ready[5m]))' },
      'no comparison',
    ],
    [
      'a name that is none',
      { expr: 'up == 0 or omendb_requests == 1' },
      'there is no metric omendb_requests',
    ],
    ['a label that is none', { expr: 'up{tier="hot"} == 0' }, 'up has no label tier'],
    [
      'a value that is none',
      { expr: sound.expr.replace('job="omendb"', 'code="200"') },
      'omendb_requests_total has no code="200"',
    ],
    [
      'a counter as it is',
      { expr: 'sum by (namespace, job) (omendb_requests_total) > 1' },
      'look at its rate',
    ],
    [
      'a bound that Prometheus 3 renames',
      {
        expr: 'sum by (namespace, job) (rate(omendb_query_latency_seconds_bucket{le="1"}[5m])) > 0',
      },
      'matches nothing in Prometheus 3',
    ],
    ['a label that is lost', { expr: sound.expr.replace('namespace, ', '') }, 'it loses namespace'],
    ['a sum of everything', { expr: sound.expr.replace('by (namespace, job) ', '') }, 'what it keeps'],
    [
      'a division by nothing',
      { expr: `${sound.expr.slice(0, -4)} / ${sound.expr.slice(0, -4)} > 1` },
      'zero without traffic',
    ],
    ['a gauge as it is', { expr: 'max by (namespace, job) (omendb_ready) == 0' }, 'one missed scrape'],
    ['a short window', { expr: sound.expr.replace('[5m]', '[30s]') }, 'too few scrapes'],
    ['no for', {}, 'it has no for'],
    ['absent without for', { expr: 'absent(up{job="omendb"})' }, 'absent without for'],
    [
      'a label with the value',
      { labels: { ...sound.labels, value: '{{ $value }}' } },
      'every evaluation makes a new alert',
    ],
    ['a severity that nobody routes', { labels: { ...sound.labels, severity: 'page' } }, 'no severity'],
    ['no service', { labels: { severity: 'info' } }, 'no label service'],
    ['no runbook', { annotations: { ...sound.annotations, runbook_url: '' } }, 'it has no runbook_url'],
    [
      'a label in the text that the result lacks',
      { annotations: { ...sound.annotations, description: '{{ $labels.tier }}' } },
      'the label tier',
    ],
    [
      'a word that was not replaced',
      { annotations: { ...sound.annotations, description: 'above $THRESHOLD' } },
      'was not replaced',
    ],
  ];
  for (const [what, change, problem] of wrong) {
    it(`refuses ${what}`, () => {
      const rule: AlertRule = { ...sound, ...change };
      if (/no for|without for/.test(problem)) delete rule.for;
      expect(ruleProblems(rule, RECORDED).join('\n')).to.include(problem);
    });
  }

  it('passes a sound rule', () => {
    expect(ruleProblems(sound, RECORDED)).to.deep.equal([]);
  });
});
