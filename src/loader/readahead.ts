import type { BlobState } from './blob-state.ts';
import type { Demand } from './blob-view.ts';
import { FileBlocks } from './file-blocks.ts';
import type { LinkView } from './link-view.ts';
import type { Mount } from './mount.ts';
import { planLimits } from './plan-limits.ts';
import { SequentialReads } from './sequential-reads.ts';

/** Files of which blocks are being read ahead, or may soon be: those that were read last. */
const filesKept = 16;

interface File {
  readonly mount: Mount;
  readonly blocks: FileBlocks;
  /** Missed since the last plan, by number within the file. */
  readonly missed: number[];
  /** Block numbers `[from, to)` are to be read ahead. */
  from: number;
  to: number;
}

/** What is to be fetched before its readers come, because they read a file in order: see {@link SequentialReads}. */
export class Readahead {
  readonly #sequential = new SequentialReads();
  /** The one read last is the last. */
  readonly #files = new Map<string, File>();

  /** Somebody waits for a block of the file. */
  missed(mount: Mount, path: string, blob: number, block: number): void {
    // Nobody but its maker has what was made at run time: that cannot be fetched.
    if (blob >= mount.image.blobCount) return;
    const key = `${mount.image.id}/${path}`;
    const file = this.#files.get(key) ?? open(mount, path);
    const number = file?.blocks.numberOf(blob, block);
    if (!file || number === undefined) return;
    this.#files.delete(key);
    this.#files.set(key, file);
    file.missed.push(number);
    const [oldest] = this.#files.keys();
    if (this.#files.size > filesKept && oldest !== undefined) this.#files.delete(oldest);
  }

  /** What is to be read ahead now; what was asked for since the last time was asked for in one go. */
  *wanted(link: LinkView): Generator<Demand<BlobState>> {
    for (const [key, file] of this.#files) {
      for (const { first, end } of runsOf(file.missed)) {
        file.from = end;
        file.to = this.#sequential.missed(key, first, end, mostBlocks(file.blocks, end, link));
      }
      file.missed.length = 0;
      yield* missing(file);
    }
  }
}

function open(mount: Mount, path: string): File | undefined {
  const blocks = FileBlocks.of(mount.tree, path);
  return blocks && { mount, blocks, missed: [], from: 0, to: 0 };
}

function mostBlocks(blocks: FileBlocks, number: number, { rate }: LinkView): number {
  const { aheadLeastBytes, aheadMostBytes, aheadMs } = planLimits;
  const bytes = Math.max(aheadLeastBytes, Math.min(aheadMostBytes, (rate * aheadMs) / 1000));
  const hint = blocks.at(number)?.hint;
  return hint ? Math.ceil((bytes * hint.blockCount) / Math.max(1, hint.end - hint.start)) : 0;
}

function* missing(file: File): Generator<Demand<BlobState>> {
  for (let number = file.from; number < file.to; number++) {
    const at = file.blocks.at(number);
    const blob = at && file.mount.blob(at.blob);
    if (!blob) break;
    if (blob.isHere(at.block)) {
      if (number === file.from) file.from += 1;
    } else if (!blob.tableLoading && !blob.isHeld(at.block) && !blob.isHeld(-1)) {
      yield { blob, block: at.block, hint: at.hint };
    }
  }
}

/** Runs of consecutive numbers, whatever order they came in. */
function* runsOf(numbers: readonly number[]): Generator<{ readonly first: number; readonly end: number }> {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  for (let i = 0; i < sorted.length; ) {
    const first = sorted[i]!;
    let end = first;
    while (sorted[i] === end) {
      end += 1;
      i += 1;
    }
    yield { first, end };
  }
}
