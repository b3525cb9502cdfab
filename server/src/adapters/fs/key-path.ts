/*
 * File names for keys. Every part of a key becomes one name made of letters, digits, `_`, `-` and `.` alone;
 * any other byte is `%` and two hex digits. Capital letters count as other bytes, because some file systems
 * do not tell `A` from `a`, and so does a leading dot, so no key can name `.` or `..` or leave the folder.
 * Names too long for a file system continue in a folder that ends in `~`.
 *
 * Suffixes that no encoded name can have tell the kinds apart: `~` a name that goes on, `@` an object that is
 * swapped.
 */
import { invariant } from '../../core/errors.js';

/** File systems allow 255 bytes; the suffix needs one. */
const NAME_MAX = 200;

export const CONTINUED = '~';
export const SWAPPED = '@';

const PLAIN = /^[a-z0-9_-][a-z0-9_.-]*$/;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Relative path of a key, its parts joined by `/`. Throws on a key that the port does not allow. */
export function pathOfKey(key: string): string {
  const parts = key.split('/');
  const allowed = key.length > 0 && encoder.encode(key).length <= 512 && key.isWellFormed();
  invariant(allowed && parts.every((part) => part.length > 0), `key ${JSON.stringify(key)} is not allowed`);
  return parts.map(encodePart).join('/');
}

function encodePart(part: string): string {
  const name = nameOf(part);
  if (name.length <= NAME_MAX) return name;
  const pieces = [];
  for (let from = 0; from < name.length; from += NAME_MAX) pieces.push(name.slice(from, from + NAME_MAX));
  return pieces.join(`${CONTINUED}/`);
}

function nameOf(part: string): string {
  if (PLAIN.test(part)) return part;
  let name = '';
  for (const byte of encoder.encode(part)) {
    const character = String.fromCharCode(byte);
    const plain = name === '' ? /[a-z0-9_-]/ : /[a-z0-9_.-]/;
    name += plain.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return name;
}

/** The part of a key that an encoded name stands for, or null when it stands for none. */
export function partOfName(name: string): string | null {
  if (!/^([a-z0-9_.-]|%[0-9a-f]{2})+$/.test(name)) return null;
  if (PLAIN.test(name)) return name;
  const bytes: number[] = [];
  for (let at = 0; at < name.length; at++) {
    const escaped = name[at] === '%';
    bytes.push(escaped ? Number.parseInt(name.slice(at + 1, at + 3), 16) : name.charCodeAt(at));
    if (escaped) at += 2;
  }
  try {
    const part = decoder.decode(Uint8Array.from(bytes));
    // One part has one name: any other that would decode to it is somebody else's file.
    return nameOf(part) === name ? part : null;
  } catch {
    // Not UTF-8: somebody else's file.
    return null;
  }
}
