import type { Span, SpanValue, SpanValues } from '#server/ports/tracer.js';

/** A span that keeps what it is told. */
export class RecordedSpan implements Span {
  readonly traceId = '0af7651916cd43dd8448eb211c80319c';
  readonly parts: RecordedSpan[] = [];
  readonly values: Record<string, SpanValue>;
  /** Of a failure that is the server's. */
  message: string | undefined;

  constructor(
    readonly name = 'request',
    readonly startMs = 0,
    public endMs: number | undefined = undefined,
    values: SpanValues = {},
  ) {
    this.values = { ...values };
  }

  set(name: string, value: SpanValue): void {
    this.values[name] = value;
  }

  begin(name: string, startMs: number): RecordedSpan {
    return this.#add(new RecordedSpan(name, startMs));
  }

  child(name: string, startMs: number, endMs: number, values?: SpanValues): RecordedSpan {
    return this.#add(new RecordedSpan(name, startMs, endMs, values));
  }

  fail(reason: string, message?: string): void {
    this.set('error.type', reason);
    this.message = message;
  }

  end(endMs: number): void {
    this.endMs ??= endMs;
  }

  /** Names of the parts, indented below what they are part of. */
  tree(indent = ''): string[] {
    return this.parts.flatMap((part) => [`${indent}${part.name}`, ...part.tree(`${indent}  `)]);
  }

  #add(part: RecordedSpan): RecordedSpan {
    this.parts.push(part);
    return part;
  }
}
