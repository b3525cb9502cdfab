/*
 * Lets requests for many rows through a few at a time, and encodes their answers one by one, with turns of
 * the event loop between. Ten thousand rows with vectors take the main thread a tenth of a second and tens of
 * megabytes: dozens of them at once would keep probes and small requests waiting for all of them.
 */

/** As many rows keep the main thread busy for a noticeable time. */
const LARGE_ROWS = 500;
/** Engines search for the next ones while an answer is encoded. */
const LANES = 4;
/** Turns between two large answers: in each, the event loop accepts no more than one new connection. */
const TURNS = 16;

export class LargeAnswers {
  #free = LANES;
  readonly #waiting: (() => void)[] = [];
  #turn: Promise<void> = Promise.resolve();

  /** Resolves when a request for many rows may begin. Needs one `leave`. */
  enter(): Promise<void> {
    if (this.#free === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#free--;
    return Promise.resolve();
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }

  /** Resolves when a large answer may be encoded, which is to be done at once. */
  turn(): Promise<void> {
    this.#turn = this.#turn.then(letOthersIn);
    return this.#turn;
  }
}

async function letOthersIn(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Whether a request may ask for so many rows that it has to go through `enter`. */
export function asksForMany(request: object): boolean {
  const { topK } = request as { readonly topK?: unknown };
  return typeof topK === 'number' && topK >= LARGE_ROWS;
}

/** Whether `turn` is due before this answer is encoded. */
export function isLarge(answer: object): boolean {
  const { hits, records } = answer as { readonly hits?: unknown; readonly records?: unknown };
  const rows = hits ?? records;
  return Array.isArray(rows) && rows.length >= LARGE_ROWS;
}
