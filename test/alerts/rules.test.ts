// Prometheus's own judgement of the rules, and whether their unit tests would notice if a rule were wrong.
import { expect } from 'chai';
import type { AlertRule, Values } from '#alerts/render.mjs';
import { readValues, renderRules } from '#alerts/render.mjs';
import { ALERTS } from '#support/rules.js';
import type { Check, TestFile } from './tools.js';
import { readAlertsFile, run, testRules } from './tools.js';

const FILES = ['omendb.test.yml', 'backup.test.yml', 'autoscaling.test.yml'];
const FACTOR = 3;

async function expectSuccess(command: string, ...args: readonly string[]): Promise<void> {
  const { status, output } = await run(command, args);
  expect(status, output).to.equal(0);
}

/** The groups of a file that ask for this alert, with these questions only. */
function questionsFor(alert: string, file: TestFile): TestFile {
  const tests = file.tests.flatMap((group) => {
    const checks = (group.alert_rule_test ?? []).filter(({ alertname }) => alertname === alert);
    return checks.length === 0 ? [] : [{ ...group, alert_rule_test: checks }];
  });
  return { ...file, tests };
}

/** The rule with its threshold multiplied, and with the old texts: they must not give it away. */
function withThreshold({ alert, annotations }: AlertRule, factor: number): AlertRule {
  const values: Values = readValues();
  const settings = values.alerts[alert];
  if (settings !== undefined) settings.threshold = String(Number(settings.threshold) * factor);
  const rules = renderRules(values).groups.flatMap((group) => group.rules);
  return { ...(rules.find((rule) => rule.alert === alert) as AlertRule), annotations };
}

/** Rules that look like this one and are wrong, by what is wrong with them. */
function mutants(rule: AlertRule): [what: string, rule: AlertRule][] {
  const found: [string, AlertRule][] = [
    ['never fires', { ...rule, expr: `(${rule.expr}) unless on () vector(1)` }],
  ];
  if (readValues().alerts[rule.alert]?.threshold !== undefined) {
    found.push([`has ${String(FACTOR)} times its threshold`, withThreshold(rule, FACTOR)]);
    found.push([`has 1/${String(FACTOR)} of its threshold`, withThreshold(rule, 1 / FACTOR)]);
  } else {
    const loose = rule.expr.replace(/== 0|> [01]\b/g, '>= 0');
    found.push(['fires whatever the value is', { ...rule, expr: loose }]);
  }
  if (rule.for !== undefined) {
    const { for: _, ...eager } = rule;
    found.push(['fires at once', eager]);
    found.push(['fires too late', { ...rule, for: '7d' }]);
  }
  if (rule.keep_firing_for !== undefined) {
    const { keep_firing_for: _, ...forgetful } = rule;
    found.push(['ends at once', forgetful]);
  }
  return found;
}

describe('Alert rules in Prometheus', function () {
  this.timeout(180_000);
  let files: TestFile[];

  before(async () => {
    const all = await Promise.all(['omendb.test.yml', 'backup.test.yml'].map(readAlertsFile));
    files = all as TestFile[];
  });

  const groups = () => files.flatMap(({ tests }) => tests);
  const checksOf = (alert: string): Check[][] =>
    groups()
      .map((group) => (group.alert_rule_test ?? []).filter(({ alertname }) => alertname === alert))
      .filter((checks) => checks.length > 0);

  it('pass the check of promtool', () => expectSuccess('promtool', 'check', 'rules', 'omendb.rules.yml'));

  it('pass with a namespace among the labels that choose, and say which namespace has no server', async () => {
    const values = readValues();
    values.selector = 'job="omendb",namespace="prod"';
    values.deploymentSelector = 'namespace="prod",deployment="omendb-server"';
    const rules = renderRules(values).groups.flatMap((group) => group.rules);
    const { status, output } = await testRules(rules, {
      rule_files: [],
      tests: [
        {
          name: 'servers of another namespace are none of ours',
          interval: '1m',
          input_series: [
            { series: 'up{namespace="other",job="omendb",instance="10.0.0.1:8081"}', values: '1x9' },
            { series: 'up{namespace="other",job="omendb",instance="10.0.0.2:8081"}', values: '0x9' },
          ],
          promql_expr_test: [
            {
              expr: 'sum by (alertname, alertstate, namespace, job, severity) (ALERTS)',
              eval_time: '5m',
              exp_samples: [
                {
                  labels:
                    '{alertname="OmenDBServerDown",alertstate="firing",job="omendb",namespace="prod",severity="critical"}',
                  value: 1,
                },
              ],
            },
          ],
        },
      ],
    });
    expect(status, output).to.equal(0);
  });

  it('pass the check of a configuration that names them', () =>
    expectSuccess('promtool', 'check', 'config', 'prometheus.yml'));

  for (const file of FILES) {
    it(`pass their unit tests: ${file}`, () => expectSuccess('promtool', 'test', 'rules', file));
  }

  it('have unit tests whose names say which alerts fire and which are silent', () => {
    for (const { name, alert_rule_test: checks = [] } of groups()) {
      const [, firing = '', silent = ''] =
        /^(?:([\w, ]*\w) fires?(?:, |: ))?(?:([\w, ]*\w) (?:is|are) silent: )?/.exec(name) ?? [];
      const fired = checks.filter((check) => check.exp_alerts.length > 0).map((check) => check.alertname);
      expect([...new Set(fired)].sort().join(', '), name).to.equal(firing);
      const others = checks.map((check) => check.alertname).filter((alert) => !fired.includes(alert));
      expect([...new Set(others)].sort(), name).to.have.members(silent === '' ? [] : silent.split(', '));
    }
  });

  for (const rule of ALERTS) {
    it(`have a firing and a silent case, and notice when it is wrong: ${rule.alert}`, async () => {
      const checks = checksOf(rule.alert);
      const firing = checks.filter((list) => list.some(({ exp_alerts: alerts }) => alerts.length > 0));
      const silent = checks.filter((list) => list.every(({ exp_alerts: alerts }) => alerts.length === 0));
      expect(firing, 'firing cases').not.to.be.empty;
      expect(silent, 'silent cases').not.to.be.empty;

      const questions = files
        .map((file) => questionsFor(rule.alert, file))
        .filter(({ tests }) => tests.length > 0);
      for (const file of questions) {
        const { status, output } = await testRules([rule], file);
        expect(status, `the rule itself: ${output}`).to.equal(0);
      }
      const survivors = mutants(rule).map(async ([what, mutant]) => {
        const runs = await Promise.all(questions.map((file) => testRules([mutant], file)));
        for (const { output } of runs) expect(output).not.to.include('parse error');
        return runs.every(({ status }) => status === 0) ? [what] : [];
      });
      expect((await Promise.all(survivors)).flat(), 'no unit test notices that the rule…').to.deep.equal([]);
    });
  }
});
