import { expect } from 'chai';
import type { AutoscalerSpec, Measured, MetricSpec } from './autoscaler.js';
import { Autoscaler, SYNC_SECONDS } from './autoscaler.js';
import { OFFLINE, one, render } from './helm.js';

const PER_POD = 200;
const CAP = 1.5;

/** What the clients of a moment ask, and how slow it is for them. */
interface Load {
  readonly requests: number;
  /** P99 of what is in memory, as a multiple of the wanted one. */
  readonly slowness?: number;
  readonly down?: boolean;
}

/** What the metrics say of it. */
function measured({ requests, slowness = 0.5, down = false }: Load, pods: number): Measured {
  if (down) return { cpu: 40, memory: 50, totals: {} };
  const pressure = requests === 0 ? 0 : Math.min(CAP, slowness);
  return {
    ...{ cpu: (requests / pods / PER_POD) * 55, memory: 45 },
    totals: {
      omendb_requests_per_second: requests,
      omendb_p99_weighted_requests: requests * pressure,
      omendb_p99_latency_pressure: pressure,
    },
  };
}

function replay(spec: AutoscalerSpec, minutes: number, load: (minute: number) => Load, pods?: number) {
  const autoscaler = new Autoscaler(spec, pods);
  const seen: number[] = [];
  for (let second = 0; second < minutes * 60; second += SYNC_SECONDS) {
    autoscaler.look(second, measured(load(second / 60), autoscaler.pods));
    seen.push(autoscaler.pods);
  }
  return { autoscaler, seen, last: autoscaler.pods, most: Math.max(...seen), least: Math.min(...seen) };
}

describe('Autoscaling', function () {
  this.timeout(30_000);

  for (const environment of ['staging', 'production']) {
    describe(environment, () => {
      let spec: AutoscalerSpec;

      before(() => {
        const all = render({ files: [`values-${environment}.yaml`], set: OFFLINE });
        spec = one(all, 'HorizontalPodAutoscaler')['spec'] as unknown as AutoscalerSpec;
      });

      it('comes to the pods that the load needs within ten minutes, however fast it comes', () => {
        const { last, seen } = replay(spec, 10, () => ({ requests: 4000 }));
        expect(last).to.be.within(4000 / PER_POD, (4000 / PER_POD) * 1.1 + 1);
        expect(seen[(3 * 60) / SYNC_SECONDS]).to.be.above(spec.minReplicas + 8);
      });

      it('adds at most half as many pods for a latency that pods do not cure', () => {
        const needed = 2000 / PER_POD;
        const { most, last } = replay(spec, 120, () => ({ requests: 2000, slowness: 10 }));
        expect(last).to.be.at.least((needed * CAP) / 1.1);
        expect(most).to.be.at.most(needed * CAP);
      });

      it('would run away with the factor as a target of its own, which is why it is none', () => {
        const alone: MetricSpec = {
          type: 'External',
          external: {
            metric: { name: 'omendb_p99_latency_pressure' },
            target: { type: 'Value', value: '1' },
          },
        };
        const other = { ...spec, metrics: [...spec.metrics.slice(0, -1), alone] };
        const { last } = replay(other, 120, () => ({ requests: 2000, slowness: 10 }));
        expect(last).to.equal(spec.maxReplicas);
      });

      it('never takes pods away because latency is good', () => {
        const { least } = replay(spec, 60, () => ({ requests: 4000, slowness: 0.01 }), 20);
        expect(least).to.be.at.least(4000 / PER_POD / 1.1);
      });

      it('goes down slowly: first after ten minutes, then a tenth or one pod in two minutes', () => {
        const { seen, last, autoscaler } = replay(
          spec,
          240,
          (minute) => ({ requests: minute < 1 ? 8000 : 0 }),
          40,
        );
        expect(seen[(10 * 60) / SYNC_SECONDS]).to.be.at.least(40);
        for (const { second, from, to } of autoscaler.changes.filter((change) => change.to < change.from)) {
          expect(from - to, `at ${second} s`).to.be.at.most(Math.max(1, Math.ceil(from / 10)));
        }
        expect(last).to.equal(spec.minReplicas);
      });

      it('stays calm while the load goes up and down every two minutes', () => {
        const { autoscaler } = replay(spec, 240, (minute) => ({
          requests: Math.floor(minute / 2) % 2 === 0 ? 4000 : 1000,
        }));
        expect(autoscaler.changes.filter(({ from, to }) => to < from)).to.deep.equal([]);
      });

      it('keeps all pods while nobody can tell the load', () => {
        const { least } = replay(spec, 120, () => ({ requests: 4000, down: true }), 20);
        expect(least).to.equal(20);
      });

      it('stays within its bounds', () => {
        expect(replay(spec, 240, () => ({ requests: 1_000_000, slowness: 10 })).last).to.equal(
          spec.maxReplicas,
        );
        expect(replay(spec, 60, () => ({ requests: 0 })).last).to.equal(spec.minReplicas);
      });
    });
  }
});
