import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { LineLimit } from '../../core/line-limit.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';

const PERIOD_MS = 60_000;
const SUCCESS = 0;

type Done = Parameters<SpanExporter['export']>[1];

export interface QuietExporterParts {
  readonly exporter: SpanExporter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the spans go, for the log. */
  readonly endpoint: string;
}

/** Passes spans on. What cannot be delivered is dropped, and said once a minute: traces are no data. */
export class QuietExporter implements SpanExporter {
  readonly #limit = new LineLimit(PERIOD_MS);
  #lost = 0;

  constructor(private readonly parts: QuietExporterParts) {}

  export(spans: ReadableSpan[], done: Done): void {
    try {
      this.parts.exporter.export(spans, ({ code, error }) => {
        if (code !== SUCCESS) this.#say(spans.length, error);
        done({ code: SUCCESS });
      });
    } catch (error) {
      this.#say(spans.length, error);
      done({ code: SUCCESS });
    }
  }

  async forceFlush(): Promise<void> {
    await this.parts.exporter.forceFlush?.();
  }

  shutdown(): Promise<void> {
    return this.parts.exporter.shutdown();
  }

  #say(spans: number, error: unknown): void {
    const { clock, logger, endpoint } = this.parts;
    this.#lost += spans;
    if (this.#limit.admit('export', clock.monotonic()) === undefined) return;
    const why = error instanceof Error ? error.message : String(error);
    logger.warn('traces could not be sent', { endpoint, spans: this.#lost, why, ...hint(endpoint) });
    this.#lost = 0;
  }
}

/** The usual mistake: 4317 speaks OTLP over gRPC, 4318 over HTTP. */
function hint(endpoint: string): { readonly hint?: string } {
  if (!/:4317(\/|$)/.test(endpoint)) return {};
  return { hint: 'port 4317 usually takes OTLP over gRPC; this server sends it over HTTP, usually to 4318' };
}
