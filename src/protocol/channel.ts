import { SluiceError } from '../format/errors.ts';
import { type Clock, systemClock } from './clock.ts';

/** The part of MessagePort, BroadcastChannel and DedicatedWorkerGlobalScope that a channel needs. */
export interface MessageEndpoint {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(type: string, listener: (event: MessageEvent) => void): void;
  removeEventListener(type: string, listener: (event: MessageEvent) => void): void;
  start?(): void;
  close(): void;
}

export interface ChannelOptions<In> {
  /** Structural check of what arrives; anything else is ignored and counted. */
  readonly accept: (message: unknown) => message is In;
  /** The id of the call that a message answers; undefined for messages that answer none. */
  readonly replyTo: (message: In) => number | undefined;
  /** Everything that answers no call. */
  readonly onMessage: (message: In) => void;
  /** Called once, when the channel is closed from either side. */
  readonly onClose?: (reason: SluiceError) => void;
  readonly clock?: Clock;
}

export interface CallOptions<Out, In, T> {
  /** Names the call in errors. */
  readonly name: string;
  readonly message: (id: number) => Out;
  /** What tells the other side that nobody waits any more (sent after a timeout or an abort). */
  readonly cancel?: (id: number) => Out;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly transfer?: Transferable[];
  /** One answer: `{ value }` ends the call, undefined = more will come, a throw fails the call. */
  readonly onReply: (reply: In) => { readonly value: T } | undefined;
}

interface Call<In> {
  reply(message: In): void;
  fail(reason: unknown): void;
}

/**
 * Request and reply over a message endpoint. Every call ends: by its reply, its error, `call-timeout` naming the
 * call, the signal's reason, or `disconnected` when the channel closes. A reply that comes after its call has ended is
 * ignored and counted. (The idea that each call must end in one of these ways is Vite's module runner transport's.)
 */
export class Channel<Out, In> {
  readonly #endpoint: MessageEndpoint;
  readonly #options: ChannelOptions<In>;
  readonly #clock: Clock;
  readonly #calls = new Map<number, Call<In>>();
  #nextId = 1;
  #ignored = 0;
  #closed: SluiceError | undefined;

  constructor(endpoint: MessageEndpoint, options: ChannelOptions<In>) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    endpoint.addEventListener('message', this.#onMessage);
    // Only newer Chromium tells that a port's other end is gone; elsewhere whoever owns the channel must notice.
    endpoint.addEventListener('close', this.#onGone);
    endpoint.start?.();
  }

  /** Messages that were not understood, or came too late. */
  get ignored(): number {
    return this.#ignored;
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Sends a message that expects no answer. On a closed channel it does nothing: the other side is gone. */
  post(message: Out, transfer?: Transferable[]): void {
    if (this.#closed === undefined) this.#endpoint.postMessage(message, transfer ?? []);
  }

  call<T>(options: CallOptions<Out, In, T>): Promise<T> {
    const { signal } = options;
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      const end = (): void => {
        this.#calls.delete(id);
        stopTimer();
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (reason: unknown): void => {
        end();
        reject(reason);
      };
      const abandon = (reason: unknown): void => {
        fail(reason);
        if (options.cancel) this.post(options.cancel(id));
      };
      const onAbort = (): void => abandon(signal?.reason);
      const stopTimer = this.#clock.after(options.timeoutMs, () =>
        abandon(
          new SluiceError('call-timeout', `${options.name} got no answer within ${options.timeoutMs} ms`),
        ),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      const reply = (message: In): void => {
        try {
          const ended = options.onReply(message);
          if (!ended) return;
          end();
          resolve(ended.value);
        } catch (error) {
          fail(error);
        }
      };
      this.#calls.set(id, { reply, fail });
      try {
        this.#endpoint.postMessage(options.message(id), options.transfer ?? []);
      } catch (error) {
        fail(error);
      }
    });
  }

  /** Ends every outstanding call with `reason` (default `disconnected`) and lets the endpoint go. Idempotent. */
  close(reason = new SluiceError('disconnected', 'The channel was closed')): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#endpoint.removeEventListener('message', this.#onMessage);
    this.#endpoint.removeEventListener('close', this.#onGone);
    this.#endpoint.close();
    for (const call of [...this.#calls.values()]) call.fail(reason);
    this.#options.onClose?.(reason);
  }

  readonly #onGone = (): void =>
    this.close(new SluiceError('disconnected', 'The other side closed its port'));

  readonly #onMessage = (event: MessageEvent): void => {
    const message: unknown = event.data;
    if (!this.#options.accept(message)) {
      this.#ignored += 1;
      return;
    }
    const id = this.#options.replyTo(message);
    if (id === undefined) {
      this.#options.onMessage(message);
      return;
    }
    const call = this.#calls.get(id);
    if (call) call.reply(message);
    else this.#ignored += 1;
  };
}
