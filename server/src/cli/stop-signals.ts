/*
 * The signals that ask a process to stop, caught from the first moment on: the first process of a container
 * is not ended by a signal that nothing catches, so one that came too early would be lost, and the container
 * would be killed when its time is over.
 */
import { constants } from 'node:os';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type StopSignal = (typeof SIGNALS)[number];

/** Until somebody wants to know, a signal ends the process as it would have by itself. */
let onSignal = (signal: StopSignal): void => {
  process.exit(128 + constants.signals[signal]);
};

for (const signal of SIGNALS) {
  process.on(signal, () => {
    onSignal(signal);
  });
}

/** From now on every signal to stop is told to `listener` and does nothing else. */
export function onStopSignal(listener: (signal: StopSignal) => void): void {
  onSignal = listener;
}
