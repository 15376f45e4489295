import { isCode, SluiceError } from '../src/format/errors.ts';
import type { FileTree } from '../src/image/file-tree.ts';
import type { BlockSpan } from '../src/image/image.ts';
import { spanBytes } from '../src/image/map-range.ts';
import type { BlockReader, PendingBlock } from './block-reader.ts';

/** Logical bytes asked for ahead of what the browser has taken, at most; all that one answer holds in memory. */
const windowBytes = 2 * 1024 * 1024;
/**
 * And at first, where the reader may go away, doubled whenever half of it was taken, as Linux reads ahead: who looks at a file's
 * beginning and goes away has not kept the link from others (a PDF viewer's recorded launch read 2 MiB of its file in one go, and then five ranges).
 */
const firstWindowBytes = 256 * 1024;

/** From here on an answer is long: what a hop to a loader costs is little beside it. */
const longBytes = 1024 * 1024;

export interface WindowOptions {
  readonly timeoutMs: number;
  readonly mayWaitForLoader: boolean;
  /** Fires when the reader is gone. */
  readonly signal: AbortSignal;
}

export interface BlockWindowOptions extends WindowOptions {
  /** It is certain that all of it will be taken. */
  readonly whole: boolean;
}

interface Ahead {
  readonly span: BlockSpan;
  block: PendingBlock;
  /** Nobody waited for it yet when it was asked for. */
  isEarly: boolean;
}

/**
 * The bytes `[start, end)` of a file in order, a block's part at a time, with a bounded read-ahead. Neighbouring blocks are asked for
 * together, and more is asked for when half of the window was taken, so that a long file costs few requests.
 */
export class BlockWindow {
  readonly #image: FileTree;
  readonly #path: string;
  readonly #reader: Pick<BlockReader, 'read'>;
  readonly #options: BlockWindowOptions;
  readonly #spans: Iterator<BlockSpan, void>;
  readonly #ahead: Ahead[] = [];
  readonly #long: boolean;
  #aheadBytes = 0;
  #mostAhead: number;
  #next: BlockSpan | undefined;
  #closed = false;

  constructor(
    reader: Pick<BlockReader, 'read'>,
    image: FileTree,
    file: { readonly inode: number; readonly path: string },
    range: { readonly start: number; readonly end: number },
    options: BlockWindowOptions,
  ) {
    this.#reader = reader;
    this.#image = image;
    this.#path = file.path;
    this.#options = options;
    this.#mostAhead = options.whole ? windowBytes : firstWindowBytes;
    this.#long = range.end - range.start >= longBytes;
    this.#spans = image.mapRange(file.inode, range.start, range.end)[Symbol.iterator]();
    this.#next = this.#spans.next().value ?? undefined;
    if (options.signal.aborted) this.close();
    else options.signal.addEventListener('abort', this.close, { once: true });
    this.#fill();
  }

  /** Whether everything was taken. */
  get done(): boolean {
    return this.#ahead.length === 0 && !this.#closed;
  }

  /** The next bytes; a view of a block that others may read too. Rejects as the block's read does, and with `closed`. */
  async take(): Promise<Uint8Array<ArrayBuffer>> {
    const next = this.#ahead[0];
    if (!next) throw new SluiceError('closed', `The answer for /${this.#path} was given up`);
    const { span } = next;
    const bytes = await this.#bytes(next);
    this.#ahead.shift();
    this.#aheadBytes -= span.length;
    if (this.#aheadBytes <= this.#mostAhead / 2) {
      this.#mostAhead = Math.min(windowBytes, this.#mostAhead * 2);
      this.#fill();
    }
    return spanBytes(span, bytes);
  }

  /** A deadline is for whoever waits: one that passed while blocks in front were on their way over a slow link, or the browser took nothing, is no failure. */
  async #bytes(next: Ahead): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await next.block.bytes;
    } catch (error) {
      if (!next.isEarly || this.#closed || !isCode(error, 'read-timeout')) throw error;
      next.block = this.#read([next.span])[0]!;
      next.isEarly = false;
      return await next.block.bytes;
    }
  }

  /** Withdraws everything that was asked for and not taken. */
  readonly close = (): void => {
    this.#closed = true;
    this.#options.signal.removeEventListener('abort', this.close);
    for (const { block } of this.#ahead.splice(0)) block.withdraw();
    this.#next = undefined;
  };

  #fill(): void {
    while (this.#next && (this.#aheadBytes < this.#mostAhead || this.#ahead.length === 0)) {
      const spans = this.#takeRun(this.#next);
      const blocks = this.#read(spans);
      spans.forEach((span, i) => {
        this.#ahead.push({ span, block: blocks[i]!, isEarly: this.#ahead.length > 0 });
      });
    }
  }

  /** Spans of consecutive blocks of one blob. */
  #read(spans: readonly BlockSpan[]): PendingBlock[] {
    const { blob, block: first } = spans[0]!;
    return this.#reader.read({
      image: this.#image,
      path: this.#path,
      blob,
      first,
      count: spans.length,
      // A part of one block: of a small file among others, or of a range. Long reads are not worth a cache.
      partial: spans.length === 1 && spans[0]!.length < windowBytes / 8,
      long: this.#long,
      timeoutMs: this.#options.timeoutMs,
      mayWaitForLoader: this.#options.mayWaitForLoader,
    });
  }

  /** Spans of consecutive blocks, from `span` on, as far as the window allows. */
  #takeRun(span: BlockSpan): BlockSpan[] {
    const run = [span];
    this.#aheadBytes += span.length;
    for (;;) {
      const last = run.at(-1)!;
      this.#next = this.#spans.next().value ?? undefined;
      const fits = this.#aheadBytes < this.#mostAhead;
      if (!this.#next || !fits || this.#next.blob !== last.blob || this.#next.block !== last.block + 1)
        return run;
      run.push(this.#next);
      this.#aheadBytes += this.#next.length;
    }
  }
}
