// The horizontal autoscaler of Kubernetes as its documentation describes it, to replay loads with the objects
// that the chart renders: every metric proposes a number of pods, the largest counts, and `behavior` bounds
// how fast it comes.

/** A HorizontalPodAutoscaler's spec, as far as the chart uses it. */
export interface AutoscalerSpec {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly metrics: readonly MetricSpec[];
  readonly behavior: Readonly<Record<'scaleUp' | 'scaleDown', Direction>>;
}

interface Direction {
  readonly stabilizationWindowSeconds: number;
  readonly selectPolicy: 'Max' | 'Min';
  readonly policies: readonly {
    readonly type: 'Pods' | 'Percent';
    readonly value: number;
    readonly periodSeconds: number;
  }[];
}

export interface MetricSpec {
  readonly type: 'ContainerResource' | 'Pods' | 'External';
  readonly containerResource?: {
    readonly name: 'cpu' | 'memory';
    readonly target: { readonly averageUtilization: number };
  };
  readonly pods?: { readonly metric: { readonly name: string }; readonly target: Target };
  readonly external?: { readonly metric: { readonly name: string }; readonly target: Target };
}

interface Target {
  readonly type: 'AverageValue' | 'Value';
  readonly averageValue?: string;
  readonly value?: string;
}

/** What is measured at one moment; undefined: nobody could tell. */
export interface Measured {
  /** Percent of the request, on average. */
  readonly cpu: number | undefined;
  readonly memory: number | undefined;
  /** By name, over all pods. */
  readonly totals: Readonly<Record<string, number | undefined>>;
}

/** How often the controller looks. */
export const SYNC_SECONDS = 15;
/** A ratio that is this near to 1 changes nothing. */
const TOLERANCE = 0.1;

interface Change {
  readonly second: number;
  readonly from: number;
  readonly to: number;
}

export class Autoscaler {
  readonly #changes: Change[] = [];
  readonly #wanted: { readonly second: number; readonly pods: number }[] = [];
  pods: number;

  constructor(
    private readonly spec: AutoscalerSpec,
    pods = spec.minReplicas,
  ) {
    this.pods = pods;
  }

  /** Looks once, and changes the number of pods if it comes to that. */
  look(second: number, measured: Measured): void {
    const proposals = this.spec.metrics.map((metric) => proposal(metric, measured, this.pods));
    const known = proposals.filter((pods) => pods !== undefined);
    const largest = Math.max(0, ...known);
    // When a metric is missing, it might be the one that would say no to fewer pods.
    const unsure = known.length < proposals.length && largest < this.pods;
    const desired = known.length === 0 || unsure ? this.pods : largest;
    this.#wanted.push({ second, pods: desired });
    const stable = this.#stabilized(second);
    const next = Math.min(
      this.spec.maxReplicas,
      Math.max(this.spec.minReplicas, this.#limited(second, stable)),
    );
    if (next !== this.pods) this.#changes.push({ second, from: this.pods, to: next });
    this.pods = next;
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  /**
   * Up to the least that was wanted within the window of scaling up, down to the most within that of scaling
   * down.
   */
  #stabilized(second: number): number {
    const within = ({ stabilizationWindowSeconds }: Direction): number[] =>
      this.#wanted
        .filter((one) => one.second > second - stabilizationWindowSeconds || one.second === second)
        .map(({ pods }) => pods);
    const up = Math.min(...within(this.spec.behavior.scaleUp));
    const down = Math.max(...within(this.spec.behavior.scaleDown));
    return Math.min(Math.max(this.pods, up), Math.max(down, up));
  }

  #limited(second: number, desired: number): number {
    if (desired > this.pods) return Math.min(desired, this.#limit(second, this.spec.behavior.scaleUp, 1));
    if (desired < this.pods) return Math.max(desired, this.#limit(second, this.spec.behavior.scaleDown, -1));
    return desired;
  }

  /** The farthest that the policies allow now; `sign` 1 up, -1 down. */
  #limit(second: number, { policies, selectPolicy }: Direction, sign: 1 | -1): number {
    const limits = policies.map(({ type, value, periodSeconds }) => {
      const recent = this.#changes.filter((one) => one.second > second - periodSeconds);
      const added = recent.reduce(
        (sum, { from, to }) => sum + (Math.sign(to - from) === sign ? to - from : 0),
        0,
      );
      const start = this.pods - added;
      const step = type === 'Pods' ? value : (start * value) / 100;
      return sign === 1 ? Math.ceil(start + step) : Math.floor(start - step);
    });
    const farthest = (selectPolicy === 'Max') === (sign === 1);
    return farthest ? Math.max(...limits) : Math.min(...limits);
  }
}

/** The pods that one metric asks for; undefined when it could not be read. */
function proposal(metric: MetricSpec, measured: Measured, pods: number): number | undefined {
  if (metric.containerResource !== undefined) {
    const { name, target } = metric.containerResource;
    const used = measured[name];
    return used === undefined ? undefined : byRatio(used / target.averageUtilization, pods);
  }
  const { metric: asked, target } = metric.pods ?? metric.external ?? fail(metric);
  const total = measured.totals[asked.name];
  if (total === undefined) return undefined;
  if (target.type === 'Value') return byRatio(total / Number(target.value), pods);
  const each = Number(target.averageValue);
  return Math.abs(total / (each * pods) - 1) <= TOLERANCE ? pods : Math.ceil(total / each);
}

function byRatio(ratio: number, pods: number): number {
  return Math.abs(ratio - 1) <= TOLERANCE ? pods : Math.ceil(ratio * pods);
}

function fail(metric: MetricSpec): never {
  throw new Error(`a metric of type ${metric.type} is not known here`);
}
