import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The user, or the system, asked the program to end. */
export class Interrupted extends Error {
  /** As shells tell it: 128 and the signal's number. */
  readonly exitStatus: number;

  constructor(signal: (typeof signals)[number]) {
    super(signal);
    this.exitStatus = 128 + constants.signals[signal];
  }
}

/**
 * Runs an operation that can be interrupted: the first signal aborts it, so that it can clean up, and is thrown as {@link Interrupted}; a second one
 * ends the program as it is.
 */
export async function interruptible<T>(operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stopListening = onSignal((signal) => controller.abort(new Interrupted(signal)));
  try {
    return await operation(controller.signal);
  } finally {
    stopListening();
  }
}

/** Resolves at the first signal. */
export function interruption(): Promise<void> {
  return new Promise((resolve) => {
    onSignal(() => resolve());
  });
}

function onSignal(heard: (signal: (typeof signals)[number]) => void): () => void {
  const listener = (signal: NodeJS.Signals): void => {
    stop();
    heard(signal as (typeof signals)[number]);
  };
  const stop = (): void => {
    for (const signal of signals) process.off(signal, listener);
  };
  for (const signal of signals) process.on(signal, listener);
  return stop;
}
