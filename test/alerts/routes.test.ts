// Who hears of an alert, as Alertmanager itself decides it.
import { expect } from 'chai';
import { ALERTS } from '#support/rules.js';
import { readAlertsFile, run } from './tools.js';

interface Case {
  readonly labels: Readonly<Record<string, string>>;
  readonly receiver: string;
}

const RECEIVERS: Readonly<Record<string, string>> = { critical: 'page', warning: 'ticket', info: 'null' };

async function route({ labels, receiver }: Case): Promise<string> {
  const { status, output } = await run('amtool', [
    ...['config', 'routes', 'test', '--config.file', 'alertmanager.yml', `--verify.receivers=${receiver}`],
    ...Object.entries(labels).map(([label, value]) => `${label}=${value}`),
  ]);
  return status === 0 ? 'as wanted' : `not to ${receiver}: ${output}`;
}

describe('Routes in Alertmanager', function () {
  this.timeout(60_000);

  it('pass the check of amtool', async () => {
    const { status, output } = await run('amtool', ['check-config', 'alertmanager.yml']);
    expect(status, output).to.equal(0);
  });

  it('lead where the table of cases says', async () => {
    const cases = (await readAlertsFile('routes.test.yml')) as Case[];
    expect(new Set(cases.map(({ receiver }) => receiver))).to.have.all.keys('page', 'ticket', 'null');
    for (const one of cases) expect(await route(one), JSON.stringify(one)).to.equal('as wanted');
  });

  it('lead every alert where its severity says, with and without a namespace', async () => {
    for (const { alert, labels } of ALERTS) {
      const receiver = RECEIVERS[labels['severity'] ?? ''] ?? '';
      for (const place of [{ namespace: 'prod', job: 'omendb' }, { job: 'omendb' }]) {
        const one = { labels: { alertname: alert, ...labels, ...place }, receiver };
        expect(await route(one), alert).to.equal('as wanted');
      }
    }
  });

  it('would be found wrong', async () => {
    const labels = { alertname: 'OmenDBServerDown', service: 'omendb', severity: 'critical' };
    expect(await route({ labels, receiver: 'ticket' })).to.include('not to ticket');
  });
});
