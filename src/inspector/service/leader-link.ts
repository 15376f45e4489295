import { isCode, SluiceError } from '../../format/errors.ts';
import type { LoaderService } from '../../loader/loader-service.ts';
import { inboxName, isScopeMessage, replyName, type ScopeMessage } from '../../loader/peer-messages.ts';
import { RemoteService } from '../../loader/remote-service.ts';
import type { MessageEndpoint } from '../../protocol/channel.ts';
import type { Clock } from '../../protocol/clock.ts';
import { channelName, loaderLockName, writerLockName } from '../../protocol/messages.ts';
import type { InspectorHome } from '../home.ts';

export interface LeaderLinkOptions {
  readonly home: InspectorHome;
  readonly scope: string;
  readonly clock: Clock;
  /** Another loader leads now, or none. */
  readonly onLeader: () => void;
}

/**
 * The panel's way to the loader that leads a site. To the leader it is one more standby, which holds the Web Lock of its name; but it never opens an image, so
 * that it is no tab, and never asks for the writer's lock, so that it never leads.
 */
export class LeaderLink {
  readonly #options: LeaderLinkOptions;
  readonly #name = crypto.randomUUID();
  readonly #channel: MessageEndpoint;
  #unlock: Promise<() => void>;
  #leader: string | undefined;
  #service: RemoteService | undefined;
  #waiters = new Set<() => void>();
  #closed = false;

  constructor(options: LeaderLinkOptions) {
    this.#options = options;
    this.#channel = options.home.newChannel(channelName(options.scope));
    this.#channel.addEventListener('message', this.#onMessage);
    this.#channel.start?.();
    this.#unlock = options.home.holdLock(loaderLockName(this.#name));
    this.#unlock.catch(() => {}); // Whoever calls is told.
    this.look();
  }

  /** The name of the loader that leads; undefined while none is known. */
  get leader(): string | undefined {
    return this.#leader;
  }

  /** Asks who leads. */
  look(): void {
    this.#post({ type: 'who-leads' });
  }

  /** Whether some loader of the site leads, or is about to: it holds the writer's lock. */
  async isLed(): Promise<boolean> {
    return (await this.#options.home.heldLocks()).includes(writerLockName(this.#options.scope));
  }

  /**
   * Does the work with the service of the moment, and again with the next where the leader goes away meanwhile. Rejects with `disconnected` where none leads
   * within `timeoutMs`; the service's own calls have deadlines of their own.
   */
  async use<T>(name: string, work: (service: LoaderService) => Promise<T>, timeoutMs = 5000): Promise<T> {
    await this.#unlock;
    for (;;) {
      const service = await this.#nextService(name, timeoutMs);
      try {
        return await work(service);
      } catch (error) {
        if (!isCode(error, 'disconnected') || this.#closed) throw error;
        if (this.#service === service) this.forget();
      }
    }
  }

  /** The leader does not answer, or has said that it goes: whoever leads next is waited for. */
  forget(): void {
    const before = this.#service;
    this.#leader = undefined;
    this.#service = undefined;
    void before?.close();
    this.look();
    this.#options.onLeader();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#channel.removeEventListener('message', this.#onMessage);
    this.#channel.close();
    void this.#service?.close();
    this.#service = undefined;
    for (const wake of this.#waiters) wake();
    this.#unlock.then(
      (unlock) => unlock(),
      () => {}, // It was never held.
    );
  }

  readonly #onMessage = ({ data }: MessageEvent): void => {
    if (this.#closed || !isScopeMessage(data) || data.type !== 'leads') return;
    if (data.loader === this.#leader) return;
    const { home, scope, clock, onLeader } = this.#options;
    const before = this.#service;
    this.#leader = data.loader;
    this.#service = new RemoteService({
      loader: this.#name,
      outbox: home.newChannel(inboxName(scope, data.loader)),
      inbox: home.newChannel(replyName(scope, data.loader, this.#name)),
      clock,
    });
    void before?.close();
    for (const wake of this.#waiters) wake();
    onLeader();
  };

  #nextService(name: string, timeoutMs: number): Promise<RemoteService> {
    if (this.#closed) return Promise.reject(new SluiceError('closed', 'The panel was closed'));
    if (this.#service) return Promise.resolve(this.#service);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        stop();
        this.#waiters.delete(wake);
      };
      const wake = (): void => {
        end();
        if (this.#service) resolve(this.#service);
        else reject(new SluiceError('closed', 'The panel was closed'));
      };
      const stop = this.#options.clock.after(timeoutMs, () => {
        end();
        reject(
          new SluiceError(
            'disconnected',
            `${name}: no loader of ${this.#options.scope} answers; open the app in a tab`,
          ),
        );
      });
      this.#waiters.add(wake);
      this.look();
    });
  }

  #post(message: ScopeMessage): void {
    if (!this.#closed) this.#channel.postMessage(message);
  }
}
