/*
 * Bounds the bytes of request bodies that are being read and of answers that are being sent. The number of
 * requests in work does not: one request may bring or fetch tens of megabytes, and an answer stays in memory
 * until a slow client has taken it.
 */
import { OmenError } from '../core/errors.js';

/** What is smaller is not counted: most requests, which need no bookkeeping. */
export const COUNTED_BYTES_MIN = 64 * 1024;
const RETRY_MS = 1000;

export class HeldBytes {
  #bytes = 0;

  constructor(private readonly bytesMax: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws `OVERLOADED` when nothing more fits: to be asked before work for a large answer begins. */
  requireRoom(): void {
    if (this.#bytes >= this.bytesMax) throw full(this.#bytes, COUNTED_BYTES_MIN, this.bytesMax);
  }

  /** What one request holds; nothing at first. */
  open(): Hold {
    let own = 0;
    return {
      grow: (total) => {
        if (total < COUNTED_BYTES_MIN || total <= own) return;
        const others = this.#bytes - own;
        // Whoever is alone may go on: the limits of a single message bound it.
        if (others > 0 && others + total > this.bytesMax) throw full(others, total, this.bytesMax);
        this.#bytes = others + total;
        own = total;
      },
      release: () => {
        this.#bytes -= own;
        own = 0;
      },
    };
  }
}

export interface Hold {
  /** Sets what is held to `total` bytes. Throws `OVERLOADED` when there is no room. */
  grow(total: number): void;
  /** Lets everything go; may be called again. */
  release(): void;
}

function full(others: number, wanted: number, bytesMax: number): OmenError {
  return new OmenError(
    'OVERLOADED',
    `requests and answers under way hold ${others} bytes, ${wanted} more do not fit into ${bytesMax}: ` +
      'ask again later, for less at once',
    { retryAfterMs: RETRY_MS },
  );
}
