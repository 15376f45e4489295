import { isCode, SluiceError } from '../format/errors.ts';

export interface StoringOptions {
  /** Told when the store has stopped taking anything. */
  readonly onFull: (reason: SluiceError) => void;
  /** The store has no room: gives some back, if it can. Never rejects. */
  readonly makeRoom?: () => Promise<void>;
}

/**
 * Whether the store takes what can be had elsewhere. Where the platform has no room (`ENOSPC`), for whatever is written, room is made and the write tried once
 * more. Whatever a write fails with then, storing stops, until {@link resume}.
 */
export class Storing {
  readonly #options: StoringOptions;
  #stopped: SluiceError | undefined;

  constructor(options: StoringOptions) {
    this.#options = options;
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** It has stopped for lack of room: that can change. */
  get isOutOfRoom(): boolean {
    return this.#stopped?.code === 'ENOSPC';
  }

  stop(reason: SluiceError): void {
    if (this.#stopped) return;
    this.#stopped = reason;
    this.#options.onFull(reason);
  }

  resume(): void {
    this.#stopped = undefined;
  }

  /** The one place where a lack of room is met: some is made, by this or by another write that met it, and the write tried once more. */
  async withRoom<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      const { makeRoom } = this.#options;
      if (!isCode(error, 'ENOSPC') || !makeRoom) throw error;
      await makeRoom();
      return write();
    }
  }

  /** A write has failed: go on in memory. A closed store is a defect of the caller. */
  failed(error: unknown): void {
    if (!(error instanceof SluiceError) || error.code === 'closed') throw error;
    this.stop(error);
  }
}
