import type { ReadsServed, ServedRead } from '../src/protocol/messages.ts';
import type { LoaderPort } from './loader-ports.ts';

/** Sent so long after the first of them; what was not sent when this worker is stopped is lost. */
const sendAfterMs = 250;
/** A block that was there: reading it takes its time, too. */
const atOnceMs = 10;
/** What is remembered; what a launch reads first is what a trace needs. */
const maxReads = 4096;

/** Blocks that were there are one read with their neighbours; one that was waited for is told by itself. */
function goesOn(
  last: ServedRead,
  { path, blob, first, waitedMs, failed, code }: Omit<ServedRead, 'serial'>,
): boolean {
  const isNext = last.path === path && last.blob === blob && last.first + last.count === first;
  return (
    isNext &&
    code === undefined &&
    Math.max(last.waitedMs, waitedMs) < atOnceMs &&
    (last.failed ?? failed) === undefined
  );
}

/** Whom to tell. */
type Listener = Pick<LoaderPort, 'role' | 'post'>;

/**
 * The blocks that this worker's answers were made of, wherever they came from, told to a loader for the read log. Nothing waits for it. What a
 * launch has read is told again to the loader that comes next: the one of the page before the app's goes with its page.
 */
export class ServedReads {
  readonly #listener: () => Listener | undefined;
  readonly #life = crypto.randomUUID();
  #serial = 0;
  #reads: { image: string; read: ServedRead }[] = [];
  /** How many of them {@link #told} was sent. */
  #sent = 0;
  #told: { readonly listener: Listener; readonly role: Listener['role'] } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: () => Listener | undefined) {
    this.#listener = listener;
  }

  /** A page is being launched: what others have read, and was told, is not told again. */
  launch(): void {
    this.#reads.splice(0, this.#sent);
    this.#sent = 0;
  }

  note(image: string, read: Omit<ServedRead, 'serial'>): void {
    const last = this.#reads.at(-1);
    if (last?.image === image && this.#sent < this.#reads.length && goesOn(last.read, read))
      last.read = {
        ...last.read,
        count: last.read.count + read.count,
        decodedMs: (last.read.decodedMs ?? 0) + (read.decodedMs ?? 0),
      };
    else {
      if (this.#reads.length === maxReads) this.launch();
      if (this.#reads.length < maxReads)
        this.#reads.push({ image, read: { serial: ++this.#serial, ...read } });
    }
    this.#timer ??= setTimeout(() => this.flush(), sendAfterMs);
  }

  /** Tells what was noted, if somebody is there. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const listener = this.#listener();
    if (!listener) return;
    const { role } = listener;
    if (this.#told?.listener !== listener || this.#told.role !== role) this.#sent = 0;
    this.#told = { listener, role };
    const messages = new Map<string, ServedRead[]>();
    for (const { image, read } of this.#reads.slice(this.#sent)) {
      const reads = messages.get(image);
      if (reads) reads.push(read);
      else messages.set(image, [read]);
    }
    this.#sent = this.#reads.length;
    for (const [image, reads] of messages) {
      const message: ReadsServed = { type: 'reads-served', image, life: this.#life, reads };
      listener.post(message);
    }
  }
}
