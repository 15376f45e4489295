import { setTimeout as pause } from 'node:timers/promises';

const pollMs = 30;
/** A page that gives way to another may take a question with it, without an answer. */
const askMs = 10_000;

/**
 * Resolves when the answer is true. (Playwright's `waitForFunction` takes the promise of an async function for true.) A question that fails, or gets no
 * answer, is asked again.
 */
export async function until(ask: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let trouble: unknown = 'the answer was no';
  while (performance.now() < deadline) {
    try {
      if (await Promise.race([ask(), pause(askMs, false)])) return;
    } catch (error) {
      trouble = error;
    }
    await pause(pollMs);
  }
  throw new Error(`not so after ${timeoutMs} ms`, { cause: trouble });
}
