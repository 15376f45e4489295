import type { Page } from '@playwright/test';
import type { Sluice } from '../../../src/client/index.ts';
import { urlOf } from './proof-app.ts';
import { installSeeded, type SeededFile, type SeededScope } from './seeded-file.ts';

export interface ReadersOptions {
  readonly files: readonly SeededFile[];
  readonly seed: number;
  readonly reads: number;
  /** Readers that read at the same time, each one file after another. */
  readonly readers: number;
  /** A read that is not over by then hangs. */
  readonly deadlineMs: number;
  /** Files of which at most so many reads (of 1) are of files below `zz-large/`. */
  readonly largeShare?: number;
  /** Answers with an error are allowed, and counted by their `Sluice-Error`; wrong bytes never are. */
  readonly mayFail?: boolean;
}

export interface ReadersReport {
  readonly reads: number;
  /** Everything that differed from the source, hung, or failed: the first twenty. */
  readonly wrong: readonly string[];
  readonly wrongCount: number;
  readonly kinds: Readonly<Record<string, number>>;
  /** By `Sluice-Error`; `no answer` and `broken off` for what the browser itself reports. */
  readonly failures: Readonly<Record<string, number>>;
  readonly bytes: number;
  readonly slowestMs: number;
  /** Until the headers, or the failure, came. */
  readonly slowestAnswerMs: number;
  readonly medianMs: number;
  readonly elapsedMs: number;
  /** Reads that began before the image was complete. */
  readonly whileLoading: number;
}

interface PageFile extends SeededFile {
  readonly url: string;
}

/**
 * Random readers in the page: whole files, ranges of all forms, suffixes, HEAD, several ranges, conditional reads. Every answer is compared with
 * what the file's seed says: status, headers that count, and each byte.
 */
export async function randomReaders(
  page: Pick<Page, 'evaluate'>,
  options: ReadersOptions,
): Promise<ReadersReport> {
  await page.evaluate(installSeeded);
  const files = options.files.map((file): PageFile => ({ ...file, url: urlOf(file.path) }));
  return page.evaluate(readInPage, { ...options, files, largeShare: options.largeShare ?? 1 });
}

/** Runs in the page, so it may use nothing of this module but types. */
async function readInPage(
  options: Omit<ReadersOptions, 'files'> & {
    readonly files: readonly PageFile[];
    readonly largeShare: number;
  },
): Promise<ReadersReport> {
  const { files, reads, readers, deadlineMs, mayFail = false } = options;
  const { seededBytes: expected, seededRandom } = globalThis as unknown as SeededScope;
  const worker = navigator.serviceWorker.controller?.scriptURL;
  // What was put into the page before this went with a reload in between.
  if (!worker || !seededRandom || !(window as { sluice?: unknown }).sluice)
    throw new Error('this page is not a launched app');
  const base = new URL('./', worker);
  const random = seededRandom(options.seed);
  const below = (n: number): number => Math.floor(random() * n);
  const large = files.filter(({ path }) => path.startsWith('zz-large/'));
  const others = files.filter(({ path }) => !path.startsWith('zz-large/'));
  const wrong: string[] = [];
  let wrongCount = 0;
  const kinds: Record<string, number> = {};
  const failures: Record<string, number> = {};
  const times: number[] = [];
  let slowestAnswerMs = 0;
  let bytes = 0;
  let begun = 0;
  let whileLoading = 0;
  const { sluice } = window as unknown as { sluice: Sluice };
  let { complete } = await sluice.state();
  void sluice.whenComplete().then(() => {
    complete = true;
  });

  interface Read {
    readonly kind: string;
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly status: number;
    /** The part of the file that the body must be. */
    readonly start: number;
    readonly end: number;
  }
  const whole = (file: PageFile, kind: string, headers?: Record<string, string>): Read => ({
    kind,
    ...(headers ? { headers } : {}),
    status: 200,
    start: 0,
    end: file.size,
  });
  const part = (kind: string, range: string, start: number, end: number): Read => ({
    kind,
    headers: { Range: `bytes=${range}` },
    status: 206,
    start,
    end,
  });
  const choose = (file: PageFile): Read => {
    const { size } = file;
    const dice = random();
    if (dice < 0.1) return { kind: 'HEAD', method: 'HEAD', status: 200, start: 0, end: 0 };
    if (dice < 0.13) {
      const range = `${size + below(3)}-${random() < 0.5 ? '' : size + 10}`;
      return { kind: 'unsatisfiable', headers: { Range: `bytes=${range}` }, status: 416, start: 0, end: 0 };
    }
    // A large file is read whole now and then only: it is as much as hundreds of other reads.
    if (size === 0 || (size <= 2 ** 18 && dice < 0.32) || dice < 0.135) {
      if (size > 0 && dice < 0.16)
        return whole(file, 'several ranges', { Range: `bytes=0-0,${Math.max(0, size - 1)}-` });
      if (size > 0 && dice < 0.19)
        return whole(file, 'If-Range of another', { Range: 'bytes=0-0', 'If-Range': '"old"' });
      return whole(file, 'whole');
    }
    const length = 1 + below(random() < 0.1 ? 2 ** 19 : 2 ** 15);
    const start = below(size);
    const end = Math.min(size, start + length);
    if (dice < 0.5) return part('a-b', `${start}-${end - 1}`, start, end);
    if (dice < 0.6) return part('one byte', `${start}-${start}`, start, start + 1);
    if (dice < 0.7)
      return part(
        'a-b past the end',
        `${Math.max(0, size - length)}-${size + 999}`,
        Math.max(0, size - length),
        size,
      );
    if (dice < 0.85) return part('a-', `${Math.max(0, size - length)}-`, Math.max(0, size - length), size);
    return part('suffix', `-${length}`, Math.max(0, size - length), size);
  };

  const differs = async (file: PageFile, read: Read, response: Response): Promise<string | undefined> => {
    if (response.status !== read.status) return `status ${response.status} instead of ${read.status}`;
    const header = (name: string): string => response.headers.get(name) ?? 'none';
    if (read.status === 416) {
      return header('content-range') === `bytes */${file.size}`
        ? undefined
        : `416 of ${header('content-range')}`;
    }
    if (read.kind === 'HEAD') {
      return header('content-length') === String(file.size)
        ? undefined
        : `HEAD: ${header('content-length')} bytes`;
    }
    const range = `bytes ${read.start}-${read.end - 1}/${file.size}`;
    if (read.status === 206 && header('content-range') !== range)
      return `Content-Range ${header('content-range')}`;
    if (header('content-length') !== String(read.end - read.start))
      return `Content-Length ${header('content-length')}`;
    const got = new Uint8Array(await response.arrayBuffer());
    bytes += got.length;
    if (got.length !== read.end - read.start)
      return `${got.length} bytes instead of ${read.end - read.start}`;
    const right = expected(file, read.start, read.end);
    for (let i = 0; i < got.length; i++) if (got[i] !== right[i]) return `byte ${read.start + i} differs`;
    return undefined;
  };

  const readOne = async (): Promise<void> => {
    const from = large.length > 0 && random() < options.largeShare ? large : others;
    const file = from[below(from.length)]!;
    const read = choose(file);
    kinds[read.kind] = (kinds[read.kind] ?? 0) + 1;
    if (!complete) whileLoading += 1;
    const startedAt = performance.now();
    let problem: string | undefined;
    let answered = false;
    try {
      const response = await fetch(new URL(file.url, base), {
        method: read.method ?? 'GET',
        ...(read.headers ? { headers: read.headers } : {}),
        signal: AbortSignal.timeout(deadlineMs),
      });
      answered = true;
      slowestAnswerMs = Math.max(slowestAnswerMs, performance.now() - startedAt);
      const code = response.headers.get('Sluice-Error');
      if (code !== null) failures[code] = (failures[code] ?? 0) + 1;
      if (code === null || !mayFail) problem = await differs(file, read, response);
      else await response.body?.cancel();
      if (code !== null && problem) problem += ` (${code})`;
    } catch (error) {
      // A stream that was broken off is a failure that shows itself, unless it took until the deadline.
      const { name, message } = error as Error;
      const how = answered ? 'broken off' : 'no answer';
      // Firefox calls it an abort when the body of an answer breaks off.
      const isBrokenOff = name === 'TypeError' || (answered && name === 'AbortError');
      if (mayFail && isBrokenOff) failures[how] = (failures[how] ?? 0) + 1;
      else problem = `${name}: ${message}`;
    }
    times.push(performance.now() - startedAt);
    if (problem === undefined) return;
    wrongCount += 1;
    if (wrong.length < 20)
      wrong.push(`${read.kind} ${read.headers?.Range ?? ''} of ${file.path} (${file.size}): ${problem}`);
  };

  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: readers }, async () => {
      while (begun < reads) {
        begun += 1;
        await readOne();
      }
    }),
  );
  times.sort((a, b) => a - b);
  return {
    reads: times.length,
    wrong,
    wrongCount,
    kinds,
    failures,
    bytes,
    slowestMs: Math.round(times.at(-1) ?? 0),
    slowestAnswerMs: Math.round(slowestAnswerMs),
    medianMs: Math.round((times[times.length >> 1] ?? 0) * 10) / 10,
    elapsedMs: Math.round(performance.now() - startedAt),
    whileLoading,
  };
}

/** Reads every file whole, `readers` at a time, and names those that differ from their seed. */
export async function wrongFiles(
  page: Pick<Page, 'evaluate'>,
  files: readonly SeededFile[],
  deadlineMs = 30_000,
): Promise<string[]> {
  await page.evaluate(installSeeded);
  return page.evaluate(
    async ({ files, deadlineMs }) => {
      const expected = (globalThis as unknown as SeededScope).seededBytes;
      const wrong: string[] = [];
      for (const file of files) {
        try {
          const response = await fetch(file.url, { signal: AbortSignal.timeout(deadlineMs) });
          const got = new Uint8Array(await response.arrayBuffer());
          const right = expected(file, 0, file.size);
          const same = got.length === right.length && got.every((byte, i) => byte === right[i]);
          if (response.status !== 200 || !same) {
            wrong.push(`${file.path}: ${response.status} ${response.headers.get('Sluice-Error') ?? ''}`);
          }
        } catch (error) {
          wrong.push(`${file.path}: ${error}`);
        }
      }
      return wrong;
    },
    { files: files.map((file) => ({ ...file, url: `/${urlOf(file.path)}` })), deadlineMs },
  );
}
