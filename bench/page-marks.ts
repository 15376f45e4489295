import type { QuietPage } from './quiet-page.ts';

/** Something that happened in a page, in milliseconds of the epoch. */
export interface Mark {
  readonly at: number;
  readonly what: string;
}

/** A resource that the app's page asked for, as its own clock saw it; milliseconds of the epoch. */
export interface Resource {
  readonly path: string;
  readonly startedAt: number;
  readonly firstAt: number;
  readonly endedAt: number;
  readonly bytes: number;
}

/** Tasks that kept the page's main thread for more than 50 ms. */
export interface LongTask {
  readonly startedAt: number;
  readonly ms: number;
}

export interface PageStory {
  /** Of all documents of this tab, in order. */
  readonly marks: readonly Mark[];
  readonly resources: readonly Resource[];
  readonly longTasks: readonly LongTask[];
}

interface Recorder {
  readonly longTasks: LongTask[];
}

declare const window: Window & { __bench: Recorder };

/** Call before the page navigates. Marks survive the way from one document to the next in sessionStorage. */
export async function recordMarks(page: QuietPage): Promise<void> {
  await page.beforeScripts(() => {
    if (window !== window.top || location.protocol === 'about:') return;
    const marks: { at: number; what: string }[] = JSON.parse(sessionStorage.getItem('bench') ?? '[]');
    const document_ = `document ${marks.filter(({ what }) => what.endsWith(': runs')).length + 1}`;
    const mark = (what: string, at = performance.timeOrigin + performance.now()): void => {
      marks.push({ at, what: `${document_}: ${what}` });
      sessionStorage.setItem('bench', JSON.stringify(marks));
    };
    mark('navigation starts', performance.timeOrigin);
    mark('runs');
    const tellNavigation = (): void => {
      const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
      if (!entry) return;
      for (const name of [
        'workerStart',
        'fetchStart',
        'requestStart',
        'responseStart',
        'responseEnd',
      ] as const) {
        if (entry[name] > 0) mark(name, performance.timeOrigin + entry[name]);
      }
    };
    document.addEventListener('DOMContentLoaded', () => {
      mark('parsed');
      tellNavigation();
    });
    addEventListener('load', () => mark('load'));
    addEventListener('pagehide', () => mark('left'));
    navigator.serviceWorker?.addEventListener('controllerchange', () => mark('is controlled'));
    navigator.serviceWorker?.ready.then(() => mark('worker is active'));
    performance.setResourceTimingBufferSize(10_000);
    window.__bench = { longTasks: [] };
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) {
        window.__bench.longTasks.push({ startedAt: performance.timeOrigin + startTime, ms: duration });
      }
    }).observe({ type: 'longtask', buffered: true });
  });
}

export function readStory(page: QuietPage): Promise<PageStory> {
  return page.evaluate(() => {
    const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    return {
      marks: JSON.parse(sessionStorage.getItem('bench') ?? '[]'),
      resources: entries.map((entry) => ({
        path: entry.name.startsWith(location.origin) ? entry.name.slice(location.origin.length) : entry.name,
        startedAt: performance.timeOrigin + entry.startTime,
        firstAt: performance.timeOrigin + entry.responseStart,
        endedAt: performance.timeOrigin + entry.responseEnd,
        bytes: entry.decodedBodySize,
      })),
      longTasks: window.__bench.longTasks,
    };
  });
}
