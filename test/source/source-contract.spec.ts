import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import type { BlockSource, Chunk, PublishedFile } from '../../src/protocol/block-source.ts';
import type { MessageEndpoint } from '../../src/protocol/channel.ts';
import { serveSource } from '../../src/protocol/source-port.ts';
import { HttpSource } from '../../src/source/http-source.ts';
import { OriginError } from '../../src/source/origin-error.ts';
import { PortSource } from '../../src/source/port-source.ts';
import type { Fault } from '../support/fault.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';

/** What every BlockSource owes its loader, whatever stands behind it: run over HTTP, and over HTTP behind a port. */
const bytes = noise(3, 300_000);
const file: PublishedFile = {
  sha256: createHash('sha256').update(bytes).digest('hex'),
  length: bytes.length,
};
const never = new AbortController().signal;
/** For what shall stall. Whatever else is asked has all the time that a busy machine takes. */
const shortStallMs = 1000;

const kinds: Record<string, (http: HttpSource) => { source: BlockSource; close: () => void }> = {
  HttpSource: (http) => ({ source: http, close: () => {} }),
  PortSource: (http) => {
    const { port1, port2 } = new MessageChannel();
    const stop = serveSource(http, port1 as MessageEndpoint);
    const source = new PortSource({ port: port2 as MessageEndpoint });
    return {
      source,
      close: () => {
        source.close();
        stop();
      },
    };
  },
};

for (const [kind, wrap] of Object.entries(kinds)) {
  const withSource = async (
    run: (source: BlockSource, origin: Origin) => Promise<void>,
    { ranges = true, stallMs = 30_000 } = {},
  ): Promise<void> => {
    const dir = await tempDir('source-contract');
    await writeFile(join(dir.path, `${file.sha256}.bin`), bytes);
    const origin = await Origin.start({ mounts: { '/app/': dir.path }, ranges });
    const { source, close } = wrap(new HttpSource({ base: `${origin.url}/app/`, fetch, stallMs }));
    try {
      await run(source, origin);
    } finally {
      close();
      await origin.stop();
      await dir.remove();
    }
  };

  test(`${kind}: any range, in order and without gaps, nothing more`, () =>
    withSource(async (source, origin) => {
      for (const [start, end] of [
        [0, 1],
        [0, file.length],
        [1000, 2000],
        [file.length - 1, file.length],
        [1, 299_999],
      ] as const) {
        const answer = await collect(source, start, end);
        expect(answer.start).toBe(start);
        expect(answer.bytes.equals(bytes.subarray(start, end))).toBe(true);
      }
      expect(origin.log.length).toBe(5);
      expect(source.wholeFiles).toBe(false);
    }));

  test(`${kind}: many requests at once do not get each other’s bytes`, () =>
    withSource(async (source) => {
      const reads = Array.from({ length: 20 }, async (_, i) => {
        const answer = await collect(source, i * 1000, i * 1000 + 50_000);
        expect(answer.bytes.equals(bytes.subarray(i * 1000, i * 1000 + 50_000))).toBe(true);
      });
      await Promise.all(reads);
    }));

  test(`${kind}: a host without ranges: the whole file, and that is told`, () =>
    withSource(
      async (source) => {
        const answer = await collect(source, 1000, 2000);
        expect(answer.start).toBe(0);
        expect(answer.bytes.equals(bytes)).toBe(true);
        expect(source.wholeFiles).toBe(true);
      },
      { ranges: false },
    ));

  const failures: [Fault, string, { retryable?: boolean; retryAfterMs?: number }][] = [
    [{ type: 'status', status: 404 }, 'bad-origin', { retryable: false }],
    [{ type: 'status', status: 429, retryAfter: 7 }, 'bad-origin', { retryable: true, retryAfterMs: 7000 }],
    [{ type: 'cut-before-headers' }, 'offline', {}],
    [{ type: 'cut-at', byte: 500 }, 'offline', {}],
    [{ type: 'hang' }, 'read-timeout', {}],
    [{ type: 'hang-at', byte: 500 }, 'read-timeout', {}],
  ];
  for (const [fault, code, more] of failures) {
    test(`${kind}: ${JSON.stringify(fault)} is ${code}, and the next request is served`, () =>
      withSource(
        async (source, origin) => {
          origin.fault = () => fault;
          const error = await failure(collect(source, 1000, 200_000));
          expect(error.code).toBe(code);
          expect(error instanceof OriginError ? error : {}).toMatchObject(more);
          origin.fault = undefined;
          expect((await collect(source, 1000, 2000)).bytes.equals(bytes.subarray(1000, 2000))).toBe(true);
        },
        code === 'read-timeout' ? { stallMs: shortStallMs } : {},
      ));
  }

  test(`${kind}: an abort ends the wait with its reason, and the connection`, () =>
    withSource(async (source, origin) => {
      origin.fault = () => ({ type: 'hang-at', byte: 10 });
      const abort = new AbortController();
      const reading = failure(collect(source, 0, 1000, abort.signal));
      await origin.waitForRequest(() => true);
      abort.abort(new SluiceError('closed', 'test'));
      expect((await reading).code).toBe('closed');
      await origin.waitForRequest((entry) => entry.aborted);
      expect((await failure(collect(source, 0, 10, abort.signal))).code).toBe('closed');
    }));

  test(`${kind}: a consumer that stops early lets the connection go`, () =>
    withSource(async (source, origin) => {
      origin.fault = () => ({ type: 'hang-at', byte: 500 });
      for await (const chunk of source.fetch({
        file,
        start: 10,
        end: 2000,
        priority: 'low',
        signal: never,
      })) {
        expect(chunk.offset).toBe(10);
        break;
      }
      await origin.waitForRequest((entry) => entry.aborted);
    }));
}

async function collect(
  source: BlockSource,
  start: number,
  end: number,
  signal = never,
): Promise<{ start: number; bytes: Buffer }> {
  const parts: Chunk[] = [];
  for await (const chunk of source.fetch({ file, start, end, priority: 'high', signal })) {
    const last = parts.at(-1);
    if (last) expect(chunk.offset, 'chunks follow one another').toBe(last.offset + last.bytes.length);
    parts.push(chunk);
  }
  return { start: parts[0]?.offset ?? -1, bytes: Buffer.concat(parts.map((part) => part.bytes)) };
}

async function failure(work: Promise<unknown>): Promise<SluiceError> {
  const error = await work.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SluiceError);
  return error as SluiceError;
}
