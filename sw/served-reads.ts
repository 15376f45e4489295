import type { ReadsServed, ServedRead } from '../src/protocol/messages.ts';

/** Sent so long after the first of them; what was not sent when this worker is stopped is lost. */
const sendAfterMs = 250;
/** What is noted while no loader is there; what a launch reads first is what a trace needs. */
const maxReads = 4096;

/**
 * The blocks that this worker reads without a loader, told to one for the read log: without them a launch trace would have only what was
 * missing. Nothing waits for it.
 */
export class ServedReads {
  readonly #send: (message: ReadsServed) => boolean;
  #reads: { image: string; read: ServedRead }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `send` answers false where nobody is there to be told; {@link flush} tries again. */
  constructor(send: (message: ReadsServed) => boolean) {
    this.#send = send;
  }

  /** Consecutive blocks of one blob that `path` was answered from. */
  note(image: string, path: string, blob: number, first: number, count: number): void {
    const last = this.#reads.at(-1);
    const { read } = last ?? {};
    if (
      last?.image === image &&
      read?.path === path &&
      read.blob === blob &&
      read.first + read.count === first
    ) {
      last.read = { ...read, count: read.count + count };
    } else if (this.#reads.length < maxReads) {
      this.#reads.push({ image, read: { path, blob, first, count, at: Date.now() } });
    }
    this.#timer ??= setTimeout(() => this.flush(), sendAfterMs);
  }

  /** Tells what was noted, if somebody is there. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const left = new Map<string, ServedRead[]>();
    for (const { image, read } of this.#reads) left.set(image, [...(left.get(image) ?? []), read]);
    for (const [image, reads] of left) {
      if (!this.#send({ type: 'reads-served', image, reads })) return;
    }
    this.#reads = [];
  }
}
