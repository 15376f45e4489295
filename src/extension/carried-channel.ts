import type { MessageEndpoint } from '../protocol/channel.ts';

/** A channel of the inspected page, as the panel has it: what comes is dispatched as `message`, and `close` when no more can come. */
export class CarriedChannel implements MessageEndpoint {
  readonly #target = new EventTarget();
  readonly #post: (message: unknown) => void;
  readonly #onClose: () => void;
  #isClosed = false;

  constructor(post: (message: unknown) => void, onClose: () => void) {
    this.#post = post;
    this.#onClose = onClose;
  }

  addEventListener(type: string, listener: (event: MessageEvent) => void): void {
    this.#target.addEventListener(type, listener as EventListener);
  }

  removeEventListener(type: string, listener: (event: MessageEvent) => void): void {
    this.#target.removeEventListener(type, listener as EventListener);
  }

  /** On a closed channel it does nothing. Throws `EINVAL` for what cannot be carried. */
  postMessage(message: unknown): void {
    if (!this.#isClosed) this.#post(message);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
  }

  receive(data: unknown): void {
    if (!this.#isClosed) this.#target.dispatchEvent(new MessageEvent('message', { data }));
  }

  /** The page has gone, or the panel. */
  lose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#target.dispatchEvent(new Event('close'));
  }
}
