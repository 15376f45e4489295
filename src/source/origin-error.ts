import { SluiceError } from '../format/errors.ts';

/** `bad-origin` with what a retry policy wants to know. */
export class OriginError extends SluiceError {
  /** Whether the same request may well succeed a moment later (a busy or restarting server, a cut answer). */
  readonly retryable: boolean;
  /** How long the server asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { retryable?: boolean; retryAfterMs?: number | undefined } = {}) {
    super('bad-origin', message);
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}
