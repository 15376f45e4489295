import { SluiceError } from '../format/errors.ts';
import type { MessageEndpoint } from '../protocol/channel.ts';
import type { Clock } from '../protocol/clock.ts';
import { channelName, writerLockName } from '../protocol/messages.ts';
import type { LoaderService, ServiceEvent } from './loader-service.ts';
import { inboxName, isScopeMessage, replyName, type ScopeMessage } from './peer-messages.ts';
import { PeerServer } from './peer-server.ts';
import { RemoteService } from './remote-service.ts';

export interface SuccessionOptions {
  readonly scope: string;
  /** This loader's name; it holds the Web Lock of that name. */
  readonly loader: string;
  readonly locks: Pick<LockManager, 'request'>;
  readonly newChannel: (name: string) => MessageEndpoint;
  readonly clock: Clock;
  /** Makes the leader's service, once this loader holds the writer's lock. */
  readonly lead: (onEvent: (event: ServiceEvent) => void) => Promise<LoaderService>;
  /** Called for every new service before it is used: what the one before was told has to be told again. */
  readonly prepare: (service: LoaderService) => Promise<void>;
  readonly onRole: (role: 'leader' | 'standby') => void;
  /** From the leader, whoever that is. */
  readonly onEvent: (event: ServiceEvent) => void;
}

/**
 * Who leads the loaders of one scope. The Web Lock elects: its holder owns the store and answers, the others pass their callers'
 * requests on to it. When the holder's worker ends, in whatever way, the browser grants the lock to the next, which mounts from the
 * journal and announces itself; calls that were under way are asked again of the new leader. (The pattern is wa-sqlite's.)
 */
export class Succession {
  readonly #options: SuccessionOptions;
  readonly #scopeChannel: MessageEndpoint;
  readonly #released = new AbortController();
  #role: 'leader' | 'standby' = 'standby';
  /** The name of the loader whose service this is. */
  #leader: string | undefined;
  #service: Promise<LoaderService>;
  #setService!: (service: Promise<LoaderService>) => void;
  #current: LoaderService | undefined;
  #peers: PeerServer | undefined;

  constructor(options: SuccessionOptions) {
    this.#options = options;
    this.#service = this.#nextService();
    this.#scopeChannel = options.newChannel(channelName(options.scope));
    this.#scopeChannel.addEventListener('message', this.#onMessage);
    this.#post({ type: 'who-leads' });
    this.#campaign();
  }

  get role(): 'leader' | 'standby' {
    return this.#role;
  }

  /**
   * Does the work with the service of the moment, and again with the next when the leader goes away meanwhile. The work must bear being repeated.
   * `timeoutMs` bounds the wait for a leader; the calls of the service have deadlines of their own.
   */
  async use<T>(name: string, work: (service: LoaderService) => Promise<T>, timeoutMs = 30_000): Promise<T> {
    for (;;) {
      const service = await this.#withDeadline(name, this.#service, timeoutMs);
      try {
        return await work(service);
      } catch (error) {
        const gone = error instanceof SluiceError && error.code === 'disconnected';
        if (!gone || this.#released.signal.aborted) throw error;
        if (this.#current !== service) continue;
        // Our own service does not go away while we lead; whoever says so speaks of something else.
        if (this.#role === 'leader') throw error;
        this.#awaitLeader();
      }
    }
  }

  /** Steps down. What is under way ends with `closed` or `disconnected`; the next loader takes over. */
  async close(): Promise<void> {
    if (this.#released.signal.aborted) return;
    const closed = new SluiceError('closed', 'The loader was closed');
    this.#scopeChannel.removeEventListener('message', this.#onMessage);
    try {
      await this.#current?.close();
    } finally {
      // After the answers and events that closing makes have gone out, and the store's files are free.
      this.#peers?.close();
      this.#released.abort(closed);
      this.#scopeChannel.close();
      const none = Promise.reject(closed);
      none.catch(() => {}); // Whoever calls is told.
      this.#setService(none);
      this.#service = none;
    }
  }

  /** Waits for the lock, leads as long as it holds it. */
  #campaign(): void {
    const { locks, scope } = this.#options;
    const { signal } = this.#released;
    locks
      .request(writerLockName(scope), { signal }, async () => {
        await this.#lead();
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          else signal.addEventListener('abort', () => resolve(), { once: true });
        });
      })
      .catch((error: unknown) => {
        // Called off by close(), or the platform refused the lock: then nobody can lead safely.
        if (signal.aborted) return;
        this.#role = 'standby';
        const failed = Promise.reject(error);
        failed.catch(() => {});
        this.#replace(undefined, failed);
      });
  }

  async #lead(): Promise<void> {
    const { scope, loader, locks, newChannel, lead, onEvent, onRole } = this.#options;
    const leading = lead((event) => {
      onEvent(event);
      this.#post({ type: 'happened', event });
    });
    this.#role = 'leader';
    this.#replace(loader, leading);
    const service = await leading;
    if (this.#released.signal.aborted) {
      await service.close();
      return;
    }
    this.#peers = new PeerServer({ scope, loader, service, newChannel, locks });
    onRole('leader');
    this.#post({ type: 'leads', loader });
  }

  readonly #onMessage = ({ data }: MessageEvent): void => {
    if (!isScopeMessage(data)) return;
    if (data.type === 'happened') this.#options.onEvent(data.event);
    else if (data.type === 'leads') this.#follow(data.loader);
    else if (this.#peers) this.#post({ type: 'leads', loader: this.#options.loader });
  };

  /** The leader has said that it goes; the next one has not spoken yet. */
  #awaitLeader(): void {
    const before = this.#current;
    this.#current = undefined;
    this.#service = this.#nextService();
    void before?.close();
  }

  #nextService(): Promise<LoaderService> {
    return new Promise((resolve) => {
      this.#setService = resolve;
    });
  }

  #follow(leader: string): void {
    if (this.#role === 'leader' || leader === this.#leader) return;
    const { scope, loader, newChannel, clock } = this.#options;
    const remote = new RemoteService({
      loader,
      outbox: newChannel(inboxName(scope, leader)),
      inbox: newChannel(replyName(scope, leader, loader)),
      clock,
    });
    this.#replace(leader, Promise.resolve(remote));
  }

  /** The new service first, then the end of the old one: so that whoever that disconnects finds the new one. */
  #replace(leader: string | undefined, service: Promise<LoaderService>): void {
    const before = this.#current;
    this.#leader = leader;
    this.#current = undefined;
    const prepared = this.#prepare(leader, service);
    prepared.catch(() => {}); // Whoever uses it is told.
    this.#setService(prepared);
    this.#service = prepared;
    void before?.close();
  }

  async #prepare(leader: string | undefined, service: Promise<LoaderService>): Promise<LoaderService> {
    const made = await service;
    if (this.#leader !== leader) {
      await made.close();
      return this.#service;
    }
    this.#current = made;
    try {
      await this.#options.prepare(made);
    } catch {
      // It cannot open what the one before had: its callers will hear why, each for its own call. Unless it is gone already.
      if (this.#current !== made && !this.#released.signal.aborted) return this.#service;
    }
    return made;
  }

  #post(message: ScopeMessage): void {
    if (!this.#released.signal.aborted) this.#scopeChannel.postMessage(message);
  }

  #withDeadline<T>(name: string, work: Promise<T>, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = this.#options.clock.after(timeoutMs, () =>
        reject(new SluiceError('call-timeout', `${name}: no loader leads after ${timeoutMs} ms`)),
      );
      work.then(resolve, reject).finally(stop);
    });
  }
}
