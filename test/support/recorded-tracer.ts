import type { Span, TraceParent, Tracer } from '#server/ports/tracer.js';
import { RecordedSpan } from './recorded-span.js';

/** A tracer that samples everything and keeps it. */
export class RecordedTracer implements Tracer {
  readonly samples = true;
  readonly roots: RecordedSpan[] = [];
  readonly parents: (TraceParent | undefined)[] = [];

  start(name: string, startMs: number, parent?: TraceParent): Span {
    const root = new RecordedSpan(name, startMs);
    this.roots.push(root);
    this.parents.push(parent);
    return root;
  }
}
