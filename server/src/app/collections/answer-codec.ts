/* How the log keeps a remembered answer: JSON of its kind and counts. */
import { OmenError } from '../../core/errors.js';
import type { RememberedAnswer } from './request-window.js';
import { WRITE_KINDS } from './request-window.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeAnswer(remembered: RememberedAnswer): Uint8Array {
  return encoder.encode(JSON.stringify([remembered.kind, remembered.answer]));
}

/** Throws `DATA_CORRUPTED`. */
export function decodeAnswer(bytes: Uint8Array): RememberedAnswer {
  const [kind, answer] = JSON.parse(decoder.decode(bytes)) as [unknown, unknown];
  const known = WRITE_KINDS.find((one) => one === kind);
  if (known === undefined || typeof answer !== 'object' || answer === null) {
    throw new OmenError('DATA_CORRUPTED', 'the log holds a remembered answer of unknown form');
  }
  return { kind: known, answer: answer as Readonly<Record<string, unknown>> };
}
