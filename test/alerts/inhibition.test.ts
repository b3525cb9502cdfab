// Which alerts a real Alertmanager keeps quiet about while others fire.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { ALERTS } from '#support/rules.js';
import { withTemporaryFolder } from '#support/temporary-folder.js';
import { startAlertmanager } from '../live/alertmanager.js';
import type { HeldAlert } from '../live/alertmanager.js';
import { eventually } from '../live/conditions.js';
import { ALERTS_FOLDER } from './tools.js';

type Labels = Readonly<Record<string, string>>;

/** The labels of an alert of ours at some place. */
function alert(name: string, place: Labels): Labels {
  const rule = ALERTS.find(({ alert: known }) => known === name);
  if (rule === undefined) throw new Error(`there is no alert ${name}`);
  return { ...rule.labels, ...place, alertname: name };
}

const at = (namespace: string, more: Labels = {}): Labels => ({ namespace, job: 'omendb', ...more });
const LAPTOP: Labels = { job: 'omendb' };
const POD_A = { pod: 'omendb-0', instance: '10.0.0.1:8081' };
const POD_B = { pod: 'omendb-1', instance: '10.0.0.2:8081' };

/**
 * Each in a namespace of its own, so that one Alertmanager holds them all. `heard` and `quiet` fire at once.
 */
const CASES: readonly { what: string; heard: readonly Labels[]; quiet: readonly Labels[] }[] = [
  {
    what: 'a server that is down silences warnings and information of its release',
    heard: [
      alert('OmenDBServerDown', at('down', POD_A)),
      alert('OmenDBHighErrorRate', at('down')),
      alert('OmenDBDataLoss', at('down')),
    ],
    quiet: [
      alert('OmenDBHighLatency', at('down')),
      alert('OmenDBNotReady', at('down', POD_B)),
      alert('OmenDBVersionSkew', at('down')),
      alert('OmenDBBackupStale', at('down')),
    ],
  },
  {
    what: 'a pod that never came up silences them, too',
    heard: [alert('OmenDBServerDown', at('pending', { deployment: 'omendb-server' }))],
    quiet: [alert('OmenDBHighLatency', at('pending'))],
  },
  {
    what: 'without a namespace a server that is down silences its own, and nobody else',
    heard: [alert('OmenDBServerDown', LAPTOP), alert('OmenDBHighLatency', at('elsewhere'))],
    quiet: [alert('OmenDBMemoryPressure', { ...LAPTOP, instance: '127.0.0.1:8081' })],
  },
  {
    what: 'a high error rate silences burning budgets and refusals',
    heard: [alert('OmenDBHighErrorRate', at('errors')), alert('OmenDBHighLatency', at('errors'))],
    quiet: [
      alert('OmenDBErrorBudgetBurnFast', at('errors')),
      alert('OmenDBErrorBudgetBurnSlow', at('errors')),
      alert('OmenDBRequestsRefused', at('errors', { type: 'overloaded' })),
    ],
  },
  {
    what: 'a budget that burns fast silences that it burns slowly',
    heard: [
      alert('OmenDBErrorBudgetBurnFast', at('burning')),
      alert('OmenDBLatencyBudgetBurn', at('burning')),
    ],
    quiet: [alert('OmenDBErrorBudgetBurnSlow', at('burning'))],
  },
  {
    what: 'an object store that fails silences what follows from it',
    heard: [
      alert('OmenDBObjectStoreErrors', at('store', { operation: 'get' })),
      alert('OmenDBHighLatency', at('store')),
      alert('OmenDBBackupStale', at('store')),
    ],
    quiet: [
      alert('OmenDBObjectStoreSlow', at('store', { operation: 'put' })),
      alert('OmenDBCommitSlow', at('store')),
      alert('OmenDBColdLatencyHigh', at('store')),
      alert('OmenDBCompactionFailing', at('store', { task: 'merge' })),
      alert('OmenDBBackgroundFailing', at('store', { task: 'collect' })),
    ],
  },
  {
    what: 'an exhausted pool silences that the pool of the same server is saturated',
    heard: [
      alert('OmenDBEnginePoolExhausted', at('pool', POD_A)),
      alert('OmenDBEnginePoolSaturated', at('pool', POD_B)),
    ],
    quiet: [alert('OmenDBEnginePoolSaturated', at('pool', POD_A))],
  },
  {
    what: 'a full disk silences that it fills up',
    heard: [alert('OmenDBDiskFull', at('disk', POD_A)), alert('OmenDBDiskFillingUp', at('disk', POD_B))],
    quiet: [alert('OmenDBDiskFillingUp', at('disk', POD_A))],
  },
  {
    what: 'of one alert at two severities the louder is heard',
    heard: [
      { ...alert('OmenDBHighLatency', at('twice')), severity: 'critical' },
      alert('OmenDBEventLoopLag', at('twice', POD_A)),
    ],
    quiet: [alert('OmenDBHighLatency', at('twice'))],
  },
  {
    what: 'a warning silences nothing that pages',
    heard: [alert('OmenDBHighLatency', at('warning')), alert('OmenDBLatencyBudgetBurn', at('warning'))],
    quiet: [],
  },
];

describe('Inhibition in Alertmanager', function () {
  this.timeout(60_000);
  const held = new Map<string, HeldAlert>();
  const keyOf = (labels: Labels) =>
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .sort()
      .join();

  before(() =>
    withTemporaryFolder(async (folder) => {
      const file = await readFile(join(ALERTS_FOLDER, 'alertmanager.yml'), 'utf8');
      // Nobody listens there: only what is silenced is looked at.
      const alertmanager = await startAlertmanager(folder, file, () => 'http://127.0.0.1:9/');
      try {
        const all = CASES.flatMap(({ heard, quiet }) => [...heard, ...quiet]);
        const startsAt = new Date().toISOString();
        const sent = await fetch(`http://${alertmanager.address}/api/v2/alerts`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(all.map((labels) => ({ labels, startsAt }))),
        });
        expect(sent.status, await sent.text()).to.equal(200);
        const wanted = CASES.reduce((sum, { quiet }) => sum + quiet.length, 0);
        await eventually(`${String(wanted)} alerts are silenced`, async () => {
          held.clear();
          for (const one of await alertmanager.alerts()) held.set(keyOf(one.labels), one);
          const silenced = [...held.values()].filter(({ status }) => status.inhibitedBy.length > 0);
          return (held.size === all.length && silenced.length >= wanted) || undefined;
        });
      } finally {
        await alertmanager.stop();
      }
    }),
  );

  for (const { what, heard, quiet } of CASES) {
    it(what, () => {
      const silenced = (labels: Labels) => (held.get(keyOf(labels))?.status.inhibitedBy.length ?? 0) > 0;
      expect(heard.filter(silenced), 'silenced, and should be heard').to.deep.equal([]);
      expect(
        quiet.filter((labels) => !silenced(labels)),
        'heard, and should be silenced',
      ).to.deep.equal([]);
    });
  }
});
