import { SluiceError } from '../format/errors.ts';
import { planChange } from '../image/tree-operations.ts';
import type { TreeOperation } from '../protocol/loader-api.ts';
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
    if (!isMade(mount, operation, blob)) {
      const changes = planChange(mount.tree, operation, { blob });
      if (changes.length > 0) await this.#local.change(mount.image.id, changes);
      this.#engine.dropRemoved(mount);
    }
    if (operation.type === 'create-file' && operation.content) await this.#fill(mount, operation);
  }

  /** All of the content or no file. */
  async #fill(mount: Mount, operation: TreeOperation & { readonly type: 'create-file' }): Promise<void> {
    const { path, blockSize, content } = operation;
    const blob = mount.privateBlobOf(mount.tree.lookup(path)!)!;
    try {
      for (let at = 0; at < content!.length; at += blockSize) {
        const bytes = content!.slice(at, at + blockSize);
        await this.#engine.provide(mount, blob, at / blockSize, bytes);
      }
      await this.#engine.flush();
    } catch (error) {
      const undo = planChange(mount.tree, { type: 'unlink', path }, { blob: '' });
      await this.#local.change(mount.image.id, undo);
      this.#engine.dropRemoved(mount);
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
