/**
 * Settles as `work` does, or rejects with the signal's reason when that fires first. Unlike `Promise.race` with a promise that lives long,
 * it leaves nothing behind: a race would hold every result until the end.
 */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
