/*
 * JSON bodies. What is hostile is refused before the parser makes objects of it.
 */
import { isUtf8 } from 'node:buffer';
import { OmenError } from '../../core/errors.js';

/** More than any request needs: a filter of the greatest depth has about 40 levels. */
const DEPTH_MAX = 64;

const [QUOTE, BACKSLASH, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [
  0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d,
];

/** What JSON.parse gives; undefined for an empty body. Throws `MALFORMED_BODY`. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  // Replacement characters would make other ids of the ids that were sent.
  if (!isUtf8(body)) throw new OmenError('MALFORMED_BODY', 'the body is not JSON: it is not UTF-8 text');
  if (isDeeperThan(body, DEPTH_MAX)) {
    throw new OmenError('MALFORMED_BODY', `the body is nested deeper than ${DEPTH_MAX} levels`);
  }
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new OmenError('MALFORMED_BODY', `the body is not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * Each level of nesting costs the parser memory, so that 32 MiB of brackets would become gigabytes. Counting
 * them first takes a tenth of the time of parsing.
 */
function isDeeperThan(body: Buffer, limit: number): boolean {
  let depth = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (byte === QUOTE) i = endOfText(body, i);
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      if (++depth > limit) return true;
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--;
  }
  return false;
}

/** Where the text that begins at `start` ends. */
function endOfText(body: Buffer, start: number): number {
  let i = start + 1;
  while (i < body.length && body[i] !== QUOTE) i += body[i] === BACKSLASH ? 2 : 1;
  return i;
}
