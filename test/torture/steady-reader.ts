import { urlOf } from '../browser/proof/proof-app.ts';
import { installSeeded, type SeededFile, type SeededScope } from '../browser/proof/seeded-file.ts';

export interface SteadyReaderOptions {
  readonly files: readonly SeededFile[];
  readonly seed: number;
  readonly readers: number;
  /** Each reader begins a read so long after its last one ended, at most. */
  readonly pauseMs: number;
  /** A read that is not over by then hangs. */
  readonly deadlineMs: number;
}

export interface SteadyReads {
  readonly reads: number;
  readonly bytes: number;
  /** What differed from the source, was answered by an error, or hung, in words. */
  readonly wrong: readonly string[];
  /** What the browser itself broke off: a service worker died with the process that it ran in. */
  readonly brokenOff: number;
  /** How long each read took. */
  readonly times: readonly number[];
}

/** A page of whatever browser. */
export interface Evaluates {
  evaluate<Argument, Result>(
    work: (argument: Argument) => Result | Promise<Result>,
    argument: Argument,
  ): Promise<Result>;
}

interface SteadyWindow extends SeededScope {
  steady?: { take(): SteadyReads; readonly stop: () => Promise<SteadyReads> };
}

/** Readers in the page that read small random ranges of random files until they are stopped, and compare each byte with the source. */
export async function startReading(page: Evaluates, options: SteadyReaderOptions): Promise<void> {
  const files = options.files
    .filter(({ size }) => size > 0)
    .map((file) => ({ ...file, url: urlOf(file.path) }));
  await page.evaluate(readInPage, { ...options, files, source: installSeeded });
}

/** What the page's readers have done since they were last asked. */
export function takeReads(page: Evaluates): Promise<SteadyReads> {
  return page.evaluate(() => (window as unknown as SteadyWindow).steady!.take(), undefined);
}

/** The same, when the last read that is under way has ended. */
export function stopReading(page: Evaluates): Promise<SteadyReads> {
  return page.evaluate(() => (window as unknown as SteadyWindow).steady!.stop(), undefined);
}

/** Runs in the page, so it may use nothing of this module but types. */
function readInPage(
  options: Omit<SteadyReaderOptions, 'files'> & {
    readonly files: readonly (SeededFile & { url: string })[];
    readonly source: string;
  },
): void {
  const { files, readers, pauseMs, deadlineMs, source } = options;
  // biome-ignore lint/security/noGlobalEval: the test's own function, as text.
  globalThis.eval(source);
  const scope = window as unknown as SteadyWindow;
  const base = new URL('./', navigator.serviceWorker.controller!.scriptURL);
  const random = scope.seededRandom(options.seed);
  const below = (n: number): number => Math.floor(random() * n);
  let reading = true;
  let reads = 0;
  let bytes = 0;
  let wrong: string[] = [];
  let brokenOff = 0;
  let times: number[] = [];

  const readOne = async (): Promise<void> => {
    const file = files[below(files.length)]!;
    const start = below(file.size);
    const end = Math.min(file.size, start + 1 + below(32_768));
    const began = performance.now();
    let problem: string | undefined;
    try {
      const response = await fetch(new URL(file.url, base), {
        headers: { Range: `bytes=${start}-${end - 1}` },
        signal: AbortSignal.timeout(deadlineMs),
      });
      const got = new Uint8Array(await response.arrayBuffer());
      const right = scope.seededBytes(file, start, end);
      bytes += got.length;
      const same = got.length === right.length && got.every((byte, i) => byte === right[i]);
      if (response.status !== 206 || !same)
        problem = `${response.status} ${response.headers.get('Sluice-Error') ?? 'wrong bytes'}`;
    } catch (error) {
      if ((error as Error).name === 'TypeError') brokenOff += 1;
      else problem = String(error);
    }
    const took = performance.now() - began;
    reads += 1;
    times.push(Math.round(took));
    if (problem) wrong.push(`${start}-${end} of ${file.path}: ${problem} after ${Math.round(took)} ms`);
  };
  const take = (): SteadyReads => {
    const taken = { reads, bytes, wrong, brokenOff, times };
    [reads, bytes, wrong, brokenOff, times] = [0, 0, [], 0, []];
    return taken;
  };
  const all = Promise.all(
    Array.from({ length: readers }, async () => {
      while (reading) {
        await new Promise((resolve) => setTimeout(resolve, random() * pauseMs));
        await readOne();
      }
    }),
  );
  scope.steady = {
    take,
    stop: async () => {
      reading = false;
      await all;
      return take();
    },
  };
}
