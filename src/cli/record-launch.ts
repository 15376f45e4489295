import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SluiceError } from '../format/errors.ts';
import { Devtools } from './devtools.ts';

export interface RecordOptions {
  readonly url: string;
  /** Executable of a browser of Chromium's family. */
  readonly browser: string;
  /** JavaScript that is true in the page once the app is ready; without it: nothing was read for {@link quietMs}. */
  readonly ready: string | undefined;
  readonly quietMs: number;
  /** From the navigation until the app is ready. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (reads: number) => void;
}

/** A recorded launch: what `window.sluice.readLog()` answers, and how large the image is. */
export interface Recording {
  readonly log: {
    readonly sluice: number;
    readonly image: string;
    readonly since: number;
    readonly reads: readonly {
      readonly path: string;
      readonly blob: number;
      readonly block: number;
      readonly atMs: number;
    }[];
  };
  readonly totalBlocks: number;
}

const pollMs = 250;
/** A page that is asked at the last moment may answer so late. */
const answerMs = 5000;
/** What is read once the app is ready is no launch any more. */
const readyPollMs = 20;
/** The service worker tells four times a second what it has read. */
const lastReportMs = 600;

/**
 * Launches the app at a URL in a browser of its own, with nothing kept from before, until it is ready, and answers which blocks that took. Throws
 * `no-page`, `not-ready`, `call-timeout`, `disconnected`, or the signal's reason.
 */
export async function recordLaunch(options: RecordOptions): Promise<Recording> {
  const { url, browser, signal } = options;
  const profile = await mkdtemp(join(tmpdir(), 'sluice-record-'));
  const devtools = new Devtools(browser, profile);
  try {
    const { targetId } = await devtools.call<{ targetId: string }>('Target.createTarget', {
      url: 'about:blank',
    });
    const { sessionId } = await devtools.call<{ sessionId: string }>('Target.attachToTarget', {
      targetId,
      flatten: true,
    });
    const { errorText } = await devtools.call<{ errorText?: string }>('Page.navigate', { url }, sessionId);
    if (errorText) throw new SluiceError('no-page', `${url} cannot be opened: ${errorText}`);
    const readyAt = await ready(devtools, sessionId, options);
    await pause(lastReportMs, undefined, { signal });
    // Its service worker, which is asked for the state as well, tells of its reads first.
    const expression =
      'sluice.state().then(async ({ blocks }) => ({ log: await sluice.readLog(), totalBlocks: blocks.total }))';
    const { log, totalBlocks } = (await evaluate(devtools, sessionId, expression)) as Recording;
    const reads = log.reads.filter(({ atMs }) => log.since + atMs <= readyAt);
    if (reads.length === 0)
      throw new SluiceError('not-ready', `${url} was ready before anything was read: is its read log off?`);
    return { log: { ...log, reads }, totalBlocks };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    await devtools.close();
    // Its helpers may still be writing their last.
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** When it was, in milliseconds of the epoch. */
async function ready(devtools: Devtools, session: string, options: RecordOptions): Promise<number> {
  const { url, quietMs, timeoutMs, signal, onProgress } = options;
  const isReady = options.ready === undefined ? 'false' : `Boolean(${options.ready})`;
  const expression = `(async () => {
    if (!globalThis.sluice) return undefined;
    let ready = false;
    for (const end = Date.now() + ${pollMs}; !ready && Date.now() < end;) {
      ready = ${isReady};
      if (!ready) await new Promise((done) => setTimeout(done, ${readyPollMs}));
    }
    const at = Date.now();
    const [{ reads }, { pendingReads }] = await Promise.all([sluice.readLog(), sluice.state()]);
    return { at, ready, reads: reads.length, waiting: pendingReads.length };
  })()`;
  const deadline = performance.now() + timeoutMs;
  let last = { reads: 0, at: performance.now() };
  let trouble = 'the page has no window.sluice: is it a site that sluice made?';
  while (performance.now() < deadline) {
    await pause(readyPollMs, undefined, { signal });
    try {
      const leftMs = deadline + answerMs - performance.now();
      const seen = (await evaluate(devtools, session, expression, leftMs)) as
        | { readonly at: number; readonly ready: boolean; readonly reads: number; readonly waiting: number }
        | undefined;
      if (!seen) continue;
      onProgress(seen.reads);
      const now = performance.now();
      if (seen.reads !== last.reads || seen.waiting > 0) last = { reads: seen.reads, at: now };
      const isQuiet = options.ready === undefined && seen.reads > 0 && now - last.at >= quietMs;
      if (seen.ready || isQuiet) return seen.at;
      trouble = options.ready === undefined ? 'it went on reading' : `${options.ready} was not true`;
    } catch (error) {
      // While a page gives way to the next it cannot be asked.
      if (!(error instanceof SluiceError) || error.code === 'disconnected') throw error;
      trouble = error.message;
    }
  }
  throw new SluiceError('not-ready', `${url} was not ready after ${timeoutMs / 1000} s: ${trouble}`);
}

async function evaluate(
  devtools: Devtools,
  session: string,
  expression: string,
  timeoutMs?: number,
): Promise<unknown> {
  const { result, exceptionDetails } = await devtools.call<{
    readonly result: { readonly value?: unknown };
    readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
  }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, session, timeoutMs);
  if (exceptionDetails) {
    throw new SluiceError('unreadable', exceptionDetails.exception?.description ?? 'the page has thrown');
  }
  return result.value;
}
