import { isCode, SluiceError } from '../format/errors.ts';
import { type Clock, systemClock } from '../protocol/clock.ts';
import { withDeadline } from '../protocol/deadline.ts';
import { WakeableWait } from '../protocol/wakeable-wait.ts';
import { bridge } from './bridge.ts';
import type { BridgeOptions, Exchange, Line } from './bridge-messages.ts';
import { makeWire, type Receiver, type Sender } from './wire.ts';

/** Evaluates an expression in the main world of the inspected page. Rejects with `EACCES` when it cannot, with another SluiceError when the expression throws. */
export type Evaluate = (expression: string) => Promise<unknown>;

export interface PageLinkOptions {
  readonly evaluate: Evaluate;
  readonly onMessage: (channel: number, message: unknown) => void;
  /** Called once, when nothing can be carried any more; not after `close`. */
  readonly onEnd: (reason: SluiceError) => void;
  /** For tests; the defaults are below. */
  readonly limits?: Partial<Omit<BridgeOptions, 'key'>>;
  readonly clock?: Clock;
}

const defaults: Omit<BridgeOptions, 'key'> = {
  leaseMs: 10_000,
  mostWaiting: 64 * 2 ** 20,
  // So much is written, carried and read in some 20 ms.
  mostTaken: 2 ** 21,
};

/** While messages come it asks so often, and less and less often while none come. */
const askMs = { least: 50, most: 250 };
/** A page that has not answered in this time is stopped, or worse. */
const answerMs = 10_000;

/** Carries messages between a panel and a {@link bridge} in the page that it inspects. */
export class PageLink {
  readonly #options: PageLinkOptions;
  readonly #clock: Clock;
  readonly #access: string;
  readonly #mostTaken: number;
  readonly #wire = makeWire();
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #untilToSend: WakeableWait;
  #isEnded = false;

  private constructor(options: PageLinkOptions, { key, mostTaken }: BridgeOptions) {
    this.#options = options;
    this.#mostTaken = mostTaken;
    this.#clock = options.clock ?? systemClock;
    this.#untilToSend = new WakeableWait(this.#clock);
    this.#access = access(key);
    this.#sender = this.#wire.newSender();
    this.#receiver = this.#wire.newReceiver((line) => {
      const [channel, message] = this.#wire.fromLine(line) as Line;
      options.onMessage(channel, message);
    });
  }

  /** Puts a bridge into the page. `url` is the page's address. */
  static async open(options: PageLinkOptions): Promise<{ link: PageLink; url: string }> {
    const key = `sluice:inspector:${crypto.randomUUID()}`;
    const bridgeOptions: BridgeOptions = { ...defaults, ...options.limits, key };
    const expression = `(${bridge})(${makeWire}, ${JSON.stringify(bridgeOptions)}), location.href`;
    const link = new PageLink(options, bridgeOptions);
    const url = await link.#evaluate(expression);
    if (typeof url !== 'string') throw notUnderstood('an address');
    void link.#run();
    return { link, url };
  }

  /** Throws `EINVAL` for what cannot be carried. */
  post(channel: number, message: unknown): void {
    if (this.#isEnded) return;
    try {
      this.#sender.push(this.#wire.toLine([channel, message]));
    } catch (error) {
      throw new SluiceError('EINVAL', `It cannot be carried to the inspected page: ${error}`);
    }
    this.#untilToSend.wake();
  }

  /** Ends the bridge; what was posted before is not waited for. */
  close(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#untilToSend.wake();
    // A page that does not hear it will end the bridge by itself: nobody asks any more.
    this.#options.evaluate(`${this.#access}?.end()`).catch(() => {});
  }

  async #run(): Promise<void> {
    let ms = askMs.least;
    try {
      while (!this.#isEnded) {
        const received = this.#receiver.received;
        const sent = this.#sender.waiting > 0;
        const { more } = await this.#exchange();
        if (more || this.#sender.waiting > 0) continue;
        const isBusy = sent || this.#receiver.received > received;
        ms = isBusy ? askMs.least : Math.min(askMs.most, ms * 1.5);
        await this.#untilToSend.wait(ms);
      }
    } catch (error) {
      if (this.#isEnded) return;
      this.close();
      this.#options.onEnd(endOf(error));
    }
  }

  /** Both sides keep what they have sent until the other one has it, so that an answer that was lost is no harm. */
  async #exchange(): Promise<Exchange> {
    const asked: Exchange = {
      ...this.#sender.take(this.#mostTaken),
      received: this.#receiver.received,
      more: false,
    };
    const text = JSON.stringify(JSON.stringify(asked));
    const answer = await this.#evaluate(`${this.#access}?.exchange(${text})`);
    if (this.#isEnded) return { ...asked, pieces: [] };
    if (answer === undefined || answer === null)
      throw new SluiceError(
        'disconnected',
        'The inspected page was left, or has not heard of the panel for long',
      );
    const reply = JSON.parse(String(answer)) as Exchange;
    this.#sender.acknowledge(reply.received);
    this.#receiver.receive(reply);
    return reply;
  }

  #evaluate(expression: string): Promise<unknown> {
    return withDeadline('The inspected page', this.#options.evaluate(expression), answerMs, this.#clock);
  }
}

function access(key: string): string {
  return `globalThis[Symbol.for(${JSON.stringify(key)})]`;
}

/** Where it could be looked into before, it is another page now that cannot. */
function endOf(error: unknown): SluiceError {
  if (isCode(error, 'EACCES'))
    return new SluiceError('disconnected', 'The inspected page was left', { cause: error });
  return error instanceof SluiceError ? error : notUnderstood('messages', error);
}

function notUnderstood(what: string, cause?: unknown): SluiceError {
  const why = cause === undefined ? '' : ` (${cause})`;
  return new SluiceError(
    'unreadable',
    `The inspected page has answered what is not ${what} of this version${why}: reload it`,
  );
}
