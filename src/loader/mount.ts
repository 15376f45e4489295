import type { FileTree } from '../image/file-tree.ts';
import type { Image } from '../image/image.ts';
import type { ReadErrorInfo } from '../protocol/state.ts';
import type { BlobState } from './blob-state.ts';
import type { RunHint } from './fetch-plan.ts';
import { ReadRing } from './read-log.ts';

/** So many reads are remembered for a launch trace. */
const readLogCapacity = 65_536;

/** An image that is being served: its blobs as the engine knows them (shared with other images), and its reads. */
export class Mount {
  readonly image: Image;
  readonly tree: FileTree;
  /** By index in the image's blob table. */
  readonly blobs: readonly BlobState[];
  /** Clock time at which it was mounted. */
  readonly since: number;
  readonly log = new ReadRing(readLogCapacity);
  readonly totalBlocks: number;
  /** The last read that ended without its bytes. */
  lastReadError: ReadErrorInfo | undefined;
  readonly #indices: ReadonlyMap<string, number>;

  constructor(image: Image, blobs: readonly BlobState[], since: number) {
    this.image = image;
    this.tree = image;
    this.blobs = blobs;
    this.since = since;
    this.#indices = new Map(blobs.map(({ sha256 }, i) => [sha256, i]));
    this.totalBlocks = blobs.reduce((sum, blob) => sum + blob.blockCount, 0);
  }

  /** Undefined where the tree has no such blob. */
  blob(index: number): BlobState | undefined {
    return this.blobs[index];
  }

  /** The index of a blob in this image; undefined where it is another image's. */
  indexOf(sha256: string): number | undefined {
    return this.#indices.get(sha256);
  }

  get complete(): boolean {
    return this.blobs.every((blob) => blob.complete);
  }

  get presentBlocks(): number {
    return this.blobs.reduce((sum, blob) => sum + blob.presentCount, 0);
  }

  get presentBytes(): number {
    return this.blobs.reduce((sum, blob) => sum + blob.presentBytes, 0);
  }

  /**
   * Stored range of the run of blocks of `path` that holds the block, from the image's extents: known without the block
   * table. Undefined where the path does not lead there (it is for people's eyes, so it need not).
   */
  hint(path: string, blob: number, block: number): RunHint | undefined {
    const inode = this.tree.lookup(path);
    if (inode === undefined) return undefined;
    const { kind, size } = this.tree.inode(inode);
    if (kind !== 'file') return undefined;
    for (const span of this.tree.mapExtents(inode, 0, size)) {
      const { firstBlock, blockCount, storedOffset, storedLength } = span;
      if (span.blob !== blob || block < firstBlock || block >= firstBlock + blockCount) continue;
      return { start: storedOffset, end: storedOffset + storedLength, firstBlock, blockCount };
    }
    return undefined;
  }
}
