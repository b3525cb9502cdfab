// Generated from proto/ by `npm run generate`. Do not edit: a test compares it with a fresh run.
/*
 * Where a codec or validator is inside a request, and what it found wrong there.
 *
 * Decoding goes on after a problem, so that one answer names all of them; it gives up at 20, so that a
 * hostile request cannot make the server write a long answer. Paths are built only when something is wrong.
 */

/** A field name, or the index of an element. */
export type Step = string | number;

/** One thing wrong with a request. */
export interface Violation {
  /** Path in JSON names, such as `records[3].vector[7]`; empty for the request as a whole. */
  readonly field: string;
  readonly description: string;
  /** Name of an `ErrorReason`. */
  readonly reason: string;
}

/** Problems reported before giving up. */
export const VIOLATIONS_MAX = 20;

/** A request that cannot be accepted. `reason` is that of the first violation. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest';
  readonly reason: string;

  constructor(readonly violations: readonly Violation[]) {
    const first = violations[0] ?? { field: '', description: 'invalid request', reason: 'INVALID_ARGUMENT' };
    const rest = violations.length - 1;
    const where = first.field === '' ? '' : `${first.field}: `;
    const more = rest === 0 ? '' : ` (and ${rest} more problem${rest === 1 ? '' : 's'})`;
    super(where + first.description + more);
    this.reason = first.reason;
  }
}

/** The way to the current field. Every `enter` has its `leave`. */
export class Place {
  readonly #steps: Step[] = [];
  readonly #violations: Violation[] = [];

  enter(step: Step): void {
    this.#steps.push(step);
  }

  leave(): void {
    this.#steps.pop();
  }

  /** Notes a problem at the current place, or at `step` below it. */
  report(reason: string, description: string, step?: Step): void {
    const steps = step === undefined ? this.#steps : [...this.#steps, step];
    this.#violations.push({ field: formatPath(steps), description, reason });
    if (this.#violations.length >= VIOLATIONS_MAX) this.finish();
  }

  /** Throws `InvalidRequest` if anything was reported. */
  finish(): void {
    if (this.#violations.length > 0) throw new InvalidRequest(this.#violations);
  }
}

const PLAIN = /^[A-Za-z_$][\w$-]*$/;

/** `records[3].attributes["a b"]`; the empty step stands for the request itself. */
export function formatPath(steps: readonly Step[]): string {
  let path = '';
  for (const step of steps) {
    if (typeof step === 'number') path += `[${step}]`;
    else if (step === '') continue;
    else if (PLAIN.test(step) && step.length <= 128) path += path === '' ? step : `.${step}`;
    else path += `[${quote(step)}]`;
  }
  return path;
}

/** Quoted and shortened for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

/** What a JSON value is, in words and without its content. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  switch (typeof value) {
    case 'object':
      return 'an object';
    case 'string':
      return 'text';
    case 'boolean':
      return 'true or false';
    case 'number':
      return Number.isFinite(value) ? `the number ${value}` : 'a number that is not finite';
    default:
      return typeof value === 'undefined' ? 'nothing' : `a ${typeof value}`;
  }
}
