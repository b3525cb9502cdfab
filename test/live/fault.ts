// What every fault has in common: servers of a namespace of their own are broken and mended, and somebody is
// told of both.
import type { Alertmanager } from './alertmanager.js';
import type { Prometheus, Target } from './prometheus.js';
import type { Webhook } from './webhook.js';

/** Who watches the servers. */
export interface Watchers {
  readonly prometheus: Prometheus;
  readonly alertmanager: Alertmanager;
  readonly webhook: Webhook;
}

/** Servers that are well until they are broken. */
export interface Victims {
  readonly targets: readonly Target[];
  /** Breaks them, waits until the right people are told, mends them, and waits until that is told as well. */
  suffer(watchers: Watchers): Promise<Report>;
  stop(): Promise<void>;
}

/** How long it took until people knew. */
export interface Story {
  readonly alert: string;
  readonly fault: string;
  readonly receiver: string;
  readonly secondsUntilFiring: number;
  readonly secondsUntilResolved: number;
}

/** What came of one fault. */
export interface Report {
  readonly stories: readonly Story[];
  /** Names of alerts that were held back because another one explained them. */
  readonly inhibited: readonly string[];
}

/** The alerts of one namespace, from the moment that something was broken. */
export class Watch {
  readonly stories: Story[] = [];
  readonly inhibited: string[] = [];
  readonly #firing = new Map<string, { receiver: string; seconds: number }>();

  constructor(
    readonly fault: string,
    readonly namespace: string,
    readonly watchers: Watchers,
  ) {}

  /** Waits until an alert has come to this receiver, and fails when it came to another one. */
  async fires(alertname: string, receiver: string, brokenAtMs: number): Promise<void> {
    const labels = { alertname, namespace: this.namespace };
    const notice = await this.watchers.webhook.firing(labels, brokenAtMs);
    if (notice.receiver !== receiver) {
      throw new Error(`${alertname} came to ${notice.receiver} and not to ${receiver}`);
    }
    const seconds = (notice.atMs - brokenAtMs) / 1000;
    this.#firing.set(alertname, { receiver, seconds });
  }

  /** Waits until those who were told of an alert are told that it is over. */
  async resolves(alertname: string, mendedAtMs: number): Promise<void> {
    const fired = this.#firing.get(alertname);
    if (fired === undefined) throw new Error(`${alertname} has not fired`);
    const labels = { alertname, namespace: this.namespace };
    const notice = await this.watchers.webhook.resolved(labels);
    if (notice.receiver !== fired.receiver) {
      throw new Error(`the end of ${alertname} came to ${notice.receiver} and not to ${fired.receiver}`);
    }
    this.stories.push({
      alert: alertname,
      fault: this.fault,
      receiver: fired.receiver,
      secondsUntilFiring: fired.seconds,
      secondsUntilResolved: Math.max(0, notice.atMs - mendedAtMs) / 1000,
    });
  }

  /** Whether Alertmanager holds back an alert because of another one; undefined: not (yet). */
  async heldBack(alertname: string): Promise<true | undefined> {
    const alerts = await this.watchers.alertmanager.alerts();
    const held = alerts.some(
      ({ labels, status }) =>
        labels['alertname'] === alertname &&
        labels['namespace'] === this.namespace &&
        status.state === 'suppressed' &&
        status.inhibitedBy.length > 0,
    );
    if (!held) return undefined;
    if (!this.inhibited.includes(alertname)) this.inhibited.push(alertname);
    return true;
  }

  /** How often somebody was told that an alert fires. */
  told(alertname: string): number {
    return this.watchers.webhook
      .notices()
      .filter(
        ({ status, labels }) =>
          status === 'firing' && labels['alertname'] === alertname && labels['namespace'] === this.namespace,
      ).length;
  }

  report(): Report {
    return { stories: this.stories, inhibited: this.inhibited };
  }
}
