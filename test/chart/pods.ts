// The pods that rendered objects would make.
import type { Rendered } from './helm.js';
import { at } from './helm.js';

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly envFrom?: readonly unknown[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly [key: string]: unknown;
}

export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly ({ readonly name: string } & Readonly<Record<string, unknown>>)[];
  readonly [key: string]: unknown;
}

/** A pod, or what makes pods. */
export interface PodMaker {
  readonly object: Rendered;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

const TEMPLATES: Readonly<Record<string, string>> = {
  Deployment: 'spec.template',
  StatefulSet: 'spec.template',
  Job: 'spec.template',
  CronJob: 'spec.jobTemplate.spec.template',
};

/** Everything that makes pods, in the order of the render. */
export function podMakers(all: readonly Rendered[]): readonly PodMaker[] {
  return all.flatMap((object) => {
    const path = TEMPLATES[object.kind];
    const template = object.kind === 'Pod' ? object : path === undefined ? undefined : at(object, path);
    if (template === undefined) return [];
    const { metadata, spec } = template as {
      readonly metadata?: Rendered['metadata'];
      readonly spec: PodSpec;
    };
    return [{ object, labels: metadata?.labels ?? {}, annotations: metadata?.annotations ?? {}, spec }];
  });
}

/** What makes the servers' pods. */
export function serverPods(all: readonly Rendered[]): PodMaker {
  const found = podMakers(all).find(({ object }) => /^(Deployment|StatefulSet)$/.test(object.kind));
  if (found === undefined) throw new Error('there is no Deployment and no StatefulSet');
  return found;
}

export function serverContainer(all: readonly Rendered[]): Container {
  const found = serverPods(all).spec.containers.find(({ name }) => name === 'omendb');
  if (found === undefined) throw new Error('there is no container omendb');
  return found;
}

/** Whether a selector's labels choose these. */
export function selects(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector ?? {}).every(([name, value]) => labels[name] === value);
}

/** Bytes of a quantity such as 512Mi or 1G. */
export function bytes(quantity: string): number {
  const match = /^([\d.]+)(Ki|Mi|Gi|Ti|k|M|G|T)?$/.exec(quantity);
  if (match === null) throw new Error(`${quantity} is no size`);
  const units: Readonly<Record<string, number>> = {
    ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
    ...{ k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  };
  return Number(match[1]) * (units[match[2] ?? ''] ?? 1);
}
