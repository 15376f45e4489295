/**
 * Waits for `work`, at most `ms`, and no longer than until `abort` fires. When the time is up, `abort` is fired with
 * `stalled()`, so that the platform lets the connection go. Rejects with the abort's reason in both cases, even if
 * the platform's own promise never settles.
 */
export async function withStallDeadline<T>(
  work: Promise<T>,
  abort: AbortController,
  ms: number,
  stalled: () => Error,
): Promise<T> {
  const { signal } = abort;
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  const timer = setTimeout(() => abort.abort(stalled()), ms);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
