import { sha256 } from '../format/sha256.ts';
import type { TreeOperation } from '../format/tree-operation.ts';
import { planChange } from '../image/tree-operations.ts';
import type { TreeChange } from '../overlay/change.ts';
import { privateBlob } from '../overlay/private-blob.ts';
import type { Engine } from './engine.ts';
import type { LocalBlocks } from './local-blocks.ts';
import type { Mount } from './mount.ts';

/**
 * Changes of mounted trees, one after the other: each is planned against what the one before left, made durable, and only then answered. The
 * operations are those by which Incremental FS's loader adds files to a mounted image, with its errors.
 */
export class TreeChanges {
  readonly #engine: Engine;
  readonly #local: LocalBlocks;
  #last: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, local: LocalBlocks) {
    this.#engine = engine;
    this.#local = local;
  }

  /**
   * Makes the change; `request` (64 random hex digits) tells a repeated request from a new one, and names the private blob if it makes a file.
   * Resolves when it is durable. Throws what {@link planChange} throws, and what the store throws; nothing has changed then.
   */
  change(mount: Mount, operation: TreeOperation, request: string): Promise<void> {
    const work = this.#last.then(() => this.#change(mount, operation, request));
    this.#last = work.catch(() => {}); // Whoever asked is told.
    return work;
  }

  async #change(mount: Mount, operation: TreeOperation, request: string): Promise<void> {
    // By a leader that did not live to answer: it must neither be done twice nor be taken for somebody else's.
    if (this.#local.isDone(request)) return;
    const changes = planChange(mount.tree, operation, { blob: request });
    if (operation.type === 'create-file' && operation.content) {
      await this.#make(mount, operation, operation.content, changes, request);
    } else if (changes.length > 0) await this.#local.change(mount.image.id, changes, request);
    this.#engine.dropRemoved(mount);
  }

  /** First the bytes, then the name: whatever comes between, nobody ever sees a file with a part of its content. */
  async #make(
    mount: Mount,
    { size, blockSize }: TreeOperation & { readonly type: 'create-file' },
    content: Uint8Array<ArrayBuffer>,
    changes: readonly TreeChange[],
    request: string,
  ): Promise<void> {
    const record = privateBlob({ blob: request, size, blockSize });
    this.#local.presence(record);
    try {
      for (let block = 0; block < record.blockCount; block++) {
        const offset = block * blockSize;
        const bytes = content.slice(offset, offset + blockSize);
        await this.#local.writePrivate(request, block, offset, bytes, await sha256(bytes));
      }
      // What a flush has lost meanwhile, this one's own among them, is not named.
      const isWhole = (): void => this.#local.requireKept(request, Array(record.blockCount).keys());
      await this.#local.change(mount.image.id, changes, request, isWhole);
    } catch (error) {
      await this.#local.discard(request);
      throw error;
    }
  }
}
