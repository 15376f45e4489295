import { isCode, SluiceError } from '../../format/errors.ts';
import type { LoaderService } from '../../loader/loader-service.ts';
import { inboxName, isScopeMessage, replyName, type ScopeMessage } from '../../loader/peer-messages.ts';
import { RemoteService } from '../../loader/remote-service.ts';
import type { MessageEndpoint } from '../../protocol/channel.ts';
import type { Clock } from '../../protocol/clock.ts';
import { withDeadline } from '../../protocol/deadline.ts';
import { channelName, loaderLockName, writerLockName } from '../../protocol/messages.ts';
import { WakeableWait } from '../../protocol/wakeable-wait.ts';
import type { InspectorHome } from '../home.ts';

export interface LeaderLinkOptions {
  readonly home: InspectorHome;
  readonly scope: string;
  readonly clock: Clock;
  /** Another loader leads now. */
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
  readonly #unlock: Promise<() => void>;
  /** Until a leader speaks, or the panel is closed. */
  readonly #untilLed: WakeableWait;
  /** Who was heard last. */
  #leader: string | undefined;
  /** Leaders that have said that they go, or were followed by another: a loader leads at most once, so a late word of theirs is no news. */
  readonly #gone = new Set<string>();
  #service: RemoteService | undefined;
  #closed = false;

  constructor(options: LeaderLinkOptions) {
    this.#options = options;
    this.#untilLed = new WakeableWait(options.clock);
    this.#channel = options.home.newChannel(channelName(options.scope));
    this.#channel.addEventListener('message', this.#onMessage);
    this.#channel.start?.();
    this.#unlock = options.home.holdLock(loaderLockName(this.#name));
    this.#unlock.catch(() => {}); // Whoever calls is told.
    this.look();
  }

  /** The name of the loader that leads; undefined while none is known. */
  get leader(): string | undefined {
    return this.#service && this.#leader;
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
   * within `timeoutMs`, with `call-timeout` where the lock is not granted; the service's own calls have deadlines of their own.
   */
  async use<T>(name: string, work: (service: LoaderService) => Promise<T>, timeoutMs = 5000): Promise<T> {
    await withDeadline('The Web Lock of the panel', this.#unlock, timeoutMs, this.#options.clock);
    for (;;) {
      const service = await this.#nextService(name, timeoutMs);
      try {
        return await work(service);
      } catch (error) {
        if (!isCode(error, 'disconnected') || this.#closed) throw error;
        if (this.#service === service) this.gone();
      }
    }
  }

  /** The leader does not answer: whoever leads is asked to say so, and may be the same. */
  forget(): void {
    void this.#service?.close();
    this.#service = undefined;
    this.look();
  }

  /** The leader has ended: whoever leads next is waited for. */
  gone(): void {
    if (this.#leader) this.#gone.add(this.#leader);
    this.forget();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#channel.removeEventListener('message', this.#onMessage);
    this.#channel.close();
    void this.#service?.close();
    this.#service = undefined;
    this.#untilLed.wake();
    this.#unlock.then(
      (unlock) => unlock(),
      () => {}, // It was never held.
    );
  }

  readonly #onMessage = ({ data }: MessageEvent): void => {
    if (this.#closed || !isScopeMessage(data) || data.type !== 'leads') return;
    if (data.loader === this.leader || this.#gone.has(data.loader)) return;
    const { home, scope, clock, onLeader } = this.#options;
    const before = this.#service;
    if (this.#leader && this.#leader !== data.loader) this.#gone.add(this.#leader);
    this.#leader = data.loader;
    this.#service = new RemoteService({
      loader: this.#name,
      outbox: home.newChannel(inboxName(scope, data.loader)),
      inbox: home.newChannel(replyName(scope, data.loader, this.#name)),
      clock,
    });
    void before?.close();
    this.#untilLed.wake();
    onLeader();
  };

  async #nextService(name: string, timeoutMs: number): Promise<RemoteService> {
    const { clock, scope } = this.#options;
    const deadline = clock.now() + timeoutMs;
    if (!this.#service) this.look();
    while (!this.#service && !this.#closed && clock.now() < deadline)
      await this.#untilLed.wait(deadline - clock.now());
    if (this.#closed) throw new SluiceError('closed', 'The panel was closed');
    if (this.#service) return this.#service;
    throw new SluiceError('disconnected', `${name}: no loader of ${scope} answers; open the app in a tab`);
  }

  #post(message: ScopeMessage): void {
    if (!this.#closed) this.#channel.postMessage(message);
  }
}
