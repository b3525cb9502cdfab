import { hostname } from 'node:os';
import { NO_TRACER } from '../adapters/memory/no-tracer.js';
import type { Config } from '../config/load.js';
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type { Rng } from '../ports/rng.js';
import type { Scheduler } from '../ports/scheduler.js';
import type { Tracer } from '../ports/tracer.js';

export interface Tracing {
  readonly tracer: Tracer;
  /** Sends what is recorded, within a bound. */
  close(): Promise<void>;
}

interface TracingDependencies {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly version: string;
}

/** Names of OpenTelemetry for where a server runs, as far as that is known. */
function podAttributes({ podName, podNamespace, nodeName }: Config): Readonly<Record<string, string>> {
  return {
    ...(podName === null ? {} : { 'k8s.pod.name': podName }),
    ...(podNamespace === null ? {} : { 'k8s.namespace.name': podNamespace }),
    ...(nodeName === null ? {} : { 'k8s.node.name': nodeName }),
  };
}

/** Traces, if there is a collector for them: without one nothing of OpenTelemetry is even loaded. */
export async function openTracing(config: Config, deps: TracingDependencies): Promise<Tracing> {
  const { traceEndpoint: endpoint, traceHeaders: headers, traceRatio: ratio } = config;
  if (endpoint === null) return { tracer: NO_TRACER, close: () => Promise.resolve() };
  const { OtelTracer } = await import('../adapters/otel/otel-tracer.js');
  const resource = {
    'service.name': config.traceService,
    'service.version': deps.version,
    'service.instance.id': `${hostname()}-${Buffer.from(deps.rng.bytes(4)).toString('hex')}`,
    'host.name': hostname(),
    ...podAttributes(config),
    ...config.traceResource,
  };
  const tracer = new OtelTracer({ endpoint, headers, resource, ratio, version: deps.version }, deps);
  return { tracer, close: () => tracer.close() };
}
