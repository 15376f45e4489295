import { isFromLoader, isPageMessage } from '../../../../src/protocol/guards.ts';
import { noSwitches } from '../../../../src/protocol/inspection.ts';
import { handleMessage } from '../../../../sw/handle-message.ts';
import { LoaderPorts } from '../../../../sw/loader-ports.ts';
import type { Site } from '../../../../sw/site.ts';
import { LockManagerForTests } from '../../../loader/lock-manager.ts';
import { FakeEndpoint, turn } from '../fake-endpoint.ts';
import { type FuzzTarget, fuzzTarget, must, shown } from '../fuzz-target.ts';
import { fuzzSite, type LoaderRig, leaderName, loaderRig, scope } from '../loader-rig.ts';

const digest = 'ab'.repeat(32);
/** A rig gathers what it was told: trees, logs, peers. */
const rigLife = 2000;
/** In real time. */
const readBackMs = 10_000;

/** Delivers to a rig that is made anew now and then, and sees that it still does what it is for. */
function toLoader(
  name: string,
  seeds: () => Promise<readonly unknown[]>,
  endpoint: (rig: LoaderRig) => FakeEndpoint,
): FuzzTarget {
  let rig: LoaderRig | undefined;
  let delivered = 0;
  let id = 1e6;
  const ask = async (port: FakeEndpoint): Promise<Reply | undefined> => {
    const { image } = await fuzzSite();
    const mine = ++id;
    port.deliver({
      type: 'read-blocks',
      id: mine,
      image,
      path: 'a.bin',
      blob: 0,
      first: 0,
      count: 1,
      timeoutMs: 30_000,
    });
    return answerTo(port, mine, 2000);
  };
  const readBack = async ({ port, inbox }: LoaderRig): Promise<void> => {
    const { files } = await fuzzSite();
    // Somebody may have paused it, or cut it off: that is what he asked for.
    inbox.deliver({ type: 'call', from: 'other', id: ++id, method: 'setSwitches', args: [noSwitches] });
    const latest = performance.now() + readBackMs;
    let reply = await ask(port);
    // Digests are made by threads, which a busy machine lets wait; the rig's clock does not.
    while (reply?.error?.code === 'read-timeout' && performance.now() < latest) reply = await ask(port);
    // A service worker that says it is dead is not answered any more.
    if (port.closed) return;
    const right = reply?.type === 'block' && shown(reply.bytes) === shown(files.get('a.bin')!.slice(0, 4096));
    must(right, () => `after that it reads on, and not ${shown(reply)}`);
  };
  return fuzzTarget<unknown>({
    name,
    maxArrayBytes: 8 * 1024 * 1024,
    seeds,
    mutate: (message, mutator) => mutator.value(message),
    async run(message) {
      // A lock that nobody holds tells a loader that its service worker died.
      if (delivered++ % rigLife === 0 || rig?.port.closed) {
        const before = rig;
        rig = await loaderRig();
        await before?.loader.close();
      }
      const to = rig!;
      for (const sink of [to.port, ...to.channels.values()]) sink.sent = [];
      endpoint(to).deliver(message);
      const { id, from } = (message ?? {}) as { id?: unknown; from?: unknown };
      const outbox =
        typeof from === 'string'
          ? [...to.channels].find(([key]) => key.endsWith(`:${leaderName}:${from}`))?.[1]
          : to.port;
      const reply = outbox && typeof id === 'number' ? await answerTo(outbox, id, 4) : await turn();
      if (delivered % 64 === 0) await readBack(to);
      return wordsOf(reply ?? outbox?.sent[0]);
    },
    show: shown,
  });
}

interface Reply {
  readonly type: string;
  readonly bytes?: Uint8Array;
  readonly error?: { readonly code: string; readonly message: string };
}

async function answerTo(endpoint: FakeEndpoint, id: number, turns: number): Promise<Reply | undefined> {
  for (let left = turns; left > 0; left--) {
    const reply = endpoint.sent.find((sent) => (sent as { id?: unknown }).id === id);
    if (reply) return reply as Reply;
    await turn();
  }
  return undefined;
}

/** What is told of a failure must be one of ours: `unreadable: TypeError …` is how an accident of the receiver looks. */
function wordsOf(reply: unknown): string {
  const { type, error } = (reply ?? { type: 'nothing' }) as Reply;
  const message = error?.message ?? '';
  must(
    !/^(Type|Range|Reference|Syntax|Internal)?Error:/.test(message),
    () => `a failure in our own words: ${message}`,
  );
  return `${type} ${error?.code ?? ''} ${message.replaceAll(/".*"|\d+|[0-9a-f]{64}/g, '#').slice(0, 80)}`;
}

/** A service worker's messages to a loader. */
export const toLoaders = toLoader(
  'service worker → loader',
  async () => {
    const { image } = await fuzzSite();
    const blocks = { image, blob: 0, first: 0, count: 2 };
    const read = {
      serial: 1,
      path: 'a.bin',
      blob: 0,
      first: 0,
      count: 2,
      at: 5,
      waitedMs: 1,
      decodedMs: 0.5,
    };
    return [
      { type: 'read-blocks', id: 1, path: 'a.bin', timeoutMs: 1000, ...blocks },
      { type: 'read-blocks', id: 2, path: 'b.bin', timeoutMs: 0, ...blocks, blob: 1, decoded: true },
      { type: 'cancel', id: 1 },
      { type: 'read-bootstrap', id: 3, image },
      {
        type: 'provide-blocks',
        image,
        blocks: [
          { blob: 0, block: 0, bytes: new Uint8Array(4096) },
          { blob: 0, block: -1, bytes: new Uint8Array(56) },
        ],
      },
      { type: 'bringing-blocks', ...blocks },
      {
        type: 'reads-served',
        image,
        life: 'x',
        reads: [read, { ...read, serial: 2, failed: 'offline', code: 'https://site.example/app/a.bin' }],
      },
      { type: 'store-seen', id: 1 },
      {
        type: 'facts',
        id: 2,
        mappings: { hits: 1, misses: 2, revalidations: 0 },
        pages: [{ loader: 'x', path: '/app/', isVisible: true }],
      },
      { type: 'alive', lock: 'sluice:sw:x' },
    ];
  },
  ({ port }) => port,
);

/** Other tabs' loaders to the leader: calls of everything that a loader does. */
export const peerCalls = toLoader(
  'other tabs → leader',
  async () => {
    const { image, bootstrap } = await fuzzSite();
    const file = {
      type: 'create-file',
      path: 'made.bin',
      size: 3,
      blockSize: 4096,
      mime: 'a/b',
      meta: new Uint8Array(2),
      content: new Uint8Array(3),
    };
    const calls: readonly (readonly [string, ...unknown[]])[] = [
      ['open', { loader: 'other', release: { image, bytes: bootstrap.length }, background: false }],
      ['readBlocks', { image, path: 'a.bin', blob: 0, first: 0, count: 2, timeoutMs: 100 }],
      ['readBootstrap', image],
      [
        'provideBlocks',
        image,
        [
          { blob: 0, block: 0, bytes: new Uint8Array(4096) },
          { path: 'made.bin', block: 0, bytes: new Uint8Array(3) },
        ],
      ],
      ['expectBlocks', image, { blob: 0, first: 0, count: 1 }],
      ['pendingReads', image, 0, 0],
      ['state', image],
      [
        'logReads',
        image,
        'life',
        [{ serial: 1, path: 'a.bin', blob: 0, first: 0, count: 1, at: 1, waitedMs: 1 }],
      ],
      ['readLog', image],
      ['setReadLog', image, 100],
      ['launched', image],
      ['flush'],
      ['stat', image, 'a.bin'],
      ['readdir', image, ''],
      ['read', image, 'b.bin', 5, 9000, 100],
      ['prefetch', image, ['a.bin', ''], 'high'],
      ['filledRanges', image, 'b.bin'],
      ['changeTree', image, file, digest],
      ['changeTree', image, { type: 'mkdir', path: 'd/e', recursive: true }, digest.replace('a', 'c')],
      ['changeTree', image, { type: 'link', path: 'l', existing: 'a.bin' }, digest.replace('a', 'd')],
      ['changeTree', image, { type: 'unlink', path: 'a.bin' }, digest.replace('a', 'e')],
      [
        'changeTree',
        image,
        { type: 'set-meta', path: 'a.bin', meta: new Uint8Array(3) },
        digest.replace('a', 'f'),
      ],
      ['pin', image, ['a.bin'], true],
      ['evict', image, ['a.bin']],
      ['scrub', image],
      ['fsmap', image, { low: { file: '', offset: 0 }, limit: 10 }],
      ['inspect', { image, cursor: { leader: `${leaderName}/${image}`, read: 1, fetch: 2, error: 0 } }],
      ['inspect', { image: undefined, cursor: undefined }],
      ['blockTable', image, 0],
      ['setSwitches', { ...noSwitches, bytesPerSecond: 1e9, failNext: 1 }],
      ['endLeader'],
    ];
    return [
      ...calls.map(([method, ...args], id) => ({ type: 'call', from: 'other', id, method, args })),
      { type: 'cancel', from: 'other', id: 1 },
    ];
  },
  ({ inbox }) => inbox,
);

/** What all loaders of a scope hear. */
export const scopeNews = toLoader(
  'news of the leader → all tabs',
  async () => {
    const { image } = await fuzzSite();
    const progress = { present: 1, total: 2, rate: 3, complete: false, waitingFor: 'a' };
    const events = [
      { type: 'progress', image, progress },
      { type: 'sealed', blobs: [digest] },
      { type: 'dropped', blobs: [digest] },
      { type: 'complete', image },
      { type: 'evicted', image },
      { type: 'culled' },
      { type: 'changed-tree', image, sequence: 3 },
      { type: 'release', release: { image: digest, bytes: 5000 }, gone: [digest] },
    ];
    return [
      { type: 'who-leads' },
      { type: 'leads', loader: 'other' },
      ...events.map((event) => ({ type: 'happened', event })),
    ];
  },
  ({ scopeChannel }) => scopeChannel,
);

/** A loader's messages to the service worker, with a read and a bootstrap outstanding. */
export const fromLoaders = fuzzTarget<unknown>({
  name: 'loader → service worker',
  maxArrayBytes: 2 * 1024 * 1024,
  seeds: async () => [
    { type: 'hello', version: 1, loader: 'x', role: 'leader' },
    { type: 'block', id: 1, block: 3, codec: 0, logicalLength: 3, bytes: new Uint8Array(3) },
    { type: 'block', id: 1, block: 2, codec: 2, logicalLength: 4096, bytes: new Uint8Array(30) },
    { type: 'failed', id: 1, error: { code: 'offline', message: 'm', path: 'p' } },
    { type: 'failed', id: 2, error: { code: 'integrity', message: 'm' } },
    { type: 'bootstrap', id: 2, bytes: new Uint8Array(9) },
    { type: 'store-changed', sealed: [digest], dropped: [digest], id: 4 },
    { type: 'facts-wanted', id: 5 },
    { type: 'image-complete', image: digest },
  ],
  mutate: (message, mutator) => mutator.value(message),
  async run(message) {
    const port = new FakeEndpoint();
    const ports = new LoaderPorts({
      locks: new LockManagerForTests() as unknown as LockManager,
      askForPort: () => {},
      onHello: () => {},
      onStoreChanged: (seen) => seen(),
      onImageComplete: (image) => must(image.length === 64, () => 'an image is named by its digest'),
      facts: async () => ({ mappings: { hits: 0, misses: 0, revalidations: 0 }, pages: [] }),
    });
    ports.add(port, 'client');
    port.deliver({ type: 'hello', version: 1, loader: 'first', role: 'leader' });
    const best = ports.best!;
    const outcome: string[] = [];
    const want = { image: digest, path: 'p', blob: 0, first: 2, count: 2, timeoutMs: 1 };
    const stop = new AbortController();
    const ended = Promise.allSettled([
      best.readBlocks(
        want,
        (block, { logicalLength, bytes }) => {
          must(block === 2 || block === 3, () => `block ${block} was asked for`);
          must(
            logicalLength <= 2 ** 20 && bytes instanceof Uint8Array,
            () => `${logicalLength} bytes are a block`,
          );
          outcome.push('block');
        },
        stop.signal,
      ),
      best.readBootstrap(digest, 10),
    ]);
    port.deliver(message);
    port.deliver({ type: 'failed', id: 1, error: { code: 'closed', message: 'enough' } });
    port.deliver({ type: 'failed', id: 2, error: { code: 'closed', message: 'enough' } });
    const results = await ended;
    for (const result of results) {
      outcome.push(result.status === 'fulfilled' ? 'ok' : String((result.reason as { code?: unknown }).code));
    }
    return `${isFromLoader(message)} ${outcome}`;
  },
  show: shown,
});

/** Pages' messages to the service worker. */
export const ofPages = fuzzTarget<unknown>({
  name: 'page → service worker',
  maxArrayBytes: 1024 * 1024,
  seeds: async () => [
    { type: 'sluice:loader-port', version: 1 },
    { type: 'sluice:release', release: { image: digest, bytes: 500 } },
    { type: 'sluice:has-path', url: `${scope}a?b` },
    { type: 'sluice:settings', readTimeoutMs: 500 },
    { type: 'sluice:mappings' },
    { type: 'sluice:stay-awake' },
  ],
  mutate: (message, mutator) => mutator.value(message),
  async run(data) {
    const done: string[] = [];
    const work: Promise<unknown>[] = [];
    const note = (what: string) => async (): Promise<undefined> => void done.push(what);
    const site = {
      scope,
      ports: { add: note('port') },
      adopt: ({ image, bytes }: { image: string; bytes: number }) => {
        must(/^[0-9a-f]{64}$/.test(image) && bytes <= 2 ** 33, () => `${bytes} bytes are a bootstrap`);
        return note('adopt')();
      },
      version: note('version'),
      mappings: note('mappings'),
      served: { flush: () => done.push('served') },
      longAnswers: { stayAwake: () => done.push('awake') },
      readTimeouts: {
        set: (_: string, ms: number) => {
          must(ms >= 0, () => `${ms} ms are a time`);
          return note('timeout')();
        },
      },
    };
    const port = Object.assign(new FakeEndpoint(), { close: note('closed') });
    const source = Object.assign(Object.create(clientPrototype()), { id: 'c', url: `${scope}page` });
    const event = { source, data, ports: [port], waitUntil: (given: Promise<unknown>) => work.push(given) };
    handleMessage(site as unknown as Site, event as unknown as ExtendableMessageEvent);
    await Promise.all(work);
    return `${isPageMessage(data)} ${done}`;
  },
  show: shown,
});

/** Node has no service workers' clients. */
function clientPrototype(): object {
  const globals = globalThis as { Client?: { prototype: object } };
  globals.Client ??= class Client {};
  return globals.Client.prototype;
}
