/**
 * A controller that is aborted with any of `signals`, until `unlink` is called: it must be, when the work is
 * over. `AbortSignal.any` cannot be told so, and Node 20 keeps a trace of every use for as long as a signal
 * lives: 30 bytes for every read of a store that is open for months.
 */
export function linkedAbort(...signals: readonly AbortSignal[]): {
  readonly controller: AbortController;
  readonly unlink: () => void;
} {
  const controller = new AbortController();
  const abort = (event: Event): void => controller.abort((event.target as AbortSignal).reason);
  for (const signal of signals) {
    if (signal.aborted) controller.abort(signal.reason);
    else signal.addEventListener('abort', abort, { once: true });
  }
  const unlink = (): void => signals.forEach((signal) => signal.removeEventListener('abort', abort));
  return { controller, unlink };
}
