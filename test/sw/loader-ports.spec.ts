import { expect, test } from '@playwright/test';
import { blockEncoder } from '../../src/codec/encode-block.ts';
import type { LoaderService } from '../../src/loader/loader-service.ts';
import { ServiceWorkerPort, type UseService } from '../../src/loader/service-worker-port.ts';
import { zstdInNode } from '../../src/pack/zstd-in-node.ts';
import { systemClock } from '../../src/protocol/clock.ts';
import {
  type FromLoader,
  loaderLockName,
  protocolVersion,
  type ToLoader,
} from '../../src/protocol/messages.ts';
import type { EncodedBlock } from '../../sw/encoded-block.ts';
import { LoaderPorts } from '../../sw/loader-ports.ts';

const { signal } = new AbortController();
const image = 'a'.repeat(64);

/** Web Locks as far as a death goes: one's own is free, somebody else's is granted when the test lets it go. */
class HandLocks {
  readonly #waiting = new Map<string, (() => void)[]>();

  request = (async (name: string, { mode, signal }: LockOptions, granted: () => void): Promise<void> => {
    if (mode !== 'shared') return granted();
    await new Promise<void>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), resolve]);
    });
    granted();
  }) as LockManager['request'];

  release(name: string): void {
    for (const resolve of this.#waiting.get(name) ?? []) resolve();
  }

  isAsked(name: string): boolean {
    return this.#waiting.has(name);
  }
}

/** The loader's end of a port. */
class FakeLoader {
  /** Without the first message, {@link alive}. */
  readonly got: ToLoader[] = [];
  /** The lock that the service worker holds. */
  alive: string | undefined;
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }) => {
      if (data.type === 'alive') this.alive = data.lock;
      else this.got.push(data);
    };
  }

  post(message: FromLoader): void {
    this.#port.postMessage(message);
  }

  hello(loader: string, role: 'leader' | 'standby' = 'leader', version = protocolVersion): void {
    this.post({ type: 'hello', version, loader, role });
  }

  async read(n: number): Promise<Extract<ToLoader, { type: 'read-blocks' }>> {
    const reads = () => this.got.filter((message) => message.type === 'read-blocks');
    await expect.poll(() => reads().length, { intervals: [1] }).toBeGreaterThan(n);
    return reads()[n]!;
  }

  close(): void {
    this.#port.close();
  }
}

function fixture() {
  const locks = new HandLocks();
  const heard: string[] = [];
  const seen: (() => void)[] = [];
  const ports = new LoaderPorts({
    locks,
    askForPort: () => heard.push('ask'),
    onHello: ({ role }) => heard.push(`hello ${role}`),
    onStoreChanged: (done, isDropped) => {
      heard.push(isDropped ? 'dropped' : 'store');
      seen.push(done);
    },
    onImageComplete: () => heard.push('complete'),
    facts: async (clients) => {
      if (clients.length === 0) throw new Error('nobody said hello');
      return {
        mappings: { hits: 1, misses: 2, revalidations: 3 },
        pages: clients.map(({ client, loader }) => ({ loader, path: `/${client}`, isVisible: true })),
      };
    },
  });
  const loaders: FakeLoader[] = [];
  const connect = (client = 'client'): FakeLoader => {
    const { port1, port2 } = new MessageChannel();
    ports.add(port1, client);
    const loader = new FakeLoader(port2);
    loaders.push(loader);
    return loader;
  };
  /** With the loader's own code at the other end. */
  const connectReal = (use: UseService = () => Promise.reject(new Error('nothing is asked'))) => {
    const { port1, port2 } = new MessageChannel();
    ports.add(port1, 'real');
    const closed: string[] = [];
    return {
      loader: new ServiceWorkerPort(port2, locks, use, systemClock, zstdInNode, () => closed.push('closed')),
      closed,
    };
  };
  const best = () => expect.poll(() => ports.best?.role, { intervals: [1] });
  // Open ports would keep the process alive.
  const end = () => {
    for (const loader of loaders) loader.close();
  };
  return { ports, locks, heard, seen, connect, connectReal, best, end };
}

const want = { image, path: 'p', blob: 0, first: 4, count: 2, timeoutMs: 5000 };
const reply = (id: number, block: number): FromLoader => ({
  type: 'block',
  id,
  block,
  codec: 0,
  logicalLength: 1,
  bytes: Uint8Array.of(block),
});

test('a port counts when its loader has said hello; the leader is preferred', async () => {
  const { ports, connect, best, end, heard } = fixture();
  const one = connect();
  expect(ports.best).toBeUndefined();
  one.hello('1', 'standby');
  await best().toBe('standby');
  const two = connect();
  two.hello('2');
  await best().toBe('leader');
  one.hello('1', 'leader');
  await expect
    .poll(() => heard, { intervals: [1] })
    .toEqual(['hello standby', 'hello leader', 'hello leader']);
  end();
});

test('another version of the protocol is not talked to', async () => {
  const { ports, connect, heard, end } = fixture();
  connect().hello('1', 'leader', protocolVersion + 1);
  await expect.poll(() => heard, { intervals: [1] }).toEqual(['store']);
  expect(ports.best).toBeUndefined();
  end();
});

test('blocks are delivered as they come; the call ends with the last one', async () => {
  const { ports, connect, best, end } = fixture();
  const loader = connect();
  loader.hello('1');
  await best().toBe('leader');
  const got: [number, EncodedBlock][] = [];
  const reading = ports.best!.readBlocks(want, (block, encoded) => got.push([block, encoded]), signal);
  const { id, ...asked } = await loader.read(0);
  expect(asked).toEqual({ type: 'read-blocks', ...want });
  loader.post(reply(id, 5));
  await expect.poll(() => got.length, { intervals: [1] }).toBe(1);
  loader.post(reply(id, 4));
  await reading;
  expect(got.map(([block, { bytes }]) => [block, bytes[0]])).toEqual([
    [5, 5],
    [4, 4],
  ]);
  end();
});

test('what was not asked for, or came before, counts for nothing', async () => {
  const { ports, connect, best, end } = fixture();
  const loader = connect();
  loader.hello('1');
  await best().toBe('leader');
  const got: number[] = [];
  const reading = ports.best!.readBlocks(want, (block) => got.push(block), signal);
  const { id } = await loader.read(0);
  for (const block of [4, 4, 9, 0, 5]) loader.post(reply(id, block));
  await reading;
  expect(got).toEqual([4, 5]);
  end();
});

test('a loader’s error is the read’s error', async () => {
  const { ports, connect, best, end } = fixture();
  const loader = connect();
  loader.hello('1');
  await best().toBe('leader');
  const reading = ports.best!.readBlocks(want, () => {}, signal);
  const { id } = await loader.read(0);
  loader.post({ type: 'failed', id, error: { code: 'bad-origin', message: 'm', path: 'p' } });
  await expect(reading).rejects.toMatchObject({ code: 'bad-origin', message: 'm', path: 'p' });
  end();
});

test('a loader that does not answer in time is a read-timeout, and is told', async () => {
  const { ports, connect, best, end } = fixture();
  const loader = connect();
  loader.hello('1');
  await best().toBe('leader');
  const reading = ports.best!.readBlocks({ ...want, timeoutMs: 10 }, () => {}, signal);
  await expect(reading).rejects.toMatchObject({ code: 'read-timeout', path: 'p' });
  const { id } = await loader.read(0);
  await expect.poll(() => loader.got.at(-1), { intervals: [1] }).toEqual({ type: 'cancel', id });
  end();
});

test('an aborted read is cancelled at the loader', async () => {
  const { ports, connect, best, end } = fixture();
  const loader = connect();
  loader.hello('1');
  await best().toBe('leader');
  const abort = new AbortController();
  const reading = ports.best!.readBlocks(want, () => {}, abort.signal);
  const { id } = await loader.read(0);
  abort.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
  await expect.poll(() => loader.got.at(-1), { intervals: [1] }).toEqual({ type: 'cancel', id });
  end();
});

test('a loader whose lock is granted to us is dead: its reads end at once', async () => {
  const { ports, locks, connect, best, end } = fixture();
  const loader = connect();
  loader.hello('1');
  await best().toBe('leader');
  expect(locks.isAsked(loaderLockName('1'))).toBe(true);
  const reading = ports.best!.readBlocks(want, () => {}, signal);
  await loader.read(0);
  locks.release(loaderLockName('1'));
  await expect(reading).rejects.toMatchObject({ code: 'disconnected' });
  expect(ports.best).toBeUndefined();
  end();
});

test('waiting for a loader: all wait for one question', async () => {
  const { ports, connect, heard, end } = fixture();
  const waiting = [ports.wait(signal), ports.wait(signal)];
  connect().hello('1');
  for (const port of await Promise.all(waiting)) expect(port?.role).toBe('leader');
  expect(heard.filter((what) => what === 'ask').length).toBe(1);
  end();
});

test('a vain wait is not repeated at once, but a loader that comes is seen', async () => {
  const { ports, connect, best, heard, end } = fixture();
  expect(await ports.wait(signal)).toBeUndefined();
  const started = performance.now();
  expect(await ports.wait(signal)).toBeUndefined();
  expect(performance.now() - started).toBeLessThan(1900); // A wait takes 2000 ms.
  expect(heard).toEqual(['ask']);
  connect().hello('1');
  await best().toBe('leader');
  expect((await ports.wait(signal))?.role).toBe('leader');
  end();
});

test('news of the store and of completion is passed on', async () => {
  const { connect, heard, end } = fixture();
  const loader = connect();
  loader.post({ type: 'store-changed', sealed: [] });
  loader.post({ type: 'store-changed', sealed: [], dropped: [image] });
  loader.post({ type: 'image-complete', image });
  await expect.poll(() => heard, { intervals: [1] }).toEqual(['store', 'dropped', 'complete']);
  end();
});

test('who waits for news to be seen is told when the store was read again, and not before', async () => {
  const { seen, connect, connectReal, end } = fixture();
  const { loader } = connectReal();
  let changed = false;
  const change = loader.storeSeen().then(() => {
    changed = true;
  });
  await expect.poll(() => seen.length, { intervals: [1] }).toBe(1);
  // Of two that wait, each is answered for its own news.
  const other = connect();
  other.post({ type: 'store-changed', sealed: [], id: 7 });
  await expect.poll(() => seen.length, { intervals: [1] }).toBe(2);
  expect([changed, other.got]).toEqual([false, []]);
  seen[0]!();
  await change;
  seen[1]!();
  await expect.poll(() => other.got, { intervals: [1] }).toEqual([{ type: 'store-seen', id: 7 }]);
  // News that nobody waits for is not answered: the next answer is to the next question.
  other.post({ type: 'store-changed', sealed: [] });
  other.post({ type: 'store-changed', sealed: [], id: 8 });
  await expect.poll(() => seen.length, { intervals: [1] }).toBe(4);
  for (const done of seen.slice(2)) done();
  await expect.poll(() => other.got.at(-1), { intervals: [1] }).toEqual({ type: 'store-seen', id: 8 });
  expect(other.got).toHaveLength(2);
  loader.close();
  end();
});

test('an inspecting loader is told which clients’ loaders are connected, and nothing where that cannot be told', async () => {
  const { connect, connectReal, best, end } = fixture();
  const { loader } = connectReal();
  expect(await loader.facts()).toBeUndefined();
  loader.hello('own', 'leader');
  await best().toBe('leader');
  const other = connect('other');
  other.hello('standby', 'standby');
  // Another question of its own, under way at the same time.
  const one = await loader.facts();
  expect(one).toMatchObject({ mappings: { hits: 1, misses: 2, revalidations: 3 } });
  await expect
    .poll(async () => (await loader.facts())?.pages, { intervals: [1] })
    .toEqual([
      { loader: 'own', path: '/real', isVisible: true },
      { loader: 'standby', path: '/other', isVisible: true },
    ]);
  loader.close();
  end();
});

test('a loader whose service worker was stopped waits for it no longer', async () => {
  const { locks, seen, connect, connectReal, end } = fixture();
  const { loader, closed } = connectReal();
  const other = connect();
  await expect.poll(() => other.alive, { intervals: [1] }).toBeDefined();
  const started = performance.now();
  const change = loader.storeSeen();
  await expect.poll(() => seen.length, { intervals: [1] }).toBe(1);
  expect(locks.isAsked(other.alive!)).toBe(true);
  expect(closed).toEqual([]);
  locks.release(other.alive!);
  await change;
  expect(closed).toEqual(['closed']);
  // Its deadline, for a service worker that runs and says nothing, is 2000 ms.
  expect(performance.now() - started).toBeLessThan(1900);
  end();
});

test('a loader gives blocks as they are stored, or decoded if asked for that; one that does not decode fails', async () => {
  const logical = new TextEncoder().encode('all work and no play '.repeat(100));
  const { codec, stored } = (await blockEncoder('zstd', 3))(logical);
  const blocks = [
    { codec, logicalLength: logical.length, bytes: stored },
    { codec: 0, logicalLength: logical.length, bytes: logical },
    { codec, logicalLength: logical.length, bytes: stored.subarray(1) },
  ];
  const reading: Pick<LoaderService, 'readBlocks'> = {
    readBlocks: async ({ first, count }, onBlock) => {
      for (let n = first; n < first + count; n++) onBlock(n, blocks[n]!);
    },
  };
  const service = reading as LoaderService;
  const { ports, connectReal, best, end } = fixture();
  const { loader } = connectReal((_name, work) => work(service));
  loader.hello('1', 'leader');
  await best().toBe('leader');
  const read = async (first: number, decoded: boolean): Promise<[number, EncodedBlock][]> => {
    const got: [number, EncodedBlock][] = [];
    const query = { ...want, first, count: first === 2 ? 1 : 2, decoded };
    await ports.best!.readBlocks(query, (n, block) => got.push([n, block]), new AbortController().signal);
    return got.sort(([a], [b]) => a - b);
  };
  const raw = { codec: 0, logicalLength: logical.length, bytes: logical };
  expect(await read(0, false)).toMatchObject([
    [0, blocks[0]],
    [1, raw],
  ]);
  expect(await read(0, true)).toMatchObject([
    [0, raw],
    [1, raw],
  ]);
  // What it gave away was a copy.
  expect(await read(0, true)).toMatchObject([
    [0, raw],
    [1, raw],
  ]);
  await expect(read(2, true)).rejects.toMatchObject({ code: 'integrity' });
  loader.close();
  end();
});

test('a block that does not decode fails its request at once, also while the others are still to come', async () => {
  const unheard: unknown[] = [];
  const onUnheard = (reason: unknown): void => void unheard.push(reason);
  process.on('unhandledRejection', onUnheard);
  const { codec, stored } = (await blockEncoder('zstd', 3))(new Uint8Array(4096));
  const spoilt = { codec, logicalLength: 4096, bytes: stored.subarray(1) };
  const signals: AbortSignal[] = [];
  const reading: Pick<LoaderService, 'readBlocks'> = {
    readBlocks: ({ first }, onBlock, signal) => {
      signals.push(signal);
      onBlock(first, spoilt);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  };
  const service = reading as LoaderService;
  const { ports, connectReal, best, end } = fixture();
  const { loader } = connectReal((_name, work) => work(service));
  loader.hello('1', 'leader');
  await best().toBe('leader');
  const read = ports.best!.readBlocks({ ...want, decoded: true }, () => {}, new AbortController().signal);
  await expect(read).rejects.toMatchObject({ code: 'integrity' });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  expect(unheard).toEqual([]);
  process.off('unhandledRejection', onUnheard);
  loader.close();
  end();
});
