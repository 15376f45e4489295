import { SluiceError } from '../format/errors.ts';
import type { InspectorHome, NavigationMark } from '../inspector/home.ts';
import { Channel, type MessageEndpoint } from '../protocol/channel.ts';
import { writerLockName } from '../protocol/messages.ts';
import { hasShape, isArrayOf, isCount, isMessageOf, isNumber, isOneOf, isText } from '../protocol/shapes.ts';
import type { BridgeCall, FromBridge, ToBridge } from './bridge-messages.ts';
import { CarriedChannel } from './carried-channel.ts';
import { PageLink, type PageLinkOptions } from './page-link.ts';

/** As PageLink's. */
export type DevtoolsHomeOptions = Omit<PageLinkOptions, 'onMessage'>;

const callMs = 10_000;

/** {@link FromBridge}. */
const shapes = {
  answer: { id: isCount },
  failed: { id: isCount, message: isText },
  lost: { channel: isCount, why: isOneOf('too-much', 'unreadable') },
};
const isFromBridge = (message: unknown): message is FromBridge => isMessageOf(shapes, message);
const isTexts = isArrayOf(isText);
const isMarks = isArrayOf((mark) => hasShape(mark, { 0: isText, 1: isNumber }));

/**
 * The home of a panel in DevTools: its messages are carried by what it lets evaluate in the inspected page, one document of it. When that is left, or too much
 * comes, the home ends (`onEnd`), and with it all that it held; the panel goes on with a new one.
 */
export class DevtoolsHome implements InspectorHome {
  readonly #link: PageLink;
  readonly #channels: Map<number, CarriedChannel>;
  readonly #control: Channel<ToBridge, FromBridge>;
  #lastChannel = 0;
  #scope: string | undefined;

  private constructor(
    link: PageLink,
    channels: Map<number, CarriedChannel>,
    end: (reason: SluiceError) => void,
  ) {
    this.#link = link;
    this.#channels = channels;
    this.#control = new Channel<ToBridge, FromBridge>(this.#newEndpoint(0), {
      accept: isFromBridge,
      replyTo: (message) => (message.type === 'lost' ? undefined : message.id),
      onMessage: (message) => {
        if (message.type === 'lost') end(lost(message.why));
      },
    });
  }

  /** Rejects with a SluiceError where nothing can be evaluated, or the page has no Web Locks. */
  static async open(options: DevtoolsHomeOptions): Promise<DevtoolsHome> {
    const channels = new Map<number, CarriedChannel>();
    let home: DevtoolsHome | undefined;
    const onEnd = (reason: SluiceError): void => {
      home?.close();
      options.onEnd(reason);
    };
    const { link, url } = await PageLink.open({
      ...options,
      onEnd,
      onMessage: (channel, message) => channels.get(channel)?.receive(message),
    });
    home = new DevtoolsHome(link, channels, onEnd);
    try {
      home.#scope = nearest(url, await home.heldLocks());
    } catch (error) {
      home.close();
      throw error;
    }
    return home;
  }

  /** Of the page, where it is in a site that some loader works for. */
  get scope(): string | undefined {
    return this.#scope;
  }

  newChannel(name: string): MessageEndpoint {
    this.#lastChannel += 1;
    this.#control.post({ type: 'open', channel: this.#lastChannel, name });
    return this.#newEndpoint(this.#lastChannel);
  }

  async holdLock(name: string): Promise<() => void> {
    let lock = 0;
    const release = (): void => this.#control.post({ type: 'release', lock });
    await this.#call(`The lock "${name}" of the inspected page`, (id) => {
      lock = id;
      return { type: 'hold', id, name };
    });
    return release;
  }

  async heldLocks(): Promise<readonly string[]> {
    const names = await this.#call('The locks of the inspected page', (id) => ({ type: 'locks', id }));
    return isTexts(names) ? (names as string[]) : [];
  }

  async marks(): Promise<readonly NavigationMark[]> {
    const marks = await this.#call('The times of the inspected page', (id) => ({ type: 'marks', id }));
    return isMarks(marks) ? (marks as [string, number][]).map(([name, at]) => ({ name, at })) : [];
  }

  /** Whether the page is an app's that Sluice serves; its loader may not have begun. */
  async isServed(): Promise<boolean> {
    return (await this.#call('The inspected page', (id) => ({ type: 'served', id }))) === true;
  }

  /** Lets go of the page. Idempotent. */
  close(): void {
    this.#link.close();
    this.#control.close();
    for (const channel of [...this.#channels.values()]) channel.lose();
    this.#channels.clear();
  }

  #newEndpoint(channel: number): CarriedChannel {
    const endpoint = new CarriedChannel(
      (message) => this.#link.post(channel, message),
      () => {
        this.#channels.delete(channel);
        if (channel > 0) this.#control.post({ type: 'close', channel });
      },
    );
    this.#channels.set(channel, endpoint);
    return endpoint;
  }

  #call(name: string, message: (id: number) => BridgeCall): Promise<unknown> {
    return this.#control.call<unknown>({
      name,
      message,
      // A lock that nobody waits for any more; of other calls, nothing.
      cancel: (lock) => ({ type: 'release', lock }),
      timeoutMs: callMs,
      onReply: (reply) => {
        if (reply.type === 'answer') return { value: reply.value };
        if (reply.type === 'lost') return undefined;
        const advice = 'Sluice works over https and on localhost only';
        throw new SluiceError('unreadable', `${name}: ${reply.message}. ${advice}`);
      },
    });
  }
}

/** The longest scope of a writer that the page lies in. */
function nearest(url: string, locks: readonly string[]): string | undefined {
  const prefix = writerLockName('');
  return locks
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((scope) => url.startsWith(scope))
    .sort((a, b) => b.length - a.length)[0];
}

function lost(why: 'too-much' | 'unreadable'): SluiceError {
  return why === 'too-much'
    ? new SluiceError('E2BIG', 'More has come from the inspected page than DevTools took. It begins anew')
    : new SluiceError(
        'unreadable',
        'The inspected page has sent what is no message of this version. Reload it',
      );
}
