import type { CDPSession, Page } from '@playwright/test';

/** An event of Chrome's trace format. */
export interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  /** `b` and `e`: begin and end of an asynchronous one. */
  readonly ph: string;
  /** In µs, of one clock for all processes. */
  readonly ts: number;
  readonly pid: number;
  /** The same for the begin and the end of one. */
  readonly id2?: { readonly local?: string };
  readonly id?: string;
  readonly args: Record<string, unknown>;
}

/** As DevTools’ Performance panel asks for them, without those of what is drawn and sampled. */
const categories = [
  '-*',
  'devtools.timeline',
  'disabled-by-default-devtools.timeline',
  'disabled-by-default-devtools.timeline.frame',
  'disabled-by-default-v8.cpu_profiler',
  'blink.console',
  'blink.user_timing',
  'latencyInfo',
  'loading',
  'v8.execute',
];

/** A recording of Chromium’s Performance panel, over the protocol by which that makes it. */
export class ChromeTrace {
  readonly #session: CDPSession;
  readonly #events: TraceEvent[] = [];

  private constructor(session: CDPSession) {
    this.#session = session;
    session.on('Tracing.dataCollected', ({ value }) => {
      this.#events.push(...(value as unknown as TraceEvent[]));
    });
  }

  static async start(page: Page): Promise<ChromeTrace> {
    const session = await page.context().newCDPSession(page);
    const trace = new ChromeTrace(session);
    await session.send('Tracing.start', {
      transferMode: 'ReportEvents',
      traceConfig: { recordMode: 'recordUntilFull', includedCategories: categories },
    });
    return trace;
  }

  /** All that was recorded. */
  async stop(): Promise<readonly TraceEvent[]> {
    const complete = new Promise<void>((resolve) => {
      this.#session.once('Tracing.tracingComplete', () => resolve());
    });
    await this.#session.send('Tracing.end');
    await complete;
    await this.#session.detach();
    return this.#events;
  }
}
