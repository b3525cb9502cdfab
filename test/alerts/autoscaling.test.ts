// Whether the unit tests of what the autoscaler reads would notice if it were wrong.
import { expect } from 'chai';
import type { RecordingRule } from '#alerts/render.mjs';
import { RECORDINGS } from '#support/rules.js';
import type { TestFile } from './tools.js';
import { readAlertsFile, testRules } from './tools.js';

const PRESSURE = RECORDINGS.find(({ record }) => record === 'omendb_p99_latency_pressure') as RecordingRule;

/** What could go wrong in the expression: what, a piece of it, and what would be there instead. */
const MISTAKES = [
  ['has no cap', /clamp_max\((.*), [\d.]+\)/, '($1)'],
  ['has another cap', /, 1\.5\)/, ', 2)'],
  ['has no floor of traffic', /> [\d.]+\n/, '> 0\n'],
  ['counts cold queries as traffic', /,tier!="cold"/, ''],
  ['takes cold queries as slow', /job:omendb_query_latency_seconds:p99_rate5m\{[^}]*\}/, coldToo()],
  ['compares with another bound', /\/ 0\.05/, '/ 0.1'],
  ['is gone without traffic', /\s*or 0 \* group.*/, ''],
  [
    'is zero when nothing is scraped',
    /0 \* group.*/,
    'label_replace(vector(0), "namespace", "prod", "", "")',
  ],
  ['asks for pods without traffic', /0 \* group/, '2 * group'],
] as const;

function coldToo(): string {
  const selector = '{job="omendb",operation="query"}';
  return `histogram_quantile(0.99, sum by (namespace, job, le) (rate(omendb_query_latency_seconds_bucket${selector}[5m])))`;
}

describe('What the autoscaler reads', function () {
  this.timeout(60_000);
  let file: TestFile;

  before(async () => {
    const whole = (await readAlertsFile('autoscaling.test.yml')) as TestFile;
    file = { ...whole, group_eval_order: ['recorded', 'tested'] } as TestFile;
  });

  it('passes its unit tests alone', async () => {
    const { status, output } = await testRules([PRESSURE], file);
    expect(status, output).to.equal(0);
  });

  for (const [what, piece, instead] of MISTAKES) {
    it(`would be noticed if it ${what}`, async () => {
      const expr = PRESSURE.expr.replace(piece, instead);
      expect(expr).not.to.equal(PRESSURE.expr);
      const { status, output } = await testRules([{ ...PRESSURE, expr }], file);
      expect(output).not.to.include('parse error');
      expect(status, output).not.to.equal(0);
    });
  }
});
