import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { boards, sceneOf } from './boards.js';
import { checkMetrics } from './check-metrics.js';
import { eventually } from './conditions.js';
import type { Report } from './fault.js';
import { problemsOf } from './panel-queries.js';
import { openArtist } from './render.js';
import { openWorld } from './world.js';
import type { Fault, World } from './world.js';

/** The one name that breaks a rule of Prometheus: it is required, and a gauge. */
const ALLOWED = 'omendb_vectors_total non-counter metrics should not have "_total" suffix';
/** Whom the routes tell of an alert. */
const RECEIVERS: Readonly<Record<string, string>> = { critical: 'page', warning: 'ticket' };

describe('Server, Prometheus and Alertmanager together', function () {
  this.timeout(240_000);
  let world: World;
  let startedAt: number;
  const reports = {} as Record<Fault, Promise<Report>>;

  before(async () => {
    world = await openWorld();
    startedAt = Date.now();
    // Faults of different namespaces do not disturb each other; the two that burn processor time take turns.
    reports.killed = world.victims.killed.suffer(world);
    reports.disk = world.victims.disk.suffer(world);
    reports.pool = world.victims.pool.suffer(world);
    reports.slow = reports.pool.catch(() => undefined).then(() => world.victims.slow.suffer(world));
    // Each is awaited by its own test; a failure before that must not end the process.
    for (const report of Object.values(reports)) report.catch(() => undefined);
  });

  after(async () => {
    if (world === undefined) return;
    await Promise.allSettled(Object.values(reports));
    await world.close();
  });

  it('page that a server was killed, hold back its warnings meanwhile, and tell when it is back', async () => {
    const { stories, inhibited } = await reports.killed;
    expect(stories.map(({ alert }) => alert)).to.deep.equal(['OmenDBServerDown', 'OmenDBBackupStale']);
    expect(inhibited).to.deep.equal(['OmenDBBackupStale']);
  });

  it('page that the engines are stalled, and make a ticket of the latency', async () => {
    const { stories, inhibited } = await reports.pool;
    expect(stories.map(({ alert }) => alert)).to.deep.equal([
      'OmenDBEnginePoolExhausted',
      'OmenDBHighLatency',
    ]);
    expect(inhibited).to.deep.equal(['OmenDBEnginePoolSaturated']);
  });

  it('make a ticket of latency that no engine is the cause of, and of the blocked event loop', async () => {
    const { stories } = await reports.slow;
    expect(stories.map(({ alert }) => alert)).to.deep.equal(['OmenDBHighLatency', 'OmenDBEventLoopLag']);
  });

  it('foresee that a disk gets full, and page when it is and when requests fail of it', async () => {
    const { stories, inhibited } = await reports.disk;
    expect(stories.map(({ alert }) => alert)).to.deep.equal([
      'OmenDBDiskFillingUp',
      'OmenDBDiskFull',
      'OmenDBHighErrorRate',
    ]);
    expect(inhibited).to.include('OmenDBErrorBudgetBurnFast');
  });

  it('tell everybody what concerns them and nobody what is only information', async () => {
    await Promise.allSettled(Object.values(reports));
    const wrong = world.webhook
      .notices()
      .filter(({ receiver, labels }) => RECEIVERS[labels['severity'] ?? ''] !== receiver)
      .map(({ receiver, labels }) => `${labels['alertname'] ?? ''} came to ${receiver}`);
    expect(wrong).to.deep.equal([]);
    const held = await world.alertmanager.alerts();
    const quiet = held.filter(({ labels }) => labels['severity'] === 'info');
    expect(quiet.map(({ labels }) => labels['alertname'])).to.include('OmenDBBackupMissing');
    expect(quiet.flatMap(({ receivers }) => receivers.map(({ name }) => name))).to.satisfy(
      (names: string[]) => names.every((name) => name === 'null'),
    );
  });

  it('answer every query of every panel with data and with the labels of its legend', async () => {
    await Promise.allSettled(Object.values(reports));
    const scene = sceneOf(world.prometheus.url, Math.min(120, Math.floor((Date.now() - startedAt) / 1000)));
    const problems = await Promise.all(boards().map((board) => problemsOf(board, world.prometheus, scene)));
    if (problems.flat().length > 0) throw new Error(`empty or wrong:\n  ${problems.flat().join('\n  ')}`);
  });

  it('link the latency of requests to traces that were sent', async () => {
    const scene = sceneOf(world.prometheus.url, 120);
    const known = await eventually('a trace of an exemplar arrives', async () => {
      const ids = await world.prometheus.exemplars('omendb_query_latency_seconds_bucket', scene);
      const traced = new Set(world.collector.spans.map(({ traceId }) => traceId));
      return ids.length > 0 && ids.every((id) => traced.has(id)) ? ids : undefined;
    });
    expect(known[0]).to.match(/^[\da-f]{32}$/);
    const [span] = world.collector.spans.filter(({ traceId }) => traceId === known[0]);
    expect(span?.resource['service.name']).to.equal('omendb');
  });

  it('read metrics that promtool has nothing to say of, but for the one required name', async () => {
    const response = await fetch(`http://127.0.0.1:${world.shop.server.ports.ops}/metrics`);
    const text = await response.text();
    expect(text)
      .to.include('omendb_vectors_total')
      .and.match(/# EOF\n$/);
    expect(checkMetrics(text)).to.deep.equal([ALLOWED]);
  });

  it('show all of it in pictures: no panel is empty', async () => {
    const artist = await openArtist();
    try {
      const scene = sceneOf(world.prometheus.url, Math.min(120, Math.floor((Date.now() - startedAt) / 1000)));
      await mkdir(join(world.folder, 'pictures'));
      const empty: string[] = [];
      for (const board of boards()) {
        const { png, panels } = await artist.draw(board, scene);
        await writeFile(join(world.folder, 'pictures', `${board.uid}.png`), png);
        for (const { title, problem, pixels, colours } of panels) {
          if (problem !== undefined || pixels < 100 || colours < 3) {
            empty.push(`${board.uid}: ${title}: ${problem ?? `${pixels} pixels in ${colours} colours`}`);
          }
        }
      }
      if (empty.length > 0) throw new Error(`empty:\n  ${empty.join('\n  ')}`);
    } finally {
      await artist.close();
    }
  });

  after(async () => {
    const settled = await Promise.allSettled(Object.values(reports));
    const stories = settled.flatMap((one) => (one.status === 'fulfilled' ? one.value.stories : []));
    const lines = stories.map(
      ({ alert, fault, receiver, secondsUntilFiring, secondsUntilResolved }) =>
        `  ${alert.padEnd(27)}${fault.padEnd(28)}${receiver.padEnd(10)}` +
        `${secondsUntilFiring.toFixed(1).padStart(6)} s ${secondsUntilResolved.toFixed(1).padStart(8)} s`,
    );
    const head = `  ${'alert'.padEnd(27)}${'fault'.padEnd(28)}${'receiver'.padEnd(10)}  firing   resolved`;
    console.log(['', head, ...lines, ''].join('\n'));
  });
});
