import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import type { BlockSource, Chunk, RangeRequest } from '../../src/protocol/block-source.ts';
import type { MessageEndpoint } from '../../src/protocol/channel.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import { serveSource } from '../../src/protocol/source-port.ts';
import { PortSource } from '../../src/source/port-source.ts';
import { noise } from '../support/random.ts';

/** What only a source behind a port can do wrong, and how it is held back. */
const bytes = noise(4, 100_000);
const file = { sha256: 'ab'.repeat(32), length: bytes.length };

async function withPort(
  fetch: BlockSource['fetch'],
  run: (source: PortSource, stop: () => void) => Promise<void>,
  stallMs = 10_000,
): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const stop = serveSource({ wholeFiles: false, fetch }, port1 as MessageEndpoint);
  const source = new PortSource({ port: port2 as MessageEndpoint, stallMs });
  try {
    await run(source, stop);
  } finally {
    source.close();
    stop();
  }
}

function request(start: number, end: number, signal = new AbortController().signal): RangeRequest {
  return { file, start, end, priority: 'high', signal };
}

async function outcome(source: PortSource, start = 0, end = 1000): Promise<string> {
  try {
    let total = 0;
    for await (const chunk of source.fetch(request(start, end))) total += chunk.bytes.length;
    return `${total} bytes`;
  } catch (error) {
    return (error as SluiceError).code;
  }
}

test('back-pressure: the source is asked for a chunk only when the one before was taken', async () => {
  let given = 0;
  const inPieces = async function* ({ start, end }: RangeRequest): AsyncGenerator<Chunk> {
    for (let offset = start; offset < end; offset += 1000) {
      given += 1;
      yield { offset, bytes: bytes.subarray(offset, offset + 1000) };
    }
  };
  await withPort(inPieces, async (source) => {
    let taken = 0;
    for await (const chunk of source.fetch(request(0, 50_000))) {
      taken += 1;
      // Whatever was sent ahead would have come by the answer to another request.
      await outcome(source, 90_000, 91_000);
      given -= 1;
      expect(given).toBe(taken);
      expect(Buffer.compare(chunk.bytes, bytes.subarray(chunk.offset, chunk.offset + 1000))).toBe(0);
    }
    expect(taken).toBe(50);
  });
});

test('the source keeps its bytes: what is sent is a copy', () =>
  withPort(
    async function* ({ start, end }) {
      yield { offset: start, bytes: bytes.subarray(start, end) };
    },
    async (source) => {
      expect(await outcome(source, 0, 1000)).toBe('1000 bytes');
      expect(bytes.length).toBe(100_000);
    },
  ));

test('nobody wants more: the source’s signal fires and its iterator is ended', async () => {
  const events: string[] = [];
  const { promise: beginning, resolve: begun } = deferred();
  const hanging = async function* ({ signal }: RangeRequest): AsyncGenerator<Chunk> {
    try {
      begun();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    } catch (error) {
      events.push((error as SluiceError).code);
      throw error;
    } finally {
      events.push('ended');
    }
  };
  await withPort(hanging, async (source) => {
    const abort = new AbortController();
    const reading = source.fetch(request(0, 1000, abort.signal)).next();
    await beginning;
    abort.abort(new Error('gone'));
    await expect(reading).rejects.toThrow('gone');
    await expect.poll(() => events).toEqual(['closed', 'ended']);
  });
});

const wrongs: Record<string, [BlockSource['fetch'], string]> = {
  'bytes of another place': [
    async function* () {
      yield { offset: 5, bytes: bytes.slice(0, 1000) };
    },
    'bad-origin',
  ],
  'a gap': [
    async function* () {
      yield { offset: 0, bytes: bytes.slice(0, 10) };
      yield { offset: 11, bytes: bytes.slice(0, 1000) };
    },
    'bad-origin',
  ],
  'more than the file has': [
    async function* () {
      yield { offset: 0, bytes: new Uint8Array(file.length + 1) };
    },
    'bad-origin',
  ],
  'an end that comes too early': [
    async function* () {
      yield { offset: 0, bytes: bytes.slice(0, 999) };
    },
    'bad-origin',
  ],
  nothing: [async function* () {}, 'bad-origin'],
  'an error of its own': [
    () => {
      throw new TypeError('a defect');
    },
    'unreadable',
  ],
  'an error with a code': [
    async function* () {
      yield { offset: 0, bytes: bytes.slice(0, 999) };
      throw new SluiceError('offline', 'the peer is away');
    },
    'offline',
  ],
  // It speaks of the source's own affairs; ours are not closed.
  closed: [
    async function* () {
      yield* [];
      throw new SluiceError('closed', 'the archive was closed');
    },
    'offline',
  ],
  'something that is no chunk': [
    async function* () {
      yield { offset: -1, bytes: 'text' } as unknown as Chunk;
    },
    'unreadable',
  ],
  'a chunk of nowhere': [
    async function* () {
      yield { offset: Number.NaN, bytes: bytes.slice(0, 1000) };
    },
    'unreadable',
  ],
  'a chunk of other bytes': [
    async function* () {
      yield { offset: 0, bytes: bytes.slice(0, 1000).buffer } as unknown as Chunk;
    },
    'unreadable',
  ],
  'no word of what went wrong': [
    async function* () {
      yield* [];
      throw undefined;
    },
    'unreadable',
  ],
};
for (const [name, [fetch, code]] of Object.entries(wrongs)) {
  test(`a source that gives ${name}: ${code}`, () =>
    withPort(fetch, async (source) => expect(await outcome(source)).toBe(code)));
}

test('a source that is silent is given up for this request, and asked again for the next', async () => {
  let silent = true;
  const sometimes = async function* ({ start, end }: RangeRequest): AsyncGenerator<Chunk> {
    if (silent) await new Promise(() => {});
    yield { offset: start, bytes: bytes.slice(start, end) };
  };
  await withPort(
    sometimes,
    async (source) => {
      expect(await outcome(source)).toBe('read-timeout');
      silent = false;
      expect(await outcome(source)).toBe('1000 bytes');
    },
    // A busy machine has all of it for the one that is not silent.
    1000,
  );
});

test('a source whose page has gone: offline', () =>
  withPort(
    async function* () {
      yield* [];
      await new Promise(() => {});
    },
    async (source, stop) => {
      const reading = outcome(source);
      stop();
      expect(await reading).toBe('offline');
      expect(await outcome(source)).toBe('offline');
    },
  ));

test('a source that does not say whether it gives whole files is told so', async () => {
  const { port1, port2 } = new MessageChannel();
  const silent = { fetch: async function* () {} } as unknown as BlockSource;
  const stop = serveSource(silent, port1 as MessageEndpoint);
  const source = new PortSource({ port: port2 as MessageEndpoint });
  expect(await outcome(source)).toBe('unreadable');
  source.close();
  stop();
});

test('what a source asks for that is no time says nothing', async () => {
  for (const [asked, heard] of [
    [Number.NaN, undefined],
    ['soon', undefined],
    [1e300, Number.MAX_SAFE_INTEGER],
    [-1, 0],
    [1.5, 2],
  ]) {
    const busy = Object.assign(new SluiceError('bad-origin', 'busy'), {
      retryable: true,
      retryAfterMs: asked,
    });
    // biome-ignore lint/correctness/useYield: it only fails.
    const failing = async function* (): AsyncGenerator<Chunk> {
      throw busy;
    };
    await withPort(failing, async (source) => {
      const reading = source.fetch(request(0, 1000))[Symbol.asyncIterator]().next();
      await expect(reading).rejects.toMatchObject({
        code: 'bad-origin',
        retryable: true,
        retryAfterMs: heard,
      });
    });
  }
});
