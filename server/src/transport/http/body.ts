/*
 * Reads the body of a request into one buffer, copying as little as possible: a body that comes in one piece
 * is not copied, and one of known length is put together in place.
 */
import type { IncomingMessage } from 'node:http';
import { OmenError } from '../../core/errors.js';
import type { Hold } from '../held-bytes.js';

const EMPTY = Buffer.alloc(0);

/**
 * Rejects with `MESSAGE_TOO_LARGE` as soon as that is known, with `OVERLOADED` when `hold` has no room, and
 * with `CANCELLED` when the client goes away.
 */
export function readBody(request: IncomingMessage, bytesMax: number, hold: Hold): Promise<Buffer> {
  const announced = contentLength(request);
  if (announced === 0) return Promise.resolve(EMPTY);
  if (announced !== undefined && announced > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const parts = new Parts(announced);
    let refused = false;
    request.on('data', (chunk: Buffer) => {
      const length = parts.length + chunk.length;
      if (refused || length > bytesMax) {
        reject(tooLarge(bytesMax));
        return;
      }
      try {
        hold.grow(length);
        parts.add(chunk);
      } catch (error) {
        refused = true;
        parts.clear();
        reject(error as Error);
      }
    });
    request.once('end', () => {
      resolve(parts.join());
    });
    request.once('close', () => {
      if (request.complete) return;
      reject(new OmenError('CANCELLED', 'the client went away while it sent the request'));
    });
    request.once('error', reject);
  });
}

/** Chunks of a body. */
class Parts {
  length = 0;
  #first: Buffer | undefined;
  #whole: Buffer | undefined;
  #more: Buffer[] | undefined;

  constructor(private readonly announced: number | undefined) {}

  add(chunk: Buffer): void {
    if (this.#first === undefined) this.#first = chunk;
    else if (this.announced === undefined) (this.#more ??= [this.#first]).push(chunk);
    else {
      this.#whole ??= this.#begin(this.announced, this.#first);
      chunk.copy(this.#whole, this.length);
    }
    this.length += chunk.length;
  }

  clear(): void {
    this.#first = undefined;
    this.#whole = undefined;
    this.#more = undefined;
    this.length = 0;
  }

  join(): Buffer {
    if (this.#more !== undefined) return Buffer.concat(this.#more, this.length);
    return this.#whole ?? this.#first ?? EMPTY;
  }

  #begin(size: number, first: Buffer): Buffer {
    // Not from the pool of small buffers, which begins anywhere: vectors that lie well are used in place.
    const whole = Buffer.allocUnsafeSlow(size);
    first.copy(whole);
    return whole;
  }
}

function contentLength(request: IncomingMessage): number | undefined {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (length !== undefined) return Number(length);
  return encoding === undefined ? 0 : undefined;
}

function tooLarge(bytesMax: number): OmenError {
  return new OmenError(
    'MESSAGE_TOO_LARGE',
    `the body is larger than ${bytesMax} bytes: send smaller batches`,
    {
      metadata: { limitBytes: String(bytesMax) },
    },
  );
}
