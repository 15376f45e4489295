import { Loader } from '../../../src/loader/loader.ts';
import { inboxName } from '../../../src/loader/peer-messages.ts';
import { channelName, loaderLockName } from '../../../src/protocol/messages.ts';
import { MemoryDirectory } from '../../../src/store/memory-directory.ts';
import { LockManagerForTests } from '../../loader/lock-manager.ts';
import { type Fixture, makeSite } from '../../loader/site-fixture.ts';
import { seededRandom } from '../../support/random.ts';
import { FakeEndpoint, HastyClock, turn } from './fake-endpoint.ts';

export const scope = 'https://site.example/app/';
export const leaderName = 'leader';

let site: Promise<Fixture> | undefined;

export function fuzzSite(): Promise<Fixture> {
  site ??= makeSite(
    [
      { name: 'a.bin', size: 9000, shift: 12 },
      { name: 'b.bin', size: 30_000, shift: 13 },
    ],
    16_384,
  );
  return site;
}

/** A whole loader that leads, with everything that talks to it in the fuzzer's hands: a service worker's port, and the channels of other tabs. */
export interface LoaderRig {
  readonly loader: Loader;
  readonly port: FakeEndpoint;
  /** By name. */
  readonly channels: ReadonlyMap<string, FakeEndpoint>;
  readonly scopeChannel: FakeEndpoint;
  readonly inbox: FakeEndpoint;
}

export async function loaderRig(): Promise<LoaderRig> {
  const fixture = await fuzzSite();
  const locks = new LockManagerForTests();
  // The other tab that calls, see peerCalls, lives.
  void locks.request(loaderLockName('other'), () => new Promise(() => {}));
  const channels = new Map<string, FakeEndpoint>();
  const loader = new Loader({
    loader: leaderName,
    fetch: fetchOf(fixture),
    locks: locks.of(leaderName) as LockManager,
    estimate: async () => undefined,
    newChannel: (name) => {
      const endpoint = new FakeEndpoint();
      channels.set(name, endpoint);
      return endpoint;
    },
    openDirectory: async () => new MemoryDirectory(),
    end: () => {},
    clock: new HastyClock(),
    random: seededRandom(1),
  });
  await loader.start({ scope, release: { image: fixture.image, bytes: fixture.bootstrap.length } });
  const port = new FakeEndpoint();
  await loader.connect(port);
  while (!channels.has(inboxName(scope, leaderName))) await turn();
  return {
    loader,
    port,
    channels,
    scopeChannel: channels.get(channelName(scope))!,
    inbox: channels.get(inboxName(scope, leaderName))!,
  };
}

/** The site's files out of memory, by ranges. */
function fetchOf({ image, bootstrap, blobs }: Fixture): typeof fetch {
  const files = new Map([
    [image, bootstrap],
    ...blobs.map(({ record, bytes }) => [record.sha256, bytes] as const),
  ]);
  return async (input, init) => {
    const bytes = files.get(/([0-9a-f]{64})\.bin$/.exec(String(input))?.[1] ?? '');
    if (bytes === undefined) return new Response(null, { status: 404 });
    const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get('Range') ?? '');
    if (range === null) return new Response(bytes);
    const [start, end] = [Number(range[1]), Number(range[2]) + 1];
    const headers = { 'Content-Range': `bytes ${start}-${end - 1}/${bytes.length}` };
    return new Response(bytes.slice(start, end), { status: 206, headers });
  };
}
