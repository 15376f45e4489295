import { SluiceError } from '../format/errors.ts';
import type { TreeChange } from '../overlay/change.ts';
import { privateBlob } from '../overlay/private-blob.ts';
import type { BlobFiles } from './blob-files.ts';
import type { Ledger } from './ledger.ts';
import { blobPath, checkDigest } from './store-paths.ts';

/**
 * What is changed in images' trees at run time, and the private blobs of the files in them. Invariants: every change is durable by itself, in
 * order; a private blob's file goes after the record that takes its last name (7 in STORE.md).
 */
export class ImageTrees {
  readonly #ledger: Ledger;
  readonly #blobs: BlobFiles;

  constructor(ledger: Ledger, blobs: BlobFiles) {
    this.#ledger = ledger;
    this.#blobs = blobs;
  }

  async change(image: string, changes: readonly TreeChange[], request?: string): Promise<void> {
    checkDigest(image);
    const removed = new Set<string>();
    try {
      for (const [i, change] of changes.entries()) {
        const blob = this.#change(image, change, i === changes.length - 1 ? request : undefined);
        if (blob !== undefined) removed.add(blob);
      }
    } finally {
      await Promise.all([...removed].map((blob) => this.#removeUnnamed(blob)));
    }
  }

  /**
   * Nothing has to be durable before the blob's bytes go, since no tree speaks of it: a mount that finds it in the journal takes it away.
   */
  async discard(name: string): Promise<void> {
    if (!this.#ledger.state.unowned().includes(name)) {
      throw new SluiceError('EINVAL', `Blob ${name} is a file's`);
    }
    this.#ledger.takeAwayDeclared(name);
    await this.#removeUnnamed(name);
  }

  /** Answers the private blob that went with its last name. */
  #change(image: string, change: TreeChange, request: string | undefined): string | undefined {
    const { state } = this.#ledger;
    const overlay = state.overlay(image);
    if (!overlay.allows(change)) throw new SluiceError('EINVAL', `A ${change.type} that cannot be`);
    if (change.type === 'create' && change.node.kind === 'file') {
      this.#blobs.declare(privateBlob(change.node));
    }
    const place = change.type === 'unlink' ? overlay.child(change.parent, change.name) : undefined;
    const node = typeof place === 'object' ? overlay.node(place.inode) : undefined;
    const done = request === undefined ? [] : [{ type: 'done', request } as const];
    // In one append: a leader that is killed has done both or neither.
    this.#ledger.record([{ type: 'change', image, change }, ...done]);
    return node?.kind === 'file' && !state.blobs.has(node.blob) ? node.blob : undefined;
  }

  /** Its name is never used again, so no record can ever speak of another file of that name. */
  async #removeUnnamed(blob: string): Promise<void> {
    try {
      await this.#ledger.files.remove(blobPath(blob));
    } catch (error) {
      // It is durable that no tree speaks of it: whoever took the name away must not hear that he failed. The next mount removes the file.
      if (!(error instanceof SluiceError)) throw error;
    }
  }
}
