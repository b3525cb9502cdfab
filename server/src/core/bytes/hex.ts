/*
 * Hex text of small binary values: nonces, hashes, random ids. Lower case, two digits a byte.
 */
import { invariant } from '../errors.js';

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Two lower-case hex digits per byte. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += DIGITS[byte];
  return text;
}

/** The bytes of an even number of hex digits. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  invariant(/^([0-9a-f]{2})*$/.test(text), `${text} is not an even number of lower-case hex digits`);
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(text.slice(index * 2, index * 2 + 2), 16);
  }
  return bytes;
}
