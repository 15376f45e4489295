import { SluiceError } from '../format/errors.ts';
import { sha256 } from '../format/sha256.ts';
import type { TreeOperation } from '../format/tree-operation.ts';
import { planChange } from '../image/tree-operations.ts';
import type { TreeChange } from '../overlay/change.ts';
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
   * Makes the change; `blob` names the private blob if it makes a file, and tells a repeated request from a new one. Resolves when it is
   * durable. Throws what {@link planChange} throws, and what the store throws; nothing has changed then.
   */
  change(mount: Mount, operation: TreeOperation, blob: string): Promise<void> {
    const work = this.#last.then(() => this.#change(mount, operation, blob));
    this.#last = work.catch(() => {}); // Whoever asked is told.
    return work;
  }

  async #change(mount: Mount, operation: TreeOperation, blob: string): Promise<void> {
    if (isMade(mount, operation, blob)) return;
    const changes = planChange(mount.tree, operation, { blob });
    if (operation.type === 'create-file' && operation.content) {
      await this.#make(mount, operation, operation.content, changes, blob);
    } else if (changes.length > 0) await this.#local.change(mount.image.id, changes);
    this.#engine.dropRemoved(mount);
  }

  /** First the bytes, then the name: whatever comes between, nobody ever sees a file with a part of its content. */
  async #make(
    mount: Mount,
    { size: length, blockSize }: TreeOperation & { readonly type: 'create-file' },
    content: Uint8Array<ArrayBuffer>,
    changes: readonly TreeChange[],
    blob: string,
  ): Promise<void> {
    const blockCount = Math.ceil(length / blockSize);
    this.#local.presence({ sha256: blob, tableSha256: '', length, tableLength: 0, blockCount, blockSize });
    try {
      for (let block = 0; block < blockCount; block++) {
        const bytes = content.slice(block * blockSize, (block + 1) * blockSize);
        await this.#local.writePrivate(blob, block, bytes, await sha256(bytes));
      }
      await this.#local.change(mount.image.id, changes);
    } catch (error) {
      await this.#local.discard(blob);
      throw error;
    }
  }
}

/** Whether the file was made by the same request before, which did not live to answer. */
function isMade(mount: Mount, operation: TreeOperation, blob: string): boolean {
  if (operation.type !== 'create-file') return false;
  const inode = mount.tree.lookup(operation.path);
  const node = inode === undefined ? undefined : mount.tree.overlay.node(inode);
  return node?.kind === 'file' && node.blob === blob;
}

/** Whether an error that a repeated request ends with says that it was done the first time, by a leader that did not live to answer. */
export function saysDone(operation: TreeOperation, error: unknown): boolean {
  const code = error instanceof SluiceError ? error.code : undefined;
  if (operation.type === 'mkdir' || operation.type === 'link') return code === 'EEXIST';
  return (operation.type === 'unlink' || operation.type === 'rmdir') && code === 'ENOENT';
}
