/**
 * Validation rules, as the generated validators call them. Each report says what was seen and what is
 * allowed.
 */
import { quote, type Place, type Step } from './place.js';

/** What a broken rule is called: an `ErrorReason`. */
interface Reasons {
  readonly reason: string;
  /** When there is too little of it. */
  readonly empty: string;
}

export interface TextRules extends Reasons {
  /** Characters. */
  readonly minLen?: number;
  readonly maxLen?: number;
  /** Bytes of UTF-8. */
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly pattern?: RegExp;
}

export interface BytesRules extends Reasons {
  readonly minLen?: number;
  readonly maxLen?: number;
}

export interface CountRules extends Reasons {
  readonly min?: number;
  readonly max?: number;
}

export interface NumberRules extends Reasons {
  readonly gte?: number | bigint;
  readonly lte?: number | bigint;
  readonly gt?: number | bigint;
  readonly lt?: number | bigint;
  readonly finite?: boolean;
}

export interface EnumRules extends Reasons {
  /** Numbers that are allowed. */
  readonly allowed: ReadonlySet<number>;
  readonly names: string;
}

export function checkText(text: string, at: Place, step: Step, rules: TextRules): void {
  const { minLen, maxLen, minBytes, maxBytes, pattern } = rules;
  if (minLen !== undefined && text.length < minLen * 2 && characters(text) < minLen) {
    const seen = text === '' ? 'is empty' : `has ${characters(text)} characters`;
    at.report(rules.empty, `${seen}, at least ${count(minLen, 'character')} needed`, step);
  } else if (minBytes !== undefined && text.length < minBytes && Buffer.byteLength(text) < minBytes) {
    at.report(rules.empty, `has ${Buffer.byteLength(text)} bytes, at least ${minBytes} are needed`, step);
  } else if (maxLen !== undefined && text.length > maxLen && characters(text) > maxLen) {
    at.report(rules.reason, `has ${characters(text)} characters, at most ${maxLen} are allowed`, step);
  } else if (maxBytes !== undefined && text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) {
    at.report(
      rules.reason,
      `has ${Buffer.byteLength(text)} bytes of UTF-8, at most ${maxBytes} are allowed`,
      step,
    );
  } else if (pattern !== undefined && !pattern.test(text)) {
    at.report(rules.reason, `is ${quote(text)}, which does not match ${pattern.source}`, step);
  }
}

export function checkBytes(bytes: Uint8Array, at: Place, step: Step, rules: BytesRules): void {
  const { minLen, maxLen } = rules;
  if (minLen !== undefined && bytes.length < minLen) {
    at.report(rules.empty, `has ${count(bytes.length, 'byte')}, at least ${minLen} are needed`, step);
  } else if (maxLen !== undefined && bytes.length > maxLen) {
    at.report(rules.reason, `has ${bytes.length} bytes, at most ${maxLen} are allowed`, step);
  }
}

/** The number of elements of a list or entries of a map. */
export function checkCount(size: number, at: Place, step: Step, rules: CountRules): void {
  const { min, max } = rules;
  if (min !== undefined && size < min) {
    const seen = size === 0 ? 'is empty' : `has ${count(size, 'entry')}`;
    at.report(rules.empty, `${seen}, at least ${count(min, 'entry')} needed`, step);
  } else if (max !== undefined && size > max) {
    at.report(rules.reason, `has ${size} entries, at most ${max} are allowed`, step);
  }
}

export function checkNumber(value: number | bigint, at: Place, step: Step, rules: NumberRules): void {
  const { gte, lte, gt, lt, finite } = rules;
  if (finite === true && typeof value === 'number' && value - value !== 0) {
    at.report(rules.reason, `is ${value}, a finite number is needed`, step);
  } else if (gte !== undefined && !(value >= gte))
    at.report(rules.reason, `is ${value}, at least ${gte} is needed`, step);
  else if (gt !== undefined && !(value > gt))
    at.report(rules.reason, `is ${value}, more than ${gt} is needed`, step);
  else if (lte !== undefined && !(value <= lte))
    at.report(rules.reason, `is ${value}, at most ${lte} is allowed`, step);
  else if (lt !== undefined && !(value < lt))
    at.report(rules.reason, `is ${value}, less than ${lt} is needed`, step);
}

export function checkEnum(value: number, at: Place, step: Step, rules: EnumRules): void {
  if (!rules.allowed.has(value))
    at.report(rules.reason, `is the number ${value}, allowed are ${rules.names}`, step);
}

/** A field that must be there and is not. */
export function missing(at: Place, step: Step, reason: string): void {
  at.report(reason, 'is required', step);
}

/** Code points: what a reader takes for a character. */
function characters(text: string): number {
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const pair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
    if (pair) i++;
    n++;
  }
  return n;
}

function count(n: number, noun: string): string {
  if (n === 1) return `1 ${noun}`;
  return `${n} ${noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}
