import { randomUUID } from 'node:crypto';
import { fromWireError } from '../../src/format/errors.ts';
import type { Room } from '../../src/loader/culling.ts';
import { Loader } from '../../src/loader/loader.ts';
import { Channel, type MessageEndpoint } from '../../src/protocol/channel.ts';
import { type Clock, systemClock } from '../../src/protocol/clock.ts';
import { isFromLoader, repliesTo } from '../../src/protocol/guards.ts';
import type { FromLoader, ReleaseRecord, ToLoader } from '../../src/protocol/messages.ts';
import type { Directory } from '../../src/store/directory.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { Origin } from '../support/origin.ts';
import { seededRandom } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { LockManagerForTests } from './lock-manager.ts';
import type { Fixture } from './site-fixture.ts';

/** Whole loaders, as tabs have them: several of one scope over one directory, one set of locks, real channels, a real server. */
export interface Tabs {
  readonly origin: Origin;
  readonly folder: string;
  readonly scope: string;
  readonly locks: LockManagerForTests;
  readonly directory: Directory;
  readonly release: ReleaseRecord;
  /** The names of those that were made to end. */
  readonly ended: string[];
  /** What it tells of its quota, and the time that those go by that are opened from then on. */
  readonly platform: { room: () => Room | undefined; clock: Clock };
  open(directory?: Directory | undefined): Loader;
  /** One of a given name. */
  openAs(name: string): Loader;
}

export async function withTabs(site: Fixture, run: (tabs: Tabs) => Promise<void>): Promise<void> {
  const dir = await tempDir('loader');
  await site.write(dir.path);
  const origin = await Origin.start({ mounts: { '/app/': dir.path } });
  const locks = new LockManagerForTests();
  const stored = new MemoryDirectory();
  const loaders: Loader[] = [];
  const ended: string[] = [];
  const platform: Tabs['platform'] = { room: () => undefined, clock: systemClock };
  const make = (name: string, directory: Directory | undefined): Loader => {
    const loader: Loader = new Loader({
      loader: name,
      fetch,
      locks: locks.of(name),
      estimate: async () => platform.room(),
      newChannel: (name) => new BroadcastChannel(name),
      openDirectory: async () => directory,
      end: (why) => {
        if (!why.includes('inspector')) throw new Error(why);
        ended.push(name);
        void loader.close();
      },
      clock: platform.clock,
      random: seededRandom(loaders.length + 1),
    });
    loaders.push(loader);
    return loader;
  };
  try {
    await run({
      origin,
      folder: dir.path,
      locks,
      directory: stored,
      platform,
      ended,
      scope: `${origin.url}/app/`,
      release: { image: site.image, bytes: site.bootstrap.length },
      open: (...given) => make(randomUUID(), given.length > 0 ? given[0] : stored),
      openAs: (name) => make(name, stored),
    });
  } finally {
    for (const loader of loaders) await loader.close();
    await origin.stop();
    await dir.remove();
  }
}

/** A service worker's end of a port to the loader. */
export function connect(
  loader: Loader,
  site: Fixture,
): {
  readonly channel: Channel<ToLoader, FromLoader>;
  readonly told: FromLoader[];
  readBlocks(
    blob: number,
    first: number,
    count: number,
    timeoutMs?: number,
  ): Promise<Map<number, Uint8Array>>;
} {
  const { port1, port2 } = new MessageChannel();
  const told: FromLoader[] = [];
  const channel = new Channel<ToLoader, FromLoader>(port1 as MessageEndpoint, {
    accept: isFromLoader,
    replyTo: repliesTo,
    onMessage: (message) => told.push(message),
  });
  loader.connect(port2 as unknown as MessagePort);
  return {
    channel,
    told,
    readBlocks: (blob, first, count, timeoutMs = 10_000) => {
      const blocks = new Map<number, Uint8Array>();
      return channel.call({
        name: 'read-blocks',
        message: (id) => ({
          type: 'read-blocks',
          id,
          image: site.image,
          path: 'data.pak',
          blob,
          first,
          count,
          timeoutMs,
        }),
        cancel: (id) => ({ type: 'cancel', id }),
        timeoutMs: timeoutMs + 5000,
        onReply: (reply) => {
          if (reply.type === 'failed') throw fromWireError(reply.error);
          if (reply.type === 'block') blocks.set(reply.block, reply.bytes);
          return blocks.size === count ? { value: blocks } : undefined;
        },
      });
    },
  };
}
