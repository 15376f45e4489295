import { randomUUID } from 'node:crypto';
import type { InspectorHome } from '../../src/inspector/home.ts';
import type { LoaderService } from '../../src/loader/loader-service.ts';
import { isScopeMessage, type ScopeMessage } from '../../src/loader/peer-messages.ts';
import { PeerServer } from '../../src/loader/peer-server.ts';
import { channelName, loaderLockName, writerLockName } from '../../src/protocol/messages.ts';
import { LockManagerForTests } from '../loader/lock-manager.ts';

/**
 * A site of an origin, whose leaders say and answer what a test has them say: over real BroadcastChannels, by the server that answers standbys. A panel's home is
 * in the same origin.
 */
export class Leaders implements AsyncDisposable {
  /** Channels are the process's: one of its own for each test. */
  readonly scope = `https://a.example/${randomUUID()}/`;
  readonly locks = new LockManagerForTests();
  /** How often somebody has asked who leads. */
  asked = 0;
  readonly #ears: BroadcastChannel;
  readonly #leaders: Leader[] = [];
  readonly #channels = new Set<BroadcastChannel>();

  constructor() {
    this.#ears = this.newChannel(channelName(this.scope));
    this.#ears.addEventListener('message', ({ data }) => {
      if (isScopeMessage(data) && data.type === 'who-leads') this.asked += 1;
    });
  }

  /** Of a panel. */
  get home(): InspectorHome {
    return {
      scope: this.scope,
      newChannel: (name) => this.newChannel(name),
      holdLock: (name) => this.#hold(name),
      heldLocks: async () => (await this.locks.query()).held!.map(({ name }) => name!),
    };
  }

  /** The loader of this name leads from now on: it holds the writer's lock, says so, and answers by the service. */
  async lead(name: string, service: Partial<LoaderService>): Promise<Leader> {
    const unlock = await Promise.all([
      this.#hold(loaderLockName(name)),
      this.#hold(writerLockName(this.scope)),
    ]);
    const leader = new Leader(this, name, service, () => {
      for (const end of unlock) end();
    });
    this.#leaders.push(leader);
    leader.announce();
    return leader;
  }

  /** Some loader holds the writer's lock and does not speak: it opens its store. The answer lets go of it. */
  hold(): Promise<() => void> {
    return this.#hold(writerLockName(this.scope));
  }

  newChannel(name: string): BroadcastChannel {
    const channel = new BroadcastChannel(name);
    this.#channels.add(channel);
    return channel;
  }

  /** What was posted until now has come, and what follows from it has happened. */
  async settled(): Promise<void> {
    // A message and its answer, and what that brings about.
    for (let i = 0; i < 4; i++) {
      const [from, to] = [this.newChannel(`${this.scope}turn`), this.newChannel(`${this.scope}turn`)];
      await new Promise((resolve) => {
        to.addEventListener('message', resolve);
        from.postMessage('turn');
      });
      for (const channel of [from, to]) channel.close();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const leader of this.#leaders) leader.die();
    for (const channel of this.#channels) channel.close();
  }

  #hold(name: string): Promise<() => void> {
    return new Promise((resolve) => {
      void this.locks.request(name, () => new Promise<void>((release) => resolve(release)));
    });
  }
}

export class Leader {
  readonly name: string;
  /** Says who leads when it is asked. */
  isTalking = true;
  readonly #channel: BroadcastChannel;
  readonly #server: PeerServer;
  /** Lets go of its locks, and of nothing else. */
  readonly unlock: () => void;
  #isDead = false;

  constructor(leaders: Leaders, name: string, service: Partial<LoaderService>, unlock: () => void) {
    const { scope, locks } = leaders;
    this.name = name;
    this.unlock = unlock;
    this.#channel = leaders.newChannel(channelName(scope));
    this.#channel.addEventListener('message', ({ data }) => {
      if (this.isTalking && isScopeMessage(data) && data.type === 'who-leads') this.announce();
    });
    this.#server = new PeerServer({
      scope,
      loader: name,
      service: service as LoaderService,
      newChannel: (channel) => leaders.newChannel(channel),
      locks: locks.of(name),
    });
  }

  /** Says that it leads, whether or not it does. */
  announce(): void {
    this.#channel.postMessage({ type: 'leads', loader: this.name } satisfies ScopeMessage);
  }

  /** Without a word, as a worker that is killed; what it has posted still comes. */
  die(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.isTalking = false;
    this.#server.close();
    this.unlock();
  }
}
